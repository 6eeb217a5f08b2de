"""Heat equations with several scales."""

import math
from typing import Any

import jax
from jax.numpy import exp, sin

from repnet.problem._calculus import partial
from repnet.problem._conditions import dirichlet, initial
from repnet.problem._domain import Box
from repnet.problem._problem import Problem, Term
from repnet.problem.zoo._check import Real, whole
from repnet.problem.zoo._reference import Reference
from repnet.problem.zoo._registry import named

π = math.pi


@named(
    "The heat equation with 250 wavelengths in space",
    ("linear", "1-D", "time", "multiscale", "heat"),
    "multi-scale Fourier PINN of scale 500; its test grid aliases",
)
def heat1d_ms(frequency: Real = 500) -> Problem:
    r"""$u_t = u_{xx}/(\omega\pi)^2$ on $[0, 1]^2$, zero ends, $u = e^{-t} \sin \omega\pi x$.

    ```python
    >>> heat1d_ms(frequency=40).exact.wavelengths
    (0.05, inf)

    ```

    **Arguments:** `frequency`, ω, whole half-waves, from 1 to 1,000.

    **Raises:** `ValueError` for another frequency.

    **Source:** Wang, Wang and Perdikaris 2021, section 4.2.
    """
    ω = π * whole("heat1d_ms", "frequency", frequency, 1, 1000)
    box = Box([0.0, 0.0], [1.0, 1.0])

    def exact(x: jax.Array) -> jax.Array:
        return exp(-x[1:]) * sin(ω * x[:1])

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        return partial(u, 1)(x) - partial(u, 0, 2)(x) / ω**2

    return Problem(
        box,
        {
            "equation": Term(equation),
            "boundary": dirichlet(box.boundary(0), 0.0),
            "initial": initial(box, lambda x: sin(ω * x[0])),
        },
        exact=Reference((2.0 * π / ω, math.inf), exact),
        source="Wang, Wang and Perdikaris 2021, eigenvector bias of Fourier feature networks",
    )


@named(
    "The heat equation with anisotropic diffusion, in two dimensions",
    ("linear", "2-D", "time", "multiscale", "heat"),
    "6.2e-2 (best of PINNacle)",
)
def heat2d_ms(frequency: Real = 20) -> Problem:
    r"""$u_t = u_{xx}/(500\pi)^2 + u_{yy}/\pi^2$ on $[0, 1]^2$, $t \le 5$, $u = 0$ at the sides.

    $$u = e^{-(1 + \omega^2/500^2)\, t} \sin \omega\pi x \sin \pi y.$$

    ```python
    >>> heat2d_ms().domain.upper.tolist()
    [1.0, 1.0, 5.0]

    ```

    **Arguments:** `frequency`, ω, whole half-waves, from 1 to 200.

    **Raises:** `ValueError` for another frequency.

    **Source:** Hao et al. 2023, PINNacle, section B.2.
    """
    ω = whole("heat2d_ms", "frequency", frequency, 1, 200)
    box = Box([0.0, 0.0, 0.0], [1.0, 1.0, 5.0])

    def start(x: jax.Array) -> jax.Array:
        return sin(ω * π * x[:1]) * sin(π * x[1:2])

    def exact(x: jax.Array) -> jax.Array:
        return exp(-(1.0 + (ω / 500.0) ** 2) * x[2]) * start(x)

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        spread = partial(u, 0, 2)(x) / (500.0 * π) ** 2 + partial(u, 1, 2)(x) / π**2
        return partial(u, 2)(x) - spread

    return Problem(
        box,
        {
            "equation": Term(equation),
            "boundary": dirichlet(box.boundary(0, 1), 0.0),
            "initial": initial(box, start),
        },
        exact=Reference((2.0 / ω, 2.0, math.inf), exact),
        source="Hao et al. 2023, PINNacle",
    )
