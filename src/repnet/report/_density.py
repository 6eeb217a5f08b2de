"""Where a network's partition points lie, along a line through the middle of its domain."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from repnet.nn import MLP, AbstractFirstLayer, Beside, Standardized
from repnet.nn._windowed import Windowed

BINS = 60


def crossing_positions(network: Any, axis: int) -> Float[np.ndarray, " crossings"] | None:
    r"""Where an axis's middle line meets the partition sets $w \cdot x + b = 0$, from -1 to 1.

    In one dimension these are the partition points themselves. Of a windowed network, each
    window counts inside its own box.

    **Arguments:**

    - `network`: a `Standardized` network or its inner one.
    - `axis`: of the line, which runs through the middle of the other axes.

    **Returns:** standardized positions, one per crossing; `None` for a network without a known
    first layer.

    **Source:** this project; the same as `repnet.theory.crossings`, for many windows at once.

    >>> import jax.random as jr
    >>> from repnet.nn import RepNet
    >>> len(crossing_positions(RepNet(1, width=40, scale=9.0, key=jr.key(0)), 0))
    40
    """
    if isinstance(network, Beside):
        parts = [crossing_positions(part, axis) for part in network.parts]
        return np.concatenate([part for part in parts if part is not None] or [np.zeros(0)])
    inner = network.network if isinstance(network, Standardized) else network
    with jax.enable_x64(True):  # of a network in float64, whatever the session's precision
        if isinstance(inner, Windowed):
            return _in_windows(inner, axis)
        if not isinstance(inner, MLP):
            return None
        dim = inner.first.in_size
        found = _along(inner.first, np.zeros((1, dim)), np.ones((1, dim)), axis)
        return found[np.isfinite(found)]


def density(positions: Float[np.ndarray, " crossings"]) -> Float[np.ndarray, " bins"]:
    """Crossings per unit of standardized length in 60 equal bins from -1 to 1.

    >>> round(density(np.array([-0.99, 0.99, 7.0])).sum() * 2 / BINS)
    2
    """
    counts, edges = np.histogram(positions, BINS, (-1.0, 1.0))
    return counts / np.diff(edges)


def _in_windows(network: Windowed, axis: int) -> Float[np.ndarray, " crossings"]:
    centre = np.asarray(network.centre, np.float64)
    radius = np.broadcast_to(np.asarray(network.radius, np.float64), centre.shape)
    others = np.arange(network.in_size) != axis
    crossed = np.all(np.abs(centre[:, others]) < radius[:, others], axis=1)
    found = [np.zeros(0)]
    for part in network.parts:
        windows = np.flatnonzero(crossed & (np.asarray(part.row) > 0))
        position = _along(part.layer, centre[windows], radius[windows], axis)
        reach = np.abs(position - centre[windows, axis, None]) <= radius[windows, axis, None]
        found.append(position[reach])
    if network.pieces is not None:
        knots, windows = (
            network.pieces.function.knots,
            np.flatnonzero(np.any(np.asarray(network.pieces.share) > 0.0, axis=-1)),
        )
        first = np.searchsorted(knots, centre[windows, 0] - radius[windows, 0])
        last = np.searchsorted(knots, centre[windows, 0] + radius[windows, 0], side="right")
        found += [np.asarray(knots)[i:j] for i, j in zip(first, last, strict=True)]
    return np.concatenate(found)


def _along(
    layer: AbstractFirstLayer,
    centre: Float[np.ndarray, "windows dim"],
    radius: Float[np.ndarray, "windows dim"],
    axis: int,
) -> Float[np.ndarray, "windows units"]:
    """Positions on the line x = position · axis; infinite or NaN for units parallel to it."""
    weight, bias = (np.asarray(array, np.float64) for array in layer.affine())
    at_origin = bias - (centre / radius) @ weight.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return -at_origin / (weight[:, axis] / radius[:, axis, None])
