"""Gradient descent: the solver for deep networks, operators, minibatches and any residual."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Key, PRNGKeyArray

from repnet.nn import MLP, RepLinear
from repnet.nn._activation import family
from repnet.nn._check import check_choice, check_positive
from repnet.problem import Problem
from repnet.solve._between import Between
from repnet.solve._clock import Clock
from repnet.solve._collocation import check_drawn, count_inside, points_in_words
from repnet.solve._default_network import default_network
from repnet.solve._directions import CHOICES
from repnet.solve._ending import few_steps, steps_for
from repnet.solve._history import Watch, of_seed
from repnet.solve._progress import AbstractProgress, NoProgress
from repnet.solve._regression import is_regression
from repnet.solve._solution import Plan, Solution
from repnet.solve._training import (
    Collocation,
    Outcome,
    Ready,
    Schedule,
    pick,
    precision_of,
    prepare,
    sizes,
    train,
)
from repnet.solve._weighting import Weights, check_weights
from repnet.solve.equations._check import check_problem

_TO_THE_END = 1000  # steps from which a training is meant to end with what can be learnt
_NEARER = (
    "{} Gauss–Newton steps at the end: in a trial they halved the squared error on points left out."
)
_ANEW = (
    "Descent left a residual as large as half of its own terms, so the Gauss–Newton steps at the "
    "end started from the initial network."
)


@dataclass(frozen=True)
class Gradient:
    r"""Train all parameters and unknowns by gradient descent on the sum of mean squared residuals.

    $$L = \sum_{\text{terms}} \frac{\lambda}{n} \sum_i |r(u, x_i) - v_i|^2$$

    For a regression the inputs are standardized to $[-1, 1]$ per axis and the targets to mean 0
    and rms 1, so that $L = 1$ is the loss of the best constant. Other residuals see the user's
    units, and the network inside sees $[-1, 1]$. All is computed in the network's own precision.

    **Arguments:**

    - `steps`: how many.
    - `optimiser`: any optax optimiser, line searches such as `optax.lbfgs()` included; `None` is
      Adam with a rate that falls to zero along a cosine.
    - `rate`: learning rate at which the default optimiser starts; `None` is 2e-3 for one input
      and 5e-3 for more.
    - `batch`: points per term and step, drawn anew with replacement; `None` takes all in each.
    - `chunk`: steps per record of `history`.
    - `hold_out`: share of a regression's points to hold out. The network returned is then the one
      of the record with the least loss on them.
    - `watch`: `watch(network) -> {name: array}`, called with the network in the user's units at
      steps even in their logarithm; the arrays go into `history`, beside `watch_step`.
    - `width`, `hidden`, `activation`, `features`, `directions`, `scale`: of the `RepNet` that is
      trained where the caller gives no network; `scale` is in radians per half-width of the
      domain, a number or one per axis, or `"auto"`, and so may `directions` be: a regression's
      search for the scale then tries all of them, an equation takes `"mixed"`. `"active"`
      directions are learnt from a regression's data, see
      [`active_directions`][repnet.spectrum.active_directions]. `features` are
      `"local"` for a regression and `"plain"` for an equation if `"auto"`. Where up to 160
      points of one input are fitted, steps start at half their size, hats and ramps of ReLU at a
      tenth.
    - `points`: collocation points inside the domain, fewer on boundaries; `None` is 20 per
      wavelength in one dimension and 10 per wavelength and axis in more, from 512 or 2,048 to
      8,192.
    - `weights`: of the terms in the loss: `"equal"`, a number per name, or `"gradient_norm"` or
      `"ntk"`, which balance the terms anew at every record.
    - `resample`: steps between new draws of the points, `adaptive` if more of them should lie
      where residuals are large; `None` keeps them.
    - `causal`: ε, how strictly earlier times (the last axis) come first in terms inside the domain,
      relative to the initial loss; 0 is not at all.
    - `finish`: Gauss–Newton steps on all parameters after the last step, in double precision, at
      most: on all points or, where there are many, on up to 2,048 residuals; where training has
      left a residual as large as half of its own terms, most of the steps come before those, from
      the initial network, on 512 at random with momentum. `None`, for equations that the default
      optimiser trains on all points, is as many as take about as long as the training: 60 on all,
      20 on many, 180 at random, none for very large networks. For a regression on up to 160
      points whose network the solver made, at least 1,000 steps of it and no ReLU, `None` is 6,
      taken only where a trial brings points nearer that are left out of it; else 0.

    **Raises:** `ValueError` naming the argument at fault.

    **Source:** this project; Adam: Kingma and Ba 2015; cosine: Loshchilov and Hutter 2017.

    >>> import numpy as np
    >>> from repnet.problem import regression
    >>> x = np.linspace(0.0, 5.0, 65)
    >>> problem = regression(x, np.sin(x))
    >>> solution = Gradient(steps=20, width=16, hidden=(8,)).run(problem, key=jr.key(0))
    >>> solution.steps, solution(x).shape
    (20, (65, 1))
    """

    steps: int = 3000
    optimiser: optax.GradientTransformation | None = None
    rate: float | None = None
    batch: int | None = None
    chunk: int = 100
    hold_out: float = 0.0
    watch: Watch | None = None
    width: int = 256
    hidden: Sequence[int] = (64, 64)
    activation: Callable = jnp.tanh
    features: str = "auto"
    directions: str = "auto"
    scale: float | Sequence[float] | str = "auto"
    points: int | None = None
    weights: Weights = "equal"
    resample: int | None = None
    adaptive: bool = False
    causal: float = 0.0
    finish: int | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "chunk", "batch", "points", "resample", "finish"):
            _check_count(name, getattr(self, name))
        if self.rate is not None and not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"`Gradient(rate=...)` must be finite and positive; got {self.rate}.")
        if self.hold_out and self.finish:
            raise ValueError(
                "`Gradient(finish=...)` must be 0 or None where `hold_out` picks the network; "
                f"got finish={self.finish} and hold_out={self.hold_out}."
            )
        if not 0.0 <= self.hold_out < 1.0:
            raise ValueError(f"`Gradient(hold_out=...)` must lie in [0, 1); got {self.hold_out}.")
        check_weights(self.weights)
        if not (math.isfinite(self.causal) and self.causal >= 0.0):
            raise ValueError(f"`Gradient(causal=...)` must be finite and >= 0; got {self.causal}.")
        if self.adaptive and self.resample is None:
            raise ValueError("`Gradient(adaptive=True)` needs `resample`; got None.")
        check_choice("Gradient", "directions", self.directions, ("auto", *CHOICES))
        if isinstance(self.scale, str) and self.scale != "auto":
            raise ValueError(
                "`Gradient(scale=...)` must be a number, one per axis, or 'auto'; "
                f"got {self.scale!r}."
            )
        if not isinstance(self.scale, str):
            check_positive("Gradient", "scale", self.scale)

    def run(
        self,
        problem: Problem,
        network: Callable | None = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Train one network: the caller's, or a `RepNet` as the solver's fields describe it.

        A loss that stops being finite ends the training, and so does Ctrl-C: the solution then
        holds the best network of all records until then, and its `result` says what happened.

        **Arguments:**

        - `network`: `(dim,) -> (out,)`, whose inputs will lie in $[-1, 1]$.
        - `progress`: a meter; `None` shows nothing.
        """
        network_key, loop_key = jr.split(key)
        own = network is None
        with Clock() as clock:
            _require_residuals(problem)
            reasons: tuple[str, ...] = ()
            numbers: dict[str, Any] = {}
            stopped = False
            if network is None:
                try:
                    network, reasons, numbers = default_network(self, problem, key=network_key)
                except KeyboardInterrupt:
                    # Stopped in the search for a scale: the guess, untrained, is the best so far.
                    unsearched = replace(self, steps=1)
                    network, reasons, numbers = default_network(
                        unsearched, problem, key=network_key
                    )
                    stopped = True
            inside = count_inside(problem, self.points, numbers.get("omega"), loop_key)
            with _precision(network):
                ready = _prepare(self, problem, network, inside, loop_key, stacked=False)
                schedule = self._schedule(inside)
                schedule = self._finished(schedule, ready, own)
                if stopped:
                    schedule = replace(schedule, steps=0)
                outcome = train(ready, schedule, progress or NoProgress())
                reasons += points_in_words(inside, numbers.get("omega"))
                numbers = {**numbers, "points": inside} if inside else numbers
                if schedule.judged and outcome.steps > self.steps:
                    reasons += (_NEARER.format(outcome.steps - self.steps),)
                plan = _plan(self, _rate(self, problem), network, reasons, numbers)
                return _solution(ready, outcome, clock, plan, None)

    def _schedule(self, inside: int) -> Schedule:
        balance = self.weights if isinstance(self.weights, str) else "equal"
        between = Between(
            self.resample,
            self.adaptive,
            None if balance == "equal" else self.chunk,
            balance,
            inside,
        )
        return Schedule(self.steps, self.chunk, self.watch, between)

    def _finished(self, schedule: Schedule, ready: Ready, own: bool) -> Schedule:
        """With Gauss–Newton steps at the end: as asked, or where they are cheap."""
        if self.finish is not None:
            return replace(schedule, finish=self.finish)
        if self.optimiser is not None or self.batch is not None:
            return schedule
        if ready.training.frame is not None:
            return replace(schedule, finish=steps_for(*sizes(ready)))
        if not own or self.hold_out or self.steps < _TO_THE_END:
            return schedule
        if family(self.activation) == "relu":  # a quadratic model ends at the next kink
            return schedule
        return replace(schedule, finish=few_steps(sizes(ready)[0]), judged=True)


