"""Evolution along one axis of space by one layer per element of space and time."""

import dataclasses
import math
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.nn import Tiled
from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._progress import AbstractProgress
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve.equations._chain import Chain
from repnet.solve.equations._check import check_problem
from repnet.solve.equations._equation import STALLED
from repnet.solve.equations._local import Looked, looked_at
from repnet.solve.equations._plane_basis import PlaneBasis
from repnet.solve.equations._points import points_of
from repnet.solve.equations._space_time import SpaceTime, space_time_of
from repnet.solve.equations._strip import State, Strip, System, system_of

_FIRST = 8  # elements of the first slab, and the fewest of any
_SLAB = 1.0 / 32.0  # length of the first slab, as a share of the time
_LONGEST = 1.0 / 4.0  # of the longest
_SHORTEST = 1e-6  # of the shortest that is halved
_NARROWEST = 1e-5  # width of an element, as a share of the space
_ABREAST = 1024  # elements of one slab at which it is given up, over the square of the outputs
_STEPS = 12
_PATIENT = 3  # steps after which changes must fall
_SETTLED = 1e-10  # relative change of the coefficients at which Newton's method ends
_NEAR = 1e-2  # a change below this is followed by steps with the same factors, as long as
_FALLS = 0.1  # each is that share of the one before
_CREEPS = 1e-6  # a last change above this is no solution
_FLOOR = 1e-7  # a residual below this that halving does not halve is at its floor
_LOST = 0.01  # a slab that can't be halved and misses more than this ends the march
_WORST = 1e-2  # elements whose residual is below that share of the largest stay whole
_AIM = 0.3  # share of the tolerance that a slab's length is chosen for
_ORDER = 8.0  # residuals are taken to fall with this power of a slab's length
_GROW = 1.5  # a slab is at most so many times as long as the one before
_LITTLE = 1.05  # a growth below this isn't worth new factors
_JOINED = 1e-3  # share of the tolerance of what may be lost where two elements are joined
_IDLE = 1e-2  # share of the tolerance that such elements miss at most
_HELD = 2048  # points that judge
_WITHIN = 256  # of them that tell how large a field is that vanishes on a boundary


class SpaceTimeElements(eqx.Module):
    r"""One layer of sines per element of space and time, tied at their walls, slab after slab.

    For evolution problems with one axis of space and time as the last axis, of any order in time:
    many waves, steep starts, sharp fronts, long times. A slab of time is cut into elements along
    space. Neighbours agree in every derivative by space below the equation's order, and each slab
    starts from the end of the one before. All elements of a slab are solved at once, by orthogonal
    elimination along space; nonlinear equations take Newton's method. Elements whose residual is
    above the tolerance are halved, in space or in time, by where the solution is not resolved, and
    joined again where they need not be narrow.

    **Arguments:**

    - `tolerance`: of an element's residual, relative to what the largest coefficients could make.
    - `most`: number of elements of all slabs at which the solver gives up.

    **Raises:** `ValueError` where an argument is not positive, and, in `run`, where the problem is
    not one of evolution, or its residuals tie distant points: see the message.

    **Source:** this project; least-squares collocation on elements goes back to Ascher 1978.

    >>> SpaceTimeElements(tolerance=1e-6).tolerance
    1e-06
    """

    tolerance: float = eqx.field(static=True, default=1e-10)
    most: int = eqx.field(static=True, default=10_000)

    def __check_init__(self):
        for name in ("tolerance", "most"):
            number = getattr(self, name)
            if not (np.isfinite(number) and number > 0):
                raise ValueError(f"`SpaceTimeElements({name}=...)` must be positive; got {number}.")

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
            raise ValueError("`SpaceTimeElements` makes its own networks; leave `network` out.")
        with Clock() as clock, jax.enable_x64(True):
            check_problem(problem)
            space_time = space_time_of(problem)
        return clock.added_to(solve_space_time(self, space_time, key))


def evolves(problem: Problem) -> SpaceTime | None:
    """The problem as `SpaceTimeElements` takes it, or `None`.

    >>> from repnet.problem import zoo
    >>> evolves(zoo.make("burgers1d")).orders.tolist()
    [[2, 1]]
    >>> evolves(zoo.make("helmholtz2d")) is None
    True
    """
    try:
        with jax.enable_x64(True):
            return space_time_of(problem)
    except ValueError:
        return None


