"""Least squares: one first layer, fixed, and the best read-out for it in float64."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float, Int, PRNGKeyArray

from repnet._threads import blas_threads_for, one_blas_thread
from repnet.nn import MLP, RepLinear
from repnet.nn._check import check_choice
from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._directions import ACTIVE, CHOICES, Directions
from repnet.solve._one_layer import one_layer, sine_features, sines
from repnet.solve._progress import AbstractProgress
from repnet.solve._regression import data_of, is_regression, require_regression
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._standardize import standardization
from repnet.solve._triangular import RIDGES, Spectral, Triangle, coefficients
from repnet.solve.equations import Wanted, solve_equation, solve_given
from repnet.spectrum import ActiveDirections, active_directions, axis_spectra

_BLOCK = 8192  # rows of features in memory at once
_ROUND_OFF = 1e-13  # the least ridge, relative to the largest singular value
_HELD = 0.2  # share of the pilot's rows that judge a candidate
_PILOT_ROWS = 3  # pilot rows per unit
_SMALL = 3e8  # rows × units² below which every ridge is tried in the pilot
_COARSE = 1.7  # ratio of neighbouring scales in the first search
_FINE = 1.25
_TINY = 1e-5  # errors that held-out rows no longer tell apart, if they differ by less than
_ALIKE = 2.0
_ACTIVE = " along active directions"
_RADII = (2.0, 6.0)  # of the balls around the target's wave vectors, radians per half-width
_BEHIND = 2.0  # an error this many times the best at the first guess ends a search


class LeastSquares(eqx.Module):
    r"""The read-out by linear least squares: $\min_W \sum_i |W h(x_i) - y_i|^2 + \lambda^2|W|^2$.

    Rows are taken block by block into a running triangular factor (`Triangle`), in float64 whatever
    the session's precision, so memory does not grow with the number of points. First layer, scale
    and ridge are chosen on held-out rows of a pilot; all rows then give the read-out.

    **Arguments:**

    - `width`: units; chosen from the number of wavelengths and of points if left out.
    - `activation`: `jnp.tanh` and so on, or `None` to let steps and sines compete.
    - `scale`: slope scale in radians per half-width of the domain, a number or one per axis;
      `None` to search.
    - `directions`: of the first layer's units, see `RepLinear`, or `"active"`, learnt from the
      data; if left out, `"mixed"` and `"active"` compete for data, and equations, whose solutions
      seldom follow the axes, take `"isotropic"`.
    - `ridge`: $\lambda$ relative to the largest singular value; `None` to choose.

    **Raises:** `ValueError` where an argument is not positive, and, in `run`, where the network has
    no features to solve for.

    **Source:** this project.
    """

    width: int | None = eqx.field(static=True, default=None)
    activation: Callable | None = eqx.field(static=True, default=None)
    scale: tuple[float, ...] | None = eqx.field(static=True, default=None)
    directions: str | None = eqx.field(static=True, default=None)
    ridge: float | None = eqx.field(static=True, default=None)

    def __init__(
        self,
        width: int | None = None,
        *,
        activation: Callable | None = None,
        scale: ArrayLike | None = None,
        directions: str | None = None,
        ridge: float | None = None,
    ):
        self.width = width
        self.activation = activation
        self.scale = None if scale is None else tuple(np.asarray(scale, float).ravel().tolist())
        self.directions = directions
        self.ridge = ridge
        for name, value in (("width", width), ("scale", self.scale), ("ridge", ridge)):
            if value is not None and not np.all(np.isfinite(value) & (np.asarray(value) > 0)):
                raise ValueError(f"`LeastSquares({name}=...)` must be positive; got {value}.")
        if directions is not None:
            check_choice("LeastSquares", "directions", directions, CHOICES)

    def run(
        self,
        problem: Problem,
        network: Any = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Fit data, or solve a differential equation.

        **Arguments:** `network`: keep this network's features, and solve for its read-out alone.
        """
        del progress  # a direct solve has no steps to report
        if not is_regression(problem):
            return self._equation(problem, network, key)
        require_regression(problem, "LeastSquares")
        with Clock() as clock, jax.enable_x64(True):
            pilot = choose_features(self, problem, network, key)
            network = standardization(problem).wrap(_solve(problem, pilot), double=True)
        return Solution(
            network,
            None,
            RESULTS.successful,
            {},
            _plan(pilot),
            clock.seconds,
            compile_seconds=clock.compile_seconds,
        )

    def _equation(self, problem: Problem, network: Any, key: PRNGKeyArray) -> Solution:
        if network is not None:
            _require_features(network)
            return solve_given(problem, network, self.ridge, key=key)
        scale = None if self.scale is None else _per_axis(self.scale, problem.dim)
        kind = "sine" if self.activation is None else self.activation
        wanted = Wanted(kind, self.width, scale, self.directions or "isotropic", self.ridge)
        return solve_equation(problem, wanted, key=key)


