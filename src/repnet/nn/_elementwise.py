"""Derivatives of activations and features by their one argument, of any order."""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._activation import Activation, Sine, derivatives_of, family, probes
from repnet.nn._feature import Feature


def nth_derivative(
    f: Activation, z: Float[Array, "..."], order: int, kept: dict[str, Any] | None = None
) -> Float[Array, "..."]:
    r"""$f^{(n)}(z)$ of an elementwise function.

    $\tanh^{(n)}$ is a polynomial of $\tanh$, derivatives of sine are sines; every other function
    goes through nested forward mode.

    **Arguments:**

    - `f`: an activation or a `Feature`.
    - `order`: $n \ge 0$.
    - `kept`: what other orders at the same $z$ need too, such as $\tanh z$; one dictionary for
      all orders of one function at one $z$.

    **Raises:** `ValueError` where $f^{(n-1)}$ has steps and is constant between them, so that
    $f^{(n)}$ is zero wherever it exists, and where it is known to have steps.

    **Source:** this project.

    >>> nth_derivative(jnp.tanh, jnp.zeros(1), 3).tolist()
    [-2.0]
    """
    kept = {} if kept is None else kept
    analytic = family(f.activation if isinstance(f, Feature) else f) in ("sine", "tanh")
    if order > 1 and not analytic and vanishes(f, order):
        raise ValueError(_remedy(f, order, "zero almost everywhere"))
    known = derivatives_of(f)
    if known is not None and order > known:
        raise ValueError(_remedy(f, order, "no function, since one below it has steps"))
    if isinstance(f, Feature) and f.kind != "plain":
        return _of_feature(f, z, order, kept)
    if isinstance(f, Feature):
        return nth_derivative(f.activation, z, order, kept)
    frequency = f.frequency if isinstance(f, Sine) else 1.0
    if isinstance(f, Sine) or family(f) == "sine":
        return _sine(z, frequency, order, kept)
    if family(f) == "tanh":
        return _polynomial(_tanh_coefficients(order), _keep(kept, "tanh", lambda: jnp.tanh(z)))
    return f(z) if order == 0 else _nested(f, z, order)


def _keep(kept: dict[str, Any], name: str, make: Callable[[], Any]) -> Any:
    if name not in kept:
        kept[name] = make()
    return kept[name]


def _sine(z: Array, frequency: float, order: int, kept: dict[str, Any]) -> Array:
    """The derivative of sin(ω z): a sine or a cosine, never more than one of each."""
    sine, cosine = _keep(kept, "waves", lambda: _waves(frequency * z))
    wave = cosine if order % 2 else sine
    return (-1.0 if order % 4 in (2, 3) else 1.0) * frequency**order * wave


@jax.custom_jvp
def _waves(z: Array) -> tuple[Array, Array]:
    # Each is the other's derivative, so that training computes neither of them again.
    return jnp.sin(z), jnp.cos(z)


@_waves.defjvp
def _waves_jvp(primals: tuple[Array], tangents: tuple[Array]) -> Any:
    sine, cosine = _waves(*primals)
    return (sine, cosine), (cosine * tangents[0], -sine * tangents[0])


def _nested(f: Activation, z: Array, order: int) -> Array:
    if order == 0:
        return f(z)
    return jax.jvp(lambda y: _nested(f, y, order - 1), (z,), (jnp.ones_like(z),))[1]


def _of_feature(f: Feature, z: Array, order: int, kept: dict[str, Any]) -> Array:
    kind = family(f.activation)
    if order == 0 and not (f.kind == "bump" and kind in ("sine", "tanh")):
        return f(z)
    if f.kind == "bump" and kind == "sine":
        return math.sin(1.0) * _sine(z, 1.0, order + 1, kept)
    if f.kind == "bump" and kind == "tanh":
        return _bump_of_tanh(z, order)
    right, left = (nth_derivative(f.activation, z + side, order) for side in (1.0, -1.0))
    match f.kind:
        case "ramp":
            return right - left
        case "bump":
            return 0.5 * (right - left)
        case _:
            return right - 2.0 * nth_derivative(f.activation, z, order) + left


