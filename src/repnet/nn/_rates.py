"""Learning-rate multipliers of trainable parameters, which the gradient solver applies."""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
from jaxtyping import PyTree


@dataclass(frozen=True)
class Rates:
    r"""Multipliers of the learning rate for the parameters of a `RepLinear`.

    - `slope`: of $g$, the logarithm of the unit's slope.
    - `direction`: of $v$; with one input $v/|v|$ is a sign, which has nothing to learn.
    - `offset`: of $t$ (affine form: $\beta$; centre form: $c$). `None` is $1/\sqrt{s}$, because a
      unit of slope $s$ moves by a wavelength when its offset moves by about $1/s$.

    **Raises:** `ValueError` for a multiplier that is negative or not finite.

    **Source:** this project.

    >>> Rates(offset=0.0).offset
    0.0
    """

    slope: float = 1.0
    direction: float = 1.0
    offset: float | None = None

    def __post_init__(self) -> None:
        for name in ("slope", "direction", "offset"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value < float("inf"):
                raise ValueError(f"`Rates({name}=...)` must be finite and >= 0; got {value!r}.")
            if value is not None:  # a 0 that is no float would not be seen as one
                object.__setattr__(self, name, float(value))


FROZEN = Rates(0.0, 0.0, 0.0)


def learning_rates(network: PyTree) -> PyTree:
    """A multiplier of the learning rate for every parameter of a network.

    Modules that have a method `learning_rates()` say it for themselves (first layers do:
    constants have 0); every other parameter has 1.

    **Returns:** a tree like `eqx.filter(network, eqx.is_inexact_array)`, whose leaves are numbers
    or arrays that broadcast against the parameters.

    **Source:** this project.

    >>> import jax.numpy as jnp
    >>> learning_rates({"weight": jnp.ones(3)})
    {'weight': 1.0}
    """
    parameters = eqx.filter(network, eqx.is_inexact_array)

    def rate(node: Any) -> Any:
        return node.learning_rates() if hasattr(node, "learning_rates") else 1.0

    return jax.tree.map(rate, parameters, is_leaf=lambda node: hasattr(node, "learning_rates"))
