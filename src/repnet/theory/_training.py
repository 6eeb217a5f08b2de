"""Plain gradient descent of any network at full batch, watched at its errors."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Real

from repnet.nn._check import check_positive
from repnet.nn._rates import learning_rates
from repnet.theory._ntk import trained_parameters


def descend_network(
    network: Callable,
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
    steps: Real[np.ndarray, " records"],
    *,
    rate: float,
    share: float | None = None,
    where: Callable[[Any], Any] | None = None,
    rates: bool = False,
) -> tuple[Any, Float[np.ndarray, "records points out"]]:
    r"""Train by gradient descent on $\tfrac c2\sum_i|u(x_i)-y_i|^2$; give $u - y$ on the way.

    **Arguments:**

    - `steps`: numbers of steps after which the error is recorded, ascending whole numbers.
    - `rate`: the learning rate.
    - `share`: $c$; left out, one over the number of points.
    - `where`: the parameters that move; left out, all.
    - `rates`: apply the network's own multipliers of the learning rate.

    **Returns:** the network after the last step and the errors, shape `(records, points, out)`.
    Where training diverges the errors are not finite.

    **Raises:** `ValueError` for steps that do not ascend, a rate that is not positive, values of
    another shape than the network's, and where `where` names no parameter.

    **Source:** this project.

    >>> import jax.random as jr
    >>> from repnet.nn import MLP, Linear
    >>> x = np.linspace(-1.0, 1.0, 9)[:, None]
    >>> network = MLP(Linear(1, 8, key=jr.key(0)), hidden=(), key=jr.key(1))
    >>> _, error = descend_network(network, x, np.sin(x), np.array([0, 10, 20]), rate=0.1)
    >>> start, middle, end = np.linalg.norm(error, axis=(1, 2))
    >>> error.shape, bool(start > middle > end)
    ((3, 9, 1), True)
    """
    check_positive("descend_network", "rate", rate)
    counts = np.asarray(steps)
    whole = np.array_equal(counts, np.floor(counts))
    if counts.ndim != 1 or not len(counts) or not whole or not _ascend(counts):
        raise ValueError(
            "`descend_network(steps=...)` must be whole numbers that ascend from 0 or above; got"
            f" {counts.tolist()}."
        )
    chosen, rest = eqx.partition(network, trained_parameters(network, where))
    multipliers = jax.tree.map(lambda _: 1.0, chosen)
    if rates:
        multipliers = jax.tree.map(
            lambda own, leaf: None if leaf is None else own,
            learning_rates(network),
            chosen,
            is_leaf=lambda node: node is None,
        )
    leaves = jax.tree.leaves(chosen)
    if not leaves:
        raise ValueError("`descend_network(where=...)` must name at least one parameter.")
    dtype = leaves[0].dtype
    points, values = jnp.asarray(x, dtype), jnp.asarray(y, dtype)
    _check_values(network, points, values)
    pace = rate * (1.0 / len(points) if share is None else share)
    found = []
    for length in np.diff(counts.astype(int), prepend=0):
        pieces = (chosen, rest, multipliers)
        chosen, error = _advance(
            pieces, points, values, jnp.asarray(pace, dtype), jnp.asarray(length)
        )
        found.append(np.asarray(error, np.float64))
    return eqx.combine(chosen, rest), np.array(found)


def _ascend(counts: np.ndarray) -> bool:
    return bool(counts[0] >= 0 and np.all(np.diff(counts) > 0))


def _check_values(network: Callable, x: Array, y: Array) -> None:
    shape = (len(x), *jax.eval_shape(network, x[0]).shape)
    if y.shape != shape:
        raise ValueError(
            f"`descend_network(y=...)` must have shape (points, outputs), {shape}; got {y.shape}."
        )


def values_of(
    network: Callable, x: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points out"]:
    """A network's values at points, computed in its own precision.

    >>> from repnet.nn import Linear
    >>> values_of(Linear(1, 2, key=jax.random.key(0)), np.zeros((3, 1))).shape
    (3, 2)
    """
    return np.asarray(_evaluated(network, jnp.asarray(x, dtype_of(network))), np.float64)


def dtype_of(network: Any) -> jnp.dtype:
    """The precision of a network's parameters.

    >>> dtype_of(jnp.ones(2, jnp.float16)).name
    'float16'
    """
    return jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array))[0].dtype


@eqx.filter_jit
def _evaluated(network: Callable, points: Array) -> Array:
    return jax.vmap(network)(points)


@eqx.filter_jit
def _advance(
    pieces: tuple[Any, Any, Any], x: Array, y: Array, pace: Array, steps: Array
) -> tuple[Any, Array]:
    chosen, rest, multipliers = pieces

    def error(parameters: Any) -> Array:
        return jax.vmap(eqx.combine(parameters, rest))(x) - y

    def step(_: Array, parameters: Any) -> Any:
        slopes = jax.grad(lambda p: 0.5 * jnp.sum(jnp.square(error(p))))(parameters)
        return jax.tree.map(lambda p, g, m: p - pace * m * g, parameters, slopes, multipliers)

    chosen = jax.lax.fori_loop(0, steps, step, chosen)
    return chosen, error(chosen)
