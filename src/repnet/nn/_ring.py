"""Periodic bumps that move: the first layer of evolution problems on a ring."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from repnet.nn._first import AbstractFirstLayer


class RingBumps(AbstractFirstLayer):
    r"""Bumps in $x$ of period 2 that move and grow with $t$, for points $(x, t)$.

    $$h_j = \exp\big(\kappa_j (\cos \pi (x - p_j - v_j t) - 1) + g_j t\big)$$

    A bump is about $1/(\pi\sqrt{\kappa})$ wide. Every network on this layer has period 2 in $x$
    together with all its derivatives, so that no seam is left to be matched. Without growth the
    mean of $u$ over a period could not change in time.

    - `sharpness`: $\kappa_j > 0$; `place`: $p_j$; `speed`: $v_j$; `growth`: $g_j$; each of shape
      `(width,)`.

    **Source:** this project; the bump is the density of von Mises 1918.

    >>> layer = RingBumps(jnp.ones(3), *jnp.zeros((3, 3)))
    >>> layer(jnp.array([2.0, 0.5])).round(6).tolist()
    [1.0, 1.0, 1.0]
    """

    sharpness: Float[Array, " width"]
    place: Float[Array, " width"]
    speed: Float[Array, " width"]
    growth: Float[Array, " width"]
    in_size: int = eqx.field(static=True)
    width: int = eqx.field(static=True)

    def __init__(
        self,
        sharpness: Float[Array, " width"],
        place: Float[Array, " width"],
        speed: Float[Array, " width"],
        growth: Float[Array, " width"],
    ):
        self.sharpness, self.place, self.speed, self.growth = sharpness, place, speed, growth
        self.in_size, self.width = 2, sharpness.size

    def affine(self) -> tuple[Float[Array, "width dim"], Float[Array, " width"]]:
        r"""Weights and biases of the angle $\pi (x - p - v t)$."""
        weight = jnp.pi * jnp.stack([jnp.ones_like(self.speed), -self.speed], axis=1)
        return weight, -jnp.pi * self.place

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " width"]:
        weight, bias = self.affine()
        bump = self.sharpness * (jnp.cos(x @ weight.T + bias) - 1.0)
        return jnp.exp(bump + self.growth * x[1])
