"""What residuals depend on, read off their values and slopes about fields that are made up."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from repnet.problem import Problem, Term
from repnet.solve.equations._local import Looks, asked
from repnet.solve.equations._rows import as_vector

_NEAR = 1e-3  # of the half-width: what lies farther away must not matter to a residual
_LOCAL = 1e-9  # relative change that rounding explains
_STEEPEST = 4.0  # decades below the half-width over which fields may vary
_AFFINE = 1e-9  # relative change of slopes that rounding explains
_MATTERS = 1e-12  # a slope below that share of the largest is none


def smooth_field(problem: Problem) -> Callable:
    """A field of about one radian per half-width."""
    waves, (centre, half) = _waves(problem), (problem.domain.centre, problem.domain.half_width)
    return lambda x: 1.0 + 0.5 * jnp.sin(waves @ ((x - centre) / half) + 0.3)


def smooth_derivatives(
    problem: Problem, looks: Looks, x: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points out looks"]:
    """Those of `smooth_field`."""
    waves, half = _waves(problem), problem.domain.half_width
    angles = (x - problem.domain.centre) / half @ waves.T + 0.3
    found = []
    for look in looks:
        turned = 0.5 * np.sin(angles + 0.5 * np.pi * sum(look)) + float(sum(look) == 0)
        found.append(turned * np.prod((waves / half) ** np.array(look), axis=1))
    return np.stack(found, axis=-1)


def drawn_derivatives(
    problem: Problem, looks: Looks, x: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points out looks"]:
    """Those of a field at random that varies over another length at every point.

    Down to a ten-thousandth of the domain's half-width: what a residual makes of steep fields.
    """
    rng = np.random.default_rng(0)
    shares = 10.0 ** -rng.uniform(0.0, _STEEPEST, (len(x), 1))
    orders = np.array(looks)
    scale = shares ** -orders.sum(axis=1) / np.prod(problem.domain.half_width**orders, axis=1)
    return rng.normal(size=(len(x), problem.out_size, len(looks))) * scale[:, None]


def same_slopes(
    slopes: Float[np.ndarray, "points equations out looks"],
    others: Float[np.ndarray, "points equations out looks"],
) -> bool:
    """Whether a residual's slopes are those about another field: it is affine."""
    largest = np.max(np.abs(slopes), axis=0)
    return bool(np.all(np.abs(slopes - others) <= _AFFINE * largest))


def which_matter(
    slopes: Float[np.ndarray, "points equations out looks"], looks: Looks
) -> Bool[np.ndarray, "equations out looks"]:
    """The derivatives that a residual depends on; slopes are by half-widths of the domain.

    Over the domain's length, or over a ten-thousandth of it: in long domains derivatives of high
    order are small.
    """
    found = np.zeros(slopes.shape[1:], bool)
    for steep in (0.0, _STEEPEST):
        sizes = np.max(np.abs(slopes), axis=0) * 10.0 ** (steep * np.sum(looks, axis=1))
        found |= sizes > _MATTERS * np.max(sizes, axis=2, keepdims=True)
    return found


def _waves(problem: Problem) -> Float[np.ndarray, "out dim"]:
    return np.random.default_rng(0).uniform(0.5, 1.5, (problem.out_size, problem.dim))


def is_local(
    problem: Problem, term: Term, points: Float[np.ndarray, "points dim"], unknowns: Any
) -> bool:
    """Whether a residual sees the field about its own point only."""
    if asked(term.residual, problem.transform, problem.dim, problem.out_size, unknowns) is not None:
        return True
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