@functools.partial(jax.custom_jvp, nondiff_argnums=(1,))
def _bump_of_tanh(z: Array, order: int) -> Array:
    # b = a(1 - t²)q with t = tanh z, a = tanh 1, c = a² and q = 1/(1 - ct²), so that
    # b' = k t(1-t²)q² with k = -2a(1-c): one transcendental instead of two. That each derivative's
    # own derivative is the next formula makes a step of training twice as fast.
    if order > 3:
        right, left = (nth_derivative(jnp.tanh, z + side, order) for side in (1.0, -1.0))
        return 0.5 * (right - left)
    a = math.tanh(1.0)
    c, k = a * a, -2.0 * a * (1.0 - a * a)
    t = jnp.tanh(z)
    square = t * t
    slope = 1.0 - square
    q = 1.0 / (1.0 - c * square)
    if order == 0:
        return a * slope * q
    if order == 1:
        return k * t * slope * q * q
    sq = slope * q
    inner = 1.0 - 3.0 * square + 4.0 * c * square * sq
    if order == 2:
        return k * sq * q * inner
    # d/dt of slope q² inner, times 1 - t².
    ahead = 4.0 * c * sq - 2.0
    change = -6.0 + 8.0 * c * (sq - square * q) + 8.0 * c * c * square * sq * q
    return k * t * sq * q * (ahead * inner + slope * change)


@_bump_of_tanh.defjvp
def _bump_of_tanh_jvp(order: int, primals: tuple[Array], tangents: tuple[Array]) -> Any:
    (z,), (dz,) = primals, tangents
    return _bump_of_tanh(z, order), _bump_of_tanh(z, order + 1) * dz


@functools.lru_cache(maxsize=32)
def _tanh_coefficients(order: int) -> tuple[float, ...]:
    """tanh^(n) = P(tanh): P is differentiated and multiplied by 1 - t², n times."""
    polynomial = np.polynomial.Polynomial([0.0, 1.0])
    for _ in range(order):
        polynomial = polynomial.deriv() * np.polynomial.Polynomial([1.0, 0.0, -1.0])
    return tuple(polynomial.coef.tolist())


def _polynomial(coefficients: tuple[float, ...], t: Array) -> Array:
    if len(coefficients) == 2:
        return t  # tanh itself
    # Only even or only odd powers are there: Horner's rule in t².
    odd = len(coefficients) % 2 == 0
    square = t * t
    total = jnp.full_like(t, coefficients[-1])
    for coefficient in coefficients[-3::-2]:
        total = total * square + coefficient
    return total * t if odd else total


@functools.lru_cache(maxsize=256)
def vanishes(f: Activation, order: int) -> bool:
    """Whether $f^{(n)}$ is zero wherever it exists although a lower one has steps.

    >>> vanishes(jax.nn.relu, 2), vanishes(jnp.square, 3), vanishes(jnp.tanh, 2)
    (True, False, False)
    """
    lower, here = (probes(lambda z, n=n: _nested(f, z, n)) for n in (order - 1, order))
    stepped = np.ptp(lower) > 0.0 or (order > 1 and vanishes(f, order - 1))
    return bool(np.all(here == 0.0) and stepped)


def _remedy(f: Activation, order: int, fault: str) -> str:
    activation = f.activation if isinstance(f, Feature) else f
    name = getattr(activation, "__name__", repr(activation))
    kind = "" if not isinstance(f, Feature) or f.kind == "plain" else f" ({f.kind} feature)"
    return (
        f"A derivative of order {order} is asked of a network with `activation={name}`{kind}, "
        f"whose derivative of that order is {fault}, so that no equation can be "
        "solved with it. Use `jnp.tanh`, `jnp.sin`, or a higher power of the rectified linear "
        "unit: `squared_relu` has two derivatives (as has `s2relu`), `cubed_relu` three."
    )
