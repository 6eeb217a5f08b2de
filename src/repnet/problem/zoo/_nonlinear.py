"""Nonlinear equations."""

import math
from typing import Any

import jax
from jax.numpy import cos, sin

from repnet.problem._calculus import partial
from repnet.problem._conditions import dirichlet, initial, periodic
from repnet.problem._domain import Box
from repnet.problem._problem import Problem, Term
from repnet.problem.zoo._check import Real, between, positive
from repnet.problem.zoo._cole_hopf import cole_hopf
from repnet.problem.zoo._periodic_references import allen_cahn_solution, korteweg_de_vries_table
from repnet.problem.zoo._reference import Reference
from repnet.problem.zoo._registry import named

π = math.pi


@named(
    "Burgers' equation: a sine that steepens to a layer",
    ("nonlinear", "1-D", "time", "sharp layer"),
    "4.0e-5 (jaxpi2); 1.45e-2 (PINNacle)",
)
def burgers1d(viscosity: Real = 0.01 / π) -> Problem:
    r"""$u_t + u u_x = \nu u_{xx}$ on $[-1, 1] \times [0, 1]$, $u(x, 0) = -\sin \pi x$, zero ends.

    The reference is the transformation of Cole and Hopf, by quadrature (`cole_hopf`).

    ```python
    >>> sorted(burgers1d(viscosity=0.01).terms)
    ['boundary', 'equation', 'initial']

    ```

    **Arguments:** `viscosity`, ν, from 0.001 to 0.1.

    **Raises:** `ValueError` for another viscosity.

    **Source:** Basdevant et al. 1986; Raissi, Perdikaris and Karniadakis 2019.
    """
    ν = between("burgers1d", "viscosity", viscosity, 1e-3, 0.1)
    box = Box([-1.0, 0.0], [1.0, 1.0])

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        return partial(u, 1)(x) + u(x) * partial(u, 0)(x) - ν * partial(u, 0, 2)(x)

    return Problem(
        box,
        {
            "equation": Term(equation),
            "boundary": dirichlet(box.boundary(0), 0.0),
            "initial": initial(box, lambda x: -sin(π * x[0])),
        },
        exact=Reference((min(2.0, 8.0 * ν), math.inf), cole_hopf(ν)),  # the layer is 4ν wide
        source="Basdevant et al. 1986",
    )


@named(
    "The Allen–Cahn equation: phases that separate",
    ("nonlinear", "1-D", "time", "periodic", "sharp layer"),
    "5.2e-1 (plain PINN); 5.4e-5 (jaxpi); 2.2e-5 (PirateNet); 3.5e-6 (SOAP, 300,000 steps)",
)
def allen_cahn1d(diffusion: Real = 1e-4, reaction: Real = 5.0) -> Problem:
    r"""$u_t = d\,u_{xx} - r u^3 + r u$ on $[-1, 1] \times [0, 1]$, $u(x, 0) = x^2 \cos \pi x$.

    Periodic in $x$, with a kink at the seam at $t = 0$. The reference is a Fourier spectral
    solution in float64, computed at the first use and kept.

    ```python
    >>> sorted(allen_cahn1d().terms)
    ['equation', 'initial', 'periodic']

    ```

    **Arguments:** `diffusion`, d, from 2e-5 to 1e-2; `reaction`, r, from 0.1 to 10.

    **Raises:** `ValueError` for other coefficients.

    **Source:** Raissi, Perdikaris and Karniadakis 2019, section 3.2.
    """
    d, r = check_allen_cahn("allen_cahn1d", diffusion, reaction)
    box = Box([-1.0, 0.0], [1.0, 1.0])

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        return partial(u, 1)(x) - d * partial(u, 0, 2)(x) + r * (u(x) ** 3 - u(x))

    return Problem(
        box,
        {"equation": Term(equation), **allen_cahn_conditions(box)},
        exact=allen_cahn_reference(d, r),
        source="Raissi, Perdikaris and Karniadakis 2019",
    )


def check_allen_cahn(owner: str, diffusion: Real, reaction: Real) -> tuple[float, float]:
    """The coefficients, or a `ValueError` where the reference does not reach."""
    d = between(owner, "diffusion", diffusion, 2e-5, 1e-2)
    return d, between(owner, "reaction", reaction, 0.1, 10.0)


def allen_cahn_conditions(box: Box) -> dict[str, Term]:
    """Periodic in space; the initial data."""
    start = initial(box, lambda x: x[0] ** 2 * cos(π * x[0]))
    return {"periodic": periodic(box, 0, orders=(0, 1)), "initial": start}


def allen_cahn_reference(d: float, r: float) -> Reference:
    """The spectral solution; its fronts, tanh(x √(r/2d)), are some 4 √(2d/r) wide."""
    width = min(0.5, 4.0 * math.sqrt(2.0 * d / r))
    return Reference((width, 1.0 / r), many=lambda points: allen_cahn_solution(points, d, r))


