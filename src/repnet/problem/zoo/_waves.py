"""Linear waves and oscillations in time."""

import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.numpy import cos, exp, sin

from repnet.problem._calculus import partial
from repnet.problem._conditions import dirichlet, initial, periodic
from repnet.problem._domain import Box
from repnet.problem._problem import Problem, Term
from repnet.problem.zoo._check import Real, between, positive
from repnet.problem.zoo._reference import Reference
from repnet.problem.zoo._registry import named

π = math.pi


@named(
    "The wave equation of a string, first and fourth mode",
    ("linear", "1-D", "time", "wave"),
    "9.8e-2 (best of PINNacle); 1.2e-5 (jaxpi2, PirateNet, SOAP, 100,000 steps on a GPU)",
)
def wave1d(c: Real = 2.0) -> Problem:
    r"""$u_{tt} = c^2 u_{xx}$ on $[0, 1]^2$, zero ends, at rest at $t = 0$.

    $$u = \sin \pi x \cos c\pi t + \tfrac12 \sin 4\pi x \cos 4c\pi t.$$

    ```python
    >>> wave1d(c=3.0).domain.upper.tolist()
    [1.0, 1.0]

    ```

    **Arguments:** `c`, the speed.

    **Raises:** `ValueError` where `c` is not above zero.

    **Source:** Wang, Yu and Perdikaris 2022, section 7.3.
    """
    source = "Wang, Yu and Perdikaris 2022, when and why PINNs fail to train"
    return _string(positive("wave1d", "c", c), [(1, 1.0), (4, 0.5)], source)


@named(
    "The wave equation of a stiff string, first and second mode",
    ("linear", "1-D", "time", "wave", "multiscale"),
    "multi-scale Fourier PINN after 40,000 steps",
)
def wave1d_ms(c: Real = 10.0) -> Problem:
    r"""$u_{tt} = c^2 u_{xx}$ on $[0, 1]^2$, zero ends, at rest at $t = 0$.

    $$u = \sin \pi x \cos c\pi t + \sin 2\pi x \cos 2c\pi t.$$

    ```python
    >>> wave1d_ms().exact.wavelengths
    (1.0, 0.1)

    ```

    **Arguments:** `c`, the speed.

    **Raises:** `ValueError` where `c` is not above zero.

    **Source:** Wang, Wang and Perdikaris 2021, section 4.3.
    """
    source = "Wang, Wang and Perdikaris 2021, eigenvector bias of Fourier feature networks"
    return _string(positive("wave1d_ms", "c", c), STRING_MODES, source)


STRING_MODES = ((1, 1.0), (2, 1.0))  # half-waves and amplitudes of `wave1d_ms`


def string_reference(c: float, modes: Sequence[tuple[int, float]]) -> Reference:
    """Standing waves of a string with fixed ends that starts at rest."""

    def exact(x: jax.Array) -> jax.Array:
        shapes = [a * sin(m * π * x[:1]) * cos(m * c * π * x[1:]) for m, a in modes]
        return jnp.sum(jnp.stack(shapes), axis=0)

    highest = max(m for m, _ in modes)
    return Reference((2.0 / highest, 2.0 / (highest * c)), exact)


def _string(c: float, modes: Sequence[tuple[int, float]], source: str) -> Problem:
    box = Box([0.0, 0.0], [1.0, 1.0])

    def start(x: jax.Array) -> jax.Array:
        return jnp.sum(jnp.stack([a * sin(m * π * x[0]) for m, a in modes]))

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        return partial(u, 1, 2)(x) - c**2 * partial(u, 0, 2)(x)

    terms = {
        "equation": Term(equation),
        "boundary": dirichlet(box.boundary(0), 0.0),
        "initial": initial(box, start, velocity=0.0),
    }
    return Problem(box, terms, exact=string_reference(c, modes), source=source)


@named(
    "Convection of a sine around a circle",
    ("linear", "1-D", "time", "periodic", "convection"),
    "30: 1.1 for a plain PINN, about 2e-2 with a curriculum (quoted second-hand)",
)
def convection1d(beta: Real = 30.0) -> Problem:
    r"""$u_t + \beta u_x = 0$ on $[0, 2\pi] \times [0, 1]$, periodic, $u = \sin(x - \beta t)$.

    ```python
    >>> sorted(convection1d(beta=50.0).terms)
    ['equation', 'initial', 'periodic']

    ```

    **Arguments:** `beta`, the speed.

    **Raises:** `ValueError` where `beta` is not above zero.

    **Source:** Krishnapriyan et al. 2021, section 3.1.
    """
    β = positive("convection1d", "beta", beta)
    box = Box([0.0, 0.0], [2.0 * π, 1.0])

    def exact(x: jax.Array) -> jax.Array:
        return sin(x[:1] - β * x[1:])

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        return partial(u, 1)(x) + β * partial(u, 0)(x)

    return Problem(
        box,
        {
            "equation": Term(equation),
            "periodic": periodic(box, 0),
            "initial": initial(box, lambda x: sin(x[0])),
        },
        exact=Reference((2.0 * π, 2.0 * π / β), exact),
        source="Krishnapriyan et al. 2021, characterizing possible failure modes of PINNs",
    )


@named(
    "A damped oscillator, let go",
    ("linear", "1-D", "initial value", "oscillator"),
    "FBPINN, harmonic oscillator, 20,000 steps",
)
def oscillator(omega0: Real = 80.0, damping: Real = 4.0) -> Problem:
    r"""$u'' + \mu u' + \omega_0^2 u = 0$ on $[0, 1]$, $u(0) = 1$, $u'(0) = 0$.

    $$u = e^{-\mu t/2} \Big(\cos \omega t + \frac{\mu}{2\omega} \sin \omega t\Big),
      \qquad \omega^2 = \omega_0^2 - \mu^2/4.$$

    ```python
    >>> import numpy as np
    >>> oscillator(omega0=400.0).exact(np.array([[0.0]])).tolist()
    [[1.0]]

    ```

    **Arguments:** `omega0`, $\omega_0$, radians per unit time; `damping`, μ, below $2\omega_0$.

    **Raises:** `ValueError` where `omega0` is not above zero or the oscillator is overdamped.

    **Source:** Moseley, Markham and Nissen-Meyer 2023, section 5.2.
    """
    ω0 = positive("oscillator", "omega0", omega0)
    μ = between("oscillator", "damping", damping, 0.0, 1.999 * ω0)
    ω = math.sqrt(ω0**2 - 0.25 * μ**2)
    box = Box(0.0, 1.0)

    def exact(t: jax.Array) -> jax.Array:
        return exp(-0.5 * μ * t) * (cos(ω * t) + 0.5 * μ / ω * sin(ω * t))

    def equation(u: Any, t: jax.Array, unknowns: Any) -> jax.Array:
        del unknowns
        return partial(u, 0, 2)(t) + μ * partial(u, 0)(t) + ω0**2 * u(t)

    return Problem(
        box,
        {"equation": Term(equation), "initial": initial(box, 1.0, velocity=0.0)},
        exact=Reference((2.0 * π / ω,), exact),
        source="Moseley, Markham and Nissen-Meyer 2023, finite basis PINNs",
    )
