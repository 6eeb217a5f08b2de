"""The tangent kernel of any network at its present parameters."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._rates import learning_rates

_BYTES = 2**29  # of two blocks of Jacobian rows


def tangent_kernel(
    network: Callable,
    x: Float[np.ndarray, "rows dim"] | Float[Array, "rows dim"],
    y: Float[np.ndarray, "columns dim"] | Float[Array, "columns dim"] | None = None,
    *,
    where: Callable[[Any], Any] | None = None,
    output: int | None = None,
    rates: bool = False,
    memory: int = _BYTES,
) -> Float[np.ndarray, "rows columns"]:
    r"""The empirical tangent kernel $\Theta(x, y) = \sum_p \partial_p u(x)\,\partial_p u(y)$.

    Under gradient flow on $\tfrac12\sum_i|u(x_i)-g_i|^2$ the errors at the points obey
    $\dot e = -\Theta e$ as long as the kernel keeps its value.

    The rows of the Jacobian are formed in blocks of points, so that memory is bounded: 4,096
    points of a network of 100,000 parameters take the kernel's own 128 MB and `memory` beside.

    **Arguments:**

    - `network`: any network, `(dim,) -> (out,)`.
    - `x`, `y`: points; `y` left out is `x`.
    - `where`: the parameters to count, as `lambda network: network.readout.weight` or a list of
      several; left out, all.
    - `output`: the output whose kernel it is; left out, the sum over all outputs (the trace).
    - `rates`: weigh each parameter by its multiplier of the learning rate.
    - `memory`: bytes for rows of the Jacobian.

    **Returns:** shape `(rows, columns)`, in float64.

    **Raises:** `ValueError` for points of another dimension or an output that is not there, and
    where `where` names no parameter.

    **Source:** Jacot, Gabriel and Hongler 2018.

    ```python
    >>> from repnet.nn import Linear
    >>> network = Linear(1, 1, activation=lambda z: z, key=jax.random.key(0))
    >>> tangent_kernel(network, np.array([[1.0], [2.0]])).tolist()  # xy of w, 1 of b
    [[2.0, 3.0], [3.0, 5.0]]

    ```
    """
    chosen, rest = eqx.partition(network, trained_parameters(network, where))
    leaves = jax.tree.leaves(chosen)
    if not leaves:
        raise ValueError("`tangent_kernel(where=...)` must name at least one parameter.")
    weight = _root_rates(network, chosen) if rates else jax.tree.map(lambda _: None, chosen)
    x = _points("x", x, leaves[0].dtype)
    other = x if y is None else _points("y", y, leaves[0].dtype)
    dim = getattr(network, "in_size", x.shape[1])
    for name, points in (("x", x), ("y", other)):
        if points.shape[1] != dim:
            raise ValueError(
                f"`tangent_kernel({name}=...)` must have {dim} columns, one per input; got"
                f" {points.shape[1]}."
            )
    size = max(1, int(memory // (2 * sum(leaf.nbytes for leaf in leaves))))
    total = np.zeros((len(x), len(other)))
    for index in map(jnp.asarray, _outputs(network, x[0], output)):

        def rows(points: Array, index: Array = index) -> Array:
            return _rows(chosen, rest, weight, points, index)

        _add_blocks(total, rows, x, other, size, y is None)
    return total


@eqx.filter_jit
def _rows(chosen: Any, rest: Any, weight: Any, points: Array, index: Array) -> Array:
    """The derivatives of one output at every point, weighted, one row per point."""

    def value(parameters: Any, point: Array) -> Array:
        return eqx.combine(parameters, rest)(point)[index]

    slopes = jax.vmap(jax.grad(value), (None, 0))(chosen, points)
    if jax.tree.leaves(weight):
        slopes = jax.tree.map(jnp.multiply, slopes, weight)
    return jnp.concatenate([leaf.reshape(len(points), -1) for leaf in jax.tree.leaves(slopes)], 1)


def _add_blocks(
    total: np.ndarray,
    rows: Callable[[Array], Array],
    x: Array,
    y: Array,
    size: int,
    symmetric: bool,
) -> None:
    """Add the products of the Jacobian's rows to the kernel, block by block."""
    for i in range(0, len(x), size):
        of_x = rows(x[i : i + size])
        for j in range(i if symmetric else 0, len(y), size):
            of_y = of_x if symmetric and i == j else rows(y[j : j + size])
            block = np.asarray(_product(of_x, of_y), np.float64)
            total[i : i + size, j : j + size] += block
            if symmetric and i != j:
                total[j : j + size, i : i + size] += block.T


@jax.jit
def _product(of_x: Array, of_y: Array) -> Array:
    return jnp.matmul(of_x, of_y.T, precision="highest")


def trained_parameters(network: Any, where: Callable[[Any], Any] | None) -> Any:
    """A tree of truth values: the parameters that `where` names, or all.

    >>> trained_parameters({"a": jnp.ones(2), "b": jnp.ones(2)}, lambda tree: tree["a"])
    {'a': True, 'b': False}
    """
    if where is None:
        return jax.tree.map(eqx.is_inexact_array, network)
    none = jax.tree.map(lambda _: False, network)
    return eqx.tree_at(where, none, replace_fn=lambda _: True)


def _root_rates(network: Any, chosen: Any) -> Any:
    return jax.tree.map(
        lambda leaf, rate: None if leaf is None else jnp.sqrt(jnp.broadcast_to(rate, leaf.shape)),
        chosen,
        learning_rates(network),
        is_leaf=lambda node: node is None,
    )


def _points(name: str, points: Any, dtype: Any) -> Array:
    points = jnp.asarray(points, dtype)
    if points.ndim != 2:
        raise ValueError(
            f"`tangent_kernel({name}=...)` must have shape (points, dim); got {points.shape}."
        )
    return points


def _outputs(network: Callable, point: Array, output: int | None) -> range | list[int]:
    count = jax.eval_shape(network, point).shape[0]
    if output is None:
        return range(count)
    if not 0 <= output < count:
        raise ValueError(
            f"`tangent_kernel(output=...)` must lie between 0 and {count - 1}; got {output!r}."
        )
    return [output]
