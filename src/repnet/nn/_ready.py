"""Ready-made networks: RepNet and SIREN."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, PRNGKeyArray

from repnet.nn._activation import Activation, Sine
from repnet.nn._check import PerAxis, check_count
from repnet.nn._draw import sobol_points
from repnet.nn._first import RepLinear
from repnet.nn._magnitude import magnitude
from repnet.nn._mlp import MLP
from repnet.nn._random import as_jax, times, uniform
from repnet.nn._rivals import SineLinear

_STEP_GAIN = 4.0  # second-layer weights of steps and ramps; local features take 1


def RepNet(
    in_size: int,
    out_size: int = 1,
    *,
    width: int = 256,
    hidden: Sequence[int] = (64, 64),
    scale: PerAxis,
    activation: Activation = jnp.tanh,
    features: str = "local",
    lower: PerAxis = -1.0,
    upper: PerAxis = 1.0,
    key: PRNGKeyArray,
    **options: Any,
) -> MLP:
    r"""A network with a reparameterized first layer, whose initial output has magnitude 1.

    The hidden layers' weights have the usual variance for their activation; those of the second
    layer are larger where its inputs are steps or ramps. The read-out's variance is chosen by
    `magnitude` so that $\mathbb E u^2 = 1$ over the domain: the magnitude of a standardized target.

    **Arguments:**

    - `in_size`, `out_size`: numbers of inputs and outputs.
    - `width`: units of the first layer.
    - `hidden`: widths of the further layers, possibly none.
    - `scale`: slope scale in radians per unit length, a number or one per input axis.
    - `activation`: of all layers.
    - `features`, `lower`, `upper` and `options`: see `RepLinear`.

    **Returns:** an `MLP` whose first layer is a `RepLinear`.

    **Raises:** `ValueError` naming the argument at fault.

    **Source:** Wang, Zhou and Meng 2026 for the idea; the constants are this project's.

    >>> network = RepNet(2, 3, scale=20.0, key=jr.key(0))
    >>> network(jnp.zeros(2)).shape
    (3,)
    """
    first_key, rest_key = jr.split(key)
    first = RepLinear(
        in_size,
        width,
        scale=scale,
        activation=activation,
        features=features,
        lower=lower,
        upper=upper,
        key=first_key,
        **options,
    )
    network = MLP(first, out_size, hidden=hidden, activation=activation, key=rest_key)
    if hidden and not first.feature.local:
        network = eqx.tree_at(
            lambda n: n.hidden[0].weight, network, replace_fn=partial(times, _STEP_GAIN)
        )
    cell = sobol_points(1024, in_size) + 0.5 / 1024
    low, high = jnp.asarray(lower, dtype=cell.dtype), jnp.asarray(upper, dtype=cell.dtype)
    # At least a thousandth, where features are so steep that hardly a point meets one.
    rms = jnp.maximum(magnitude(network, low + (high - low) * cell).output_rms, 1e-3)
    return eqx.tree_at(lambda n: n.readout.weight, network, replace_fn=partial(times, 1.0 / rms))


def siren(
    in_size: int,
    out_size: int = 1,
    *,
    width: int = 256,
    depth: int = 3,
    omega: float = 30.0,
    key: PRNGKeyArray,
) -> MLP:
    r"""A sinusoidal network: `depth` layers of $\sin(\omega(W h + b))$ and a linear read-out.

    Weights after the first layer are uniform in $\pm\sqrt{6/\text{width}}/\omega$.

    **Arguments:** `width`: units per layer; `depth`: sine layers, the first included; `omega`:
    $\omega_0$ of every layer.

    **Returns:** an `MLP` whose first layer is a `SineLinear`.

    **Source:** Sitzmann et al. 2020, section 3.2.

    >>> siren(2, 1, width=16, depth=2, key=jr.key(0))(jnp.zeros(2)).shape
    (1,)
    """
    check_count("siren", "depth", depth)
    first_key, rest_key = jr.split(key)
    return MLP(
        SineLinear(in_size, width, frequency=omega, key=first_key),
        out_size,
        hidden=(width,) * (depth - 1),
        activation=Sine(float(omega)),
        initialization=_SirenUniform(float(omega)),
        key=rest_key,
    )


@dataclass(frozen=True)
class _SirenUniform:
    """The later layers' weights; equal ones share what was compiled."""

    omega: float

    def __call__(self, key: PRNGKeyArray, shape: tuple[int, int]) -> Array:
        bound = (6.0 / shape[1]) ** 0.5 / self.omega
        return as_jax(uniform(key, shape, -bound, bound))
