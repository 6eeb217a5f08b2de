"""What an activation does: its kind, found without running through its name; sine and others."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Activation = Callable[[Array], Array]

_PROBES = np.concatenate([np.linspace(-6.0, 6.0, 49) + 0.01, [-40.0, 40.0]])


@dataclass(frozen=True)
class Sine:
    r"""The activation $\sin(\omega z)$, of a sinusoidal network's later layers.

    **Source:** Sitzmann et al. 2020, equation 3.

    >>> Sine(30.0)(jnp.zeros(3)).tolist()
    [0.0, 0.0, 0.0]
    """

    frequency: float = 1.0  # ω, radians per unit of z

    def __call__(self, z: Float[Array, "..."]) -> Float[Array, "..."]:
        return jnp.sin(self.frequency * z)


def srelu(z: Float[Array, "..."]) -> Float[Array, "..."]:
    r"""$z_+(1 - z)_+$: a bump on $[0, 1]$ with one derivative, which has steps at its ends.

    **Source:** Liu, Cai and Xu 2020.

    >>> srelu(jnp.array([-1.0, 0.5, 2.0])).tolist()
    [0.0, 0.25, 0.0]
    """
    return jnp.maximum(z, 0.0) * jnp.maximum(1.0 - z, 0.0)


def s2relu(z: Float[Array, "..."]) -> Float[Array, "..."]:
    r"""$\sin(2\pi z)\,z_+(1 - z)_+$: a wave on $[0, 1]$ with two derivatives.

    **Source:** Li, Xu and Zhang 2020.

    >>> [round(float(value), 4) for value in s2relu(jnp.array([0.25, 0.75]))]
    [0.1875, -0.1875]
    """
    return jnp.sin(2.0 * jnp.pi * z) * srelu(z)


ACTIVATIONS: dict[str, Activation] = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "sin": jnp.sin,
    "gelu": jax.nn.gelu,
    "softplus": jax.nn.softplus,
    "silu": jax.nn.silu,
    "elu": jax.nn.elu,
    "srelu": srelu,
    "s2relu": s2relu,
}
"""By the names that the command line and the estimator take."""

_SMOOTH: dict[Activation, int] = {srelu: 1, s2relu: 2}


def derivatives_of(activation: Activation) -> int | None:
    """How many derivatives an activation with kinks is known to have; `None` where not known.

    >>> derivatives_of(s2relu)
    2
    """
    return _SMOOTH.get(activation)


def probe(activation: Activation, z: np.ndarray) -> np.ndarray:
    """Values of the activation in float64, also while something else is being traced.

    **Raises:** `ValueError` for no function, and for one that wants NumPy arrays, like `np.tanh`.

    >>> probe(jnp.tanh, np.array([0.0])).tolist()
    [0.0]
    """
    _require_traceable(activation)
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        return np.asarray(activation(jnp.asarray(z, dtype=jnp.float64)), dtype=np.float64)


def _require_traceable(activation: Activation) -> None:
    if not callable(activation):
        raise ValueError(f"`activation` must be a function of JAX arrays; got {activation!r}.")
    try:
        jax.eval_shape(lambda z: activation(z), jnp.zeros(1))  # a ufunc itself ends in a crash
    except jax.errors.TracerArrayConversionError:
        raise ValueError(
            "`activation` must compute with JAX arrays, as functions of `jax.numpy` do; "
            f"{activation} turns them into NumPy's."
        ) from None


def probe_slope(activation: Activation, z: np.ndarray) -> np.ndarray:
    """Derivative of the activation in float64, also while something else is being traced.

    >>> probe_slope(jnp.tanh, np.array([0.0])).tolist()
    [1.0]
    """
    with jax.enable_x64(True), jax.ensure_compile_time_eval():
        points = jnp.asarray(z, dtype=jnp.float64)
        _, slope = jax.jvp(activation, (points,), (jnp.ones_like(points),))
        return np.asarray(slope, dtype=np.float64)


def probes(function: Activation) -> np.ndarray:
    """Values of a function on both sides of zero, near and far, as `probe` finds them.

    >>> bool(np.all(probes(jnp.cosh) >= 1.0))
    True
    """
    return probe(function, _PROBES)


@lru_cache(maxsize=128)
def family(activation: Activation) -> str:
    """The activation's kind: `"tanh"`, `"relu"`, `"sine"` or `"other"`.

    Known callables are recognised by identity, all others by their values, so that
    `jax.nn.relu`, `lambda z: jnp.maximum(z, 0)` and a jitted copy are the same.

    >>> family(jax.nn.relu), family(lambda z: jnp.tanh(z)), family(jax.nn.gelu)
    ('relu', 'tanh', 'other')
    """
    known = {jnp.tanh: "tanh", jax.nn.relu: "relu", jnp.sin: "sine"}
    if activation in known:
        return known[activation]
    values = probe(activation, _PROBES)
    models = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0.0), "sine": np.sin}
    for name, model in models.items():
        if values.shape == _PROBES.shape and np.allclose(values, model(_PROBES), atol=1e-6):
            return name
    return "other"


@lru_cache(maxsize=128)
def growth(activation: Activation) -> str:
    """How the activation grows: `"bounded"`, `"linear"` on one or both sides, or `"faster"`.

    >>> growth(jnp.tanh), growth(jax.nn.softplus), growth(jnp.square)
    ('bounded', 'linear', 'faster')
    """
    near, far = (np.abs(probe(activation, np.array([-z, z, -z - 1, z + 1]))) for z in (64.0, 128.0))
    # A linear function doubles from 64 to 128, a quadratic one grows fourfold.
    if not np.isfinite(far).all() or (far > 3.0 * near + 4.0).any():
        return "faster"
    return "linear" if (far > 1.5 * near + 1.0).any() else "bounded"
