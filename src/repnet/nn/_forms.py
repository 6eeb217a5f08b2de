"""The ways to write a reparameterized hyperplane: slope, direction and offset; centre; affine."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from repnet.nn._rates import Rates


def mean_scale(scale: Float[Array, "*batch dim"]) -> Float[Array, "*batch"]:
    """Geometric mean of the scales of the input axes.

    >>> float(mean_scale(jnp.array([1.0, 4.0])))
    2.0
    """
    return jnp.exp(jnp.mean(jnp.log(scale), axis=-1))


def _offset_rate(rates: Rates, scale: Array) -> Array | float:
    return 1.0 / jnp.sqrt(mean_scale(scale)) if rates.offset is None else rates.offset


def _beside(rate: Array | float, parameter: Array) -> Array | float:
    # A stack of networks has one rate per network, which must broadcast over its parameters.
    if isinstance(rate, float | int):
        return float(rate)
    return rate.reshape(rate.shape + (1,) * (parameter.ndim - rate.ndim))


class SlopeForm(eqx.Module):
    r"""Slope, direction and offset: $z = e^{g}(\hat n\cdot(s\circ x) - \bar s\,t)$.

    **Source:** this project, after Wang, Zhou and Meng 2026.

    >>> form = SlopeForm.through(jnp.array([[1.0]]), jnp.array([[0.5]]), jnp.array([8.0]))
    >>> [array.tolist() for array in form.affine(jnp.array([8.0]))]
    [[[8.0]], [-4.0]]
    """

    log_slope: Float[Array, " units"]  # g
    direction: Float[Array, "units dim"]  # v, of any length
    offset: Float[Array, " units"]  # t

    @classmethod
    def through(
        cls,
        unit: Float[Array, "units dim"],
        centres: Float[Array, "units dim"],
        scale: Float[Array, " dim"],
    ) -> "SlopeForm":
        """Hyperplanes of slope 1 along `unit`, which pass through `centres`."""
        offset = jnp.sum(unit * (scale * centres), axis=1) / mean_scale(scale)
        return cls(jnp.zeros_like(offset), unit, offset)

    def affine(
        self, scale: Float[Array, " dim"]
    ) -> tuple[Float[Array, "units dim"], Float[Array, " units"]]:
        """Weights and biases of $z = W x + b$."""
        slope = jnp.exp(self.log_slope)
        if self.direction.shape[1] == 1:
            unit = jnp.sign(self.direction)
        else:
            length = jnp.sum(jnp.square(self.direction), axis=1, keepdims=True)
            unit = self.direction * jax.lax.rsqrt(length)
        weight = slope[:, None] * unit * scale
        return weight, -mean_scale(scale) * slope * self.offset

    def learning_rates(self, rates: Rates, scale: Array) -> "SlopeForm":
        """The multipliers of the three parameters; one input has no direction to learn."""
        offset = _beside(_offset_rate(rates, scale), self.offset)
        direction = 0.0 if self.direction.shape[-1] == 1 else rates.direction
        return eqx.tree_at(
            lambda form: (form.log_slope, form.direction, form.offset),
            self,
            (rates.slope, direction, offset),
        )


class CentreForm(eqx.Module):
    r"""Direction and centre: $z = v\cdot(s\circ(x - c))$.

    >>> form = CentreForm.through(jnp.array([[1.0]]), jnp.array([[0.5]]), jnp.array([8.0]))
    >>> [array.tolist() for array in form.affine(jnp.array([8.0]))]
    [[[8.0]], [-4.0]]
    """

    direction: Float[Array, "units dim"]  # v
    centre: Float[Array, "units dim"]  # c

    @classmethod
    def through(
        cls,
        unit: Float[Array, "units dim"],
        centres: Float[Array, "units dim"],
        scale: Float[Array, " dim"],
    ) -> "CentreForm":
        """Hyperplanes of slope 1 along `unit`, which pass through `centres`."""
        return cls(unit, centres)

    def affine(
        self, scale: Float[Array, " dim"]
    ) -> tuple[Float[Array, "units dim"], Float[Array, " units"]]:
        """Weights and biases of $z = W x + b$."""
        weight = self.direction * scale
        return weight, -jnp.sum(weight * self.centre, axis=1)

    def learning_rates(self, rates: Rates, scale: Array) -> "CentreForm":
        """The multipliers of the two parameters."""
        centre = _beside(_offset_rate(rates, scale), self.centre)
        return eqx.tree_at(
            lambda form: (form.direction, form.centre), self, (rates.direction, centre)
        )


class AffineForm(eqx.Module):
    r"""Weight and bias: $z = v\cdot(s\circ x) + \bar s\,\beta$.

    >>> form = AffineForm.through(jnp.array([[1.0]]), jnp.array([[0.5]]), jnp.array([8.0]))
    >>> [array.tolist() for array in form.affine(jnp.array([8.0]))]
    [[[8.0]], [-4.0]]
    """

    direction: Float[Array, "units dim"]  # v
    offset: Float[Array, " units"]  # β

    @classmethod
    def through(
        cls,
        unit: Float[Array, "units dim"],
        centres: Float[Array, "units dim"],
        scale: Float[Array, " dim"],
    ) -> "AffineForm":
        """Hyperplanes of slope 1 along `unit`, which pass through `centres`."""
        return cls(unit, -jnp.sum(unit * (scale * centres), axis=1) / mean_scale(scale))

    def affine(
        self, scale: Float[Array, " dim"]
    ) -> tuple[Float[Array, "units dim"], Float[Array, " units"]]:
        """Weights and biases of $z = W x + b$."""
        return self.direction * scale, mean_scale(scale) * self.offset

    def learning_rates(self, rates: Rates, scale: Array) -> "AffineForm":
        """The multipliers of the two parameters."""
        offset = _beside(_offset_rate(rates, scale), self.offset)
        return eqx.tree_at(
            lambda form: (form.direction, form.offset), self, (rates.direction, offset)
        )