@dataclasses.dataclass(frozen=True)
class Pilot:
    """What the held-out rows decided: features, ridge, and their relative error."""

    network: MLP
    ridge: float
    error: float
    name: str
    scale: tuple[float, ...] | None
    tried: dict[str, float]
    why: tuple[str, ...] = ()


def choose_features(
    solver: LeastSquares, problem: Problem, network: Any, key: PRNGKeyArray
) -> Pilot:
    """Choose first layer and ridge on held-out rows; call in float64 mode."""
    with one_blas_thread():
        return _choose(solver, problem, network, key)


def _choose(solver: LeastSquares, problem: Problem, network: Any, key: PRNGKeyArray) -> Pilot:
    x, y = data_of(problem)
    layer_key, row_key = jax.random.split(key)
    if network is not None:
        _require_features(network)
        network = jax.tree.map(_double, network)
        return _Search(solver, x, y, network.readout.weight.shape[1], row_key).judge(
            "given network", None, network
        )
    band = np.array([spectrum.omega_max for spectrum in axis_spectra(x, y)])
    width = solver.width or default_width(band, len(x))
    search = _Search(solver, x, y, width, row_key)
    law = _law_of(solver, x, y)
    pilots = []
    if solver.activation is None and solver.scale is None:
        pilots.extend(_waves(search, law, layer_key))
        for factor in (1.0, 1.8):
            radii = 1.2 * (factor * band + np.pi)
            layer = sine_features(x.shape[1], width, radii, key=layer_key)
            scale = tuple(float(radius) for radius in radii)
            pilots.append(search.judge("sine", scale, one_layer(layer, y.shape[1])))
    if law is None or solver.directions is None:
        pilots.extend(_steps(solver, search, band, _fixed(solver.directions), layer_key))
    if law is not None:
        units = law.draw(width, key=layer_key)
        along = np.full(x.shape[1], law.omega_max)
        pilots.extend(_steps(solver, search, along, units, layer_key, pilots))
    best = _middle(pilots)
    tried = {f"{p.name} {max(p.scale or (0.0,)):.4g}": p.error for p in pilots}
    why = (law.reason(),) if law is not None and best.name.endswith(_ACTIVE) else ()
    return dataclasses.replace(best, tried=tried, why=why)


def _law_of(solver: LeastSquares, x: np.ndarray, y: np.ndarray) -> ActiveDirections | None:
    return active_directions(x, y) if solver.directions in (None, ACTIVE) else None


def _fixed(directions: str | None) -> str:
    return "mixed" if directions in (None, ACTIVE) else directions


def _waves(search: "_Search", law: ActiveDirections | None, key: PRNGKeyArray) -> list[Pilot]:
    """Sines with frequencies near those of the target, nearer and farther."""
    if law is None:
        return []
    pilots = []
    for radius in _RADII:
        frequencies = law.frequencies(search.width, radius, key=key)
        phase = 0.5 * np.pi * np.arange(search.width)  # cosine beside sine
        layer = one_layer(sines(frequencies, phase), search.y.shape[1])
        pilots.append(search.judge("sine" + _ACTIVE, (law.omega_max + radius,), layer))
    return pilots


