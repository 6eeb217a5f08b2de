"""What a stated problem must satisfy before any long work starts."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Jaxpr, Literal, jaxprs_in_params
from jaxtyping import Array, Float

from repnet.problem import Problem, Term
from repnet.solve.equations._local import look, under
from repnet.solve.equations._points import points_of
from repnet.solve.equations._probing import local_looks, smooth_derivatives, smooth_field
from repnet.solve.equations._rows import Frame

_FEW = 8  # points of every term that are tried
_OF_INDICES = ("lt", "add", "select_n")  # by which JAX counts negative indices from the end
_VALUES_ASKED = (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError)


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
            traced = jax.make_jaxpr(evaluate)(jnp.asarray(points[0]))
        except (TypeError, IndexError) as error:
            raise ValueError(
                f"`Problem(terms=...)`: the residual of term {name!r} can't be evaluated for "
                f"a field of {out} output(s) in {dim} dimension(s): {_reason(error)}"
            ) from error
        _require_entries(name, traced.jaxpr)
        (found,) = traced.out_avals
        if len(found.shape) > 1:
            raise ValueError(
                f"`Problem(terms=...)`: the residual of term {name!r} must have shape "
                f"(equations,); got {found.shape}."
            )
        if jnp.issubdtype(found.dtype, jnp.complexfloating):
            raise ValueError(
                f"`Problem(terms=...)`: the residual of term {name!r} must be real; got "
                f"{found.dtype}. A complex field is one of two outputs."
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
    found = residual(field, x, unknowns)
    if found is None:
        raise TypeError("it returns nothing.")
    return jnp.asarray(found)


def _reason(error: Exception) -> str:
    if isinstance(error, _VALUES_ASKED):
        return (
            "it asks for the value of a point or of the field, as NumPy's functions, `float` and "
            "`if` do. Use `jax.numpy` and `jnp.where`."
        )
    return str(error)


def _require_entries(name: str, traced: Jaxpr) -> None:
    """JAX takes the last entry where an index is too large, and says nothing.

    It cuts by a constant where it knows an index to be inside, and else at run time.
    """
    known: dict[Any, Any] = {}

    def value_of(variable: Any) -> Any:
        return variable.val if isinstance(variable, Literal) else known.get(variable)

    for equation in traced.eqns:
        values = [value_of(variable) for variable in equation.invars]
        if equation.primitive.name == "dynamic_slice":
            sizes: tuple[int, ...] = equation.invars[0].aval.shape  # pyright: ignore[reportAttributeAccessIssue]
            for start, size, kept in zip(
                values[1:], sizes, equation.params["slice_sizes"], strict=True
            ):
                if start is not None and not 0 <= start <= size - kept:
                    raise ValueError(
                        f"`Problem(terms=...)`: the residual of term {name!r} asks for entry "
                        f"{int(start)} of an array of {size}. A field has as many outputs as "
                        "`Problem(out_size=...)` says, a point as many entries as axes."
                    )
        elif equation.primitive.name in _OF_INDICES and all(v is not None for v in values):
            known[equation.outvars[0]] = equation.primitive.bind(*values, **equation.params)
        for inner in jaxprs_in_params(equation.params):
            _require_entries(name, inner)


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
    return look(term.residual, frame.transform, looks, x, values, rest=unknowns).residual
