"""Features of a network at many points, block by block."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from repnet.nn import MLP
from repnet.solve._triangular import Triangle

_BLOCK = 8192  # rows of features in memory at once


def accumulate(
    network: MLP,
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
    rows: Int[np.ndarray, " rows"] | None = None,
) -> Triangle:
    """The triangular factor of the given rows (all if left out), block by block."""
    count = len(x) if rows is None else len(rows)
    triangle = Triangle(network.readout.weight.shape[1] + 1, y.shape[1])
    for first in range(0, count, _BLOCK):
        block = slice(first, first + _BLOCK) if rows is None else rows[first : first + _BLOCK]
        triangle.add(feature_rows(network, x[block]), y[block])
    return triangle


def feature_rows(
    network: MLP, points: Float[np.ndarray, "rows dim"]
) -> Float[np.ndarray, "rows columns"]:
    """Features of the network at points, and a column of ones."""
    blocks = [points[first : first + _BLOCK] for first in range(0, len(points), _BLOCK)]
    found = [_block_rows(network, block) for block in blocks]
    return found[0] if len(found) == 1 else np.concatenate(found)


def _block_rows(
    network: MLP, points: Float[np.ndarray, "rows dim"]
) -> Float[np.ndarray, "rows columns"]:
    size = min(_BLOCK, 1 << max(8, (len(points) - 1).bit_length()))
    padded = np.zeros((size, points.shape[1]))
    padded[: len(points)] = points
    return np.asarray(_rows(network, jnp.asarray(padded)))[: len(points)]


@eqx.filter_jit
def _rows(network: MLP, points: jax.Array) -> jax.Array:
    features = jax.vmap(network.features)(points)
    return jnp.concatenate([features, jnp.ones_like(features[:, :1])], axis=1)
