"""The first layer and the ridge of a least-squares fit, chosen on a part of the data."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.nn import MLP, RepLinear
from repnet.problem import Problem
from repnet.solve._directions import ACTIVE, Directions
from repnet.solve._feature_rows import accumulate, feature_rows
from repnet.solve._finish import double
from repnet.solve._left_out import left_out_rms
from repnet.solve._off_samples import off_samples
from repnet.solve._one_layer import one_layer, sine_features, sines
from repnet.solve._regression import data_of
from repnet.solve._triangular import RIDGES, ROUND_OFF, Spectral, solved
from repnet.solve._typical import typical
from repnet.spectrum import (
    ActiveDirections,
    active_directions,
    axis_spectra,
    detect_grid,
)

if TYPE_CHECKING:
    from repnet.solve._least_squares import LeastSquares

_HELD = 0.2  # share of the pilot's rows that judge a candidate
_PILOT_ROWS = 3  # pilot rows per unit
_TELL_NOISE = 8  # points below which none can tell noise from bends: fits go through them
_THROUGH = 1e-4  # ridge up to which they do
_AMONG_FEW = 512  # units at most where several inputs have fewer points
_EACH = 512  # points up to which each can judge in turn
_ROUGH = 3e-3  # error above which they do
_RIDGES = np.append(RIDGES[RIDGES < 1e-5], 10.0 ** np.arange(-5.0, 0.1, 0.25))  # they cost nothing
_SMALL = 3e8  # rows × units² below which every ridge is tried in the pilot
_HOPELESS = 100.0  # times the least error so far: no ridge helps, since the data have no noise
_COARSE = 1.7  # ratio of neighbouring scales in the first search
_FINE = 1.25
_TINY = 1e-5  # errors that held-out rows no longer tell apart, if they differ by less than
_ALIKE = 2.0
_ACTIVE = " along active directions"
_RADII = (2.0, 6.0)  # of the balls around the target's wave vectors, radians per half-width
_BEHIND = 2.0  # an error this many times the best at the first guess ends a search
_BETWEEN = 512  # points between the samples where two draws of a layer are compared

Draw = Callable[[PRNGKeyArray], MLP]


@dataclasses.dataclass(frozen=True)
class Pilot:
    """What the held-out rows decided: features, each target's ridge, and its relative error.

    `judges` says which rows those are. `between` is what two draws of the layer differ by between
    the samples, over the square root of two, if that was looked at. `draw` makes the network from
    a key, if it is not a given one.
    """

    network: MLP
    ridges: Float[np.ndarray, " out"]
    heldout: Float[np.ndarray, " out"]
    name: str
    scale: tuple[float, ...] | None
    draw: Draw | None
    between: Float[np.ndarray, " out"] | float = 0.0
    judges: str = "held-out rows of the pilot"
    tried: dict[str, float] = dataclasses.field(default_factory=dict)
    why: tuple[str, ...] = ()

    @property
    def errors(self) -> Float[np.ndarray, " out"]:
        """The error to expect of every target."""
        return np.maximum(self.heldout, self.between)

    @property
    def error(self) -> float:
        """That of all targets together."""
        return float(np.sqrt(np.mean(np.square(self.errors))))

    @property
    def typical(self) -> float:
        """Their geometric mean, by which layers are chosen."""
        return typical(self.errors)


def choose_features(
    solver: "LeastSquares", problem: Problem, network: Any, key: PRNGKeyArray
) -> Pilot:
    """Choose first layer and ridge on held-out rows; call in float64 mode.

    Where few rows tell a rough or noisy target, a fifth of them is too little to judge by: then
    every row does, left out in turn.
    """
    x, y = data_of(problem)
    with one_blas_thread():
        law = None if network is not None else _law_of(solver, x, y)
        if len(x) >= _TELL_NOISE:
            best = _choose(solver, x, y, network, law, key)
            if best.error <= _ROUGH or len(x) > _EACH:
                return best
        return _choose(solver, x, y, network, law, key, each=True)


def _choose(
    solver: "LeastSquares",
    x: np.ndarray,
    y: np.ndarray,
    network: Any,
    law: ActiveDirections | None,
    key: PRNGKeyArray,
    *,
    each: bool = False,
) -> Pilot:
    layer_key, row_key = jr.split(key)
    if network is not None:
        require_features(network)
        network = jax.tree.map(double, network)
        width = network.readout.weight.shape[1]
        return _Search(solver, x, y, width, layer_key, row_key, each=each).judge_given(network)
    band = np.array([spectrum.omega_max for spectrum in axis_spectra(x, y)])
    width = solver.width or default_width(band, len(x))
    search = _Search(solver, x, y, width, layer_key, row_key, each=each)
    pilots = []
    if solver.activation is None and solver.scale is None:
        pilots.extend(_waves(search, law))
        pilots.extend(_sines(search, factor * band) for factor in (1.0, 1.8))
    if law is None or solver.directions is None:
        directions = _fixed(solver.directions)
        pilots.extend(_steps(solver, search, band, lambda key: directions))
    if law is not None:
        along = np.full(x.shape[1], law.omega_max)
        draw = partial(law.draw, width)
        pilots.extend(_steps(solver, search, along, lambda key: draw(key=key), pilots))
    best = _best(search, pilots)
    tried = {f"{p.name} {max(p.scale or (0.0,)):.4g}": p.typical for p in pilots}
    why = (law.reason(),) if law is not None and best.name.endswith(_ACTIVE) else ()
    return dataclasses.replace(best, tried=tried, why=why)


def _law_of(solver: "LeastSquares", x: np.ndarray, y: np.ndarray) -> ActiveDirections | None:
    return active_directions(x, y) if solver.directions in (None, ACTIVE) else None


def _fixed(directions: str | None) -> str:
    return "mixed" if directions in (None, ACTIVE) else directions


def _waves(search: "_Search", law: ActiveDirections | None) -> list[Pilot]:
    """Sines with frequencies near those of the target, nearer and farther."""
    if law is None:
        return []
    phase = 0.5 * np.pi * np.arange(search.width)  # cosine beside sine

    def draw(radius: float, key: PRNGKeyArray) -> MLP:
        frequencies = law.frequencies(search.width, radius, key=key)
        if search.grid is not None:
            frequencies = _folded(frequencies, search.grid.nyquist)
        return one_layer(sines(frequencies, phase), search.y.shape[1])

    return [
        search.judge("sine" + _ACTIVE, (law.omega_max + radius,), partial(draw, radius))
        for radius in _RADII
    ]


def _folded(
    frequencies: Float[np.ndarray, "units dim"], nyquist: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, "units dim"]:
    """Frequencies that the nodes of a grid tell from lower ones.

    Beyond the Nyquist frequency, a sine agrees at every node with one as far below it, and goes
    astray between the nodes: that one stands in its place.
    """
    below = 2.0 * nyquist - np.abs(frequencies)
    return np.where(np.abs(frequencies) > nyquist, np.copysign(below, frequencies), frequencies)


def _sines(search: "_Search", band: Float[np.ndarray, " dim"]) -> Pilot:
    """Sines with frequencies up to a little more than the band, or than the samples can tell."""
    radii = 1.2 * (band + np.pi)
    if search.grid is not None:
        radii = np.minimum(radii, search.grid.nyquist)

    def draw(key: PRNGKeyArray) -> MLP:
        layer = sine_features(search.x.shape[1], search.width, radii, key=key)
        return one_layer(layer, search.y.shape[1])

    return search.judge("sine", tuple(float(radius) for radius in radii), draw)


def _best(search: "_Search", pilots: list[Pilot]) -> Pilot:
    """The best of all whose error holds between the samples, too; `pilots` gets those errors."""
    checked: set[int] = set()
    while True:
        best = _middle(pilots)
        place = next(i for i, pilot in enumerate(pilots) if pilot is best)
        if place in checked:
            return best
        checked.add(place)
        pilots[place] = search.checked(best)


def _middle(pilots: list[Pilot]) -> Pilot:
    """The least error; where it is near round-off, the middle scale of those like it.

    Held-out rows tell such errors apart no longer, and scales at the lower end of what is equally
    good lose far more than those above.
    """
    best = min(pilots, key=lambda pilot: pilot.typical)
    if best.typical > _TINY or best.scale is None:
        return best
    alike = [p for p in pilots if p.name == best.name and p.typical < _ALIKE * best.typical]
    return sorted(alike, key=lambda pilot: max(pilot.scale or (0.0,)))[len(alike) // 2]


def default_width(band: Float[np.ndarray, " dim"], points: int) -> int:
    """Units for a target of the given band: 10 per wavelength, and their product over axes."""
    dim = len(band)
    ball = np.pi ** (dim / 2) / math.gamma(dim / 2 + 1)
    modes = ball * float(np.prod(2.0 * band / (2.0 * np.pi) + 2.0))
    most = 1024 if points > 1024 else max(16, points)
    if dim > 1:  # random directions are met by few units each: more of them interpolate better
        most = max(most, min(4 * points, _AMONG_FEW))
    return int(np.clip(5 * modes, 64, max(64, most)))


def _steps(
    solver: "LeastSquares",
    search: "_Search",
    band: Float[np.ndarray, " dim"],
    directions: Callable[[PRNGKeyArray], Directions],
    rivals: Sequence[Pilot] = (),
) -> list[Pilot]:
    """Step layers along a coarse grid of scales, then around the best of them.

    Where the guess is far behind its `rivals`, no other scale is tried.
    """
    activation = solver.activation or jnp.tanh
    name = getattr(activation, "__name__", type(activation).__name__)
    name += "" if isinstance(directions(search.key), str) else _ACTIVE
    dim, out = search.x.shape[1], search.y.shape[1]
    shape = band + np.pi
    shape = shape / shape.max()
    tried: dict[float, Pilot] = {}

    def attempt(level: float) -> Pilot:
        if level not in tried:
            scale = level * shape if solver.scale is None else per_axis(solver.scale, dim)

            def draw(key: PRNGKeyArray) -> MLP:
                layer = RepLinear(
                    dim,
                    search.width,
                    scale=scale,
                    activation=activation,
                    features="step" if dim > 1 else "plain",
                    directions=directions(key),
                    key=key,
                )
                return one_layer(layer, out)

            scales = tuple(float(s) for s in np.broadcast_to(scale, (dim,)))
            tried[level] = search.judge(name, scales, draw)
        return tried[level]

    guess = max(float(np.max(band)) / 6.0, 0.5)
    if solver.scale is not None:
        return [attempt(guess)]
    least = min((pilot.typical for pilot in rivals), default=np.inf)
    if attempt(guess).typical > _BEHIND * least:
        return list(tried.values())
    for power in (0, -1, 1, -2, 2):
        attempt(guess * _COARSE**power)
    best = min(tried, key=lambda level: tried[level].typical)
    for _ in range(4):  # follow the error downhill past the grid's end, should it still fall
        if best not in (min(tried), max(tried)) or best < 0.05:
            break
        attempt(best * _COARSE if best == max(tried) else best / _COARSE)
        best = min(tried, key=lambda level: tried[level].typical)
    for step in (_FINE, 1.0 / _FINE):
        attempt(best * step)
    return list(tried.values())


class _Search:
    """Judges networks on the same held-out rows."""

    def __init__(
        self,
        solver: "LeastSquares",
        x: np.ndarray,
        y: np.ndarray,
        width: int,
        key: PRNGKeyArray,
        row_key: PRNGKeyArray,
        *,
        each: bool,
    ):
        self.x, self.y, self.width, self.ridge, self.key = x, y, width, solver.ridge, key
        self.grid, self.each = detect_grid(x), each
        self.least = np.full(y.shape[1], np.inf)  # error of every target so far
        if each:
            self.held = self.kept = np.arange(len(x))
            return
        count = min(len(x), max(_PILOT_ROWS * width, 256))
        rows = np.asarray(jr.permutation(row_key, len(x)))[:count]
        held = max(1, int(_HELD * count))
        self.held, self.kept = np.sort(rows[:held]), np.sort(rows[held:])

    def judge(self, name: str, scale: tuple[float, ...], draw: Draw) -> Pilot:
        """The least held-out error over ridges, relative to the target's rms."""
        return self._judged(draw(self.key), name, scale, draw)

    def judge_given(self, network: MLP) -> Pilot:
        """The same for a network that there is but one of."""
        return self._judged(network, "given network", None, None)

    def _judged(
        self, network: MLP, name: str, scale: tuple[float, ...] | None, draw: Draw | None
    ) -> Pilot:
        if not self.each:
            return Pilot(network, *self._ridge(network), name, scale, draw)
        free = _RIDGES if len(self.x) >= _TELL_NOISE else _RIDGES[_RIDGES <= _THROUGH]
        ridges = free if self.ridge is None else np.array([self.ridge])
        errors = left_out_rms(feature_rows(network, self.x), self.y, ridges)
        found = _least(ridges, errors + 1e-16)
        return Pilot(network, *found, name, scale, draw, judges="rows left out one at a time")

    def checked(self, pilot: Pilot) -> Pilot:
        """With the difference of two draws between the samples, in two dimensions and more.

        Held-out rows of a grid lie on lines with others, which says little of what lies between.
        """
        if pilot.draw is None or self.x.shape[1] == 1:
            return pilot
        step = None if self.grid is None else np.asarray(self.grid.step)
        points = off_samples(self.x, step, _BETWEEN, jr.fold_in(self.key, 1))
        values = []
        for network in (pilot.network, pilot.draw(jr.fold_in(self.key, 2))):
            triangle = accumulate(network, self.x, self.y, self.kept)
            values.append(feature_rows(network, points) @ solved(triangle, pilot.ridges))
        between = np.sqrt(np.mean(np.square(values[0] - values[1]), axis=0) / 2.0)
        return dataclasses.replace(pilot, between=between)

    def _ridge(self, network: MLP) -> tuple[Float[np.ndarray, " out"], Float[np.ndarray, " out"]]:
        """The best ridge of every target, and its error with it."""
        triangle = accumulate(network, self.x, self.y, self.kept)
        test, target = feature_rows(network, self.x[self.held]), self.y[self.held]

        def errors(weights: np.ndarray) -> Float[np.ndarray, " out"]:
            return np.sqrt(np.mean(np.square(test @ weights - target), axis=0)) + 1e-16

        ridge = self.ridge or ROUND_OFF
        found = {ridge: errors(solved(triangle, np.full(self.y.shape[1], ridge)))}
        rough = (found[ridge] > 1e-4) & (found[ridge] < _HOPELESS * self.least)
        small = len(self.kept) * triangle.columns**2 <= _SMALL * 10
        if rough.any() and small and self.ridge is None:
            spectral = Spectral.of(triangle)
            found |= {float(r): errors(spectral.coefficients(r)) for r in RIDGES}
        best, least = _least(np.array(list(found)), np.stack(list(found.values())))
        self.least = np.minimum(self.least, least)
        return best, least


def _least(
    ridges: Float[np.ndarray, " ridges"], errors: Float[np.ndarray, "ridges out"]
) -> tuple[Float[np.ndarray, " out"], Float[np.ndarray, " out"]]:
    """The ridge with the least error of every target, and that error."""
    best = np.argmin(errors, axis=0)
    return ridges[best], errors[best, np.arange(errors.shape[1])]


def per_axis(scale: tuple[float, ...], dim: int) -> Float[np.ndarray, " dim"]:
    if len(scale) not in (1, dim):
        raise ValueError(
            "`LeastSquares(scale=...)` must be a number or one per input, of which there are "
            f"{dim}; got {len(scale)}."
        )
    return np.broadcast_to(np.asarray(scale), (dim,))


def require_features(network: Any) -> None:
    if not (hasattr(network, "features") and hasattr(network, "readout")):
        raise ValueError(
            "`LeastSquares` needs a network with `features` and a linear `readout`, such as "
            f"`repnet.nn.MLP`; got {type(network).__name__}."
        )
