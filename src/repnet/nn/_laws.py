r"""Laws of random parameters, as maps of uniform numbers: the same for random and Sobol draws."""

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
from jax.scipy.special import ndtri
from jaxtyping import Array, Float

from repnet.nn._check import check_positive

Law = Callable[[Array], Array]  # from uniform numbers in (0, 1) to values, shape kept


@dataclass(frozen=True)
class Normal:
    r"""The normal law $N(0, \sigma^2)$ of independent coordinates.

    **Raises:** `ValueError` for a deviation that is not finite and positive.

    >>> Normal(2.0)(jnp.array([0.5])).tolist()
    [0.0]
    """

    deviation: float = 1.0  # σ

    def __post_init__(self) -> None:
        check_positive("Normal", "deviation", self.deviation)

    def __call__(self, u: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        return self.deviation * ndtri(u)


@dataclass(frozen=True)
class Uniform:
    """The uniform law of independent coordinates between two bounds.

    **Raises:** `ValueError` unless `upper` lies above `lower` by a finite distance.

    >>> Uniform(-1.0, 3.0)(jnp.array([0.25])).tolist()
    [0.0]
    """

    lower: float
    upper: float

    def __post_init__(self) -> None:
        check_positive("Uniform", "upper - lower", self.upper - self.lower)

    def __call__(self, u: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        return self.lower + (self.upper - self.lower) * u


@dataclass(frozen=True)
class Signs:
    r"""Fair signs $\pm$ `size`.

    **Raises:** `ValueError` for a size that is not finite and positive.

    >>> Signs(2.0)(jnp.array([0.1, 0.9])).tolist()
    [-2.0, 2.0]
    """

    size: float = 1.0

    def __post_init__(self) -> None:
        check_positive("Signs", "size", self.size)

    def __call__(self, u: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        return jnp.where(u < 0.5, -self.size, self.size).astype(u.dtype)


@dataclass(frozen=True)
class Constant:
    """One value for all.

    >>> Constant(0.0)(jnp.array([0.1, 0.9])).tolist()
    [0.0, 0.0]
    """

    value: float = 0.0

    def __call__(self, u: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        return jnp.full_like(u, self.value)