def _require_residuals(problem: Problem) -> None:
    operator = any(hasattr(term.residual, "solver") for term in problem.terms.values())
    if not operator and not is_regression(problem):
        with jax.enable_x64(True):
            check_problem(problem)


def train_many(
    problem: Problem,
    make_network: Callable[..., Callable],
    solver: Gradient,
    *batched: Any,
    keys: Key[Array, " seeds"],
    progress: AbstractProgress | None = None,
) -> list[Solution]:
    """Train one network per key, all at once as one batched axis: several seeds, several scales.

    Solution `i` equals `solver.run(problem, make_network(k), key=keys[i])` with `k` the first
    of `jr.split(keys[i])`, up to rounding.

    **Arguments:**

    - `make_network`: called as `make_network(key, *arguments)` under `jax.vmap`.
    - `batched`: arrays whose first axis goes with `keys`: the further arguments, such as scales.
    - `keys`: shape `(seeds,)`.

    **Returns:** one solution per key. `seconds` is an equal share of the time of all.

    **Raises:** `ValueError` for a solver that watches its network, draws points where residuals are
    large (`adaptive`) or balances its terms (`"gradient_norm"`, `"ntk"`).

    **Source:** this project.

    >>> import numpy as np
    >>> from repnet import RepNet, regression
    >>> x = np.linspace(0.0, 5.0, 65)
    >>> make = lambda key: RepNet(1, width=16, hidden=(8,), scale=5.0, key=key)
    >>> keys = jr.split(jr.key(0), 2)
    >>> pair = train_many(regression(x, np.sin(x)), make, Gradient(steps=10), keys=keys)
    >>> [solution.steps for solution in pair]
    [10, 10]
    """
    if solver.watch is not None:
        raise ValueError("`train_many(solver=...)` must not watch; its `watch` is not None.")
    if solver.adaptive or solver.weights in ("gradient_norm", "ntk"):
        raise ValueError(
            "`train_many(solver=...)` trains all networks on the same points and weights; "
            f"got adaptive={solver.adaptive}, weights={solver.weights!r}."
        )
    with Clock() as clock:
        _require_residuals(problem)
        pairs = jax.vmap(jr.split)(keys)
        # Once without the batch: an activation's kind, found by probing it, can't be under `vmap`.
        eqx.filter_eval_shape(make_network, pairs[0, 0], *(argument[0] for argument in batched))
        networks = eqx.filter_vmap(make_network)(pairs[:, 0], *batched)
        inside = count_inside(problem, solver.points, None, pairs[0, 1])
        with _precision(networks):
            ready = _prepare(solver, problem, networks, inside, pairs[:, 1], stacked=True)
            schedule = solver._finished(solver._schedule(inside), ready, own=False)
            outcome = train(ready, schedule, progress or NoProgress())
            solutions = []
            for index in range(len(keys)):
                network = pick(ready.initial[0], index)
                reasons = points_in_words(inside, None)
                numbers = {"points": inside} if inside else {}
                plan = _plan(solver, _rate(solver, problem), network, reasons, numbers)
                solutions.append(_solution(ready, outcome, clock, plan, index))
            return solutions


