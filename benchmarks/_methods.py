"""What is compared: RepNet, the vanilla network, controls, and rivals with swept settings."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from repnet.nn import (
    FROZEN,
    MLP,
    AbstractFirstLayer,
    FourierFeatures,
    Linear,
    Rates,
    RepLinear,
    RepNet,
    Sine,
    SineLinear,
)
from repnet.solve._directions import Directions

ACTIVATIONS = {"tanh": jnp.tanh, "relu": jax.nn.relu}
HIDDEN = (64, 64)


class LargeLinear(AbstractFirstLayer):
    """The control of the reparameterization: the same features, with plain weights and biases.

    It starts as a `RepLinear` does, and trains $W$ and $b$ of $W x + b$ themselves.
    """

    weight: Array
    bias: Array
    gain: Array
    like: RepLinear
    in_size: int = eqx.field(static=True)
    width: int = eqx.field(static=True)

    def __init__(self, like: RepLinear):
        self.weight, self.bias = like.affine()
        self.gain, self.like = like.gain, like
        self.in_size, self.width = like.in_size, like.width

    def affine(self) -> tuple[Array, Array]:
        return self.weight, self.bias

    def __call__(self, x: Array) -> Array:
        return jax.lax.stop_gradient(self.gain) * self.like.feature(self.weight @ x + self.bias)

    def learning_rates(self) -> "LargeLinear":
        still = jax.tree.map(lambda _: 0.0, eqx.filter(self.like, eqx.is_inexact_array))
        return eqx.tree_at(
            lambda s: (s.weight, s.bias, s.gain, s.like), self, (1.0, 1.0, 0.0, still)
        )


@dataclass(frozen=True)
class Setting:
    """One network and one learning rate. `make(key)` draws the network."""

    label: str
    make: Callable[[Array], MLP]
    rate: float | None = None  # the solver's own


@dataclass(frozen=True)
class Shape:
    """Sizes that all methods share, and the highest angular frequency on [-1, 1] per axis."""

    dim: int
    width: int
    omega: float


def vanilla(shape: Shape, activation: str, scales: dict) -> Sequence[Setting]:
    """A plain network at three learning rates."""
    phi = ACTIVATIONS[activation]

    def make(key: Array) -> MLP:
        first, rest = jr.split(key)
        layer = Linear(shape.dim, shape.width, activation=phi, key=first)
        return MLP(layer, 1, hidden=HIDDEN, activation=phi, key=rest)

    return [Setting(f"rate {rate:g}", make, rate) for rate in (1e-3, 3e-3, 1e-2)]


def repnet_network(
    dim: int,
    width: int,
    phi: Callable,
    features: str,
    paired: bool,
    directions: Directions,
    scale: Array | tuple[float, ...],
    key: Array,
    rates: Rates | None = None,
) -> MLP:
    """A RepNet of the sizes that all methods share."""
    return RepNet(
        dim,
        width=width,
        hidden=HIDDEN,
        scale=scale,
        activation=phi,
        features=features,
        paired=paired,
        directions=directions,
        rates=rates,
        key=key,
    )


def repnet(features: str, *, control: str | None = None, paired: bool = False) -> Callable:
    """A RepNet at its automatic scale, or one of its controls."""

    def settings(shape: Shape, activation: str, scales: dict) -> Sequence[Setting]:
        name, directions, scale = scales[features, paired]
        rates = FROZEN if control == "frozen" else None

        def make(key: Array) -> MLP:
            phi = ACTIVATIONS[activation]
            network = repnet_network(
                shape.dim, shape.width, phi, features, paired, directions, scale, key, rates
            )
            if control == "large":
                return eqx.tree_at(lambda n: n.first, network, LargeLinear(network.first))
            return network

        where = f", {name}" if shape.dim > 1 else ""
        return [Setting("scale " + " ".join(f"{s:.3g}" for s in scale) + where, make)]

    return settings


def fourier(shape: Shape, activation: str, scales: dict) -> Sequence[Setting]:
    """Fourier features of three widths around the target's highest frequency."""
    phi = ACTIVATIONS[activation]

    def setting(share: float) -> Setting:
        sigma = share * shape.omega / (2 * math.pi)

        def make(key: Array) -> MLP:
            first, rest = jr.split(key)
            layer = FourierFeatures(shape.dim, shape.width, sigmas=(sigma,), key=first)
            return MLP(layer, 1, hidden=HIDDEN, activation=phi, key=rest)

        return Setting(f"sigma {sigma:.3g}", make)

    return [setting(share) for share in (0.125, 0.25, 0.5)]


def siren(shape: Shape, activation: str, scales: dict) -> Sequence[Setting]:
    """Sinusoidal networks of the same sizes, at three frequencies."""

    def setting(share: float) -> Setting:
        omega = max(share * shape.omega, 1.0)

        def uniform(key: Array, sizes: tuple[int, int]) -> Array:
            bound = math.sqrt(6.0 / sizes[1]) / omega
            return jr.uniform(key, sizes, minval=-bound, maxval=bound)

        def make(key: Array) -> MLP:
            first, rest = jr.split(key)
            layer = SineLinear(shape.dim, shape.width, frequency=omega, key=first)
            return MLP(
                layer, 1, hidden=HIDDEN, activation=Sine(omega), initialization=uniform, key=rest
            )

        return Setting(f"omega {omega:.3g}", make, 3e-4)

    return [setting(share) for share in (0.125, 0.25, 0.5)]


METHODS: dict[str, Callable[[Shape, str, dict], Sequence[Setting]]] = {
    "vanilla": vanilla,
    "step": repnet("step"),
    "local": repnet("local"),
    "paired": repnet("local", paired=True),
    "large step": repnet("step", control="large"),
    "large local": repnet("local", control="large"),
    "frozen step": repnet("step", control="frozen"),
    "frozen local": repnet("local", control="frozen"),
    "fourier": fourier,
    "siren": siren,
}
