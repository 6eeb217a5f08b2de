"""Networks side by side: one for some of the outputs, another for the others."""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from repnet.nn._sum import PartsJet, jet_of


class Beside(eqx.Module):
    r"""Several networks on the same inputs, each of which gives some of the outputs.

    **Arguments:**

    - `parts`: networks `(dim,) -> (some,)`, at least one.
    - `order`: for each output its place among those of all parts in a row.

    **Raises:** `ValueError` where there is no network, or `order` does not hold every place once.

    **Source:** this project.

    >>> both = Beside([jnp.sin, jnp.cos], order=(1, 0))
    >>> both(jnp.zeros(1)).tolist()
    [1.0, 0.0]
    """

    parts: tuple[Callable, ...]
    order: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, parts: Sequence[Callable], *, order: Sequence[int]):
        if not parts:
            raise ValueError("`Beside(parts=...)` needs at least one network; got none.")
        if sorted(order) != list(range(len(order))):
            raise ValueError(
                f"`Beside(order=...)` must hold every place from 0 on once; got {tuple(order)}."
            )
        self.parts = tuple(parts)
        self.order = tuple(order)

    @property
    def out_size(self) -> int:
        """Number of outputs."""
        return len(self.order)

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        """The values at one point, shape `(out,)`."""
        return self._ordered([part(x) for part in self.parts])

    def jet(self, x: Float[Array, " dim"]) -> PartsJet:
        """The derivatives at one point: of every part, computed as they are asked for."""
        return PartsJet([jet_of(part, x) for part in self.parts], self._ordered)

    def _ordered(self, values: Sequence[Array]) -> Float[Array, " out"]:
        return jnp.concatenate(values)[jnp.asarray(self.order)]
