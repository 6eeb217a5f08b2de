"""Helmholtz's equation on a square with zero boundary values."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from jax.numpy import sin

from repnet.problem._calculus import laplacian
from repnet.problem._conditions import dirichlet
from repnet.problem._domain import Box
from repnet.problem._problem import Problem, Term
from repnet.problem.zoo._check import Real, finite, whole
from repnet.problem.zoo._reference import Reference
from repnet.problem.zoo._registry import named
from repnet.problem.zoo._resonance import resonant_modes
from repnet.problem.zoo._sine_series import check_source, gaussian_response

π = math.pi


@named(
    "Helmholtz's equation on a square, one oblique standing wave",
    ("linear", "2-D", "Helmholtz", "boundary value"),
    "(1, 4): about 3e-3 (self-adaptive PINN, quoted second-hand)",
)
def helmholtz2d(a1: Real = 1, a2: Real = 4, k: Real = 1.0) -> Problem:
    r"""$\Delta u + k^2 u = f$ on $[-1, 1]^2$, $u = 0$ at the sides.

    $$u = \sin a_1\pi x \sin a_2\pi y.$$

    ```python
    >>> helmholtz2d(a1=6, a2=6).dim
    2

    ```

    **Arguments:** `a1`, `a2`, whole half-waves per unit length; `k`, the wavenumber.

    **Raises:** `ValueError` where `a1` or `a2` is not whole, `k` is not finite, or `k` is a
    resonance, where the solution is not unique.

    **Source:** Wang, Teng and Perdikaris 2021, section 4.1.
    """
    a1 = whole("helmholtz2d", "a1", a1, 1, 500)
    a2 = whole("helmholtz2d", "a2", a2, 1, 500)
    k = finite("helmholtz2d", "k", k)
    if modes := resonant_modes((2.0 * k / π) ** 2):
        raise ValueError(
            f"`helmholtz2d(k=...)` must not be a resonance of the square; got {k:g}, the "
            f"wavenumber of its mode {modes[0]}."
        )
    box = Box([-1.0, -1.0], [1.0, 1.0])

    def exact(x: jax.Array) -> jax.Array:
        return sin(a1 * π * x[:1]) * sin(a2 * π * x[1:])

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        factor = k**2 - (a1**2 + a2**2) * π**2
        source = factor * sin(a1 * π * x[0]) * sin(a2 * π * x[1])
        return laplacian(u)(x) + k**2 * u(x) - source

    return Problem(
        box,
        {"equation": Term(equation), "boundary": dirichlet(box.boundary(), 0.0)},
        exact=Reference((2.0 / a1, 2.0 / a2), exact),
        source="Wang, Teng and Perdikaris 2021, gradient flow pathologies",
    )


@named(
    "Helmholtz's equation on a square, waves of a small source",
    ("linear", "2-D", "Helmholtz", "boundary value", "source"),
)
def helmholtz2d_source(wavelength: Real = 0.2, width: Real = 0.05) -> Problem:
    r"""$\Delta u + k^2 u = e^{-|x - c|^2/2\sigma^2}$ on $[0, 1]^2$, $u = 0$ at the sides.

    $c$ is the centre. The default, $k = 10\pi$, is a resonance: $\sin 6\pi x \sin 8\pi y$ solves
    the equation without a source. It is odd about the centre and the source is even, so solutions
    exist; the one meant is even, which the term `"symmetry"` then asks for:
    $u(x, y) = u(1-x, y) = u(x, 1-y)$.

    ```python
    >>> sorted(helmholtz2d_source().terms), sorted(helmholtz2d_source(wavelength=0.23).terms)
    (['boundary', 'equation', 'symmetry'], ['boundary', 'equation'])

    ```

    **Arguments:** `wavelength`, $2\pi/k$; `width`, σ, from 0.005 to 0.07, which keeps the source
    off the boundary.

    **Raises:** `ValueError` where `width` is outside of its range, or where an even mode of the
    square resonates, so that there is no solution.

    **Source:** Dolean et al. 2024, section 5.3, whose equation has another sign in print.
    """
    k, σ = check_source("helmholtz2d_source", wavelength, width)
    box = Box([0.0, 0.0], [1.0, 1.0])

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        source = jnp.exp(-jnp.sum((x - 0.5) ** 2) / (2.0 * σ**2))
        return laplacian(u)(x) + k**2 * u(x) - source

    def symmetry(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        mirrored = [u(x.at[axis].set(1.0 - x[axis])) for axis in (0, 1)]
        return jnp.concatenate([u(x) - there for there in mirrored])

    terms = {"equation": Term(equation), "boundary": dirichlet(box.boundary(), 0.0)}
    if resonant_modes((k / π) ** 2):
        terms["symmetry"] = Term(symmetry)
    shortest = min(2.0 * π / k, 4.0 * σ)
    exact = Reference((shortest, shortest), gaussian_response(k, σ))
    return Problem(
        box,
        terms,
        exact=exact,
        source="Dolean, Heinlein, Mishra and Moseley 2024, multilevel FBPINNs",
    )