def _rate(solver: Gradient, problem: Problem) -> float:
    if solver.rate is not None:
        return solver.rate
    return 2e-3 if problem.dim == 1 else 5e-3


def _prepare(
    solver: Gradient,
    problem: Problem,
    network: Callable,
    inside: int,
    key: Array,
    *,
    stacked: bool,
) -> Ready:
    check_weights(solver.weights, problem)
    if solver.resample is not None:
        check_drawn(problem)
    return prepare(
        problem,
        network,
        optimiser=solver.optimiser,
        rate=_rate(solver, problem),
        steps=solver.steps,
        batch=solver.batch,
        hold_out=solver.hold_out,
        stacked=stacked,
        key=key,
        collocation=Collocation(inside, solver.weights, solver.causal),
    )


def _solution(
    ready: Ready, outcome: Outcome, clock: Clock, plan: Plan, index: int | None
) -> Solution:
    network, unknowns = pick(outcome.both, index)
    first, _ = pick(ready.initial, index)
    share = 1 if index is None else len(outcome.results)
    if any(outcome.anew[index or 0 : (index or 0) + 1]):
        plan = replace(plan, reasons=(*plan.reasons, _ANEW))
    return Solution(
        ready.wrap(network),
        unknowns,
        outcome.results[index or 0],
        outcome.history if index is None else of_seed(outcome.history, index),
        plan,
        clock.seconds / share,
        clock.compile_seconds / share,
        outcome.steps,
        ready.wrap(first),
    )


