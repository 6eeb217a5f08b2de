r"""What a unit of the first layer makes of its pre-activation: a step, or a local difference."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._activation import Activation, family, growth, probe
from repnet.nn._check import check_choice

FEATURES = ("step", "local", "plain", "ramp", "bump", "hat")
_COST = {"plain": 1, "ramp": 2, "bump": 2, "hat": 3}


@dataclass(frozen=True)
class Feature:
    r"""A feature of one pre-activation $z$, made of an activation $\varphi$.

    | kind | formula | activations |
    |---|---|---|
    | `plain` | $\varphi(z)$ | 1 |
    | `ramp` | $\varphi(z+1) - \varphi(z-1)$, less the middle of its limits | 2 |
    | `bump` | $[\varphi(z+1) - \varphi(z-1)]/2$ | 2 |
    | `hat` | $\varphi(z+1) - 2\varphi(z) + \varphi(z-1)$ | 3 |

    **Source:** this project.

    >>> Feature("hat", jax.nn.relu)(jnp.array([-1.0, 0.0, 0.5])).tolist()
    [0.0, 1.0, 0.5]
    """

    kind: str
    activation: Activation

    @property
    def local(self) -> bool:
        """Whether it is almost zero away from its hyperplane."""
        return self.kind in ("bump", "hat")

    @property
    def cost(self) -> int:
        """How many activations one feature is made of."""
        return _COST[self.kind]

    def __call__(self, z: Float[Array, "..."]) -> Float[Array, "..."]:
        formula = _CLOSED.get((self.kind, family(self.activation)))
        if formula is not None:
            return formula(z)
        return _GENERIC[self.kind](self.activation, z)


def _bump_of_tanh(z: Array) -> Array:
    # tanh(z ± 1) by the addition theorem, with a = tanh 1: one transcendental instead of two.
    a = float(np.tanh(1.0))
    square = jnp.square(jnp.tanh(z))
    return a * (1.0 - square) / (1.0 - a * a * square)


@jax.custom_jvp
def _ramp_of_relu(z: Array) -> Array:
    # Exact far out, where relu(z+1) - relu(z-1) cancels.
    return jnp.minimum(jnp.maximum(z, -1.0), 1.0)


@_ramp_of_relu.defjvp
def _(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    # One comparison instead of two that share out ties: a twentieth of a wide network's step.
    (z,), (slope,) = primals, tangents
    return _ramp_of_relu(z), jnp.where(jnp.abs(z) < 1.0, slope, 0.0)


def _hat_of_relu(z: Array) -> Array:
    distance = jnp.abs(z)
    return jnp.where(distance < 1.0, 1.0 - distance, 0.0)


def _ramp(activation: Activation, z: Array) -> Array:
    return activation(z + 1.0) - activation(z - 1.0) - _ramp_middle(activation)


def _bump(activation: Activation, z: Array) -> Array:
    return 0.5 * (activation(z + 1.0) - activation(z - 1.0))


def _hat(activation: Activation, z: Array) -> Array:
    return activation(z + 1.0) - 2.0 * activation(z) + activation(z - 1.0)


@lru_cache(maxsize=128)
def _ramp_middle(activation: Activation) -> float:
    far = 64.0
    values = probe(activation, np.array([-far - 1.0, -far + 1.0, far - 1.0, far + 1.0]))
    return float(0.5 * ((values[1] - values[0]) + (values[3] - values[2])))


_CLOSED: dict[tuple[str, str], Callable[[Array], Array]] = {
    ("bump", "tanh"): _bump_of_tanh,
    ("bump", "sine"): lambda z: float(np.sin(1.0)) * jnp.cos(z),
    ("ramp", "relu"): _ramp_of_relu,
    ("hat", "relu"): _hat_of_relu,
}
_GENERIC: dict[str, Callable[[Any, Array], Array]] = {
    "plain": lambda activation, z: activation(z),
    "ramp": _ramp,
    "bump": _bump,
    "hat": _hat,
}


def make_feature(features: str, activation: Activation) -> Feature:
    """The feature that `features` names for this activation.

    `"step"` is the plain unit of a bounded activation and the ramp of one that grows;
    `"local"` is the bump of a bounded activation and the hat of one that grows.

    **Raises:** `ValueError` for an unknown name, and where the activation grows faster than
    linearly and so has no bounded difference.

    >>> make_feature("local", jnp.tanh).kind
    'bump'
    """
    kind = check_choice("RepLinear", "features", features, FEATURES)
    if kind == "plain":
        return Feature(kind, activation)
    pace = growth(activation)
    if pace == "faster":
        raise ValueError(
            f"`RepLinear(features=...)` must be 'plain' for an activation that grows faster than"
            f" linearly; got {features!r}."
        )
    if kind == "step":
        kind = "plain" if pace == "bounded" else "ramp"
    elif kind == "local":
        kind = "bump" if pace == "bounded" else "hat"
    return Feature(kind, activation)