def solve_space_time(wishes: SpaceTimeElements, problem: SpaceTime, key: PRNGKeyArray) -> Solution:
    """March to the end, and say how."""
    with Clock() as clock, jax.enable_x64(True), one_blas_thread():
        march_key, held_key = jax.random.split(key)
        march = March.begun(wishes, problem, march_key)
        march.to_the_end()
        errors = _judged(march, held_key)
        field = problem.problem.field(march.network())
    error = math.hypot(*errors.values())
    solved = march.finished and error <= STALLED
    return Solution(
        field,
        None,
        RESULTS.successful if solved else RESULTS.stalled,
        {},
        _plan(march, errors),
        clock.seconds,
        clock.compile_seconds,
    )


def _judged(march: "March", key: PRNGKeyArray) -> dict[str, float]:
    """Every term's residual relative to its parts, at points that were not fitted."""
    problem = march.problem
    stated = problem.problem
    keys = jax.random.split(key, len(stated.terms))
    held = {
        name: points_of(stated, term, _HELD, each)
        for each, (name, term) in zip(keys, stated.terms.items(), strict=True)
    }
    inside, found = held[problem.inside[0]][:_WITHIN], {}
    for name, x in held.items():
        if name == problem.ring:
            found[name] = march.gap(x[:, 1], inside)
            continue
        seen = march.looked(name, x)
        size = _rms(seen.sizes)
        if name not in problem.inside:
            # On a boundary where the field vanishes, its size is that of the field elsewhere.
            size = np.maximum(size, _rms(march.looked(name, inside).sizes))
        found[name] = float(_rms(_rms(seen.residual) / np.maximum(size, 1e-300)))
    return {name: error if math.isfinite(error) else math.inf for name, error in found.items()}


def _rms(values: Float[np.ndarray, "points *each"]) -> Float[np.ndarray, "*each"]:
    return np.asarray(np.sqrt(np.mean(np.square(values), axis=0)))


class _Tried(NamedTuple):
    """A solved slab: what its elements miss, in units of the largest coefficients so far."""

    strip: Strip
    missed: Float[np.ndarray, " tiles"]
    largest: float

    @property
    def worst(self) -> float:
        """Of the elements."""
        return float(np.max(self.missed))

    @property
    def overall(self) -> float:
        """Root mean square over space."""
        share = self.strip.halves / np.sum(self.strip.halves)
        return float(np.sqrt(share @ np.square(self.missed)))


