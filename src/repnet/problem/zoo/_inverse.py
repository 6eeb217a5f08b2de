"""Inverse problems: an equation with something unknown, and data."""

import math
from typing import Any

import jax
import numpy as np
from jax.numpy import cos, sin

from repnet.problem._calculus import partial
from repnet.problem._conditions import dirichlet, observed
from repnet.problem._domain import Box
from repnet.problem._problem import Problem, Term
from repnet.problem._unknown import UnknownField
from repnet.problem.zoo._check import Real, between, positive, whole
from repnet.problem.zoo._nonlinear import (
    allen_cahn_conditions,
    allen_cahn_reference,
    check_allen_cahn,
)
from repnet.problem.zoo._reference import Reference
from repnet.problem.zoo._registry import named
from repnet.problem.zoo._waves import STRING_MODES, string_reference

π = math.pi


@named(
    "The wavenumber of Helmholtz's equation, from values of a wave",
    ("inverse", "1-D", "Helmholtz", "scalar unknown"),
)
def helmholtz1d_wavenumber(
    k: Real = 40.0, guess: Real = 30.0, count: Real = 200, noise: Real = 0.0, seed: int = 0
) -> Problem:
    r"""Find $k$ in $u'' + k^2 u = f$ on $[-1, 1]$ from values of $u = \sin kx + \tfrac12 \cos 17x$.

    ```python
    >>> problem = helmholtz1d_wavenumber(noise=0.01)
    >>> problem.unknowns, problem.terms["data"].points.shape
    ({'k': array(30.)}, (200, 1))

    ```

    **Arguments:** `k`, the truth; `guess`, the first guess; `count` of values, at random points;
    `noise`, normal, relative to the values' rms; `seed` of points and noise.

    **Raises:** `ValueError` where a parameter is out of its range.

    **Source:** this project.
    """
    k = positive("helmholtz1d_wavenumber", "k", k)
    guess = positive("helmholtz1d_wavenumber", "guess", guess)
    box = Box(-1.0, 1.0)
    strength = 0.5 * (k**2 - 289.0)  # of the source, which is given and stays when k changes

    def exact(x: jax.Array) -> jax.Array:
        return sin(k * x) + 0.5 * cos(17.0 * x)

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        return partial(u, 0, 2)(x) + unknowns["k"] ** 2 * u(x) - strength * cos(17.0 * x)

    reference = Reference((2.0 * π / max(k, 17.0),), exact)
    data = _data("helmholtz1d_wavenumber", reference, box, count, noise, seed)
    return Problem(
        box,
        {"equation": Term(equation), "data": data},
        {"k": np.asarray(guess)},
        reference,
        "this project",
        exact_unknowns={"k": np.asarray(k)},
    )


@named(
    "The speed of a wave, from values at random points",
    ("inverse", "1-D", "time", "wave", "scalar unknown"),
)
def wave1d_speed(
    c: Real = 10.0, guess: Real = 7.0, count: Real = 500, noise: Real = 0.0, seed: int = 0
) -> Problem:
    r"""Find $c$ in $u_{tt} = c^2 u_{xx}$ on $[0, 1]^2$ from values of the solution of `wave1d_ms`.

    The ends are known to be fixed; how the string starts is not known.

    ```python
    >>> sorted(wave1d_speed().terms)
    ['boundary', 'data', 'equation']

    ```

    **Arguments:** `c`, the truth; the others as for `helmholtz1d_wavenumber`.

    **Raises:** `ValueError` where a parameter is out of its range.

    **Source:** this project, on the problem of Wang, Wang and Perdikaris 2021.
    """
    c = positive("wave1d_speed", "c", c)
    guess = positive("wave1d_speed", "guess", guess)
    box = Box([0.0, 0.0], [1.0, 1.0])

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        return partial(u, 1, 2)(x) - unknowns["c"] ** 2 * partial(u, 0, 2)(x)

    reference = string_reference(c, STRING_MODES)
    data = _data("wave1d_speed", reference, box, count, noise, seed)
    terms = {
        "equation": Term(equation),
        "boundary": dirichlet(box.boundary(0), 0.0),
        "data": data,
    }
    return Problem(
        box,
        terms,
        {"c": np.asarray(guess)},
        reference,
        "this project",
        exact_unknowns={"c": np.asarray(c)},
    )


