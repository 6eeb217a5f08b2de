"""Fields with hard conditions: a field under a transform."""

from collections.abc import Callable

import equinox as eqx
from jaxtyping import Array, Float


class Transformed(eqx.Module):
    r"""The field $x \mapsto T(u, x)$, which meets its conditions whatever $u$ is.

    **Arguments:**

    - `u`: a field, `(dim,) -> (out,)`.
    - `transform`: $T$, called as `transform(u, x)` at one point.

    **Source:** Lagaris, Likas and Fotiadis 1998.

    >>> import jax.numpy as jnp
    >>> zero_at_ends = lambda u, x: x * (1.0 - x) * u(x)
    >>> Transformed(jnp.cos, zero_at_ends)(jnp.array([1.0])).tolist()
    [0.0]
    """

    u: Callable
    transform: Callable = eqx.field(static=True)

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        return self.transform(self.u, x)
