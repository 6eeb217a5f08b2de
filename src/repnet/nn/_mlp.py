"""A multi-layer network with any first layer."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn._activation import Activation, family
from repnet.nn._check import check_count
from repnet.nn._derivatives import Jet, Stage
from repnet.nn._first import AbstractFirstLayer
from repnet.nn._initialization import Initialization, init_dense
from repnet.nn._random import traced


class BlockDiagonal(eqx.Module):
    r"""A matrix of equal blocks on its diagonal, stored and multiplied block by block.

    With `repeats`, one block stands there so many times: the same weights for every part of $h$.

    **Source:** this project.

    >>> BlockDiagonal(jnp.array([[[2.0]], [[3.0]]])) @ jnp.ones(2)
    Array([2., 3.], dtype=float32)
    >>> (BlockDiagonal(jnp.array([[[2.0]]]), repeats=3) @ jnp.ones(3)).tolist()
    [2.0, 2.0, 2.0]
    """

    blocks: Float[Array, "own out in"]
    repeats: int = eqx.field(static=True, default=1)

    @property
    def count(self) -> int:
        """Number of blocks on the diagonal."""
        return self.blocks.shape[-3] * self.repeats

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole matrix."""
        return self.count * self.blocks.shape[-2], self.count * self.blocks.shape[-1]

    @property
    def T(self) -> "BlockDiagonal":
        """The matrix of the transposed blocks."""
        return BlockDiagonal(self.blocks.swapaxes(-1, -2), self.repeats)

    def __rmatmul__(self, h: Float[Array, " rows"]) -> Float[Array, " columns"]:
        return self.T @ h

    def __matmul__(self, h: Float[Array, " columns"]) -> Float[Array, " rows"]:
        parts = h.reshape(self.count, -1)
        if self.repeats > 1:
            return (parts @ self.blocks[0].T).reshape(-1)
        return jnp.einsum("boi,bi->bo", self.blocks, parts).reshape(-1)


class Dense(eqx.Module):
    r"""The affine map $W h + b$.

    **Source:** standard.

    >>> Dense(jnp.ones((1, 2)), jnp.zeros(1))(jnp.array([1.0, 2.0])).tolist()
    [3.0]
    """

    weight: Float[Array, "out in"]
    bias: Float[Array, " out"]

    def affine(self) -> tuple[Float[Array, "out in"], Float[Array, " out"]]:
        """The matrix and the bias."""
        return self.weight, self.bias

    def __call__(self, h: Float[Array, " in"]) -> Float[Array, " out"]:
        # Not W @ h: under `vmap` the points of a batch stay along the rows, and a step of training
        # takes up to 45 % less time on a processor. First layers and derivatives do the same.
        return h @ self.weight.T + self.bias


class BlockDense(eqx.Module):
    r"""The affine map $W h + b$ of a block-diagonal $W$: layers of sub-networks side by side.

    **Source:** this project.

    >>> layer = BlockDense(BlockDiagonal(jnp.array([[[2.0]]]), repeats=2), jnp.ones(1))
    >>> layer(jnp.array([1.0, 2.0])).tolist()
    [3.0, 5.0]
    """

    weight: BlockDiagonal
    bias: Float[Array, " own"]  # of one block, where the same block is repeated

    def affine(self) -> tuple[BlockDiagonal, Float[Array, " out"]]:
        """The matrix and the bias of all blocks."""
        return self.weight, jnp.tile(self.bias, self.weight.repeats)

    def __call__(self, h: Float[Array, " in"]) -> Float[Array, " out"]:
        weight, bias = self.affine()
        return h @ weight.T + bias


