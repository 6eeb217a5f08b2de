"""Problems: named terms that a network should make small."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import ArrayLike, Float

from repnet.problem._domain import Box

Residual = Callable[..., Any]
"""`residual(u, x, unknowns) -> (equations,)` at one point `x`, shape `(dim,)`; `u` is the field."""


def value(u: Callable, x: Any, unknowns: Any) -> Any:
    """The residual of a data term: the field itself, to be compared with the term's values."""
    del unknowns
    return u(x)


class Term(eqx.Module):
    r"""One requirement: $r(u, x_i) = v_i$ at every point of a set.

    **Arguments:**

    - `residual`: called as `residual(u, x, unknowns)` at one point, returns shape `(equations,)`.
    - `points`: shape `(points, dim)`.
    - `values`: what the residual should equal, shape `(points, equations)`; zero if left out.

    **Raises:** `ValueError` for a term without points or with values of another length.

    **Source:** this project.
    """

    residual: Residual = eqx.field(static=True)
    points: Float[np.ndarray, "points dim"]
    values: Float[np.ndarray, "points equations"] | None

    def __init__(self, residual: Residual, points: ArrayLike, values: ArrayLike | None = None):
        self.residual = residual
        self.points = _columns(points, "points", "Term")
        self.values = None if values is None else _columns(values, "values", "Term")
        if self.values is not None and len(self.values) != len(self.points):
            raise ValueError(
                "`Term(values=...)` needs one row per point; "
                f"got {len(self.values)} rows for {len(self.points)} points."
            )


class Problem(eqx.Module):
    """Named terms on a domain, with optional unknowns and an optional exact solution.

    **Arguments:**

    - `domain`: the `Box` that holds the points.
    - `terms`: a mapping from name to `Term`, at least one.
    - `unknowns`: any pytree of arrays to be found together with the network, or `None`.
    - `exact`: the exact solution, `(points, dim) -> (points, out)`: it judges, it never solves.
    - `source`: where the problem comes from.

    **Raises:** `ValueError` where there is no term or a term's points have another dimension.

    **Source:** this project.
    """

    domain: Box
    terms: dict[str, Term]
    unknowns: Any
    exact: Callable | None = eqx.field(static=True)
    source: str = eqx.field(static=True)

    def __init__(
        self,
        domain: Box,
        terms: Mapping[str, Term],
        unknowns: Any = None,
        exact: Callable | None = None,
        source: str = "",
    ):
        if not terms:
            raise ValueError("`Problem(terms=...)` needs at least one term; got none.")
        for name, term in terms.items():
            if term.points.shape[1] != domain.dim:
                raise ValueError(
                    f"`Problem(terms=...)`: the points of term {name!r} must have one column per "
                    f"axis of the domain; got {term.points.shape[1]} for {domain.dim}."
                )
        self.domain = domain
        self.terms = dict(terms)
        self.unknowns = unknowns
        self.exact = exact
        self.source = source

    @property
    def dim(self) -> int:
        """Number of input axes."""
        return self.domain.dim


def regression(
    x: ArrayLike, y: ArrayLike, *, exact: Callable | None = None, source: str = ""
) -> Problem:
    r"""The problem of fitting data: one term, `"data"`, that asks $u(x_i) = y_i$.

    ```python
    >>> x = np.linspace(0.0, 1.0, 5)
    >>> problem = regression(x, np.sin(x))
    >>> problem.dim, problem.terms["data"].points.shape, problem.terms["data"].values.shape
    (1, (5, 1), (5, 1))

    ```

    **Arguments:**

    - `x`: inputs, shape `(points, dim)` or `(points,)`; any units, finite, below 1e150 in size.
    - `y`: targets, shape `(points, out)`, or `(points,)` for one output.
    - `exact`: the noise-free function if it is known, `(points, dim) -> (points, out)`.
    - `source`: where the data come from.

    **Returns:** a `Problem` whose domain is the bounding box of `x`.

    **Raises:** `ValueError` where `x` or `y` is empty, not numeric, not finite, too large, or of
    different length.

    **Source:** this project.
    """
    x = _columns(x, "x", "regression")
    y = _columns(y, "y", "regression")
    if len(x) != len(y):
        raise ValueError(
            f"`regression(x, y)` need the same number of rows; got {len(x)} and {len(y)}."
        )
    return Problem(_bounding_box(x), {"data": Term(value, x, y)}, exact=exact, source=source)


def _bounding_box(x: Float[np.ndarray, "points dim"]) -> Box:
    lower, upper = x.min(axis=0), x.max(axis=0)
    constant = upper <= lower  # an axis without extent still needs a box around it
    pad = np.where(constant, np.maximum(0.5, 1e-6 * np.abs(lower)), 0.0)
    return Box(lower - pad, upper + pad)


_LARGEST = 1e150  # squares of larger numbers overflow in float64


def _columns(array: ArrayLike, name: str, owner: str) -> Float[np.ndarray, "rows columns"]:
    try:
        columns = np.asarray(array)
        if columns.dtype.kind == "c":
            raise TypeError
        columns = columns.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"`{owner}({name}=...)` must be real numbers; got {type(array).__name__}."
        ) from None
    if columns.ndim == 1:
        columns = columns[:, None]
    if columns.ndim != 2:
        raise ValueError(
            f"`{owner}({name}=...)` must have shape (rows,) or (rows, columns); "
            f"got {columns.shape}."
        )
    if columns.size == 0:
        raise ValueError(f"`{owner}({name}=...)` must not be empty; got shape {columns.shape}.")
    _require_usable(columns, name, owner)
    return columns


def _require_usable(columns: Float[np.ndarray, "rows columns"], name: str, owner: str) -> None:
    finite = np.isfinite(columns)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(
            f"`{owner}({name}=...)` must be finite; row {row}, column {column} has "
            f"{columns[row, column]} ({int((~finite).sum())} such values in all)."
        )
    if np.abs(columns).max() > _LARGEST:
        row, column = np.unravel_index(np.abs(columns).argmax(), columns.shape)
        raise ValueError(
            f"`{owner}({name}=...)` must stay below {_LARGEST:g} in size; "
            f"row {row}, column {column} has {columns[row, column]:g}."
        )
