"""Elliptic equations in divergence form, with several scales or varying coefficients."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.numpy import cos, sin

from repnet.problem._calculus import divergence, gradient, laplacian, partial
from repnet.problem._conditions import dirichlet
from repnet.problem._domain import Box
from repnet.problem._problem import Problem, Term
from repnet.problem.zoo._check import Real, finite, positive, whole
from repnet.problem.zoo._reference import Reference
from repnet.problem.zoo._registry import named

π = math.pi


@named(
    "Poisson's equation with two scales, on an interval",
    ("linear", "1-D", "multiscale", "boundary value"),
    "2.7e-2 after 1,500 epochs (PINA, tutorial 13)",
)
def poisson1d_ms(frequency: Real = 50.0, amplitude: Real = 0.1) -> Problem:
    r"""$u'' = f$ on $[0, 1]$ with $u = \sin 2\pi x + a \sin \omega\pi x$, given at the ends.

    ```python
    >>> sorted(poisson1d_ms(frequency=80.0).terms)
    ['boundary', 'equation']

    ```

    **Arguments:** `frequency`, ω, in half-waves per unit length; `amplitude`, a.

    **Raises:** `ValueError` where `frequency` is not above zero or `amplitude` not finite.

    **Source:** Wang, Wang and Perdikaris 2021, section 4.1.
    """
    ω = π * positive("poisson1d_ms", "frequency", frequency)
    a = finite("poisson1d_ms", "amplitude", amplitude)
    box = Box(0.0, 1.0)

    def exact(x: jax.Array) -> jax.Array:
        return sin(2 * π * x) + a * sin(ω * x)

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        source = -((2 * π) ** 2) * sin(2 * π * x) - a * ω**2 * sin(ω * x)
        return partial(u, 0, 2)(x) - source

    return Problem(
        box,
        {"equation": Term(equation), "boundary": dirichlet(box.boundary(), exact)},
        exact=Reference((min(1.0, 2 * π / ω),), exact),
        source="Wang, Wang and Perdikaris 2021, eigenvector bias of Fourier feature networks",
    )


@named(
    "Laplace's operator with a source of many octaves, on a square",
    ("linear", "2-D", "multiscale", "boundary value"),
)
def laplace2d_ms(levels: Real = 6) -> Problem:
    r"""$-\Delta u = f$ on $[0, 1]^2$, $u = 0$ at the sides.

    $$u = \frac1n \sum_{i=1}^n \sin \omega_i \pi x\, \sin \omega_i \pi y, \qquad \omega_i = 2^i.$$

    ```python
    >>> laplace2d_ms(levels=3).exact.wavelengths
    (0.25, 0.25)

    ```

    **Arguments:** `levels`, n, from 1 to 9.

    **Raises:** `ValueError` for another number of levels.

    **Source:** Dolean et al. 2024, section 5.2.
    """
    count = whole("laplace2d_ms", "levels", levels, 1, 9)
    waves = [2.0**i * π for i in range(1, count + 1)]
    box = Box([0.0, 0.0], [1.0, 1.0])

    def exact(x: jax.Array) -> jax.Array:
        ω = jnp.asarray(waves, x.dtype)
        return jnp.mean(sin(ω * x[0]) * sin(ω * x[1]))[None]

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        ω = jnp.asarray(waves, x.dtype)
        source = jnp.mean(2.0 * ω**2 * sin(ω * x[0]) * sin(ω * x[1]))
        return -laplacian(u)(x) - source

    return Problem(
        box,
        {"equation": Term(equation), "boundary": dirichlet(box.boundary(), 0.0)},
        exact=Reference((2.0 ** (1 - count),) * 2, exact),
        source="Dolean, Heinlein, Mishra and Moseley 2024, multilevel FBPINNs",
    )


@named(
    "Diffusion and advection with varying coefficients, on a square",
    ("linear", "2-D", "variable coefficients", "boundary value"),
)
def advection_diffusion2d(p: Real = 3.0, q: Real = 2.0, advection: Real = 5.0) -> Problem:
    r"""$\nabla\cdot(a \nabla u) + \beta\,(y, -x)\cdot\nabla u = f$ on $[-1, 1]^2$, $u$ given.

    $$a = 1 + \tfrac12 \sin 2\pi x \cos \pi y, \qquad u = \sin p\pi x \sin q\pi y + x y^2.$$

    ```python
    >>> advection_diffusion2d(p=6.0).dim
    2

    ```

    **Arguments:** `p`, `q`, half-waves per unit length; `advection`, β.

    **Raises:** `ValueError` where `p` or `q` is not above zero or `advection` not finite.

    **Source:** this project.
    """
    p = π * positive("advection_diffusion2d", "p", p)
    q = π * positive("advection_diffusion2d", "q", q)
    β = finite("advection_diffusion2d", "advection", advection)
    box = Box([-1.0, -1.0], [1.0, 1.0])

    def exact(x: jax.Array) -> jax.Array:
        return sin(p * x[:1]) * sin(q * x[1:]) + x[:1] * x[1:] ** 2

    def diffusivity(x: jax.Array) -> jax.Array:
        return 1.0 + 0.5 * sin(2 * π * x[0]) * cos(π * x[1])

    def source(x: jax.Array) -> jax.Array:
        x, y = x
        slope_x = p * cos(p * x) * sin(q * y) + y**2
        slope_y = q * sin(p * x) * cos(q * y) + 2.0 * x * y
        diffused = -(p**2 + q**2) * sin(p * x) * sin(q * y) + 2.0 * x
        a_x = π * cos(2 * π * x) * cos(π * y)
        a_y = -0.5 * π * sin(2 * π * x) * sin(π * y)
        spread = (1.0 + 0.5 * sin(2 * π * x) * cos(π * y)) * diffused + a_x * slope_x
        return spread + a_y * slope_y + β * (y * slope_x - x * slope_y)

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        slope = gradient(u)
        spread = divergence(lambda y: diffusivity(y) * slope(y)[0])(x)
        turned = β * (x[1] * slope(x)[:, 0] - x[0] * slope(x)[:, 1])
        return spread + turned - source(x)

    return Problem(
        box,
        {"equation": Term(equation), "boundary": dirichlet(box.boundary(), exact)},
        exact=Reference((min(1.0, 2 * π / p), min(2.0, 2 * π / q)), exact),
        source="this project",
    )