@named(
    "The nonlinear Klein–Gordon equation",
    ("nonlinear", "1-D", "time", "wave"),
    "about 3e-3 (adaptive weights, quoted second-hand)",
)
def klein_gordon1d(frequency: Real = 5.0) -> Problem:
    r"""$u_{tt} - u_{xx} + u^3 = f$ on $[0, 1]^2$, $u = x \cos \omega\pi t + (xt)^3$.

    The ends, $u(x, 0) = x$ and $u_t(x, 0) = 0$ are given.

    ```python
    >>> sorted(klein_gordon1d().terms)
    ['boundary', 'equation', 'initial']

    ```

    **Arguments:** `frequency`, ω, in half-waves per unit time.

    **Raises:** `ValueError` where `frequency` is not above zero.

    **Source:** Wang, Teng and Perdikaris 2021, section 4.2.
    """
    ω = π * positive("klein_gordon1d", "frequency", frequency)
    box = Box([0.0, 0.0], [1.0, 1.0])

    def exact(x: jax.Array) -> jax.Array:
        return x[:1] * cos(ω * x[1:]) + (x[:1] * x[1:]) ** 3

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        y, t = x
        linear = -(ω**2) * y * cos(ω * t) + 6.0 * y**3 * t - 6.0 * y * t**3
        source = linear + (y * cos(ω * t) + (y * t) ** 3) ** 3
        return partial(u, 1, 2)(x) - partial(u, 0, 2)(x) + u(x) ** 3 - source

    return Problem(
        box,
        {
            "equation": Term(equation),
            "boundary": dirichlet(box.boundary(0), exact),
            "initial": initial(box, lambda x: x[0], velocity=0.0),
        },
        exact=Reference((2.0, 2.0 * π / ω), exact),
        source="Wang, Teng and Perdikaris 2021, gradient flow pathologies",
    )


@named(
    "The Korteweg–de Vries equation: a cosine that breaks into solitons",
    ("nonlinear", "1-D", "time", "periodic", "dispersive", "third order"),
    "4.3e-4 (PirateNet)",
)
def kdv1d(dispersion: Real = 0.022) -> Problem:
    r"""$u_t + u u_x + \delta^2 u_{xxx} = 0$ on $[-1, 1] \times [0, 1]$, $u(x, 0) = \cos \pi x$.

    Periodic in $x$. The reference is a Fourier spectral solution in float64, computed at the
    first use and kept.

    ```python
    >>> sorted(kdv1d().terms)
    ['equation', 'initial', 'periodic']

    ```

    **Arguments:** `dispersion`, δ, from 0.015 to 0.2.

    **Raises:** `ValueError` for another dispersion.

    **Source:** Zabusky and Kruskal 1965.
    """
    δ = between("kdv1d", "dispersion", dispersion, 0.015, 0.2)
    box = Box([-1.0, 0.0], [1.0, 1.0])

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        return partial(u, 1)(x) + u(x) * partial(u, 0)(x) + δ**2 * partial(u, 0, 3)(x)

    # A soliton of height 3 is δ √(12/3) wide, sech² of that, and moves at speed 1.
    width = 4.0 * δ
    return Problem(
        box,
        {
            "equation": Term(equation),
            "periodic": periodic(box, 0, orders=(0, 1, 2)),
            "initial": initial(box, lambda x: cos(π * x[0])),
        },
        exact=Reference((width, width), many=lambda x: korteweg_de_vries_table(δ)(x)),
        source="Zabusky and Kruskal 1965",
    )


@named(
    "Helmholtz's equation with a cubic term, on an interval",
    ("nonlinear", "1-D", "Helmholtz", "boundary value"),
)
def nonlinear_helmholtz1d(k: Real = 50.0) -> Problem:
    r"""$u'' + k^2 u + u^3 = f$ on $[-1, 1]$, $u = \sin kx + \tfrac12 \sin 20x$, given at the ends.

    ```python
    >>> nonlinear_helmholtz1d(k=80.0).dim
    1

    ```

    **Arguments:** `k`, the wavenumber.

    **Raises:** `ValueError` where `k` is not above zero.

    **Source:** this project.
    """
    k = positive("nonlinear_helmholtz1d", "k", k)
    box = Box(-1.0, 1.0)

    def exact(x: jax.Array) -> jax.Array:
        return sin(k * x) + 0.5 * sin(20.0 * x)

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        source = 0.5 * (k**2 - 400.0) * sin(20.0 * x) + (sin(k * x) + 0.5 * sin(20.0 * x)) ** 3
        return partial(u, 0, 2)(x) + k**2 * u(x) + u(x) ** 3 - source

    return Problem(
        box,
        {"equation": Term(equation), "boundary": dirichlet(box.boundary(), exact)},
        exact=Reference((2.0 * π / max(k, 20.0),), exact),
        source="this project",
    )
