"""The laws from which the weights and biases of a two-layer sine network are drawn."""

import abc
import math
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn import Constant, Normal, Uniform
from repnet.nn._check import check_positive
from repnet.nn._laws import Law


@dataclass(frozen=True)
class AbstractWeights(abc.ABC):
    r"""The law of one weight $w \in \mathbb R^d$, symmetric around zero.

    `characteristic` is $k(r) = \mathbb E \cos(w \cdot r)$; `transform` is its Fourier transform
    $\hat k(\xi) = (2\pi)^d p(\xi)$ with $p$ the density of $w$.
    """

    @abc.abstractmethod
    def characteristic(self, r: Float[np.ndarray, "... dim"]) -> Float[np.ndarray, "..."]:
        r"""$k(r)$ of a difference $r$ of two points."""

    @abc.abstractmethod
    def transform(self, xi: Float[np.ndarray, "..."], dim: int) -> Float[np.ndarray, "..."]:
        r"""$\hat k$ at wave vectors of length $|\xi|$, of a law in `dim` dimensions."""

    @property
    @abc.abstractmethod
    def law(self) -> Law:
        """What draws such weights, from uniform numbers."""

    @property
    @abc.abstractmethod
    def reach(self) -> float:
        """A length beyond which the transform is below 1e-6 of its peak."""


@dataclass(frozen=True)
class NormalWeights(AbstractWeights):
    r"""$w \sim N(0, \sigma^2 I_d)$: $k(r) = e^{-\sigma^2|r|^2/2}$.

    **Raises:** `ValueError` for a `std` that is not finite and positive.

    >>> NormalWeights(2.0).characteristic(np.zeros((1, 3))).tolist()
    [1.0]
    """

    std: float = 1.0  # σ

    def __post_init__(self) -> None:
        check_positive("NormalWeights", "std", self.std)

    def characteristic(self, r: Float[np.ndarray, "... dim"]) -> Float[np.ndarray, "..."]:
        return np.exp(-0.5 * self.std**2 * np.sum(r * r, axis=-1))

    def transform(self, xi: Float[np.ndarray, "..."], dim: int) -> Float[np.ndarray, "..."]:
        peak = (np.sqrt(2 * np.pi) / self.std) ** dim
        return peak * np.exp(-0.5 * (np.asarray(xi) / self.std) ** 2)

    @property
    def law(self) -> Law:
        return Normal(self.std)

    @property
    def reach(self) -> float:
        return 5.5 * self.std


@dataclass(frozen=True)
class UniformWeights(AbstractWeights):
    r"""One weight, uniform in $\pm B$: $k(r) = \sin(Br)/(Br)$.

    **Raises:** `ValueError` for a `bound` that is not finite and positive, and, in its methods, for
    more than one dimension.

    >>> UniformWeights(3.0).transform(np.array([0.0, 4.0]), 1).round(4).tolist()
    [1.0472, 0.0]
    """

    bound: float = 1.0  # B

    def __post_init__(self) -> None:
        check_positive("UniformWeights", "bound", self.bound)

    def characteristic(self, r: Float[np.ndarray, "... dim"]) -> Float[np.ndarray, "..."]:
        return np.sinc(self.bound * _only(r, self) / np.pi)

    def transform(self, xi: Float[np.ndarray, "..."], dim: int) -> Float[np.ndarray, "..."]:
        _require_one(dim, self)
        return np.where(np.abs(xi) <= self.bound, np.pi / self.bound, 0.0)

    @property
    def law(self) -> Law:
        return Uniform(-self.bound, self.bound)

    @property
    def reach(self) -> float:
        return self.bound


@dataclass(frozen=True)
class ParabolicWeights(AbstractWeights):
    r"""One weight with the density $\tfrac{3}{4B}(1 - w^2/B^2)$ on $\pm B$.

    Training such weights alone makes the error's spectrum relax in Legendre polynomials of
    $\xi/B$, which tests the numerical model.

    **Raises:** `ValueError` for a `bound` that is not finite and positive, and, in its methods, for
    more than one dimension.

    **Source:** this project.

    >>> ParabolicWeights(1.0).transform(np.array([0.0, 1.0]), 1).round(4).tolist()
    [4.7124, 0.0]
    """

    bound: float = 1.0  # B

    def __post_init__(self) -> None:
        check_positive("ParabolicWeights", "bound", self.bound)

    def characteristic(self, r: Float[np.ndarray, "... dim"]) -> Float[np.ndarray, "..."]:
        z = self.bound * _only(r, self)
        far = np.abs(z) > 1e-2
        safe = np.where(far, z, 1.0)
        exact = 3.0 * (np.sin(safe) - safe * np.cos(safe)) / safe**3
        return np.where(far, exact, 1.0 - z**2 / 10.0 + z**4 / 280.0)

    def transform(self, xi: Float[np.ndarray, "..."], dim: int) -> Float[np.ndarray, "..."]:
        _require_one(dim, self)
        inside = np.maximum(1.0 - (np.asarray(xi) / self.bound) ** 2, 0.0)
        return 1.5 * np.pi / self.bound * inside

    @property
    def law(self) -> Law:
        return self

    def __call__(self, share: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """The weights that shares of the law lie below."""
        # The root in [-1, 1] of (3u - u³)/4 + 1/2 = share, by the trigonometric formula.
        return 2.0 * self.bound * jnp.sin(jnp.arcsin(2.0 * share - 1.0) / 3.0)

    @property
    def reach(self) -> float:
        return self.bound


@dataclass(frozen=True)
class UniformBias:
    r"""$b$ uniform on a period: $q = \mathbb E\cos 2b = 0$.

    >>> UniformBias().q
    0.0
    """

    @property
    def q(self) -> float:
        r"""$\mathbb E \cos 2b$."""
        return 0.0

    @property
    def law(self) -> Law:
        """What draws such biases, from uniform numbers."""
        return Uniform(-math.pi, math.pi)


@dataclass(frozen=True)
class NormalBias:
    r"""$b \sim N(0, \tau^2)$: $q = e^{-2\tau^2}$; with $\tau = 0$, no bias and $q = 1$.

    **Raises:** `ValueError` for a `std` that is negative or not finite.

    >>> NormalBias(0.0).q
    1.0
    """

    std: float = 1.0  # τ

    def __post_init__(self) -> None:
        if not 0.0 <= self.std < float("inf"):
            raise ValueError(f"`NormalBias(std=...)` must be finite and >= 0; got {self.std!r}.")

    @property
    def q(self) -> float:
        r"""$\mathbb E \cos 2b$."""
        return float(np.exp(-2.0 * self.std**2))

    @property
    def law(self) -> Law:
        """What draws such biases, from uniform numbers."""
        return Normal(self.std) if self.std else Constant(0.0)


def _only(r: np.ndarray, law: object) -> np.ndarray:
    _require_one(r.shape[-1], law)
    return r[..., 0]


def _require_one(dim: int, law: object) -> None:
    if dim != 1:
        raise ValueError(
            f"`{type(law).__name__}` is a law of one weight per unit, for `dim=1`; got dim {dim}."
            " `NormalWeights` covers every dimension."
        )
