"""The Fourier transform of an activation's slope, by which frequencies a unit answers."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float

from repnet.nn._activation import Activation, family, growth
from repnet.nn._feature import Feature

_REACH, _NODES = 40.0, 32768  # of the integral over z; the step is 0.0024
_KINK = 0.01  # jump of the slope beyond which an activation has a kink
_SMALL = 1e-3  # below this κ, the series of the closed forms

Pair = tuple[Complex[np.ndarray, "..."], Complex[np.ndarray, "..."]]


def slope_transform(feature: Feature, kappa: Float[np.ndarray, "..."]) -> Pair:
    r"""$P(\kappa) = \int f'(z)\,e^{-i\kappa z}\,dz$ of a feature $f$, and $P'(\kappa)$.

    | $f$ | $P$ |
    |---|---|
    | $\tanh$ | $\pi\kappa/\sinh(\pi\kappa/2)$ |
    | ReLU | $1/(i\kappa)$ |
    | any other smooth $\varphi$ | $(i\kappa)^{-1}\int\varphi''(z)e^{-i\kappa z}dz$, by quadrature |

    A ramp multiplies it by $2i\sin\kappa$, a bump by $i\sin\kappa$ and a hat by
    $2\cos\kappa-2$.

    **Arguments:** `kappa`: frequencies over slope scale, positive.

    **Raises:** `ValueError` for an activation without such a transform: one that grows faster
    than linearly, sine, whose units answer one frequency each, and one with kinks other than ReLU.

    **Source:** this project.

    >>> import jax.numpy as jnp
    >>> slope_transform(Feature("plain", jnp.tanh), np.array([1.0]))[0].real.round(4).tolist()
    [1.3651]
    """
    kappa = np.asarray(kappa, np.float64)
    base, slope = _of_activation(feature.activation, kappa)
    factor, rise = _FACTORS[feature.kind](kappa)
    return factor * base, rise * base + factor * slope


def _of_activation(activation: Activation, kappa: np.ndarray) -> Pair:
    kind = family(activation)
    if kind == "tanh":
        return _of_tanh(kappa)
    if kind == "relu":
        return -1j / kappa, 1j / kappa**2
    if kind == "sine" or growth(activation) == "faster":
        raise ValueError(
            "`activation` must be a step or a ramp, such as tanh, ReLU or GELU, for the rate of"
            " its units to have a closed form. For sine units there is `SineEnsemble`."
        )
    return _by_quadrature(activation, kappa)


def _of_tanh(kappa: np.ndarray) -> Pair:
    y = np.minimum(0.5 * np.pi * np.abs(kappa), 300.0)
    near = y < _SMALL
    safe = np.where(near, 1.0, y)
    value = np.where(near, 1.0 - y**2 / 6.0, safe / np.sinh(safe))
    exact = (np.sinh(safe) - safe * np.cosh(safe)) / np.sinh(safe) ** 2
    slope = np.where(near, -y / 3.0, exact) * np.sign(kappa)
    return (2.0 * value).astype(complex), (np.pi * slope).astype(complex)


def _by_quadrature(activation: Activation, kappa: np.ndarray) -> Pair:
    z, curvature = _curvature(activation)
    step = z[1] - z[0]
    flat = kappa.ravel()
    waves = np.exp(-1j * np.outer(flat, z))
    value, slope = waves @ curvature * step, waves @ (-1j * z * curvature) * step
    base = value / (1j * flat)
    return base.reshape(kappa.shape), (slope / (1j * flat) - base / flat).reshape(kappa.shape)


@lru_cache(maxsize=32)
def _curvature(activation: Activation) -> tuple[np.ndarray, np.ndarray]:
    z = (np.arange(_NODES) + 0.5) * (2 * _REACH / _NODES) - _REACH
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        points = jnp.asarray(z)
        ones = jnp.ones_like(points)

        def rise(values: jax.Array) -> jax.Array:
            return jax.jvp(activation, (values,), (ones,))[1]

        first, found = (np.asarray(each, np.float64) for each in jax.jvp(rise, (points,), (ones,)))
    _require_smooth(z, first, found)
    if np.abs(found[[0, -1]]).max() > 1e-6 * np.abs(found).max():
        raise ValueError(
            "`activation` must be straight far from zero for its units' rates to have a closed"
            f" form; its second derivative at {_REACH:g} is {found[-1]:.3g}."
        )
    return z, found


def _require_smooth(z: np.ndarray, slope: np.ndarray, curvature: np.ndarray) -> None:
    """A kink's slope jumps where no curvature says so."""
    jumps = np.diff(slope) - 0.5 * (curvature[1:] + curvature[:-1]) * (z[1] - z[0])
    worst = np.argmax(np.abs(jumps))
    if not np.abs(jumps[worst]) <= _KINK * np.abs(slope).max():
        raise ValueError(
            "`activation` must be smooth, or ReLU itself, for its units' rates to have a closed"
            f" form; its slope jumps by {jumps[worst]:.3g} near {z[worst]:.3g}."
        )


_FACTORS = {
    "plain": lambda k: (np.ones_like(k), np.zeros_like(k)),
    "ramp": lambda k: (2j * np.sin(k), 2j * np.cos(k)),
    "bump": lambda k: (1j * np.sin(k), 1j * np.cos(k)),
    "hat": lambda k: (2.0 * np.cos(k) - 2.0, -2.0 * np.sin(k)),
}
