"""Named equations with their conditions met by construction."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
from jax.numpy import sin

from repnet.problem import Problem, zoo

π = math.pi


@dataclass(frozen=True)
class Case:
    """A name of the zoo, its parameters, and a transform that meets its conditions."""

    name: str
    transform: Callable
    parameters: dict[str, Any] = field(default_factory=dict)

    def soft(self) -> Problem:
        """With conditions as terms."""
        return zoo.make(self.name, **self.parameters)

    def hard(self) -> Problem:
        """With conditions built into the field, and the equation alone as a term."""
        stated = self.soft()
        terms = {"equation": stated.terms["equation"]}
        return Problem(stated.domain, terms, exact=stated.exact, transform=self.transform)


def _poisson(u: Callable, x: jax.Array) -> jax.Array:
    return 4.0 * x * (1.0 - x) * u(x)


def _square(u: Callable, x: jax.Array) -> jax.Array:
    return (1.0 - x[0] ** 2) * (1.0 - x[1] ** 2) * u(x)


def _string(u: Callable, x: jax.Array) -> jax.Array:
    start = sin(π * x[:1]) + sin(2.0 * π * x[:1])
    return start + 4.0 * x[1] ** 2 * x[0] * (1.0 - x[0]) * u(x)


def _circle(u: Callable, x: jax.Array) -> jax.Array:
    """Both ends get the same value by a part that is linear in x."""
    left = u(jnp.stack([jnp.zeros_like(x[0]), x[1]]))
    right = u(jnp.stack([jnp.full_like(x[0], 2.0 * π), x[1]]))
    return sin(x[:1]) + x[1] * (u(x) - x[0] / (2.0 * π) * (right - left))


def _oscillations(u: Callable, x: jax.Array) -> jax.Array:
    return (math.sin(50.0) + 0.5 * math.sin(20.0)) * x + (1.0 - x**2) * u(x)


CASES = {
    "poisson1d_ms": Case("poisson1d_ms", _poisson),
    "helmholtz2d_1_4": Case("helmholtz2d", _square),
    "helmholtz2d_6_6": Case("helmholtz2d", _square, {"a1": 6, "a2": 6}),
    "wave1d_ms": Case("wave1d_ms", _string),
    "convection1d_30": Case("convection1d", _circle),
    "nonlinear_helmholtz1d": Case("nonlinear_helmholtz1d", _oscillations),
}
