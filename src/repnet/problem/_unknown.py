"""Unknown functions of an inverse problem."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Float


class UnknownField(eqx.Module):
    r"""A function that has to be found, such as a coefficient $a(x)$.

    It stands among a problem's `unknowns`; a solver puts a network in its place, and residuals
    call whichever is there: `unknowns["a"](x)`. Called itself, it is its own first guess.

    ```python
    >>> UnknownField(initial=1.0)(jnp.zeros(2)).tolist()
    [1.0]

    ```

    **Arguments:** `out_size`, number of outputs; `initial`, the constant that is the first guess.

    **Raises:** `ValueError` where `out_size` is below 1 or `initial` is not finite.

    **Source:** this project.
    """

    out_size: int = eqx.field(static=True, default=1)
    initial: float = eqx.field(static=True, default=0.0)

    def __check_init__(self) -> None:
        if self.out_size < 1:
            raise ValueError(
                f"`UnknownField(out_size=...)` must be at least 1; got {self.out_size}."
            )
        if not math.isfinite(self.initial):
            raise ValueError(f"`UnknownField(initial=...)` must be finite; got {self.initial}.")

    def __call__(self, x: Float[jax.Array, " dim"]) -> Float[jax.Array, " out"]:
        return jnp.full((self.out_size,), self.initial, x.dtype)
