"""The antiderivative of random functions: an operator whose exact values are known."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn._check import check_count, check_positive
from repnet.operators._data import OperatorData

_TORUS = 2.0  # length of the period on which the process is drawn
_SHORTEST = 1e-3  # two thousand waves
_REACH = 6.5  # standard deviations of the spectral density that are kept


def antiderivative(
    functions: int = 1000,
    *,
    length: float = 0.05,
    sensors: int = 101,
    points: int = 101,
    key: PRNGKeyArray,
) -> OperatorData:
    r"""$v \mapsto \int_0^x v$ on $[0, 1]$ for a Gaussian process $v$ of covariance
    $e^{-|x - x'|^2 / 2\ell^2}$.

    The process is a Fourier series on $[0, 2]$ with independent coefficients, so that its integral
    is known in closed form; both are exact to rounding where $\ell \le 0.15$.

    **Arguments:** `length`: ℓ. `sensors`, `points`: of equal spacing, ends included.

    **Source:** Lu, Jin, Pang, Zhang and Karniadakis 2021, section 4.1.1, with a shorter length.

    >>> data = antiderivative(2, key=jr.key(0))
    >>> data.inputs[0].shape, data.outputs.shape, float(abs(data.outputs[:, 0]).max())
    ((2, 101), (2, 101, 1), 0.0)
    """
    for name, value in {"functions": functions, "sensors": sensors, "points": points}.items():
        check_count("antiderivative", name, value, 1 if name == "functions" else 2)
    check_positive("antiderivative", "length", length)
    if not _SHORTEST <= length <= 0.15:
        raise ValueError(
            f"`antiderivative(length=...)` must lie between {_SHORTEST:g} and 0.15, since the "
            f"process has period 2; got {length}."
        )
    with jax.enable_x64(True):
        x = jnp.linspace(0.0, 1.0, sensors)
        y = jnp.linspace(0.0, 1.0, points)
        v, integral = _drawn(functions, length, x, y, key)
    queries = np.asarray(y)[:, None]
    source = f"Gaussian process of length {length:g}"
    return OperatorData((np.asarray(v),), queries, np.asarray(integral)[:, :, None], source=source)


def _drawn(
    functions: int, length: float, x: Array, y: Array, key: PRNGKeyArray
) -> tuple[Float[Array, "functions sensors"], Float[Array, "functions points"]]:
    count = int(np.ceil(_REACH * _TORUS / (2.0 * np.pi * length)))
    omega = 2.0 * jnp.pi * jnp.arange(1, count + 1) / _TORUS
    density = jnp.exp(-0.5 * jnp.square(omega * length)) * length * jnp.sqrt(2.0 * jnp.pi) / _TORUS
    deviation = jnp.sqrt(2.0 * density)
    mean = jnp.sqrt(length * jnp.sqrt(2.0 * jnp.pi) / _TORUS)
    draws = jr.normal(key, (functions, 2 * count + 1), jnp.float64)
    constant = mean * draws[:, :1]
    cosine, sine = deviation * draws[:, 1 : count + 1], deviation * draws[:, count + 1 :]
    v = constant + cosine @ jnp.cos(jnp.outer(omega, x)) + sine @ jnp.sin(jnp.outer(omega, x))
    rising = jnp.sin(jnp.outer(omega, y)) / omega[:, None]
    falling = (1.0 - jnp.cos(jnp.outer(omega, y))) / omega[:, None]
    return v, constant * y + cosine @ rising + sine @ falling
