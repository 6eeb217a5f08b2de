"""Families of first layers for least squares, each searched over its scales."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.nn import MLP, RepLinear
from repnet.nn._activation import growth
from repnet.solve._bends import KNOTS, Bends, candidates
from repnet.solve._directions import Directions
from repnet.solve._one_layer import one_layer, sine_features, sines
from repnet.solve._search import Pilot, Search, clearly_worse
from repnet.spectrum import ActiveDirections

if TYPE_CHECKING:
    from repnet.solve._least_squares import LeastSquares

ACTIVELY = " along active directions"
_COARSE = 1.7  # ratio of neighbouring scales in the first search
_FINE = 1.25
_RADII = (2.0, 6.0)  # of the balls around the target's wave vectors, radians per half-width
_BEHIND = 2.0  # an error this many times the best at the first guess ends a search
_LOOKS = 2  # at where the target bends


def waves(search: Search, law: ActiveDirections | None) -> list[Pilot]:
    """Sines with frequencies near those of the target, nearer and farther."""
    if law is None:
        return []
    phase = 0.5 * np.pi * np.arange(search.width)  # cosine beside sine

    def draw(radius: float, key: PRNGKeyArray) -> MLP:
        frequencies = law.frequencies(search.width, radius, key=key)
        if search.grid is not None:
            frequencies = folded(frequencies, search.grid.nyquist)
        return one_layer(sines(frequencies, phase), search.y.shape[1])

    return [
        search.judge("sine" + ACTIVELY, (law.omega_max + radius,), partial(draw, radius))
        for radius in _RADII
    ]


def folded(
    frequencies: Float[np.ndarray, "units dim"], nyquist: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, "units dim"]:
    """Frequencies that the nodes of a grid tell from lower ones.

    Beyond the Nyquist frequency, a sine agrees at every node with one as far below it, and goes
    astray between the nodes: that one stands in its place.
    """
    below = 2.0 * nyquist - np.abs(frequencies)
    return np.where(np.abs(frequencies) > nyquist, np.copysign(below, frequencies), frequencies)


def band_sines(search: Search, band: Float[np.ndarray, " dim"]) -> Pilot:
    """Sines with frequencies up to a little more than the band, or than the samples can tell."""
    radii = 1.2 * (band + np.pi)
    if search.grid is not None:
        radii = np.minimum(radii, search.grid.nyquist)

    def draw(key: PRNGKeyArray) -> MLP:
        layer = sine_features(search.x.shape[1], search.width, radii, key=key)
        return one_layer(layer, search.y.shape[1])

    return search.judge("sine", tuple(float(radius) for radius in radii), draw)


def steps(
    solver: "LeastSquares",
    search: Search,
    band: Float[np.ndarray, " dim"],
    directions: Callable[[PRNGKeyArray], Directions],
    rivals: Sequence[Pilot] = (),
) -> list[Pilot]:
    """Step layers of several scales."""
    activation = solver.activation or jnp.tanh
    name = _name(activation) + ("" if isinstance(directions(search.key), str) else ACTIVELY)
    dim, out = search.x.shape[1], search.y.shape[1]
    shape = band + np.pi
    shape = shape / shape.max()

    def judge(level: float) -> Pilot:
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

        return search.judge(name, tuple(float(s) for s in np.broadcast_to(scale, (dim,))), draw)

    guess = _guess(band)
    if solver.scale is not None:
        return [judge(guess)]
    return _downhill(search, judge, guess, rivals)


def bent_units(
    solver: "LeastSquares",
    search: Search,
    band: Float[np.ndarray, " dim"],
    rivals: Sequence[Pilot],
) -> Pilot | None:
    """Local features of one input, steeper where the target bends; `None` where they can't help.

    Where it bends is read off the best of them so far. They are told apart by their evidence, which
    chance moves less than errors at rows left out; by those, the best of them is told from
    `rivals`, which its evidence can't.
    """
    activation = solver.activation or jnp.tanh
    errors = np.min([pilot.errors for pilot in rivals], axis=0)
    if growth(activation) == "faster" or clearly_worse(errors, search.rival):
        return None
    out = search.y.shape[1]

    def judge(level: float, bends: Bends | None = None) -> Pilot:
        def draw(key: PRNGKeyArray) -> MLP:
            layer = RepLinear(1, search.width, scale=level, activation=activation, key=key)
            return one_layer(layer if bends is None else bends.place(layer), out)

        name = f"local {_name(activation)}"
        if bends is None:
            return search.judge(name, (level,), draw, by_evidence=True)
        pilot = search.judge(f"variable-width {name}", (level,), draw, by_evidence=True)
        return dataclasses.replace(pilot, why=(bends.reason(),))

    levels = _guess(band) * _COARSE ** np.arange(-4.0, 5.0)
    found = [judge(float(level)) for level in levels]
    for _ in range(_LOOKS):
        best = _likeliest(found)
        values, level = search.fitted(best, KNOTS[:, None]), best.steepest
        for bends in candidates(values, search.x[:, 0]):
            found += [judge(near, bends) for near in (level / _COARSE, level, level * _COARSE)]
        if _likeliest(found) is best:
            break
    return dataclasses.replace(_likeliest(found), trials=len(found))


def _likeliest(pilots: list[Pilot]) -> Pilot:
    return max(pilots, key=lambda pilot: pilot.evidence)


def _name(activation: Callable) -> str:
    return getattr(activation, "__name__", type(activation).__name__)


def _guess(band: Float[np.ndarray, " dim"]) -> float:
    return max(float(np.max(band)) / 6.0, 0.5)


def _downhill(
    search: Search,
    judge: Callable[[float], Pilot],
    guess: float,
    rivals: Sequence[Pilot] = (),
) -> list[Pilot]:
    """Pilots along a coarse grid of scales, then around the best of them.

    The guess alone, where it is far behind `rivals` or clearly worse than another solver.
    """
    tried: dict[float, Pilot] = {}

    def attempt(level: float) -> Pilot:
        if level not in tried:
            tried[level] = judge(level)
        return tried[level]

    least = min((pilot.typical for pilot in rivals), default=np.inf)
    first = attempt(guess)
    if first.typical > _BEHIND * least or clearly_worse(first.errors, search.rival):
        return [first]
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


def per_axis(scale: tuple[float, ...], dim: int) -> Float[np.ndarray, " dim"]:
    if len(scale) not in (1, dim):
        raise ValueError(
            "`LeastSquares(scale=...)` must be a number or one per input, of which there are "
            f"{dim}; got {len(scale)}."
        )
    return np.broadcast_to(np.asarray(scale), (dim,))
