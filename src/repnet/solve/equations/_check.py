"""What a stated problem must satisfy before any long work starts."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.problem import Problem, Term
from repnet.solve.equations._local import look, under
from repnet.solve.equations._points import points_of
from repnet.solve.equations._probing import local_looks, smooth_derivatives, smooth_field
from repnet.solve.equations._rows import Frame

_FEW = 8  # points of every term that are tried


def check_problem(problem: Problem) -> None:
    """Evaluate every residual at a few points, for a smooth field of the right shape.

    **Raises:** `ValueError` naming the term, the rule and the point.
    """
    dim, out = problem.dim, problem.out_size
    frame = Frame.of(problem)
    field = problem.field(smooth_field(frame, out))
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
        for point, found in zip(
            points, _residuals(term, frame, out, problem.unknowns, points), strict=True
        ):
            if not np.all(np.isfinite(found)):
                raise ValueError(
                    f"`Problem(terms=...)`: the residual of term {name!r} must be finite; at "
                    f"{np.array2string(point, precision=6)} it is {found}."
                )


def _evaluated(residual: Callable, field: Callable, unknowns: Any, x: Array) -> Array:
    return jnp.asarray(residual(field, x, unknowns))


def _residuals(
    term: Term, frame: Frame, out: int, unknowns: Any, x: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points equations"]:
    """Of the smooth field; by the program that the solve needs anyway, if it needs one."""
    looks = local_looks(term.residual, frame, out, unknowns, x)
    if not looks:
        field = under(frame.transform, smooth_field(frame, out))
        found = (_evaluated(term.residual, field, unknowns, jnp.asarray(point)) for point in x)
        return np.stack([np.atleast_1d(np.asarray(each)) for each in found])
    values = smooth_derivatives(frame, out, looks, x)
    none = jax.tree.map(lambda _: None, unknowns)
    return look(term.residual, frame.transform, looks, x, values, none, unknowns).residual
