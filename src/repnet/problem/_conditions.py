"""Ready-made terms: boundary, initial and periodic conditions, and data."""

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from repnet.problem._calculus import Field, directional, partial
from repnet.problem._domain import Box
from repnet.problem._problem import Term
from repnet.problem._problem import value as field_value
from repnet.problem._region import Boundary, Region

Given = float | Sequence[Any] | np.ndarray | Array | Callable[[Array], Any]
"""A number, one per output, or a function of one point `(dim,)`."""


def dirichlet(
    region: Region | ArrayLike,
    value: Given = 0.0,
    *,
    component: int | Sequence[int] | None = None,
) -> Term:
    r"""The condition $u = g$.

    ```python
    >>> from repnet.problem import Box
    >>> square = Box([0.0, 0.0], [1.0, 1.0])
    >>> term = dirichlet(square.boundary(), lambda x: x[0] * x[1])
    >>> term.residual(lambda x: x[:1], jnp.array([0.5, 1.0]), None).tolist()
    [0.0]

    ```

    **Arguments:**

    - `region`: where; any region, or points `(points, dim)`.
    - `value`: $g$, a number, one per output, or a function of one point.
    - `component`: the output or outputs that it holds for; all if left out.

    **Returns:** a `Term`.

    **Source:** standard.
    """

    def residual(u: Field, x: Array, unknowns: Any) -> Array:
        del unknowns
        here = _pick(u(x), component)
        return here - given("dirichlet", value, x, here)

    return Term(residual, region)


def neumann(
    region: Region,
    flux: Given = 0.0,
    *,
    component: int | Sequence[int] | None = None,
) -> Term:
    r"""The condition $\partial u/\partial n = g$, with the region's outward unit normal $n$.

    **Arguments:**

    - `region`: a boundary, such as `box.boundary()` or `domain.holes[0].boundary()`.
    - `flux`: $g$, a number, one per output, or a function of one point.
    - `component`: the output or outputs that it holds for; all if left out.

    **Returns:** a `Term`.

    **Raises:** `TypeError` for a region without a normal.

    **Source:** standard.

    >>> from repnet.problem import Box
    >>> term = neumann(Box(0.0, 1.0).face(0, "lower"), -3.0)
    >>> term.residual(lambda x: 3.0 * x, jnp.zeros(1), None).tolist()
    [0.0]
    """
    boundary = _with_normal("neumann", region)

    def residual(u: Field, x: Array, unknowns: Any) -> Array:
        del unknowns
        slope = _pick(directional(u, boundary.normal(x))(x), component)
        return slope - given("neumann", flux, x, slope)

    return Term(residual, region)


def robin(region: Region, a: Given, b: Given, value: Given = 0.0) -> Term:
    r"""The condition $a\,u + b\,\partial u/\partial n = g$.

    With two outputs for the real and the imaginary part, a wave that leaves,
    $\partial u/\partial n = \mathrm i k u$, has $b = 1$ and the matrix
    $a = \begin{pmatrix} 0 & k \\ -k & 0\end{pmatrix}$.

    **Arguments:**

    - `region`: a boundary.
    - `a`, `b`: numbers, one per output, matrices `(out, out)`, or functions of one point.
    - `value`: $g$, a number, one per output, or a function of one point.

    **Returns:** a `Term`.

    **Raises:** `TypeError` for a region without a normal.

    **Source:** standard.

    >>> from repnet.problem import Box
    >>> term = robin(Box(0.0, 1.0).face(0, "upper"), 2.0, 1.0, 5.0)
    >>> term.residual(lambda x: 3.0 * x - 2.0, jnp.ones(1), None).tolist()
    [0.0]
    """
    boundary = _with_normal("robin", region)

    def residual(u: Field, x: Array, unknowns: Any) -> Array:
        del unknowns
        here, slope = u(x), directional(u, boundary.normal(x))(x)
        left = _times("robin", a, x, here) + _times("robin", b, x, slope)
        return left - given("robin", value, x, here)

    return Term(residual, region)


