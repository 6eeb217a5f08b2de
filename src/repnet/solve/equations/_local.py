"""Residuals that look at one place, as functions of the field's derivatives there."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from repnet.problem import Problem, Term, Transformed
from repnet.problem._jet import Direction, Shared
from repnet.solve.equations._rows import as_vector

Looks = tuple[tuple[int, int], ...]
"""Derivatives that a residual looks at: how often by the first axis, how often by the second."""

_NEAR = 1e-3  # of the half-width: what lies farther away must not matter to a residual
_LOCAL = 1e-9  # relative change that rounding explains
_BLOCKS = (32, 2048)  # points that are evaluated together, padded to one of these


class TaylorField:
    """A field of two axes with given derivatives at a point and none beyond.

    **Arguments:** `x`: the point; `values`: the derivatives, `(out, looks)`; `looks`: which they
    are.

    >>> field = TaylorField(jnp.zeros(2), jnp.array([[3.0, 5.0]]), ((0, 0), (0, 2)))
    >>> float(field(jnp.array([1.0, 2.0]))[0])
    13.0
    >>> float(field.jet(jnp.zeros(2)).laplacian(np.eye(2))[0])
    5.0
    """

    def __init__(self, x: Array, values: Array, looks: Looks):
        self._x, self._values, self._looks = x, values, looks

    def __call__(self, z: Array) -> Array:
        return self.differentiated(z, 0, 0)

    def jet(self, z: Array) -> "_TaylorJet":
        """The derivatives at a point."""
        return _TaylorJet(self, z)

    def differentiated(self, z: Array, first: int, second: int) -> Array:
        """The derivative of the given orders by the two axes."""
        away, orders = z - self._x, np.array(self._looks) - (first, second)
        kept = np.flatnonzero(np.all(orders >= 0, axis=1))
        by_first, by_second = (_powers(away[axis], orders[kept, axis]) for axis in (0, 1))
        return jnp.sum(self._values[:, kept] * by_first * by_second, axis=1)


class _TaylorJet:
    def __init__(self, field: TaylorField, z: Array):
        self._field, self._z = field, z

    def derivative(self, *directions: Direction) -> Array:
        along = [jnp.asarray(direction, self._z.dtype) for direction in directions]
        total = jnp.zeros_like(self._field(self._z))
        for axes in itertools.product((0, 1), repeat=len(along)):
            share = math.prod(v[axis] for v, axis in zip(along, axes, strict=True))
            second = sum(axes)
            total += share * self._field.differentiated(self._z, len(axes) - second, second)
        return total

    def laplacian(self, seeds: Any) -> Array:
        rows = [jnp.asarray(seed) for seed in seeds]
        return sum((self.derivative(v, v) for v in rows), jnp.zeros_like(self.derivative()))


def _powers(away: Array, exponents: Int[np.ndarray, " some"]) -> Float[Array, " some"]:
    """$d^k/k!$ by products, whose derivatives at zero are exact."""
    powers = [jnp.ones_like(away)]
    for k in range(1, max(exponents, default=0) + 1):
        powers.append(powers[-1] * away / k)
    return jnp.stack(powers)[exponents]


@eqx.filter_jit
def _compiled(
    residual: Callable, transform: Callable | None, looks: Looks, x: Array, values: Array
) -> tuple[Array, Array]:
    def one(x: Array, values: Array) -> tuple[Array, Array]:
        def at(values: Array) -> Array:
            field = TaylorField(x, values, looks)
            seen = field if transform is None else Transformed(field, transform)
            return as_vector(residual(Shared(seen), x, None))

        return at(values), jax.jacfwd(at)(values)

    return jax.vmap(one)(x, values)


def looked_at(
    problem: Problem,
    name: str,
    looks: Looks,
    x: Float[np.ndarray, "points 2"],
    values: Float[np.ndarray, "points out looks"],
) -> tuple[Float[np.ndarray, "points equations"], Float[np.ndarray, "points equations out looks"]]:
    """Residuals of a term where the field's derivatives are given, and their slopes by these."""
    size = next((size for size in _BLOCKS if len(x) <= size), _BLOCKS[-1])
    blocks = -(-len(x) // size)
    padded = np.minimum(np.arange(blocks * size), len(x) - 1).reshape(blocks, size)
    residual = problem.terms[name].residual
    found = [
        _compiled(
            residual, problem.transform, looks, jnp.asarray(x[part]), jnp.asarray(values[part])
        )
        for part in padded
    ]
    residuals, slopes = (
        np.concatenate(list(map(np.asarray, c)))[: len(x)] for c in zip(*found, strict=True)
    )
    return residuals, slopes


def smooth_field(problem: Problem) -> Callable:
    """A field of about one radian per half-width."""
    shape = (problem.out_size, problem.dim)
    waves = jnp.asarray(np.random.default_rng(0).uniform(0.5, 1.5, shape))
    centre, half = problem.domain.centre, problem.domain.half_width
    return lambda x: 1.0 + 0.5 * jnp.sin(waves @ ((x - centre) / half) + 0.3)


def is_local(
    problem: Problem, term: Term, points: Float[np.ndarray, "points dim"], unknowns: Any
) -> bool:
    """Whether a residual sees the field about its own point only."""
    smooth, half = smooth_field(problem), problem.domain.half_width

    @jax.jit
    def change(x: Array) -> tuple[Array, Array]:
        def other(z: Array) -> Array:
            near = jnp.max(jnp.abs(z - x) / half) < _NEAR
            return smooth(z) + jnp.where(near, 0.0, 1.0)

        here = as_vector(term.residual(problem.field(smooth), x, unknowns))
        return here, as_vector(term.residual(problem.field(other), x, unknowns)) - here

    for x in points:
        here, moved = map(np.asarray, change(jnp.asarray(x)))
        if np.any(np.abs(moved) > _LOCAL * (1.0 + np.abs(here))):
            return False
    return True
