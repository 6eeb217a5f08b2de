"""One layer with a read-out for every tile of space and time."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from repnet.nn._mlp import MLP
from repnet.nn._random import as_jax
from repnet.nn._standardized import Standardized, StandardizedJet


class Tiled(eqx.Module):
    r"""A network of one layer whose read-out is that of the tile that holds the point.

    $$u(x, t) = A_k\,\varphi\!\left(\frac{(x, t) - c_k}{h_k}\right) + b_k$$

    The last axis, time, is cut into slabs, and every slab along the first axis into tiles of its
    own. Beyond the domain the nearest tile answers.

    - `layer`: the network $A\varphi + b$ on $[-1, 1]^2$, without hidden layers; its own read-out
      counts for nothing.
    - `weight`, `bias`: $A_k$ and $b_k$, slab after slab.
    - `centre`, `half_width`: $c_k$ and $h_k$.
    - `starts`: begin of every slab, rising.
    - `places`: place of every slab's first tile.
    - `edges`: begin of every tile of a slab, rising, filled up with infinity.

    **Source:** this project.

    >>> from repnet.nn import Linear
    >>> layer = MLP(Linear(2, 3, key=jax.random.key(0)), 1, hidden=(), key=jax.random.key(1))
    >>> constant = Tiled(
    ...     layer,
    ...     weight=jnp.zeros((2, 1, 3)),
    ...     bias=jnp.array([[5.0], [7.0]]),
    ...     centre=jnp.array([[0.5, 0.5], [1.5, 0.5]]),
    ...     half_width=jnp.full((2, 2), 0.5),
    ...     starts=jnp.zeros(1),
    ...     places=jnp.zeros(1, int),
    ...     edges=jnp.array([[0.0, 1.0]]),
    ... )
    >>> constant(jnp.array([0.2, 0.3])).tolist(), constant(jnp.array([1.2, 0.3])).tolist()
    ([5.0], [7.0])
    """

    layer: MLP
    weight: Float[Array, "tiles out width"]
    bias: Float[Array, "tiles out"]
    centre: Float[Array, "tiles 2"]
    half_width: Float[Array, "tiles 2"]
    starts: Float[Array, " slabs"]
    places: Int[Array, " slabs"]
    edges: Float[Array, "slabs most"]

    @property
    def out_size(self) -> int:
        """Number of outputs."""
        return self.bias.shape[1]

    @staticmethod
    def of(
        layer: MLP,
        weight: list[Float[np.ndarray, "_ out width"]],
        bias: list[Float[np.ndarray, "_ out"]],
        edges: list[Float[np.ndarray, " _"]],
        times: Float[np.ndarray, " times"],
    ) -> "Tiled":
        """From every slab's read-outs and edges, one more of these than tiles.

        `times` are the begins of all slabs and the end of the last.
        """
        counts = [len(each) - 1 for each in edges]
        begins = np.full((len(edges), max(counts)), np.inf)
        for row, each in zip(begins, edges, strict=True):
            row[: len(each) - 1] = each[:-1]
        space = np.concatenate([np.stack([each[:-1], each[1:]]) for each in edges], axis=1)
        time = np.repeat(np.stack([times[:-1], times[1:]]), counts, axis=1)
        lower, upper = np.stack([space, time], axis=-1)
        return Tiled(
            layer,
            *as_jax((np.concatenate(weight), np.concatenate(bias))),
            *as_jax((0.5 * (lower + upper), 0.5 * (upper - lower))),
            *as_jax((times[:-1], np.cumsum([0, *counts[:-1]]), begins)),
        )

    def at(self, x: Float[Array, " dim"]) -> Standardized:
        """The network of the tile that holds a point."""
        place, time = jax.lax.stop_gradient(jnp.asarray(x))
        slab = jnp.clip(jnp.searchsorted(self.starts, time, side="right") - 1, 0)
        along = jnp.clip(jnp.searchsorted(self.edges[slab], place, side="right") - 1, 0)
        tile = self.places[slab] + along
        network = eqx.tree_at(
            lambda n: (n.readout.weight, n.readout.bias),
            self.layer,
            (self.weight[tile], self.bias[tile]),
        )
        zero, one = jnp.zeros_like(self.bias[tile]), jnp.ones_like(self.bias[tile])
        return Standardized(network, self.centre[tile], self.half_width[tile], zero, one)

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        """The value at one point, shape `(out,)`."""
        return self.at(x)(x)

    def jet(self, x: Float[Array, " dim"]) -> StandardizedJet:
        """The derivatives at one point: those of the tile that holds it."""
        return self.at(x).jet(x)