def _middle(pilots: list[Pilot]) -> Pilot:
    """The least error; where it is near round-off, the middle scale of those like it.

    Held-out rows tell such errors apart no longer, and scales at the lower end of what is equally
    good lose far more than those above.
    """
    best = min(pilots, key=lambda pilot: pilot.error)
    if best.error > _TINY or best.scale is None:
        return best
    alike = [p for p in pilots if p.name == best.name and p.error < _ALIKE * best.error]
    return sorted(alike, key=lambda pilot: max(pilot.scale or (0.0,)))[len(alike) // 2]


def default_width(band: Float[np.ndarray, " dim"], points: int) -> int:
    """Units for a target of the given band: 10 per wavelength, and their product over axes."""
    dim = len(band)
    ball = np.pi ** (dim / 2) / math.gamma(dim / 2 + 1)
    modes = ball * float(np.prod(2.0 * band / (2.0 * np.pi) + 2.0))
    most = 1024 if points > 1024 else max(16, points)
    return int(np.clip(5 * modes, 64, max(64, most)))


def _steps(
    solver: LeastSquares,
    search: "_Search",
    band: Float[np.ndarray, " dim"],
    directions: Directions,
    key: PRNGKeyArray,
    rivals: Sequence[Pilot] = (),
) -> list[Pilot]:
    """Step layers along a coarse grid of scales, then around the best of them.

    Where the guess is far behind its `rivals`, no other scale is tried.
    """
    activation = solver.activation or jnp.tanh
    name = getattr(activation, "__name__", type(activation).__name__)
    name += "" if isinstance(directions, str) else _ACTIVE
    dim, out = search.x.shape[1], search.y.shape[1]
    shape = band + np.pi
    shape = shape / shape.max()
    tried: dict[float, Pilot] = {}

    def attempt(level: float) -> Pilot:
        if level not in tried:
            scale = level * shape if solver.scale is None else _per_axis(solver.scale, dim)
            layer = RepLinear(
                dim,
                search.width,
                scale=scale,
                activation=activation,
                features="step" if dim > 1 else "plain",
                directions=directions,
                key=key,
            )
            scales = tuple(float(s) for s in np.broadcast_to(scale, (dim,)))
            tried[level] = search.judge(name, scales, one_layer(layer, out))
        return tried[level]

    guess = max(float(np.max(band)) / 6.0, 0.5)
    if solver.scale is not None:
        return [attempt(guess)]
    least = min((pilot.error for pilot in rivals), default=np.inf)
    if attempt(guess).error > _BEHIND * least:
        return list(tried.values())
    for power in (0, -1, 1, -2, 2):
        attempt(guess * _COARSE**power)
    best = min(tried, key=lambda level: tried[level].error)
    for _ in range(4):  # follow the error downhill past the grid's end, should it still fall
        if best not in (min(tried), max(tried)) or best < 0.05:
            break
        attempt(best * _COARSE if best == max(tried) else best / _COARSE)
        best = min(tried, key=lambda level: tried[level].error)
    for step in (_FINE, 1.0 / _FINE):
        attempt(best * step)
    return list(tried.values())


class _Search:
    """Judges networks on the same held-out rows."""

    def __init__(
        self, solver: LeastSquares, x: np.ndarray, y: np.ndarray, width: int, key: PRNGKeyArray
    ):
        self.x, self.y, self.width, self.ridge = x, y, width, solver.ridge
        count = min(len(x), max(_PILOT_ROWS * width, 256))
        rows = np.asarray(jax.random.permutation(key, len(x)))[:count]
        held = max(1, int(_HELD * count))
        self.held, self.kept = np.sort(rows[:held]), np.sort(rows[held:])

    def judge(self, name: str, scale: tuple[float, ...] | None, network: MLP) -> Pilot:
        """The least held-out error over ridges, relative to the target's rms."""
        triangle = accumulate(network, self.x, self.y, self.kept)
        test, target = feature_rows(network, self.x[self.held]), self.y[self.held]

        def error(weights: np.ndarray) -> float:
            return float(np.sqrt(np.mean(np.square(test @ weights - target)))) + 1e-16

        ridge = self.ridge or _ROUND_OFF
        found = {ridge: error(coefficients(triangle, ridge))}
        rough = found[ridge] > 1e-4 and self.ridge is None
        if rough and len(self.kept) * triangle.columns**2 <= _SMALL * 10:
            spectral = Spectral.of(triangle)
            found |= {float(r): error(spectral.coefficients(r)) for r in RIDGES}
        best = min(found, key=lambda ridge: found[ridge])
        return Pilot(network, best, found[best], name, scale, {})


def accumulate(
    network: MLP,
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
    rows: Int[np.ndarray, " rows"] | None = None,
) -> Triangle:
    """The triangular factor of the given rows (all if left out), block by block."""
    count = len(x) if rows is None else len(rows)
    triangle = Triangle(network.readout.weight.shape[1] + 1, y.shape[1])
    for first in range(0, count, _BLOCK):
        block = slice(first, first + _BLOCK) if rows is None else rows[first : first + _BLOCK]
        triangle.add(feature_rows(network, x[block]), y[block])
    return triangle


def feature_rows(
    network: MLP, points: Float[np.ndarray, "rows dim"]
) -> Float[np.ndarray, "rows columns"]:
    """Features of the network at points, and a column of ones."""
    size = min(_BLOCK, 1 << max(8, (len(points) - 1).bit_length()))
    padded = np.zeros((size, points.shape[1]))
    padded[: len(points)] = points
    return np.asarray(_rows(network, jnp.asarray(padded)))[: len(points)]


@eqx.filter_jit
def _rows(network: MLP, points: jax.Array) -> jax.Array:
    features = jax.vmap(network.features)(points)
    return jnp.concatenate([features, jnp.ones_like(features[:, :1])], axis=1)


def _solve(problem: Problem, pilot: Pilot) -> MLP:
    x, y = data_of(problem)
    with blas_threads_for(len(x), pilot.network.readout.weight.shape[1]):
        triangle = accumulate(pilot.network, x, y)
        if pilot.ridge > _ROUND_OFF * 10:
            weights = Spectral.of(triangle).coefficients(pilot.ridge)
        else:
            weights = coefficients(triangle, pilot.ridge)
    return eqx.tree_at(
        lambda network: (network.readout.weight, network.readout.bias),
        pilot.network,
        (jnp.asarray(weights[:-1].T), jnp.asarray(weights[-1])),
    )


def _per_axis(scale: tuple[float, ...], dim: int) -> Float[np.ndarray, " dim"]:
    if len(scale) not in (1, dim):
        raise ValueError(
            "`LeastSquares(scale=...)` must be a number or one per input, of which there are "
            f"{dim}; got {len(scale)}."
        )
    return np.broadcast_to(np.asarray(scale), (dim,))


def _double(leaf: Any) -> Any:
    return leaf.astype(jnp.float64) if eqx.is_inexact_array(leaf) else leaf


def _require_features(network: Any) -> None:
    if not (hasattr(network, "features") and hasattr(network, "readout")):
        raise ValueError(
            "`LeastSquares` needs a network with `features` and a linear `readout`, such as "
            f"`repnet.nn.MLP`; got {type(network).__name__}."
        )


def _plan(pilot: Pilot) -> Plan:
    width = pilot.network.readout.weight.shape[1]
    reasons = [
        f"{width} features ({pilot.name}), read-out by least squares with ridge {pilot.ridge:.0e}.",
        f"Error on held-out rows of the pilot: {pilot.error:.2e} of the target's rms.",
    ]
    if len(pilot.tried) > 1:
        reasons.append(f"The best of {len(pilot.tried)} first layers tried on those rows.")
    reasons += pilot.why
    numbers = {"heldout": pilot.error, "ridge": pilot.ridge, "tried": pilot.tried}
    return Plan(
        f"one layer of {width} {pilot.name} units",
        "LeastSquares",
        pilot.scale,
        tuple(reasons),
        numbers,
    )