@named(
    "A multiscale diffusivity, from values of the solution",
    ("inverse", "1-D", "multiscale", "field unknown"),
)
def diffusion1d_field(
    frequency: Real = 8.0, count: Real = 400, noise: Real = 0.0, seed: int = 0
) -> Problem:
    r"""Find $a(x)$ in $(a u')' = f$ on $[0, 1]$ from $u = \sin 2\pi x + \tfrac1{10} \sin 20\pi x$.

    The truth is $a = 1 + \tfrac12 \sin \omega\pi x$. No boundary data are needed: integrating
    from a zero of $u'$ gives $a$.

    ```python
    >>> diffusion1d_field().unknowns["a"].initial
    1.0

    ```

    **Arguments:** `frequency`, ω, in half-waves per unit length; the others as for
    `helmholtz1d_wavenumber`.

    **Raises:** `ValueError` where a parameter is out of its range.

    **Source:** this project.
    """
    ω = π * positive("diffusion1d_field", "frequency", frequency)
    box = Box(0.0, 1.0)

    def exact(x: jax.Array) -> jax.Array:
        return sin(2 * π * x) + 0.1 * sin(20 * π * x)

    def diffusivity(x: jax.Array) -> jax.Array:
        return 1.0 + 0.5 * sin(ω * x)

    def source(x: jax.Array) -> jax.Array:
        slope = 2 * π * cos(2 * π * x) + 2 * π * cos(20 * π * x)
        bend = -4 * π**2 * sin(2 * π * x) - 40 * π**2 * sin(20 * π * x)
        return 0.5 * ω * cos(ω * x) * slope + (1.0 + 0.5 * sin(ω * x)) * bend

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        a = unknowns["a"]
        spread = a(x) * partial(u, 0, 2)(x) + partial(a, 0)(x) * partial(u, 0)(x)
        return spread - source(x)

    reference = Reference((min(0.1, 2 * π / ω),), exact)
    data = _data("diffusion1d_field", reference, box, count, noise, seed)
    return Problem(
        box,
        {"equation": Term(equation), "data": data},
        {"a": UnknownField(out_size=1, initial=1.0)},
        reference,
        "this project",
        exact_unknowns={"a": diffusivity},
    )


@named(
    "Both coefficients of the Allen–Cahn equation, from values of the solution",
    ("inverse", "nonlinear", "1-D", "time", "scalar unknown"),
)
def allen_cahn1d_coefficients(
    diffusion: Real = 1e-4,
    reaction: Real = 5.0,
    count: Real = 2000,
    noise: Real = 0.0,
    seed: int = 0,
) -> Problem:
    r"""Find $d$ and $r$ in $u_t = d\,u_{xx} - r u^3 + r u$, the equation of `allen_cahn1d`.

    The first guesses are half of the truth; the initial and periodic conditions are known.

    ```python
    >>> sorted(allen_cahn1d_coefficients(count=20).unknowns)
    ['diffusion', 'reaction']

    ```

    **Arguments:** `diffusion`, d, and `reaction`, r, the truth; the others as for
    `helmholtz1d_wavenumber`.

    **Raises:** `ValueError` where a parameter is out of its range.

    **Source:** this project, on the problem of Raissi, Perdikaris and Karniadakis 2019.
    """
    d, r = check_allen_cahn("allen_cahn1d_coefficients", diffusion, reaction)
    box = Box([-1.0, 0.0], [1.0, 1.0])

    def equation(u: Any, x: jax.Array, unknowns: Any) -> jax.Array:
        d, r = unknowns["diffusion"], unknowns["reaction"]
        return partial(u, 1)(x) - d * partial(u, 0, 2)(x) + r * (u(x) ** 3 - u(x))

    reference = allen_cahn_reference(d, r)
    data = _data("allen_cahn1d_coefficients", reference, box, count, noise, seed)
    return Problem(
        box,
        {"equation": Term(equation), **allen_cahn_conditions(box), "data": data},
        {"diffusion": np.asarray(0.5 * d), "reaction": np.asarray(0.5 * r)},
        reference,
        "this project",
        exact_unknowns={"diffusion": np.asarray(d), "reaction": np.asarray(r)},
    )


def _data(owner: str, reference: Reference, box: Box, count: Real, noise: Real, seed: int) -> Term:
    """Values at uniformly random points, with normal noise relative to their rms."""
    count = whole(owner, "count", count, 2, 10_000_000)
    noise = between(owner, "noise", noise, 0.0, 10.0)
    rng = np.random.default_rng(whole(owner, "seed", seed, 0, 2**63 - 1))
    points = box.lower + (box.upper - box.lower) * rng.random((count, box.dim))
    values = reference(points)
    spread = noise * np.sqrt(np.mean(values**2))
    return observed(points, values + spread * rng.standard_normal(values.shape))
