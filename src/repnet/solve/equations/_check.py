"""What a stated problem must satisfy before any long work starts."""

import jax
import jax.numpy as jnp
import numpy as np

from repnet.problem import Problem
from repnet.solve.equations._points import points_of
from repnet.solve.equations._probing import smooth_field

_FEW = 8  # points of every term that are tried


def check_problem(problem: Problem) -> None:
    """Evaluate every residual at a few points, for a smooth field of the right shape.

    **Raises:** `ValueError` naming the term, the rule and the point.
    """
    dim, out = problem.dim, problem.out_size
    field = problem.field(smooth_field(problem))
    for name, term in problem.terms.items():
        points = points_of(problem, term, _FEW, jax.random.key(0))[:_FEW]
        for point in points:
            try:
                found = jnp.asarray(term.residual(field, jnp.asarray(point), problem.unknowns))
            except (TypeError, IndexError) as error:
                raise ValueError(
                    f"`Problem(terms=...)`: the residual of term {name!r} can't be evaluated for "
                    f"a field of {out} output(s) in {dim} dimension(s): {error}"
                ) from error
            if found.ndim > 1:
                raise ValueError(
                    f"`Problem(terms=...)`: the residual of term {name!r} must have shape "
                    f"(equations,); got {found.shape}."
                )
            if not np.all(np.isfinite(found)):
                raise ValueError(
                    f"`Problem(terms=...)`: the residual of term {name!r} must be finite; at "
                    f"{np.array2string(point, precision=6)} it is {np.asarray(found)}."
                )
