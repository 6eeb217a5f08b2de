"""The first layers that equations are solved with, from one angular frequency per axis."""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.nn import MLP, RepLinear, SineLinear
from repnet.nn._random import as_jax, signs, uniform
from repnet.solve._one_layer import one_layer, sine_features

_MARGIN = 1.2  # sines reach beyond the largest frequency by this factor
_EDGE = np.pi  # and by one half wave across the domain
_SIDE = 2.0 * np.pi  # on either side of a band
_STEEPNESS = 5.0  # of a step: its transform falls like exp(-π ω / 2 s)

Kind = str | Callable
"""`"sine"`, or the activation of a step layer."""


def make_layer(
    kind: Kind,
    out: int,
    units: int,
    omega: Float[np.ndarray, " dim"],
    *,
    low: Float[np.ndarray, " dim"] | None = None,
    directions: str = "isotropic",
    key: PRNGKeyArray,
) -> MLP:
    r"""A network without hidden layers for solutions of angular frequencies up to `omega`.

    - `"sine"`: frequencies uniform in the ellipsoid of radii $1.2(\omega_i + \pi)$, any phases; but
      along axes with `low` above 0, uniform in $\pm[\mathrm{low}_i - 2\pi, \omega_i + 2\pi]$.
    - an activation: steps of slope scale $(\omega_i + \pi)/5$.

    Frequencies are in radians per half-width of the domain.
    """
    dim = len(omega)
    layer_key, band_key = jax.random.split(key)
    if isinstance(kind, str):
        layer = sine_features(dim, units, scale_of(kind, omega), key=layer_key)
        if low is not None and np.any(low > 0):
            layer = _banded(layer, low, omega, band_key)
    else:
        layer = RepLinear(
            dim,
            units,
            scale=scale_of(kind, omega),
            activation=kind,
            features="plain",
            directions=directions,
            key=layer_key,
        )
    return jax.tree.map(_double, one_layer(layer, out))


def _banded(
    layer: SineLinear,
    low: Float[np.ndarray, " dim"],
    high: Float[np.ndarray, " dim"],
    key: PRNGKeyArray,
) -> SineLinear:
    first = np.maximum(low - _SIDE, 0.0)
    size_key, sign_key = jax.random.split(key)
    weight = np.asarray(layer.weight)
    share, sign = uniform(size_key, weight.shape), signs(sign_key, weight.shape)
    banded = sign * (first + share * (high + _SIDE - first))
    return eqx.tree_at(lambda s: s.weight, layer, as_jax(np.where(low > 0, banded, weight)))


def _double(leaf: Any) -> Any:
    return leaf.astype(jnp.float64) if eqx.is_inexact_array(leaf) else leaf


def scale_of(kind: Kind, omega: Float[np.ndarray, " dim"]) -> Float[np.ndarray, " dim"]:
    """The layer's scale for these frequencies: radius of sines, slope scale of steps."""
    return _MARGIN * (omega + _EDGE) if isinstance(kind, str) else (omega + _EDGE) / _STEEPNESS


def omega_of(kind: Kind, scale: Float[np.ndarray, " dim"]) -> Float[np.ndarray, " dim"]:
    """The frequencies for which a layer has this scale; the inverse of `scale_of`."""
    return scale / _MARGIN - _EDGE if isinstance(kind, str) else _STEEPNESS * scale - _EDGE


def units_for(
    omega: Float[np.ndarray, " dim"], low: Float[np.ndarray, " dim"] | None = None
) -> int:
    """Units for solutions of that band: twice the functions of the band on the box."""
    reach = _MARGIN * (np.asarray(omega) + _EDGE)
    if low is not None:
        width = np.asarray(omega) - np.maximum(low - _SIDE, 0.0) + _SIDE
        reach = np.where(low > 0, width, reach)
    dim = len(reach)
    ball = np.pi ** (dim / 2) / math.gamma(dim / 2 + 1)
    return int(2.0 * ball * np.prod(reach / np.pi + 0.5))
