"""The network that a solve returns: standardization folded in, so that users never see it."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._windowed import Windowed


class Standardized(eqx.Module):
    r"""A network in the user's own units: $u(x) = \mu + \sigma\, n((x - c)/h)$.

    The inner network $n$ sees inputs in $[-1, 1]$ and answers in standardized units. It computes in
    the precision of its own parameters: a network solved in float64 answers in float64 even where
    JAX's default is float32. (Reverse-mode derivatives of such a network want
    `jax.enable_x64(True)` around them, since JAX transposes outside this call.)

    **Arguments:**

    - `network`: the inner network, `(dim,) -> (out,)`.
    - `centre`, `half_width`: $c$ and $h$, shape `(dim,)`, in the units of the inputs.
    - `mean`, `spread`: $\mu$ and $\sigma$, shape `(out,)`, in the units of the outputs.

    **Source:** this project.
    """

    network: Callable
    centre: Float[Array, " dim"]
    half_width: Float[Array, " dim"]
    mean: Float[Array, " out"]
    spread: Float[Array, " out"]

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        """The value at one point, shape `(out,)`."""
        if self.centre.dtype != jnp.float64:
            return self._value(x)
        with jax.enable_x64(True):
            return self._value(jnp.asarray(x).astype(jnp.float64))

    def many(self, points: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, "points out"]:
        """Values at many points, where the inner network is a `Windowed`; see its `many`."""
        centre, half, mean, spread = map(
            np.asarray, (self.centre, self.half_width, self.mean, self.spread)
        )
        assert isinstance(self.network, Windowed)
        return mean + spread * self.network.many((points - centre) / half)

    def _value(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        centre, half = jax.lax.stop_gradient((self.centre, self.half_width))
        mean, spread = jax.lax.stop_gradient((self.mean, self.spread))
        return mean + spread * self.network((x - centre) / half)
