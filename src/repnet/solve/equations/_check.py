"""What a stated problem must satisfy before any long work starts."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.problem import Problem, Term
from repnet.solve.equations._local import asked, look
from repnet.solve.equations._points import points_of
from repnet.solve.equations._probing import smooth_derivatives, smooth_field

_FEW = 8  # points of every term that are tried


def check_problem(problem: Problem) -> None:
    """Evaluate every residual at a few points, for a smooth field of the right shape.

    **Raises:** `ValueError` naming the term, the rule and the point.
    """
    dim, out = problem.dim, problem.out_size
    field = problem.field(smooth_field(problem))
    for name, term in problem.terms.items():
        points = points_of(problem, term, _FEW, jax.random.key(0))[:_FEW]
        evaluate = partial(_evaluated, term.residual, field, problem.unknowns)
        try:
            shape = jax.eval_shape(evaluate, jnp.asarray(points[0])).shape
        except (TypeError, IndexError) as error:
            raise ValueError(
                f"`Problem(terms=...)`: the residual of term {name!r} can't be evaluated for "
                f"a field of {out} output(s) in {dim} dimension(s): {error}"
            ) from error
        if len(shape) > 1:
            raise ValueError(
                f"`Problem(terms=...)`: the residual of term {name!r} must have shape "
                f"(equations,); got {shape}."
            )
        for point, found in zip(points, _residuals(problem, term, points), strict=True):
            if not np.all(np.isfinite(found)):
                raise ValueError(
                    f"`Problem(terms=...)`: the residual of term {name!r} must be finite; at "
                    f"{np.array2string(point, precision=6)} it is {found}."
                )


def _evaluated(residual: Callable, field: Callable, unknowns: Any, x: Array) -> Array:
    return jnp.asarray(residual(field, x, unknowns))


def _residuals(
    problem: Problem, term: Term, x: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points equations"]:
    """Of the smooth field; by the program that the solve needs anyway, if it needs one."""
    unknowns = problem.unknowns
    looks = asked(term.residual, problem.transform, problem.dim, problem.out_size, unknowns)
    if not looks:
        field = problem.field(smooth_field(problem))
        found = (_evaluated(term.residual, field, unknowns, jnp.asarray(point)) for point in x)
        return np.stack([np.atleast_1d(np.asarray(each)) for each in found])
    values = smooth_derivatives(problem, looks, x)
    none = jax.tree.map(lambda _: None, unknowns)
    return look(term.residual, problem.transform, looks, x, values, none, unknowns).residual
