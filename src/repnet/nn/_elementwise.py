"""Derivatives of activations and features by their one argument, of any order."""

import math
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._activation import Activation, Sine, family, probes
from repnet.nn._feature import Feature


def nth_derivative(
    f: Activation, z: Float[Array, "..."], order: int, value: Float[Array, "..."] | None = None
) -> Float[Array, "..."]:
    r"""$f^{(n)}(z)$ of an elementwise function.

    $\tanh^{(n)}$ is a polynomial of $\tanh$, derivatives of sine are sines; every other function
    goes through nested forward mode.

    **Arguments:**

    - `f`: an activation or a `Feature`.
    - `order`: $n \ge 0$.
    - `value`: $f(z)$ where it is known already.

    **Raises:** `ValueError` where $f^{(n-1)}$ has steps and is constant between them, so that
    $f^{(n)}$ is zero wherever it exists.

    **Source:** this project.

    >>> nth_derivative(jnp.tanh, jnp.zeros(1), 3).tolist()
    [-2.0]
    """
    if order == 0:
        return f(z) if value is None else value
    if order > 1 and vanishes(f, order):
        raise ValueError(_remedy(f, order))
    if isinstance(f, Feature) and f.kind != "plain":
        return _of_feature(f, z, order)
    if isinstance(f, Feature):
        return nth_derivative(f.activation, z, order, value)
    if isinstance(f, Sine):
        return f.frequency**order * _turned(f.frequency * z, order - 1)
    if family(f) == "tanh":
        return _polynomial(_tanh_coefficients(order), f(z) if value is None else value)
    if family(f) == "sine":
        return _turned(z, order - 1)
    return _nested(f, z, order)


def _turned(z: Array, quarters: int) -> Array:
    """cos(z + quarters · π/2), exactly a sine or a cosine."""
    wave = jnp.sin(z) if quarters % 2 else jnp.cos(z)
    return -wave if quarters % 4 in (1, 2) else wave


def _nested(f: Activation, z: Array, order: int) -> Array:
    if order == 0:
        return f(z)
    return jax.jvp(lambda y: _nested(f, y, order - 1), (z,), (jnp.ones_like(z),))[1]


def _of_feature(f: Feature, z: Array, order: int) -> Array:
    kind = family(f.activation)
    if f.kind == "bump" and kind == "sine":
        return math.sin(1.0) * _turned(z, order)
    if f.kind == "bump" and kind == "tanh" and order <= 2:
        return _bump_of_tanh(z, order)
    right, left = (nth_derivative(f.activation, z + side, order) for side in (1.0, -1.0))
    match f.kind:
        case "ramp":
            return right - left
        case "bump":
            return 0.5 * (right - left)
        case _:
            return right - 2.0 * nth_derivative(f.activation, z, order) + left


def _bump_of_tanh(z: Array, order: int) -> Array:
    # b = a(1 - t²)q with t = tanh z, a = tanh 1, c = a² and q = 1/(1 - ct²), so that
    # b' = -2a(1-c) t(1-t²)q²: one transcendental instead of two.
    a = math.tanh(1.0)
    c = a * a
    t = jnp.tanh(z)
    square = t * t
    slope = 1.0 - square
    q = 1.0 / (1.0 - c * square)
    if order == 1:
        return -2.0 * a * (1.0 - c) * t * slope * q * q
    inner = 1.0 - 3.0 * square + 4.0 * c * square * slope * q
    return -2.0 * a * (1.0 - c) * slope * q * q * inner


@lru_cache(maxsize=32)
def _tanh_coefficients(order: int) -> tuple[float, ...]:
    """tanh^(n) = P(tanh): P is differentiated and multiplied by 1 - t², n times."""
    polynomial = np.polynomial.Polynomial([0.0, 1.0])
    for _ in range(order):
        polynomial = polynomial.deriv() * np.polynomial.Polynomial([1.0, 0.0, -1.0])
    return tuple(polynomial.coef.tolist())


def _polynomial(coefficients: tuple[float, ...], t: Array) -> Array:
    # Only even or only odd powers are there: Horner's rule in t².
    odd = len(coefficients) % 2 == 0
    square = t * t
    total = jnp.full_like(t, coefficients[-1])
    for coefficient in coefficients[-3::-2]:
        total = total * square + coefficient
    return total * t if odd else total


@lru_cache(maxsize=256)
def vanishes(f: Activation, order: int) -> bool:
    """Whether $f^{(n)}$ is zero wherever it exists although $f^{(n-1)}$ is not constant.

    >>> vanishes(jax.nn.relu, 2), vanishes(jnp.square, 3), vanishes(jnp.tanh, 2)
    (True, False, False)
    """
    lower, here = (probes(lambda z, n=n: _nested(f, z, n)) for n in (order - 1, order))
    return bool(np.all(here == 0.0) and np.ptp(lower) > 0.0)


def _remedy(f: Activation, order: int) -> str:
    activation = f.activation if isinstance(f, Feature) else f
    name = getattr(activation, "__name__", repr(activation))
    kind = "" if not isinstance(f, Feature) or f.kind == "plain" else f" ({f.kind} feature)"
    return (
        f"A derivative of order {order} is asked of a network with `activation={name}`{kind}, "
        "whose derivative of that order is zero almost everywhere, so that no equation can be "
        "solved with it. Use `jnp.tanh`, `jnp.sin`, or a higher power of the rectified linear "
        "unit: `squared_relu` has two derivatives, `cubed_relu` three."
    )
