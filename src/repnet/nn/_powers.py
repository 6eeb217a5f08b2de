"""Powers of the rectified linear unit: smoother ramps for local networks."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def squared_relu(z: Float[Array, "..."]) -> Float[Array, "..."]:
    r"""$\max(z, 0)^2$: one continuous derivative.

    **Source:** Xu 2020, whose networks have powers of ReLU.

    >>> squared_relu(jnp.array([-1.0, 2.0])).tolist()
    [0.0, 4.0]
    """
    return jnp.square(jnp.maximum(z, 0.0))


def cubed_relu(z: Float[Array, "..."]) -> Float[Array, "..."]:
    r"""$\max(z, 0)^3$: two continuous derivatives.

    **Source:** as `squared_relu`.

    >>> cubed_relu(jnp.array([-1.0, 2.0])).tolist()
    [0.0, 8.0]
    """
    return jnp.maximum(z, 0.0) ** 3
