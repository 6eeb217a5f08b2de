"""Problems: named terms that a network should make small."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from repnet.problem._domain import Box
from repnet.problem._jet import Shared
from repnet.problem._region import Region
from repnet.problem._solid import Solid
from repnet.problem._transformed import Transformed

Residual = Callable[..., Any]
"""`residual(u, x, unknowns) -> (equations,)` at one point `x`, shape `(dim,)`; `u` is the field."""


def value(u: Callable, x: Any, unknowns: Any) -> Any:
    """The residual of a data term: the field itself, to be compared with the term's values.

    >>> value(jnp.square, jnp.array([3.0]), None).tolist()
    [9.0]
    """
    del unknowns
    return u(x)


class Term(eqx.Module):
    r"""One requirement: $r(u, x) = v$ at every point of a set or a region.

    **Arguments:**

    - `residual`: called as `residual(u, x, unknowns)` at one point, returns shape `(equations,)`.
    - `points`: an array `(points, dim)`; a `Region`, in which the solver draws as many as it needs;
      or `None` for the whole domain of the problem.
    - `values`: what the residual should equal, shape `(points, equations)`; zero if left out.

    **Raises:** `ValueError` for a term without points, with values of another length, or with
    values on a region.

    **Source:** this project.

    >>> term = Term(lambda u, x, rate: u(x) - rate * x, points=np.array([0.5, 1.0]))
    >>> term(jnp.square, jnp.array([2.0]), 3.0).tolist()
    [-2.0]
    """

    residual: Residual = eqx.field(static=True)
    points: Any  # Float[np.ndarray, "points dim"] | Region | None; solvers tell them apart
    values: Float[np.ndarray, "points equations"] | None

    def __init__(
        self,
        residual: Residual,
        points: ArrayLike | Region | None = None,
        values: ArrayLike | None = None,
    ):
        if not callable(residual):
            raise TypeError(
                "`Term(residual=...)` must be a function of (u, x, unknowns); "
                f"got {type(residual).__name__}."
            )
        self.residual = residual
        if points is None or isinstance(points, Region):
            self.points = points
        else:
            self.points = _columns(points, "points", "Term")
        self.values = None if values is None else _columns(values, "values", "Term")
        if self.values is None:
            return
        if isinstance(self.points, Region) or self.points is None:
            raise ValueError(
                "`Term(values=...)` needs points that they belong to; got values on a region. "
                "Put a function of x into the residual instead."
            )
        if len(self.values) != len(self.points):
            raise ValueError(
                "`Term(values=...)` needs one row per point; "
                f"got {len(self.values)} rows for {len(self.points)} points."
            )

    def __call__(
        self, u: Callable, x: Float[Array, " dim"], unknowns: Any = None
    ) -> Float[Array, " equations"]:
        """The residual at one point, where all derivatives of `u` share what they compute.

        **Raises:** `ValueError` where the residual has another shape than `(equations,)`.
        """
        found = jnp.asarray(self.residual(Shared(u), x, unknowns))
        if found.ndim != 1:
            raise ValueError(
                "`Term(residual=...)` must return shape (equations,) at one point; "
                f"got shape {found.shape}."
            )
        return found


class Problem(eqx.Module):
    """Named terms on a domain, with optional unknowns and an optional exact solution.

    **Arguments:**

    - `domain`: the solid that holds the points: a `Box`, or a box with holes.
    - `terms`: a mapping from name to `Term`, at least one.
    - `unknowns`: any pytree of arrays to be found together with the network, or `None`.
    - `exact`: the exact solution, `(points, dim) -> (points, out)`: it judges, it never solves.
    - `source`: where the problem comes from.
    - `transform`: hard conditions, `transform(u, x) -> (out,)` at one point: the residuals see the
      field `x -> transform(u, x)`, as made by `field`.
    - `out_size`: number of outputs.
    - `exact_unknowns`: the true unknowns, where known: they judge, they never solve.

    **Raises:** `ValueError` where there is no term or a term's points have another dimension.

    **Source:** this project.

    >>> box = Box([0.0], [1.0])
    >>> decay = Term(lambda u, x, unknowns: u(x))
    >>> problem = Problem(box, {"equation": decay}, transform=lambda u, x: x * u(x))
    >>> problem.field(lambda x: x + 2.0)(jnp.array([3.0])).tolist()
    [15.0]
    """

    domain: Solid
    terms: dict[str, Term]
    unknowns: Any
    exact: Callable | None = eqx.field(static=True)
    source: str = eqx.field(static=True)
    transform: Callable | None = eqx.field(static=True)
    out_size: int = eqx.field(static=True)
    exact_unknowns: Any

    def __init__(
        self,
        domain: Solid,
        terms: Mapping[str, Term],
        unknowns: Any = None,
        exact: Callable | None = None,
        source: str = "",
        transform: Callable | None = None,
        *,
        out_size: int = 1,
        exact_unknowns: Any = None,
    ):
        if not terms:
            raise ValueError("`Problem(terms=...)` needs at least one term; got none.")
        if isinstance(out_size, bool) or not isinstance(out_size, int) or out_size < 1:
            raise ValueError(f"`Problem(out_size=...)` must be an integer >= 1; got {out_size!r}.")
        self.domain = domain
        self.terms = {name: _placed(name, term, domain) for name, term in terms.items()}
        self.unknowns = unknowns
        self.exact = exact
        self.source = source
        self.transform = transform
        self.out_size = out_size
        self.exact_unknowns = exact_unknowns

    @property
    def dim(self) -> int:
        """Number of input axes."""
        return self.domain.dim

    def field(self, u: Callable) -> Callable:
        """The field that residuals see: `u` itself, or `u` under `transform`."""
        return u if self.transform is None else Transformed(u, self.transform)


def _placed(name: str, term: Term, domain: Solid) -> Term:
    """The term, on the domain where it names no points."""
    if term.points is None:
        return Term(term.residual, domain)
    columns = term.points.dim if isinstance(term.points, Region) else term.points.shape[1]
    if columns != domain.dim:
        raise ValueError(
            f"`Problem(terms=...)`: the points of term {name!r} must have one column per "
            f"axis of the domain; got {columns} for {domain.dim}."
        )
    return term


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
    terms = {"data": Term(value, x, y)}
    return Problem(_bounding_box(x), terms, exact=exact, source=source, out_size=y.shape[1])


def _bounding_box(x: Float[np.ndarray, "points dim"]) -> Box:
    lower, upper = x.min(axis=0), x.max(axis=0)
    constant = upper <= lower  # an axis without extent still needs a box around it
    pad = np.where(constant, np.maximum(0.5, 1e-6 * np.abs(lower)), 0.0)
    return Box(lower - pad, upper + pad)


_LARGEST = 1e150  # squares of larger numbers overflow in float64


def _columns(array: ArrayLike, name: str, owner: str) -> Float[np.ndarray, "rows columns"]:
    if np.ma.is_masked(array):
        raise ValueError(
            f"`{owner}({name}=...)` must have no masked values; {np.ma.count_masked(array)} are."
        )
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
