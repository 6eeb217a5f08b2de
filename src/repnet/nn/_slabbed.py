"""One network per slab of time, stacked into one network."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._standardized import Standardized, StandardizedJet


class Slabbed(eqx.Module):
    r"""A network made of one network per slab of the last axis, time.

    $$u(x, t) = u_k(x, t), \qquad t_k \le t < t_{k+1}$$

    At a point one of the networks is evaluated: their arrays are stacked and indexed by $k$.
    Before the first slab the first network answers, after the last one the last.

    - `slabs`: the networks in one, every array with a leading axis of slabs.
    - `starts`: $t_k$, rising, shape `(slabs,)`.

    **Source:** this project; time marching of networks goes back to Wight and Zhao 2020.

    >>> from repnet.nn import Dense
    >>> zero, one = jnp.zeros(1), jnp.ones(1)
    >>> lines = [Dense(jnp.array([[slope]]), zero) for slope in (1.0, -1.0)]
    >>> networks = [Standardized(line, zero, one, zero, one) for line in lines]
    >>> network = Slabbed.of(networks, starts=[0.0, 0.5])
    >>> network(jnp.array([0.25])).tolist(), network(jnp.array([0.75])).tolist()
    ([0.25], [-0.75])
    """

    slabs: Standardized
    starts: Float[Array, " slabs"]

    @staticmethod
    def of(networks: Sequence[Standardized], starts: Sequence[float]) -> "Slabbed":
        """Stack networks of one kind; narrower ones are filled up with units of read-out zero.

        **Raises:** `ValueError` where there is not one start per network.
        """
        if len(networks) != len(starts) or not networks:
            raise ValueError(
                "`Slabbed.of(networks, starts)` needs one start per network and at least one; "
                f"got {len(networks)} networks and {len(starts)} starts."
            )
        leaves = [jax.tree.leaves(network) for network in networks]
        sizes = [sum(leaf.size for leaf in each) for each in leaves]
        widest = int(np.argmax(sizes))
        stacked = [
            jnp.stack([_filled(leaf, leaves[widest][place].shape) for leaf in alike])
            for place, alike in enumerate(zip(*leaves, strict=True))
        ]
        slabs = jax.tree.unflatten(jax.tree.structure(networks[widest]), stacked)
        return Slabbed(slabs, jnp.asarray(np.asarray(starts)))

    def at(self, x: Float[Array, " dim"]) -> Standardized:
        """The network of the slab that holds a point."""
        time = jax.lax.stop_gradient(jnp.asarray(x)[-1])
        place = jnp.clip(jnp.searchsorted(self.starts, time, side="right") - 1, 0)
        return jax.tree.map(lambda leaf: leaf[place], self.slabs)

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        return self.at(x)(x)

    def jet(self, x: Float[Array, " dim"]) -> StandardizedJet:
        """The derivatives at one point: those of the slab that holds it."""
        return self.at(x).jet(x)


def _filled(leaf: Array, shape: tuple[int, ...]) -> Array:
    """An array with zeros behind its entries, up to a shape."""
    return jnp.pad(leaf, [(0, whole - size) for size, whole in zip(leaf.shape, shape, strict=True)])