@dataclasses.dataclass
class March:
    """The slabs so far, and how the next one is tried.

    - `edges`, `length`: of the next slab; `largest`: size of the largest coefficients so far.
    - `solves`: systems that were solved; `missed`: the largest residual of every slab.
    """

    wishes: SpaceTimeElements
    problem: SpaceTime
    basis: PlaneBasis
    edges: Float[np.ndarray, " edges"]
    length: float
    strips: list[Strip] = dataclasses.field(default_factory=list)
    missed: list[float] = dataclasses.field(default_factory=list)
    largest: float = 0.0
    solves: int = 0
    finished: bool = False
    _kept: tuple[System, Chain] | None = None

    @staticmethod
    def begun(wishes: SpaceTimeElements, problem: SpaceTime, key: PRNGKeyArray) -> "March":
        """Before the first slab."""
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        begin, end = problem.times
        edges = np.unique([*np.linspace(*problem.walls, _FIRST + 1), *problem.jumps])
        basis = PlaneBasis.of(problem.orders, rng)
        return March(wishes, problem, basis, edges, _SLAB * (end - begin))

    @property
    def reached(self) -> float:
        """The time up to which slabs are solved."""
        return self.strips[-1].last if self.strips else self.problem.times[0]

    @property
    def count(self) -> int:
        """Number of elements so far."""
        return sum(strip.count for strip in self.strips)

    def to_the_end(self) -> None:
        """Slab after slab, until the end or one that can't be solved."""
        begin, end = self.problem.times
        while self.reached < end:
            left = end - self.reached
            self.length = left / max(1, math.ceil(left / self.length - 1e-9))
            if not self._one_slab(end - begin):
                return
        self.finished = True

    def _one_slab(self, whole: float) -> bool:
        """Halve until a slab is solved, and whether there is one."""
        end, coarser = self.problem.times[1], None
        abreast = _ABREAST // len(self.problem.orders) ** 2
        while True:
            left = end - self.reached
            stop = end if self.length >= (1.0 - 1e-12) * left else self.reached + self.length
            if len(self.edges) > min(abreast, self.wishes.most - self.count):
                return self._ended(coarser)
            tried = self._solved(stop)
            if tried is None:
                if self.length < 2.0 * _SHORTEST * whole:
                    return self._ended(coarser)
                self.length, coarser = 0.5 * self.length, None
                continue
            if coarser is not None and coarser.worst < _FLOOR and tried.worst > 0.5 * coarser.worst:
                return self._keep(coarser, _GROW)
            if tried.worst <= self.wishes.tolerance:
                return self._keep(tried, self._stretch(tried))
            if not self._halved(tried, whole):
                return self._ended(tried) if tried.overall > _LOST else self._keep(tried, _GROW)
            coarser = tried

    def _ended(self, coarser: "_Tried | None") -> bool:
        """No slab from here on; of a march that never began the first one, as it came out."""
        if not self.strips and coarser is not None:
            self._keep(coarser, 1.0)
        elif not self.strips:
            stop = min(self.reached + self.length, self.problem.times[1])
            self.strips.append(
                Strip.blank(self.problem, self.basis, self.edges, self.reached, stop)
            )
            self.missed.append(math.inf)
        return False

    def _halved(self, tried: "_Tried", whole: float) -> bool:
        """Halve what is not resolved, in space or time; whether there was anything to halve."""
        strip, (lower, upper) = tried.strip, self.problem.walls
        bad = tried.missed > max(self.wishes.tolerance, _WORST * tried.worst)
        in_space, in_time = self.basis.tails(strip.coefficients)
        wide = strip.halves > _NARROWEST * (upper - lower)
        split = bad & wide & (in_space > 0.5 * in_time)
        shorter = bool(np.any(bad & (in_time > 0.5 * in_space)))
        shorter &= self.length > _SHORTEST * whole
        if split.any():
            self.edges = np.sort(np.concatenate([strip.edges, strip.centres[split]]))
        if shorter:
            self.length *= max(0.5, min(self._stretch(tried), 1.0 / _LITTLE))
        return shorter or bool(split.any())

    def _stretch(self, tried: "_Tried") -> float:
        """The length of a slab that meets the tolerance, over the length of this one."""
        return (_AIM * self.wishes.tolerance / max(tried.worst, 1e-300)) ** (1.0 / _ORDER)

    def _keep(self, tried: "_Tried", stretch: float) -> bool:
        """Go on from the end of a slab, with a longer one after an easy one."""
        strip = tried.strip
        self.strips.append(strip)
        self.missed.append(tried.worst)
        self.largest = tried.largest
        self.edges = self._joined(tried)
        self.length = strip.last - strip.first
        if stretch > _LITTLE:
            begin, end = self.problem.times
            self.length = min(min(stretch, _GROW) * self.length, _LONGEST * (end - begin))
        return True

    def _joined(self, tried: "_Tried") -> Float[np.ndarray, " edges"]:
        """The edges without those between two equal elements that are resolved easily."""
        strip = tried.strip
        in_space, _ = self.basis.tails(strip.coefficients)
        tolerance = self.wishes.tolerance
        small = (in_space < _JOINED * tolerance * self.largest) & (tried.missed < _IDLE * tolerance)
        kept, place, count = [strip.edges[0]], 0, strip.count
        halves = strip.halves
        while place < count:
            after = place + 1
            alike = after < count and math.isclose(halves[place], halves[after], rel_tol=1e-9)
            alike = alike and strip.edges[after] not in self.problem.jumps
            if alike and small[place] and small[after] and count > _FIRST:
                place = after
            kept.append(strip.edges[place + 1])
            place += 1
        return np.array(kept)

    def _solved(self, stop: float) -> "_Tried | None":
        """The next slab, or `None` where Newton's method does not settle on it."""
        strip = Strip.blank(self.problem, self.basis, self.edges, self.reached, stop)
        x = strip.at_wall()
        at = self.strips[-1].at_end if self.strips else self.problem.initial
        state: State = at(x.ravel()).reshape(*x.shape, -1).swapaxes(1, 2)
        if not self.problem.linear:
            strip = strip.carried_on(state)
        change, falls = math.inf, False
        for step in range(1, _STEPS + 1):
            system = system_of(strip, state)
            if not system.finite:
                return None
            if not (self._kept and falls and change < _NEAR):
                self._kept = system, system.factored(self._kept)
            chain = self._kept[1]
            if not chain.regular:
                return None
            moved = chain.solve(system.right, system.ties, system.ends)
            strip = strip.having(strip.coefficients + moved.reshape(strip.coefficients.shape))
            self.solves += 1
            size = max(float(np.linalg.norm(strip.coefficients)), 1e-300)
            before, change = change, float(np.linalg.norm(moved)) / size
            falls = change < _FALLS * before
            # A linear problem takes a second step for what rounding left.
            settled = change < _SETTLED or (change < _CREEPS and change > 0.5 * before)
            if settled or (self.problem.linear and step == 2):
                missed = strip.missed(system, state)
                largest = max(self.largest, float(np.max(_sizes(strip))), 1e-300)
                missed = np.where(np.isfinite(missed), missed / largest, np.inf)
                return _Tried(strip, missed, largest)
            if step > _PATIENT and change >= before:
                return None
        return None

    def derivatives(
        self, x: Float[np.ndarray, "points 2"]
    ) -> Float[np.ndarray, "points out looks"]:
        """What terms look at, at points of the whole domain; beyond the last slab it goes on."""
        ends = [strip.last for strip in self.strips[:-1]]
        which = np.searchsorted(ends, x[:, 1], side="right")
        found = np.empty((len(x), len(self.problem.orders), len(self.problem.looks)))
        for place in np.unique(which):
            here = which == place
            found[here] = self.strips[place].derivatives(x[here], self.problem.looks)
        return found

    def looked(self, name: str, x: Float[np.ndarray, "points 2"]) -> Looked:
        """A term at points of the whole domain."""
        looks = self.problem.looks
        return looked_at(self.problem.problem, name, looks, x, self.derivatives(x))

    def gap(
        self, times: Float[np.ndarray, " points"], inside: Float[np.ndarray, "within 2"]
    ) -> float:
        """What the field's derivatives along space differ at the two ends of a ring, relative.

        Where they vanish, their size is that of those inside.
        """
        left, right = (
            self.derivatives(np.stack([np.full_like(times, wall), times], axis=1))
            for wall in self.problem.walls
        )
        sizes = np.maximum(_rms(np.abs(left) + np.abs(right)), _rms(2.0 * self.derivatives(inside)))
        shares = _rms(left - right) / np.maximum(sizes, 1e-300)
        tied = [
            shares[out, self.problem.looks.index((k, 0))]
            for out, (order, _) in enumerate(self.problem.orders)
            for k in range(order)
        ]
        return float(_rms(np.array(tied)))

    def network(self) -> Tiled:
        """The elements as one network in the user's units."""
        read = [strip.coefficients @ self.basis.mix.T for strip in self.strips]
        return Tiled.of(
            self.basis.layer,
            [each[..., :-1] for each in read],
            [each[..., -1] for each in read],
            [strip.edges for strip in self.strips],
            np.array([strip.first for strip in self.strips] + [self.reached]),
        )