def periodic(box: Box, axis: int, orders: Sequence[int] = (0,)) -> Term:
    r"""The condition that the derivatives $\partial^k u/\partial x_a^k$ agree on opposite faces.

    **Arguments:**

    - `box`: the domain.
    - `axis`: $a$.
    - `orders`: each $k$; `(0, 1)` for an equation of second order.

    **Returns:** a `Term` on the lower face, with `out` equations per order.

    **Raises:** `ValueError` for an axis that the box does not have, or without orders.

    **Source:** standard.

    >>> from repnet.problem import Box
    >>> term = periodic(Box(0.0, 2.0), 0, (0, 1))
    >>> term.residual(lambda x: x**2, jnp.zeros(1), None).tolist()
    [-4.0, -4.0]
    """
    if not orders:
        raise ValueError("`periodic(orders=...)` needs at least one order; got none.")
    face = box.face(axis, "lower")
    across = np.zeros(box.dim)
    across[face.axis] = (box.upper - box.lower)[face.axis]

    def residual(u: Field, x: Array, unknowns: Any) -> Array:
        del unknowns
        there = x + jnp.asarray(across, x.dtype)
        fields = [partial(u, face.axis, order) for order in orders]
        return jnp.concatenate([field(x) - field(there) for field in fields])

    return Term(residual, face)


def initial(box: Box, value: Given, velocity: Given | None = None, *, axis: int = -1) -> Term:
    r"""The state at the start: $u = g$ and, if `velocity` is given, $\partial u/\partial t = h$.

    **Arguments:**

    - `box`: the domain in space and time.
    - `value`: $g$, a number, one per output, or a function of one point `(dim,)`, time included.
    - `velocity`: $h$, alike; `None` asks for nothing, 0.0 for rest.
    - `axis`: the axis of time.

    **Returns:** a `Term` on the lower face of time, with `out` or `2 * out` equations.

    **Source:** standard.

    >>> from repnet.problem import Box
    >>> term = initial(Box([0.0, 0.0], [1.0, 1.0]), lambda x: x[0], velocity=2.0)
    >>> term.residual(lambda x: x[:1] + 2.0 * x[1:], jnp.array([0.3, 0.0]), None).tolist()
    [0.0, 0.0]
    """
    face = box.face(axis, "lower")

    def residual(u: Field, x: Array, unknowns: Any) -> Array:
        del unknowns
        here = u(x)
        if velocity is None:
            return here - given("initial", value, x, here)
        rate = partial(u, face.axis)(x)
        parts = (
            here - given("initial", value, x, here),
            rate - given("initial", velocity, x, rate),
        )
        return jnp.concatenate(parts)

    return Term(residual, face)


def observed(x: ArrayLike, y: ArrayLike, component: int | Sequence[int] | None = None) -> Term:
    """The term that compares the field with data: $u(x_i) = y_i$.

    **Arguments:**

    - `x`: points, shape `(points, dim)`, or `(points,)` in one dimension.
    - `y`: values, shape `(points, components)`, or `(points,)` for one.
    - `component`: the output or outputs that were observed; all if left out.

    **Returns:** a `Term`.

    **Raises:** `ValueError` where `x` or `y` is empty, not finite, or of another length.

    **Source:** standard.

    >>> observed(np.array([0.0, 0.5]), np.array([1.0, 2.0])).values.tolist()
    [[1.0], [2.0]]
    """
    if component is None:
        return Term(field_value, x, y)

    def residual(u: Field, x: Array, unknowns: Any) -> Array:
        del unknowns
        return _pick(u(x), component)

    return Term(residual, x, y)


def given(owner: str, what: Given, x: Float[Array, " dim"], like: Float[Array, " out"]) -> Array:
    """What a condition demands at one point, in the shape of `like`."""
    demanded = jnp.asarray(what(x) if callable(what) else what)
    if demanded.ndim > 1 or demanded.size not in (1, like.size):
        raise ValueError(
            f"`{owner}(value=...)` must be one number or one per output; "
            f"got shape {demanded.shape} for {like.size} outputs."
        )
    return jnp.broadcast_to(demanded.astype(like.dtype), like.shape)


def _times(owner: str, factor: Given, x: Array, vector: Float[Array, " out"]) -> Array:
    coefficient = jnp.asarray(factor(x) if callable(factor) else factor)
    if coefficient.ndim == 2:
        return coefficient.astype(vector.dtype) @ vector
    return given(owner, factor, x, vector) * vector


def _pick(values: Float[Array, " out"], component: int | Sequence[int] | None) -> Array:
    if component is None:
        return values
    return values[jnp.atleast_1d(jnp.asarray(component))]


def _with_normal(owner: str, region: Region) -> Boundary:
    if not isinstance(region, Boundary):
        raise TypeError(
            f"`{owner}(region=...)` needs a boundary, which has a normal; "
            f"got {type(region).__name__}. `domain.boundary()` gives one."
        )
    return region
