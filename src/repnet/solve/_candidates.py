"""The first layers that windows choose from."""

import dataclasses
import math
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.nn import AbstractFirstLayer, RepLinear, cubed_relu, squared_relu
from repnet.solve._one_layer import sine_features

_SMOOTH_RIDGES = tuple(
    10.0**k for k in (-29, -26, -23, -20, -17, -14, -11, -8, -6, -4.5, -3, -1.5, 0)
)
_ROUGH_RIDGES = tuple(10.0**k for k in (-11, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0))
_SLOPES = (0.55, 0.9, 1.5, 2.5)  # slope scales of steps, times the spacing of the points
_BAND_MARGIN = 1.2  # frequencies reach beyond the target's largest by this factor


@dataclasses.dataclass(frozen=True)
class Candidate:
    """A first layer on the local box, the ridges to try with it, and how precisely to solve.

    `name` and `scale` are for the plan: radians per unit of the local box.
    """

    layer: AbstractFirstLayer
    ridges: Float[np.ndarray, " ridges"]
    precise: bool
    name: str
    scale: float


def window_candidates(
    dim: int,
    per_window: int,
    band: Float[np.ndarray, " dim"],
    *,
    slower: Sequence[Float[np.ndarray, " dim"]] = (),
    limit: Float[np.ndarray, " dim"] | None = None,
    activation: Callable | None = None,
    scale: float | None = None,
    width: int | None = None,
    most: int = 1024,
    key: PRNGKeyArray,
) -> list[Candidate]:
    """Layers of every kind for windows that hold about `per_window` points.

    **Arguments:**

    - `band`: the target's largest angular frequency per axis, on the local box.
    - `slower`: those of single targets that are far below it.
    - `limit`: the largest that a grid of points tells from lower ones, on the local box; a sine
      beyond it agrees with a slower one at every node, and no judge at the nodes can tell.
    - `activation`, `scale`: only layers of that activation and slope scale.
    - `width`: units of steps and ramps; chosen from `per_window`, up to `most`, if left out.
    """
    across = per_window ** (1.0 / dim)
    width = width or int(np.clip(12 * per_window, 128, min(most, 1024)))
    keys = iter(jax.random.split(key, 16))
    if activation is not None:
        scales = [scale] if scale is not None else [slope * across / 2 for slope in _SLOPES]
        return [_ridged(activation, s, dim, width, next(keys)) for s in scales]
    found = [
        _ridged(
            jnp.tanh, scale if scale is not None else slope * across / 2, dim, width, next(keys)
        )
        for slope in (_SLOPES if scale is None else (1.0,))
    ]
    if scale is None:
        found += [_ridged(f, 1.0, dim, width, next(keys)) for f in (squared_relu, cubed_relu)]
        for each in (band, *slower):
            found += [_sines(dim, per_window, r, next(keys)) for r in _radii(each, limit)]
    return found


def _radii(
    band: Float[np.ndarray, " dim"], limit: Float[np.ndarray, " dim"] | None
) -> list[Float[np.ndarray, " dim"]]:
    """Largest frequencies of sines for a band: a little beyond it, and far."""
    radii = [_BAND_MARGIN * (factor * band + np.pi) for factor in (1.0, 1.8)]
    if limit is not None:
        radii = [np.minimum(each, limit) for each in radii]
    return radii[:1] if np.array_equal(radii[0], radii[1]) else radii


def _ridged(
    activation: Callable, scale: float, dim: int, width: int, key: PRNGKeyArray
) -> Candidate:
    layer = RepLinear(
        dim,
        width,
        scale=scale,
        activation=activation,
        features="plain",
        directions="isotropic",
        key=key,
    )
    name = getattr(activation, "__name__", type(activation).__name__)
    return Candidate(layer, np.array(_ROUGH_RIDGES), False, name, float(scale))


def _sines(
    dim: int, per_window: int, radii: Float[np.ndarray, " dim"], key: PRNGKeyArray
) -> Candidate:
    """Sines with frequencies uniform in an ellipsoid."""
    # The functions of that band on the box: volume in phase space over (2π)^d, plus the edges.
    ball = np.pi ** (dim / 2) / math.gamma(dim / 2 + 1)
    modes = ball * np.prod(2.0 * radii / (2.0 * np.pi) + 1.0)
    width = int(np.clip(4 * modes, 48, max(48, 3 * per_window)))
    layer = sine_features(dim, width, radii, key=key)
    return Candidate(layer, np.array(_SMOOTH_RIDGES), True, "sine", float(np.max(radii)))
