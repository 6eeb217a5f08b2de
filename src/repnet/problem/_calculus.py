"""Derivatives of fields by forward mode: take a field, return a field."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.problem._jet import jet_of

Field = Callable[[Array], Array]
"""A function from one point `(dim,)` to the values there, `(out,)`."""


@dataclass(frozen=True)
class _Partial:
    u: Any
    axes: tuple[int, ...]

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        return jet_of(self.u, x).derivative(*[unit(axis, x) for axis in self.axes])


def partial(u: Field, axis: int, order: int = 1) -> Field:
    r"""The derivative $\partial^k u/\partial x_a^k$ as a field.

    ```python
    >>> u = lambda x: jnp.array([x[0] ** 3 * x[1]])
    >>> partial(u, 0, 2)(jnp.array([2.0, 5.0])).tolist()
    [60.0]
    >>> partial(partial(u, 0), 1)(jnp.array([2.0, 5.0])).tolist()
    [12.0]

    ```

    **Arguments:**

    - `u`: a field, `(dim,) -> (out,)`.
    - `axis`: $a$; -1 is the last axis.
    - `order`: $k \ge 0$.

    **Returns:** a field `(dim,) -> (out,)`.

    **Raises:** `ValueError` for an order that is no whole number, `IndexError` for an axis that the
    point does not have.

    **Source:** forward mode; Griewank and Walther 2008, chapter 13.
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 0:
        raise ValueError(f"`partial(order=...)` must be a whole number >= 0; got {order!r}.")
    if order == 0:
        return u
    if isinstance(u, _Partial):
        return _Partial(u.u, u.axes + (axis,) * order)
    return _Partial(u, (axis,) * order)


def gradient(u: Field) -> Field:
    r"""All first derivatives, $J_{ia} = \partial u_i/\partial x_a$, as a field.

    ```python
    >>> gradient(lambda x: jnp.array([x[0] * x[1]]))(jnp.array([2.0, 5.0])).tolist()
    [[5.0, 2.0]]

    ```

    **Arguments:** `u`: a field, `(dim,) -> (out,)`.

    **Returns:** a function `(dim,) -> (out, dim)`.

    **Source:** forward mode.
    """

    def jacobian(x: Float[Array, " dim"]) -> Float[Array, "out dim"]:
        jet = jet_of(u, x)
        return jnp.stack([jet.derivative(unit(axis, x)) for axis in range(x.size)], axis=-1)

    return jacobian


def laplacian(u: Field, axes: Sequence[int] | None = None) -> Field:
    r"""The Laplacian $\Delta u = \sum_a \partial^2 u/\partial x_a^2$ as a field.

    ```python
    >>> laplacian(lambda x: jnp.array([x[0] ** 2 * x[1]]))(jnp.array([2.0, 5.0])).tolist()
    [10.0]

    ```

    **Arguments:**

    - `u`: a field, `(dim,) -> (out,)`.
    - `axes`: the axes of the sum; all if left out. With time as the last of three axes, `(0, 1)`.

    **Returns:** a field `(dim,) -> (out,)`.

    **Source:** forward mode; for networks the forward Laplacian of Li et al. 2024.
    """

    def sum_of_second(x: Float[Array, " dim"]) -> Float[Array, " out"]:
        chosen = range(x.size) if axes is None else axes
        return jet_of(u, x).laplacian([unit(axis, x) for axis in chosen])

    return sum_of_second


def divergence(v: Field) -> Field:
    r"""The divergence $\nabla\cdot v = \sum_a \partial v_a/\partial x_a$ as a field.

    ```python
    >>> divergence(lambda x: x**2)(jnp.array([2.0, 5.0])).tolist()
    [14.0]

    ```

    **Arguments:** `v`: a field with as many outputs as inputs, `(dim,) -> (dim,)`.

    **Returns:** a field `(dim,) -> (1,)`.

    **Raises:** `ValueError` where `v` has another number of outputs.

    **Source:** forward mode.
    """
    jacobian = gradient(v)

    def trace(x: Float[Array, " dim"]) -> Float[Array, " 1"]:
        matrix = jacobian(x)
        if matrix.shape != (x.size, x.size):
            raise ValueError(
                "`divergence(v)` needs a field with one output per input; "
                f"got {matrix.shape[0]} outputs for {x.size} inputs."
            )
        return jnp.trace(matrix)[None]

    return trace


def directional(u: Field, direction: Any, order: int = 1) -> Field:
    r"""The derivative $\mathrm d^k u(x + t\,v)/\mathrm dt^k$ along $v$ at $t = 0$, as a field.

    ```python
    >>> u = lambda x: jnp.array([x[0] * x[1]])
    >>> directional(u, [1.0, 1.0], 2)(jnp.array([2.0, 5.0])).tolist()
    [2.0]

    ```

    **Arguments:**

    - `u`: a field, `(dim,) -> (out,)`.
    - `direction`: $v$, shape `(dim,)`; its length counts.
    - `order`: $k \ge 0$.

    **Returns:** a field `(dim,) -> (out,)`.

    **Source:** forward mode.
    """
    along = direction if isinstance(direction, Array) else np.asarray(direction, np.float64)
    return lambda x: jet_of(u, x).derivative(*([along] * order))


def unit(axis: int, x: Float[Array, " dim"]) -> np.ndarray:
    """The unit vector along an axis of a point, known to jets by its values."""
    if not -x.size <= axis < x.size:
        raise IndexError(f"The axis of a derivative must be one of {x.size}; got {axis}.")
    return np.eye(x.size)[axis]