def _plan(
    solver: Gradient,
    start: float,
    network: Callable,
    reasons: tuple[str, ...],
    numbers: dict[str, Any],
) -> Plan:
    points = "all points" if solver.batch is None else f"{solver.batch} points per term"
    kind = "Adam" if solver.optimiser is None else "the given optimiser"
    rate = f", rate {start:g} falling to 0" if solver.optimiser is None else ""
    first = getattr(network, "first", None)
    scale = tuple(float(s) for s in first.scale) if isinstance(first, RepLinear) else None
    return Plan(
        _describe(network),
        f"gradient, {solver.steps} steps of {kind}{rate}, {points} in each",
        scale,
        reasons,
        numbers,
    )


def _describe(network: Callable) -> str:
    if not isinstance(network, MLP):
        return type(network).__name__
    sizes = "-".join(str(layer.weight.shape[0]) for layer in (*network.hidden, network.readout))
    first = type(network.first).__name__
    if isinstance(network.first, RepLinear):
        first = f"{first} of {network.first.feature.kind} features"
    return f"{first}, {network.in_size}-{network.first.width}-{sizes}"


def _precision(network: Callable) -> AbstractContextManager:
    return jax.enable_x64(True) if precision_of(network) == jnp.float64 else nullcontext()


def _check_count(name: str, count: Any) -> None:
    if name not in ("steps", "chunk") and count is None:
        return
    least = 0 if name == "finish" else 1
    if isinstance(count, bool) or not isinstance(count, int) or count < least:
        raise ValueError(f"`Gradient({name}=...)` must be an integer >= {least}; got {count!r}.")
