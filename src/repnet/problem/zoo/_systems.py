"""Linear equations of several outputs."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.numpy import cos, sin

from repnet.problem._calculus import laplacian, partial
from repnet.problem._conditions import initial, periodic, robin
from repnet.problem._domain import Box
from repnet.problem._problem import Problem, Term
from repnet.problem.zoo._check import Real, finite, positive, whole
from repnet.problem.zoo._reference import Reference
from repnet.problem.zoo._registry import named

π = math.pi


@named(
    "Maxwell's equations in one dimension: two waves that pass each other",
    ("linear", "1-D", "time", "periodic", "wave", "system"),
)
def maxwell1d(waves: Real = 4) -> Problem:
    r"""$E_t + H_x = 0$, $H_t + E_x = 0$ on $[0, 1]^2$, periodic; the outputs are $(E, H)$.

    With $k = 2\pi \cdot$ `waves`, a wave to the right and one of half its length to the left:

    $$E = \sin k(x - t) + \tfrac12 \sin 2k(x + t), \quad
      H = \sin k(x - t) - \tfrac12 \sin 2k(x + t).$$

    ```python
    >>> maxwell1d().out_size
    2

    ```

    **Arguments:** `waves`, wavelengths per unit length, from 1 to 500.

    **Raises:** `ValueError` for another number of waves.

    **Source:** this project; d'Alembert's solution.
    """
    k = 2.0 * π * whole("maxwell1d", "waves", waves, 1, 500)
    box = Box([0.0, 0.0], [1.0, 1.0])

    def exact(x: jax.Array) -> jax.Array:
        right, left = sin(k * (x[0] - x[1])), 0.5 * sin(2.0 * k * (x[0] + x[1]))
        return jnp.stack([right + left, right - left])

    def start(x: jax.Array) -> jax.Array:
        right, left = sin(k * x[0]), 0.5 * sin(2.0 * k * x[0])
        return jnp.stack([right + left, right - left])

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        return partial(u, 1)(x) + partial(u, 0)(x)[::-1]

    return Problem(
        box,
        {
            "equation": Term(equation),
            "periodic": periodic(box, 0),
            "initial": initial(box, start),
        },
        exact=Reference((π / k, π / k), exact),
        source="this project",
        out_size=2,
    )


@named(
    "A plane wave through a square that absorbs at its sides",
    ("linear", "2-D", "Helmholtz", "boundary value", "system", "complex"),
)
def plane_wave2d(k: Real = 20.0, angle: Real = 0.5) -> Problem:
    r"""$\Delta u + k^2 u = 0$ on $[0, 1]^2$, $\partial_n u - \mathrm i k u = g$, $u$ complex.

    The outputs are the real and the imaginary part of $u = e^{\mathrm i k\, d\cdot x}$,
    $d = (\cos\theta, \sin\theta)$; the wave comes in through
    $g = \mathrm i k\,(d \cdot n - 1)\, u$.

    ```python
    >>> sorted(plane_wave2d().terms), plane_wave2d().out_size
    (['boundary', 'equation'], 2)

    ```

    **Arguments:** `k`, the wavenumber; `angle`, θ, in radians.

    **Raises:** `ValueError` where `k` is not above zero or `angle` not finite.

    **Source:** the standard absorbing condition of first order, Engquist and Majda 1977.
    """
    k = positive("plane_wave2d", "k", k)
    θ = finite("plane_wave2d", "angle", angle)
    direction = np.array([math.cos(θ), math.sin(θ)])
    box = Box([0.0, 0.0], [1.0, 1.0])
    sides = box.boundary()

    def exact(x: jax.Array) -> jax.Array:
        phase = k * jnp.dot(jnp.asarray(direction, x.dtype), x)
        return jnp.stack([cos(phase), sin(phase)])

    def incoming(x: jax.Array) -> jax.Array:
        d = jnp.asarray(direction, x.dtype)
        strength = k * (jnp.dot(d, sides.normal(x)) - 1.0)
        return strength * jnp.stack([-sin(k * jnp.dot(d, x)), cos(k * jnp.dot(d, x))])

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        return laplacian(u)(x) + k**2 * u(x)

    absorbed = np.array([[0.0, k], [-k, 0.0]])  # minus i k, on real and imaginary parts
    shortest = 2.0 * π / (k * np.maximum(np.abs(direction), 1e-3))
    return Problem(
        box,
        {"equation": Term(equation), "boundary": robin(sides, absorbed, 1.0, incoming)},
        exact=Reference(tuple(shortest.tolist()), exact),
        source="this project",
        out_size=2,
    )
