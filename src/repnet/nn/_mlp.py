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


class Dense(eqx.Module):
    r"""The affine map $W h + b$.

    >>> Dense(jnp.ones((1, 2)), jnp.zeros(1))(jnp.array([1.0, 2.0])).tolist()
    [3.0]
    """

    weight: Float[Array, "out in"]
    bias: Float[Array, " out"]

    def __call__(self, h: Float[Array, " in"]) -> Float[Array, " out"]:
        return self.weight @ h + self.bias


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

    **Source:** standard.

    >>> from repnet.nn import Linear
    >>> first, rest = jr.split(jr.key(0))
    >>> network = MLP(Linear(2, 16, key=first), 3, hidden=(8,), key=rest)
    >>> network(jnp.zeros(2)).shape, network.features(jnp.zeros(2)).shape
    ((3,), (8,))
    """

    first: AbstractFirstLayer
    hidden: tuple[Dense, ...]
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
        widths = [check_count("MLP", "hidden", width) for width in hidden]
        sizes = [first.width, *widths, check_count("MLP", "out_size", out_size)]
        if initialization is None:
            initialization = "he" if family(activation) == "relu" else "glorot"
        layers = _draw_layers(tuple(sizes), initialization, key)
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
        start = self.first
        if isinstance(start, HasUnit):
            start = Stage(self.first.affine(), *start.unit())
        later = [Stage((layer.weight, layer.bias), self.activation) for layer in self.hidden]
        readout = Stage((self.readout.weight, self.readout.bias), None)
        return Jet(start, [*later, readout], x)


@runtime_checkable
class HasUnit(Protocol):
    """A first layer of the form $h = c f(W x + b)$."""

    def unit(self) -> tuple[Activation, Any]:
        """The function and the factor; `None` for 1."""
        ...


@eqx.filter_jit
def _draw_layers(
    sizes: tuple[int, ...], initialization: Initialization, key: PRNGKeyArray
) -> list[Dense]:
    keys = jr.split(key, len(sizes) - 1)
    return [
        Dense(*init_dense(initialization, fan_in, fan_out, key=each))
        for fan_in, fan_out, each in zip(sizes[:-1], sizes[1:], keys, strict=True)
    ]
