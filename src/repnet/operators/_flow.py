"""One-step maps of a structure's state, fitted by least squares and rolled out over records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn import MLP, FlowMap, Linear, RepLinear, windows_of
from repnet.nn._blocks import Blocks
from repnet.nn._check import check_count, check_positive
from repnet.nn._forms import SlopeForm
from repnet.problem import Problem, regression
from repnet.solve import LeastSquares, Solution, solve, standardization
from repnet.solve._clock import Clock
from repnet.solve._one_layer import one_layer
from repnet.solve._pilot import choose_features

SCALES = (5.0, 10.0, 20.0, 40.0)  # slope scales that are tried, per half-width of the data
_QUIET = 0.02  # weight of a row at rest, relative to one at a typical speed
_LOUD = 3.0  # weight beyond which a row counts no more


@dataclass(frozen=True)
class FlowSolver:
    r"""Fit a `FlowMap` by least squares: one reparameterized layer, fixed, and its read-out.

    The map takes the state and the ground acceleration in a window to the state's increments over
    it. Its features see, per block of states, those states at the window's start and their values
    at its end as an affine map, fitted first, predicts them. The slope scale is the one with the
    least error on held-out rows among 5, 10, 20 and 40 per half-width.

    **Arguments:**

    - `units`: of all blocks together.
    - `rows`: windows that are drawn for the fit, more of them where the structure moves.
    - `steps`: samples per window.
    - `scale`: slope scale in radians per half-width of the blocks' coordinates; `None` to choose.
    - `local`: whether features see the structure's blocks; else they see all states.
    - `activation`: of the features.
    - `vanilla`: an ordinary layer of all inputs in the place of the reparameterized one.
    - `ridge`: of the least squares, relative to the largest singular value. A smaller one fits the
      windows better, and lets errors grow in the roll-out.

    **Raises:** `ValueError` naming the argument at fault.

    **Source:** this project.
    """

    units: int = 1000
    rows: int = 40_000
    steps: int = 1
    scale: float | None = None
    local: bool = True
    activation: Callable = jnp.tanh
    vanilla: bool = False
    ridge: float = 1e-5

    def __post_init__(self) -> None:
        for name in ("units", "rows", "steps"):
            check_count("FlowSolver", name, getattr(self, name))
        for name in ("scale", "ridge"):
            if getattr(self, name) is not None:
                check_positive("FlowSolver", name, getattr(self, name))

    def fit(
        self,
        states: Float[np.ndarray, "records samples state"],
        ground: Float[np.ndarray, "records samples"],
        ends: Sequence[int],
        blocks: tuple[tuple[int, ...], ...],
        *,
        key: PRNGKeyArray,
    ) -> tuple[FlowMap, Solution]:
        """Fit the map to recorded states.

        **Arguments:** `ends`: samples of each record. `blocks`: states on which each nonlinear law
        acts; with none of them, the map is affine.

        **Returns:** the map in the user's units, and the solution that holds its network.
        """
        row_key, draw_key, solve_key = jax.random.split(key, 3)
        with Clock() as clock, jax.enable_x64(True):
            problem = flow_problem(
                states, ground, ends, rows=self.rows, steps=self.steps, key=row_key
            )
            network, tried = self._network(problem, states.shape[2], blocks, draw_key)
        solution = solve(problem, network, LeastSquares(ridge=self.ridge), key=solve_key)
        numbers = {**solution.plan.numbers, "scales": tried}
        reasons = solution.plan.reasons
        samples = "sample" if self.steps == 1 else "samples"
        line = f"a map over {self.steps} {samples} from {problem.dim} inputs, {_words(network)}"
        if len(tried) > 1:
            reasons = (*reasons, _choice(tried))
        plan = replace(solution.plan, network=line, numbers=numbers, reasons=reasons)
        solution = clock.added_to(solution, plan=plan)
        return FlowMap(solution.network, states.shape[2], self.steps), solution

    def _network(
        self, problem: Problem, size: int, blocks: tuple[tuple[int, ...], ...], key: PRNGKeyArray
    ) -> tuple[MLP, dict[str, float]]:
        out = problem.out_size
        if not blocks:
            return one_layer(_identity(problem.dim), out), {}
        if self.vanilla:
            layer = Linear(problem.dim, self.units, activation=self.activation, key=key)
            return one_layer(layer, out), {}
        seen = blocks if self.local else (tuple(range(size)),)
        scales = SCALES if self.scale is None else (self.scale,)
        found = {}
        for scale in scales:
            layer = _local_layer(self, problem, size, seen, scale, key)
            network = one_layer(layer, out)
            if len(scales) == 1:
                return network, {}
            pilot = choose_features(LeastSquares(), problem, network, key)
            found[scale] = pilot.error, network
        best = min(found, key=lambda scale: found[scale][0])
        return found[best][1], {f"{scale:g}": error for scale, (error, _) in found.items()}


def flow_problem(
    states: Float[np.ndarray, "records samples state"],
    ground: Float[np.ndarray, "records samples"],
    ends: Sequence[int],
    *,
    rows: int,
    steps: int,
    key: PRNGKeyArray,
) -> Problem:
    """The regression from state and window to the state's increments, at drawn windows.

    Windows are drawn without replacement, with weights that grow with the speed of the state up to
    three times its mean, so that the few seconds of strong motion are seen. In half of them, drawn
    at random, all values change sign: a structure that yields alike both ways answers to a ground
    turned about with its motion turned about.
    """
    if max(ends) <= steps:
        raise ValueError(
            f"`FlowSolver(steps=...)` must be below the longest record's {max(ends)} samples; got "
            f"{steps}."
        )
    record = np.concatenate([np.full(max(end - steps, 0), row) for row, end in enumerate(ends)])
    first = np.concatenate([np.arange(max(end - steps, 0)) for end in ends])
    change = states[record, first + steps] - states[record, first]
    speed = np.sqrt(np.mean(np.square(change / _rms(change)), axis=1))
    weight = np.minimum(speed / max(float(speed.mean()), 1e-300), _LOUD) + _QUIET
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    count = min(rows, len(record))
    chosen = np.sort(rng.choice(len(record), count, replace=False, p=weight / weight.sum()))
    record, first = record[chosen], first[chosen]
    window = np.arange(steps + 1)
    start = states[record, first]
    inside = states[record[:, None], first[:, None] + window[1:]] - start[:, None]
    x = np.hstack([start, ground[record[:, None], first[:, None] + window]])
    sign = rng.choice([-1.0, 1.0], (count, 1))
    return regression(sign * x, sign * inside.reshape(count, -1))


def _words(network: MLP) -> str:
    first = network.first
    if not isinstance(first, Blocks):
        return f"{first.width} features"
    coordinates = "/".join(sorted({str(layer.in_size) for layer in first.layers}))
    count = len(first.layers)
    return (
        f"affine and {first.width - first.in_size} features in {count} "
        f"{'block' if count == 1 else 'blocks'} of {coordinates} coordinates"
    )


def _choice(tried: dict[str, float]) -> str:
    """Which slope scale was taken.

    >>> _choice({"5": 0.2, "10": 0.1, "20": 0.3})
    'Slope scale 10, the best of 5, 10 and 20 on held-out rows.'
    """
    *most, last = tried
    best = min(tried, key=lambda scale: tried[scale])
    return f"Slope scale {best}, the best of {', '.join(most)} and {last} on held-out rows."


def _rms(values: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, " columns"]:
    found = np.sqrt(np.square(values).mean(axis=0))
    return np.where(found > 0, found, 1.0)


def _identity(dim: int) -> Linear:
    """The inputs themselves as features."""
    blank = eqx.filter_eval_shape(Linear, dim, dim, activation=_same, key=jax.random.key(0))
    return eqx.tree_at(
        lambda layer: (layer.weight, layer.bias), blank, (jnp.eye(dim), jnp.zeros(dim))
    )


def _same(z: Array) -> Array:
    return z


def _local_layer(
    solver: FlowSolver,
    problem: Problem,
    size: int,
    blocks: tuple[tuple[int, ...], ...],
    scale: float,
    key: PRNGKeyArray,
) -> Blocks:
    """Features of each block's coordinates, with hyperplanes through points of the data."""
    units, (term,) = standardization(problem), problem.terms.values()
    x = units.inputs(term.points)
    assert term.values is not None
    ones = np.hstack([x, np.ones((len(x), 1))])
    # The state at the window's end in the units of the states at its start.
    ending = x[:, :size] + term.values[:, -size:] / units.half_width[:size]
    predicted = np.linalg.lstsq(ones, ending, rcond=None)[0]
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    matrices, shifts, layers = [], [], []
    for block, each in zip(blocks, jax.random.split(key, len(blocks)), strict=True):
        matrix, shift = _coordinates(block, predicted, x.shape[1])
        points = x @ matrix.T + shift
        half = np.abs(points).max(axis=0)
        matrix, shift, points = matrix / half[:, None], shift / half, points / half
        width = max(8, solver.units // len(blocks))
        layer = RepLinear(
            len(matrix), width, scale=scale, activation=solver.activation, features="step", key=each
        )
        layers.append(_through(layer, points[rng.integers(0, len(points), width)]))
        matrices.append(jnp.asarray(matrix))
        shifts.append(jnp.asarray(shift))
    return Blocks(matrices, shifts, layers)


def _coordinates(
    block: tuple[int, ...], predicted: Float[np.ndarray, "inputs state"], dim: int
) -> tuple[Float[np.ndarray, "coordinates dim"], Float[np.ndarray, " coordinates"]]:
    """The block's states at the start, and its first state (all of a whole block) at the end.

    A law of a velocity and a force has its kinks at zeros of the velocity, so that the velocity at
    both ends and the force at the start say nearly all.
    """
    ends = block[:1] if len(block) == 2 else block
    now = np.eye(dim)[list(block)]
    later = predicted[:-1, list(ends)].T
    shift = np.concatenate([np.zeros(len(block)), predicted[-1, list(ends)]])
    return np.vstack([now, later]), shift


def _through(layer: RepLinear, centres: Float[np.ndarray, "units dim"]) -> RepLinear:
    """The layer with its hyperplanes moved through the given points."""
    assert isinstance(layer.planes, SlopeForm)
    planes = SlopeForm.through(layer.planes.direction, jnp.asarray(centres), layer.scale)
    return eqx.tree_at(lambda each: each.planes, layer, planes)


def roll_out(
    flow: FlowMap,
    start: Float[np.ndarray, "records state"],
    ground: Float[np.ndarray, "records samples"],
) -> Float[np.ndarray, "records times state"]:
    """The states of all records, each advanced from its own start; float64."""
    with jax.enable_x64(True):
        windows = windows_of(jnp.asarray(ground, jnp.float64), flow.samples)
        return np.asarray(_rolled(flow, jnp.asarray(start, jnp.float64), windows))


@eqx.filter_jit
def _rolled(flow: FlowMap, start: Array, windows: Array) -> Array:
    return jax.vmap(flow.rollout)(start, windows)


def describe_flow(flow: FlowMap) -> dict[str, Any]:
    """Sizes of a fitted map, as JSON values."""
    leaves = jax.tree.leaves(eqx.filter(flow, eqx.is_inexact_array))
    return {
        "states": flow.state_size,
        "samples_per_window": flow.samples,
        "parameters": int(sum(leaf.size for leaf in leaves)),
    }
