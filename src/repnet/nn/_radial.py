"""Units that see how far a point is from their centres."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from repnet.nn._check import check_choice

# Each with the degree of the polynomials that it leaves to the affine part; -1 for none.
KERNELS = {"gaussian": -1, "inverse_multiquadric": -1, "multiquadric": 0, "cubic_multiquadric": 1}


def radial_profile(kernel: str, square: Any, xp: Any = jnp) -> Any:
    r"""The kernel at $s = |S(x - c)|^2$, in JAX or, with `xp=numpy`, in NumPy.

    >>> float(radial_profile("multiquadric", jnp.array(3.0)))
    -2.0
    """
    match kernel:
        case "gaussian":
            return xp.exp(-0.5 * square)
        case "inverse_multiquadric":
            return 1.0 / xp.sqrt(1.0 + square)
        case "multiquadric":
            return -xp.sqrt(1.0 + square)
        case _:
            return (1.0 + square) * xp.sqrt(1.0 + square)


def radial_slope(kernel: str, square: Any, xp: Any = jnp) -> Any:
    """The kernel's derivative with respect to $s$.

    >>> float(radial_slope("multiquadric", jnp.array(3.0)))
    -0.25
    """
    match kernel:
        case "gaussian":
            return -0.5 * xp.exp(-0.5 * square)
        case "inverse_multiquadric":
            return -0.5 / ((1.0 + square) * xp.sqrt(1.0 + square))
        case "multiquadric":
            return -0.5 / xp.sqrt(1.0 + square)
        case _:
            return 1.5 * xp.sqrt(1.0 + square)


class RadialBasis(eqx.Module):
    r"""A network of radial basis functions and an affine part.

    $$u(x) = W\,\big(\phi(|S (x - c_j)|^2)\big)_j + A x + b$$

    with $\phi(s)$ one of $e^{-s/2}$, $(1+s)^{-1/2}$, $-(1+s)^{1/2}$, $(1+s)^{3/2}$: `"gaussian"`,
    `"inverse_multiquadric"`, `"multiquadric"`, `"cubic_multiquadric"`. All of them have every
    derivative; with a large $S$ the last two are nearly those of the distance and its cube.

    **Arguments:**

    - `centres`: $c$, shape `(units, dim)`.
    - `scaling`: $S$, shape `(rank, dim)`, in one over the inputs' units: the identity over a width
      $\ell$ for units that are $\ell$ wide in every direction.
    - `weight`: $W$, shape `(out, units)`; `slope`: $A$, `(out, dim)`; `bias`: $b$, `(out,)`.
    - `kernel`: which $\phi$.

    **Raises:** `ValueError` for an unknown `kernel`, and a `scaling` of another shape.

    **Source:** Hardy 1971; Broomhead and Lowe 1988.

    >>> bump = RadialBasis(
    ...     centres=jnp.zeros((1, 2)),
    ...     scaling=jnp.eye(2),
    ...     weight=jnp.ones((1, 1)),
    ...     slope=jnp.zeros((1, 2)),
    ...     bias=jnp.zeros(1),
    ...     kernel="gaussian",
    ... )
    >>> bump(jnp.zeros(2)).tolist()
    [1.0]
    """

    centres: Float[Array, "units dim"]
    scaling: Float[Array, "rank _"]
    weight: Float[Array, "out units"]
    slope: Float[Array, "out dim"]
    bias: Float[Array, " out"]
    kernel: str = eqx.field(static=True)

    def __check_init__(self):
        check_choice("RadialBasis", "kernel", self.kernel, KERNELS)
        shape, dim = jnp.shape(self.scaling), self.in_size
        if len(shape) != 2 or shape[1] != dim:
            raise ValueError(
                f"`RadialBasis(scaling=...)` must have the shape (rank, {dim}) with centres of "
                f"{dim} inputs; got {shape}."
            )

    @property
    def in_size(self) -> int:
        """Number of inputs."""
        return self.centres.shape[1]

    @property
    def out_size(self) -> int:
        """Number of outputs."""
        return len(self.bias)

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        """The value at one point, shape `(out,)`."""
        square = jnp.sum(jnp.square((x - self.centres) @ self.scaling.T), axis=1)
        return self.weight @ radial_profile(self.kernel, square) + self.slope @ x + self.bias