def _sizes(strip: Strip) -> Float[np.ndarray, " tiles"]:
    return np.sqrt(np.sum(np.square(strip.coefficients), axis=(1, 2)))


def _plan(march: March, errors: dict[str, float]) -> Plan:
    begin, end = march.problem.times
    lengths = np.array([strip.last - strip.first for strip in march.strips])
    widths = np.concatenate([2.0 * strip.halves for strip in march.strips])
    error = math.hypot(*errors.values())
    units = march.basis.mix.shape[0] - 1
    reasons = [
        f"{len(lengths)} slabs of time, {lengths.min():.2g} to {lengths.max():.2g} long, of "
        f"{min(s.count for s in march.strips)} to {max(s.count for s in march.strips)} elements, "
        f"{widths.min():.2g} to {widths.max():.2g} wide; halved where the solution was not "
        "resolved.",
        f"Residual at points that were not fitted, relative to the equations' terms: {error:.1e}.",
    ]
    if not march.finished:
        reasons.append(
            f"The solution ends at time {march.reached:.4g}: from there on no slab, however short, "
            "met the equations, or the number of elements came to its limit."
        )
    numbers = {
        "residual": error,
        "residuals": errors,
        "elements": march.count,
        "slabs": len(lengths),
        "solves": march.solves,
        "missed": max(march.missed),
        "reached": (march.reached - begin) / (end - begin),
    }
    method = "one solve per slab" if march.problem.linear else "Newton's method"
    network = f"{march.count} elements of {units} sine units in {len(lengths)} slabs of time"
    return Plan(network, f"SpaceTimeElements, {method}", None, tuple(reasons), numbers)
