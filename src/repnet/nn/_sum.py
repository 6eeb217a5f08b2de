"""Sums of networks: what a training in stages ends with."""

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._derivatives import Jet


class Sum(eqx.Module):
    r"""The sum of several networks on the same inputs: $u(x) = \sum_k u_k(x)$.

    **Arguments:** `parts`: networks `(dim,) -> (out,)`, at least one; `out_size`: their outputs.

    **Raises:** `ValueError` where there is no network.

    **Source:** Wang and Lai 2024, equation 9, whose stages have one factor each; here a part brings
    its own, as `Standardized` does.

    >>> import jax.numpy as jnp
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
        return _added([part(x) for part in self.parts])

    def jet(self, x: Float[Array, " dim"]) -> "PartsJet":
        """The derivatives at one point: of every part, computed as they are asked for."""
        return PartsJet([jet_of(part, x) for part in self.parts], _added)


class PartsJet:
    """The derivatives of a network of several parts: those of all parts, joined by a linear map.

    **Arguments:** `jets`: of the parts; `join`: of their derivatives, one array each.
    """

    def __init__(self, jets: Sequence[Any], join: Callable[[Sequence[Array]], Array]):
        self._jets = jets
        self._join = join

    def derivative(self, *directions: Float[Array, " dim"] | np.ndarray) -> Float[Array, " out"]:
        """The derivative along each of the directions in turn; the value for none."""
        return self._join([jet.derivative(*directions) for jet in self._jets])

    def taylor(
        self, direction: Float[Array, " dim"] | np.ndarray, order: int
    ) -> tuple[Float[Array, " out"], ...]:
        """The value and the derivatives up to `order` along one direction."""
        return tuple(self.derivative(*([direction] * k)) for k in range(order + 1))

    def laplacian(self, seeds: Sequence[Any] | np.ndarray | Array) -> Float[Array, " out"]:
        """The sum of the second derivatives along the `seeds`, rows of length `dim`."""
        return self._join([jet.laplacian(seeds) for jet in self._jets])


def jet_of(part: Any, x: Float[Array, " dim"]) -> Any:
    """The derivatives of a network at one point; those of a function by nested forward mode."""
    return part.jet(x) if hasattr(part, "jet") else Jet(part, (), x)


def _added(values: Sequence[Array]) -> Array:
    first, *others = values
    return sum(others, start=first)
