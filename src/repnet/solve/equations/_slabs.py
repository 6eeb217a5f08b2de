"""Evolution problems solved slab of time by slab of time."""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.nn import Slabbed
from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._progress import AbstractProgress
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve.equations._adapt import Profile, profile, space_nodes
from repnet.solve.equations._check import check_problem
from repnet.solve.equations._direct import trial_error
from repnet.solve.equations._evolution import Evolution, Known, evolution_of
from repnet.solve.equations._slab_fit import Slab, looked, solve_slab, state_of

_FIRST = 1.0 / 32.0  # length of the first slab, as a share of the time
_LONGEST = 1.0 / 8.0
_SHORTEST = 1.0 / 1024.0
_EASY = 0.2  # an error below that share of the tolerance makes the next slab longer
_GROW = 1.5
_HELPS = 0.5  # halving a slab must bring its error below this share, or it is kept whole
_MORE = 1.6  # where halving does not help, the units are multiplied by this
_SMOOTH = 1e-3  # a nonlinear evolution whose first fit is this good needs no slabs
_LOST = 0.05  # a relative residual above this ends the march
_LATE = np.array([0.6, 0.8, 1.0])  # times in a slab at which the next one's profile is read off


class Slabs(eqx.Module):
    r"""Newton's method on the read-out, one slab of time after the other.

    For sharp or long problems of first order in time, with one axis of space and time as the last
    axis. Each slab is the problem between two times, from the end of the slab before. Partition
    points, slopes and collocation points follow $\sqrt{|u_{xx}|}$ of the solution, first of the
    slab before, then of the slab itself; the units move with its local speed. A slab whose residual
    is above the tolerance is halved, an easy one is followed by a longer one. Periodic problems get
    bumps of the box's period, others steps of tanh.

    **Arguments:**

    - `units`: per slab; 1.6 times as many where shorter slabs don't help.
    - `tolerance`: the residual of a slab at points that were not fitted, relative to the
      equation's terms, above which it is halved.
    - `passes`: times that a slab is solved, each with units where the last solution varies.

    **Raises:** `ValueError` where an argument is not positive, and, in `run`, where the problem is
    not one of evolution: see the message.

    **Source:** this project; marching in time after Wight and Zhao 2020.

    >>> Slabs(units=200).units
    200
    """

    units: int = eqx.field(static=True, default=500)
    tolerance: float = eqx.field(static=True, default=3e-5)
    passes: int = eqx.field(static=True, default=2)

    def __check_init__(self):
        for name in ("units", "tolerance", "passes"):
            number = getattr(self, name)
            if not (np.isfinite(number) and number > 0):
                raise ValueError(f"`Slabs({name}=...)` must be positive; got {number}.")

    def run(
        self,
        problem: Problem,
        network: Callable | None = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Solve an evolution problem; `network` must be left out."""
        del progress  # the number of slabs is not known before the end
        if network is not None:
            raise ValueError("`Slabs` makes its own networks; leave `network` out.")
        if problem.unknowns is not None:
            raise ValueError("`Slabs` takes problems without `unknowns`; leave `solver` out.")
        with Clock() as clock, jax.enable_x64(True), one_blas_thread():
            evolution = evolution_of(problem)
            check_problem(problem)
            run = march_through(self, evolution, key)
            field = problem.field(run.network)
        return Solution(
            field,
            None,
            RESULTS.successful if run.finished else RESULTS.stalled,
            {},
            _plan(self, evolution, run),
            clock.seconds,
            clock.compile_seconds,
        )


def marches(problem: Problem) -> bool:
    """Whether `Slabs` takes a problem.

    >>> from repnet.problem import zoo
    >>> marches(zoo.make("burgers1d")), marches(zoo.make("helmholtz2d"))
    (True, False)
    """
    try:
        with jax.enable_x64(True):
            evolution_of(problem)
    except ValueError:
        return False
    return True


def too_sharp(problem: Problem, key: PRNGKeyArray) -> float | None:
    """Error of one layer for a nonlinear evolution that it can't hold; `None` for all else."""
    if not marches(problem):
        return None
    with jax.enable_x64(True):
        check_problem(problem)
    error = trial_error(problem, key)
    return None if error is None or error < _SMOOTH else error


@dataclasses.dataclass
class March:
    """The slabs so far, and how the next one is tried.

    - `reached`: the time up to which they hold; `length`, `units`: of the next slab.
    - `halve`: whether halving is worth a trial: not since it last failed.
    - `tries`: number of the try that became each slab; it decides the random draws.
    """

    slabs: list[Slab]
    starts: list[float]
    reached: float
    length: float
    units: int
    halve: bool = True
    solves: int = 0
    finished: bool = False
    tries: list[int] = dataclasses.field(default_factory=list)

    @property
    def network(self) -> Slabbed:
        """The slabs as one network."""
        return Slabbed.of([slab.frame.wrap(slab.network) for slab in self.slabs], self.starts)


def march_through(wishes: Slabs, evolution: Evolution, key: PRNGKeyArray) -> March:
    """Slab after slab until the end, or until one can't be made accurate."""
    begin, end = evolution.times
    whole = end - begin
    march = March([], [], begin, _FIRST * whole, wishes.units)
    while march.reached < end - 1e-9 * whole:
        left = end - march.reached
        march.length = left / max(1, int(np.ceil(left / march.length - 1e-9)))
        slab = _accurate(wishes, evolution, march, _SHORTEST * whole, key)
        march.slabs.append(slab)
        march.starts.append(march.reached)
        march.tries.append(slab.number)
        march.reached += march.length
        if not slab.error <= _LOST:
            return march
        if slab.error < _EASY * wishes.tolerance:
            if march.units > wishes.units:
                march.units = wishes.units
            else:
                march.length = min(_GROW * march.length, _LONGEST * whole)
            march.halve = True
    march.finished = True
    return march


def march_again(wishes: Slabs, evolution: Evolution, like: March, key: PRNGKeyArray) -> March:
    """The same slabs with the same draws, for a slightly different problem: differences are smooth.

    `key` is the one that `like` was marched with.
    """
    begin, end = evolution.times
    march = March([], [], begin, 0.0, 0)
    edges = [*like.starts, end]
    for number, (slab, try_) in enumerate(zip(like.slabs, like.tries, strict=True)):
        march.length, march.units = edges[number + 1] - edges[number], slab.network.first.width
        march.solves = try_ - 1
        march.slabs.append(_solve(wishes, evolution, march, march.length, march.units, key))
        march.starts.append(march.reached)
        march.tries.append(try_)
        march.reached = edges[number + 1]
    march.finished = all(slab.error <= _LOST for slab in march.slabs)
    return march


def _accurate(
    wishes: Slabs, evolution: Evolution, march: March, shortest: float, key: PRNGKeyArray
) -> Slab:
    """The next slab: shorter as long as that helps, then with more units."""
    slab = _solve(wishes, evolution, march, march.length, march.units, key)
    while march.halve and slab.error > wishes.tolerance and 0.5 * march.length >= shortest:
        half = _solve(wishes, evolution, march, 0.5 * march.length, march.units, key)
        march.halve = half.error <= _HELPS * slab.error
        if march.halve:
            slab, march.length = half, 0.5 * march.length
    if slab.error > wishes.tolerance and march.units == wishes.units:
        more = int(_MORE * march.units)
        larger = _solve(wishes, evolution, march, march.length, more, key)
        if larger.error <= slab.error:
            slab, march.units = larger, more
    return slab


def _solve(
    wishes: Slabs,
    evolution: Evolution,
    march: March,
    length: float,
    units: int,
    key: PRNGKeyArray,
) -> Slab:
    first = march.reached
    problem = evolution.slab(first, first + length)
    ring = evolution.ring is not None
    march.solves += 1
    each = jax.random.fold_in(key, march.solves)
    if march.slabs:
        before = march.slabs[-1]
        spans = 2.0 * float(before.frame.half_width[-1])
        around = looked(before.field, before.problem, _LATE, ring)
        around = dataclasses.replace(around, speed=around.speed * (length / spans))
        field, state = before.field, state_of(before.field)
    else:
        around, field, state = _given_profile(evolution, ring), None, evolution.given
    known = Known(field, evolution.unknowns)
    guess = _carried(problem, state, around, ring)
    slab = solve_slab(problem, known, guess, around, units, ring, each, passes=wishes.passes)
    return dataclasses.replace(slab, number=march.solves)


def _given_profile(evolution: Evolution, ring: bool) -> Profile:
    box, nodes = evolution.problem.domain, space_nodes()
    local = np.stack([nodes, np.full(len(nodes), -1.0)], axis=1)
    values = evolution.given(box.centre + box.half_width * local)[None]
    return profile(values, np.zeros_like(values), ring=ring)


def _carried(problem: Problem, state: Callable, around: Profile, ring: bool) -> Callable:
    """The state at the slab's start, carried on with its local speed."""
    box = problem.domain

    def guess(x: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, "points out"]:
        local = (x - box.centre) / box.half_width
        back = local[:, 0] - around.at(local[:, 0])[1] * (local[:, 1] + 1.0)
        back = back if ring else np.clip(back, -1.0, 1.0)
        at_start = np.stack([back, np.full(len(x), -1.0)], axis=1)
        return state(box.centre + box.half_width * at_start)

    return guess


def _plan(wishes: Slabs, evolution: Evolution, march: March) -> Plan:
    begin, end = evolution.times
    edges = [*march.starts, march.reached]
    lengths = np.diff(edges)
    errors = [slab.error for slab in march.slabs]
    worst = int(np.argmax(errors))
    kind = "tanh" if evolution.ring is None else "periodic bump"
    reasons = [
        f"{len(lengths)} slabs of time, {lengths.min():.2g} to {lengths.max():.2g} long, from "
        f"{march.solves} solves; units follow the solution and its speed.",
        f"Largest residual of a slab at points that were not fitted, relative to the equation's "
        f"terms: {errors[worst]:.1e}, from time {edges[worst]:.4g} to {edges[worst + 1]:.4g}.",
    ]
    if not march.finished:
        reasons.append(
            f"The slab from time {edges[-2]:.4g} to {edges[-1]:.4g} could not be made accurate and "
            f"times after {edges[-2]:.4g} are not solved: try `Slabs(units={2 * wishes.units})`."
        )
    elif errors[worst] > wishes.tolerance:
        reasons.append(
            f"Some slabs stay above the tolerance of {wishes.tolerance:.1e}: more units, "
            f"`Slabs(units={2 * wishes.units})`, make them more accurate."
        )
    numbers = {
        "residual": errors[worst],
        "starts": [float(t) for t in march.starts],
        "lengths": [float(h) for h in lengths],
        "residuals": [float(error) for error in errors],
        "solves": march.solves,
        "steps": sum(slab.steps for slab in march.slabs),
        "reached": (march.reached - begin) / (end - begin),
    }
    network = f"{len(lengths)} slabs of {wishes.units} {kind} units"
    return Plan(network, "Slabs, Newton's method", None, tuple(reasons), numbers)