class MLP(eqx.Module):
    r"""A network of a first layer, hidden layers and a linear read-out.

    $$u(x) = W_{L+1}\,\varphi(W_L \cdots \varphi(W_2\,h(x) + b_2)\cdots + b_L) + b_{L+1}$$

    With no hidden layers, the features are the first layer's: the network of least squares.

    **Arguments:**

    - `first`: the first layer $h$, any module with `in_size` and `width`.
    - `out_size`: number of outputs.
    - `hidden`: widths of the hidden layers after the first, possibly none.
    - `activation`: $\varphi$ of the hidden layers.
    - `initialization`: a name of `init_dense`'s, or a callable `(key, (out, in)) -> weight`;
      `None` is `"he"` for ReLU and `"glorot"` for every other activation.

    **Returns:** a network `(in_size,) -> (out_size,)`.

    **Raises:** `ValueError` for a width or an `out_size` below 1, and for an unknown
    `initialization`.

    **Source:** standard.

    >>> from repnet.nn import Linear
    >>> first, rest = jr.split(jr.key(0))
    >>> network = MLP(Linear(2, 16, key=first), 3, hidden=(8,), key=rest)
    >>> network(jnp.zeros(2)).shape, network.features(jnp.zeros(2)).shape
    ((3,), (8,))
    """

    first: AbstractFirstLayer
    hidden: tuple[Dense | BlockDense, ...]
    readout: Dense
    activation: Activation = eqx.field(static=True)

    def __init__(
        self,
        first: AbstractFirstLayer,
        out_size: int = 1,
        *,
        hidden: Sequence[int] = (64, 64),
        activation: Activation = jnp.tanh,
        initialization: Initialization | None = None,
        key: PRNGKeyArray,
    ):
        if not isinstance(hidden, Sequence):
            raise ValueError(f"`MLP(hidden=...)` must be a sequence of widths; got {hidden!r}.")
        widths = [check_count("MLP", "hidden", width) for width in hidden]
        sizes = [first.width, *widths, check_count("MLP", "out_size", out_size)]
        if initialization is None:
            initialization = "he" if family(activation) == "relu" else "glorot"
        keys = jr.split(key, len(sizes) - 1)
        layers = [
            _draw_layer(initialization, fan_in, fan_out, each)
            for fan_in, fan_out, each in zip(sizes[:-1], sizes[1:], keys, strict=True)
        ]
        self.first = first
        self.hidden = tuple(layers[:-1])
        self.readout = layers[-1]
        self.activation = activation

    @property
    def in_size(self) -> int:
        """Number of inputs."""
        return self.first.in_size

    @property
    def out_size(self) -> int:
        """Number of outputs."""
        return self.readout.bias.shape[-1]

    def features(self, x: Float[Array, " dim"]) -> Float[Array, " width"]:
        """What the read-out sees at one point."""
        h = self.first(x)
        for layer in self.hidden:
            h = self.activation(layer(h))
        return h

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        return self.readout(self.features(x))

    def jet(self, x: Float[Array, " dim"]) -> Jet:
        """The derivatives at one point, computed as they are asked for."""
        start, later = self._stages()
        return Jet(start, [*later, Stage(self.readout.affine(), None)], x)

    def jet_of_features(self, x: Float[Array, " dim"]) -> Jet:
        """The same of what the read-out sees."""
        return Jet(*self._stages(), x)

    def _stages(self) -> tuple[Any, list[Stage]]:
        start = self.first
        if isinstance(start, HasUnit):
            start = Stage(self.first.affine(), *start.unit())
        return start, [Stage(layer.affine(), self.activation) for layer in self.hidden]


def with_layers(
    first: AbstractFirstLayer,
    hidden: Sequence[Dense | BlockDense],
    readout: Dense,
    activation: Activation,
) -> MLP:
    """An `MLP` of given layers, without drawing any.

    >>> from repnet.nn import Linear
    >>> first = Linear(1, 2, key=jr.key(0))
    >>> with_layers(first, (), Dense(jnp.ones((1, 2)), jnp.ones(1)), jnp.tanh)(jnp.zeros(1))
    Array([1.], dtype=float32)
    """
    blank = eqx.filter_eval_shape(MLP, first, 1, hidden=(), activation=activation, key=jr.key(0))
    return eqx.tree_at(
        lambda n: (n.first, n.hidden, n.readout), blank, (first, tuple(hidden), readout)
    )


@runtime_checkable
class HasUnit(Protocol):
    """A first layer of the form $h = c f(W x + b)$."""

    def unit(self) -> tuple[Activation, Any]:
        """The function and the factor; `None` for 1."""
        ...


def _draw_layer(
    initialization: Initialization, in_size: int, out_size: int, key: PRNGKeyArray
) -> Dense:
    # Compiled as a whole where keys are traced: piece by piece takes longer.
    draw = eqx.filter_jit(init_dense) if traced(key) else init_dense
    return Dense(*draw(initialization, in_size, out_size, key=key))
