"""Sums of networks: what a training in stages ends with."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._derivatives import Jet


class Sum(eqx.Module):
    r"""The sum of several networks on the same inputs: $u(x) = \sum_k u_k(x)$.

    **Arguments:** `parts`: networks `(dim,) -> (out,)`, at least one; `out_size`: their outputs.

    **Raises:** `ValueError` where there is no network.

    **Source:** Wang and Lai 2024, equation 9, whose stages have one factor each; here a part brings
    its own, as `Standardized` does.

    >>> float(Sum([jnp.sin, jnp.cos], out_size=1)(jnp.zeros(1))[0])
    1.0
    """

    parts: tuple[Callable, ...]
    out_size: int = eqx.field(static=True)

    def __init__(self, parts: Sequence[Callable], *, out_size: int):
        if not parts:
            raise ValueError("`Sum(parts=...)` needs at least one network; got none.")
        self.parts = tuple(parts)
        self.out_size = out_size

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        """The value at one point, shape `(out,)`."""
        first, *others = [part(x) for part in self.parts]
        return sum(others, start=first)

    def jet(self, x: Float[Array, " dim"]) -> "SumJet":
        """The derivatives at one point: of every part, computed as they are asked for."""
        return SumJet([jet_of(part, x) for part in self.parts])


class SumJet:
    """The derivatives of a `Sum`: the sums of its parts' derivatives."""

    def __init__(self, jets: Sequence[Any]):
        self._jets = jets

    def derivative(self, *directions: Float[Array, " dim"] | np.ndarray) -> Float[Array, " out"]:
        """The derivative along each of the directions in turn; the value for none."""
        return sum((jet.derivative(*directions) for jet in self._jets), start=jnp.zeros(()))

    def taylor(
        self, direction: Float[Array, " dim"] | np.ndarray, order: int
    ) -> tuple[Float[Array, " out"], ...]:
        """The value and the derivatives up to `order` along one direction."""
        return tuple(self.derivative(*([direction] * k)) for k in range(order + 1))

    def laplacian(self, seeds: Sequence[Any] | np.ndarray | Array) -> Float[Array, " out"]:
        """The sum of the second derivatives along the `seeds`, rows of length `dim`."""
        return sum((jet.laplacian(seeds) for jet in self._jets), start=jnp.zeros(()))


def jet_of(part: Any, x: Float[Array, " dim"]) -> Any:
    """The derivatives of a network at one point; those of a function by nested forward mode."""
    return part.jet(x) if hasattr(part, "jet") else Jet(part, (), x)
