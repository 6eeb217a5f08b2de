"""A first layer of local features: groups of units that each see a few combined inputs."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from repnet.nn._first import AbstractFirstLayer, RepLinear


class Blocks(AbstractFirstLayer):
    r"""The inputs themselves, and features of a few combinations of them per block.

    $$h(x) = [x,\; f_1(P_1 x + c_1),\; \dots,\; f_B(P_B x + c_B)]$$

    Where an unknown law is local, such as the force in one storey of a building, units that see
    three numbers cover their domain far better than units that see all inputs. A linear read-out
    behind the layer holds an affine map of all inputs exactly.

    **Arguments:**

    - `matrices`: $P_b$, shape `(coordinates, in_size)`, one per block; held constant.
    - `shifts`: $c_b$, shape `(coordinates,)`.
    - `layers`: $f_b$, a `RepLinear` of as many inputs as its block has coordinates.

    **Raises:** `ValueError` where sizes do not fit each other.

    **Source:** this project.

    >>> import jax.random as jr
    >>> layer = RepLinear(1, 4, scale=2.0, key=jr.key(0))
    >>> Blocks([jnp.ones((1, 3))], [jnp.zeros(1)], [layer])(jnp.ones(3)).shape
    (7,)
    """

    matrices: tuple[Float[Array, "coordinates dim"], ...]
    shifts: tuple[Float[Array, " coordinates"], ...]
    layers: tuple[RepLinear, ...]
    in_size: int = eqx.field(static=True)
    width: int = eqx.field(static=True)

    def __init__(
        self, matrices: Sequence[Array], shifts: Sequence[Array], layers: Sequence[RepLinear]
    ):
        if not len(matrices) == len(shifts) == len(layers) >= 1:
            raise ValueError(
                "`Blocks` needs one matrix, shift and layer per block, and at least one block; "
                f"got {len(matrices)}, {len(shifts)} and {len(layers)}."
            )
        for matrix, shift, layer in zip(matrices, shifts, layers, strict=True):
            if not (len(matrix) == len(shift) == layer.in_size):
                raise ValueError(
                    "`Blocks(matrices=...)` must have one row per input of their layer; got "
                    f"{len(matrix)} rows and {len(shift)} shifts for {layer.in_size} inputs."
                )
        self.matrices, self.shifts, self.layers = tuple(matrices), tuple(shifts), tuple(layers)
        self.in_size = matrices[0].shape[1]
        self.width = self.in_size + sum(layer.width for layer in layers)

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " width"]:
        parts = [x]
        for matrix, shift, layer in zip(self.matrices, self.shifts, self.layers, strict=True):
            parts.append(layer(jax.lax.stop_gradient(matrix) @ x + jax.lax.stop_gradient(shift)))
        return jnp.concatenate(parts)

    def affine(self) -> tuple[Float[Array, "units dim"], Float[Array, " units"]]:
        """Weights and biases of the pre-activations of all blocks' units."""
        weights, biases = [], []
        for matrix, shift, layer in zip(self.matrices, self.shifts, self.layers, strict=True):
            weight, bias = layer.affine()
            weights.append(weight @ matrix)
            biases.append(weight @ shift + bias)
        return jnp.concatenate(weights), jnp.concatenate(biases)

    def learning_rates(self) -> "Blocks":
        """The layers' own multipliers, and 0 for the constants."""
        constant = tuple(0.0 for _ in self.layers)
        return eqx.tree_at(
            lambda blocks: (blocks.matrices, blocks.shifts, blocks.layers),
            self,
            (constant, constant, tuple(layer.learning_rates() for layer in self.layers)),
        )
