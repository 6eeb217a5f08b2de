"""The first layers that RepLinear is compared with."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn._activation import Activation
from repnet.nn._check import check_count, check_positive
from repnet.nn._first import AbstractFirstLayer
from repnet.nn._initialization import Initialization, init_dense
from repnet.nn._random import as_jax, normal, traced, uniform


class Linear(AbstractFirstLayer):
    r"""The vanilla first layer: $h(x) = \varphi(W x + b)$.

    **Arguments:**

    - `in_size`: number of inputs.
    - `width`: number of units, which is also that of features.
    - `activation`: $\varphi$, any callable on arrays.
    - `initialization`: `"glorot"`, `"he"`, `"lecun"` or `"uniform"`, or a callable
      `(key, (width, in_size)) -> weight`. Biases start at 0, with `"uniform"` as the weights do.

    **Raises:** `ValueError` for an `in_size` or a `width` below 1, and for an unknown
    `initialization`.

    **Source:** standard.

    >>> Linear(2, 5, key=jr.key(0))(jnp.zeros(2)).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """

    weight: Float[Array, "width dim"]
    bias: Float[Array, " width"]
    in_size: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)

    def __init__(
        self,
        in_size: int,
        width: int,
        *,
        activation: Activation = jnp.tanh,
        initialization: Initialization = "glorot",
        key: PRNGKeyArray,
    ):
        self.in_size = check_count("Linear", "in_size", in_size)
        self.width = check_count("Linear", "width", width)
        self.activation = activation
        self.weight, self.bias = init_dense(initialization, in_size, width, key=key)

    def affine(self) -> tuple[Float[Array, "width dim"], Float[Array, " width"]]:
        """Weights and biases of $z = W x + b$."""
        return self.weight, self.bias

    def unit(self) -> tuple[Activation, None]:
        """The activation of $z = W x + b$."""
        return self.activation, None

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " width"]:
        return self.activation(x @ self.weight.T + self.bias)


class FourierFeatures(AbstractFirstLayer):
    r"""Random Fourier features of several scales: $h(x) = [\cos 2\pi Bx,\ \sin 2\pi Bx]$.

    The rows of $B$ are normal with the standard deviations `sigmas`, which share the rows evenly.

    **Arguments:**

    - `width`: number of features, even.
    - `sigmas`: standard deviations in cycles per unit length.
    - `trainable`: train $B$ as well.

    **Raises:** `ValueError` for an `in_size` below 1, a `width` that is odd or below twice the
    number of `sigmas`, and for `sigmas` that are not finite and positive.

    **Source:** Tancik et al. 2020, section 6; several scales after Wang, Wang and Perdikaris 2021.

    >>> FourierFeatures(1, 4, sigmas=(1.0,), key=jr.key(0))(jnp.zeros(1)).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """

    frequency: Float[Array, "half dim"]  # B, cycles per unit length
    in_size: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    trainable: bool = eqx.field(static=True)

    def __init__(
        self,
        in_size: int,
        width: int,
        *,
        sigmas: tuple[float, ...] = (1.0, 10.0),
        trainable: bool = False,
        key: PRNGKeyArray,
    ):
        self.in_size = check_count("FourierFeatures", "in_size", in_size)
        self.width = check_count("FourierFeatures", "width", width, 2)
        space = jnp if traced(sigmas) else np
        sigma = space.atleast_1d(space.asarray(sigmas, dtype=jnp.zeros(()).dtype))
        check_positive("FourierFeatures", "sigmas", sigma)
        if width % 2 or width < 2 * sigma.size:
            raise ValueError(
                "`FourierFeatures(width=...)` must be even and at least twice the number of"
                f" `sigmas`; got {width} for {sigma.size}."
            )
        self.trainable = trainable
        rows = sigma[np.arange(width // 2) * sigma.size // (width // 2)]
        self.frequency = as_jax(rows[:, None] * normal(key, (width // 2, in_size)))

    def _angle_weight(self) -> Float[Array, "half dim"]:
        frequency = self.frequency if self.trainable else jax.lax.stop_gradient(self.frequency)
        return 2.0 * jnp.pi * frequency

    def affine(self) -> tuple[Float[Array, "width dim"], Float[Array, " width"]]:
        r"""Weights and biases of $h = \sin(W x + b)$: $b = \pi/2$ makes the cosines."""
        weight = self._angle_weight()
        half = jnp.zeros(weight.shape[0], dtype=weight.dtype)
        return jnp.concatenate([weight, weight]), jnp.concatenate([half + jnp.pi / 2, half])

    def unit(self) -> tuple[Activation, None]:
        """Sine, of `affine`."""
        return jnp.sin, None

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " width"]:
        angle = x @ self._angle_weight().T
        return jnp.concatenate([jnp.cos(angle), jnp.sin(angle)])

    def learning_rates(self) -> "FourierFeatures":
        """A layer of multipliers: 0 unless `trainable`."""
        return eqx.tree_at(lambda layer: layer.frequency, self, 1.0 if self.trainable else 0.0)


class SineLinear(AbstractFirstLayer):
    r"""First layer of a sinusoidal network: $h(x) = \sin(\omega_0 (W x + b))$.

    **Arguments:**

    - `in_size`, `width`: numbers of inputs and units.
    - `frequency`: $\omega_0$, radians per unit length for weights of size 1.

    **Raises:** `ValueError` for an `in_size` or a `width` below 1, and for a `frequency` that is
    not finite and positive.

    **Source:** Sitzmann et al. 2020, section 3.2: weights uniform in $\pm 1/\text{in\_size}$;
    biases uniform in $\pm 1/\sqrt{\text{in\_size}}$ as in its code.

    >>> SineLinear(2, 6, key=jr.key(0))(jnp.zeros(2)).shape
    (6,)
    """

    weight: Float[Array, "width dim"]
    bias: Float[Array, " width"]
    in_size: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    frequency: float = eqx.field(static=True)  # ω₀, radians per unit length

    def __init__(self, in_size: int, width: int, *, frequency: float = 30.0, key: PRNGKeyArray):
        self.in_size = check_count("SineLinear", "in_size", in_size)
        self.width = check_count("SineLinear", "width", width)
        check_positive("SineLinear", "frequency", frequency)
        self.frequency = float(frequency)
        weight_key, bias_key = jr.split(key)
        self.weight = as_jax(uniform(weight_key, (width, in_size), -1.0, 1.0) / in_size)
        self.bias = as_jax(uniform(bias_key, (width,), -1.0, 1.0) / in_size**0.5)

    def affine(self) -> tuple[Float[Array, "width dim"], Float[Array, " width"]]:
        r"""Weights and biases of $h = \sin(W x + b)$, with $\omega_0$ inside."""
        return self.frequency * self.weight, self.frequency * self.bias

    def unit(self) -> tuple[Activation, None]:
        """Sine, of `affine`."""
        return jnp.sin, None

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " width"]:
        return jnp.sin(self.frequency * (x @ self.weight.T + self.bias))


class FactorizedLinear(AbstractFirstLayer):
    r"""Random weight factorization: $h(x) = \varphi(\mathrm{diag}(e^{s})\,V x + b)$.

    At initialization $\mathrm{diag}(e^s)\,V$ is a vanilla layer's weight; training $s$ and $V$
    gives every unit a learning rate of its own.

    **Arguments:**

    - `mean`, `spread`: of the normal $s$.
    - `initialization`: of the product, a name of `init_dense`'s or a callable.

    **Raises:** `ValueError` for an `in_size` or a `width` below 1, and for an unknown
    `initialization`.

    **Source:** Wang, Wang, Seidman and Perdikaris 2022, section 4.

    >>> FactorizedLinear(2, 5, key=jr.key(0))(jnp.zeros(2)).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """

    log_scale: Float[Array, " width"]  # s
    direction: Float[Array, "width dim"]  # V
    bias: Float[Array, " width"]
    in_size: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)

    def __init__(
        self,
        in_size: int,
        width: int,
        *,
        activation: Activation = jnp.tanh,
        mean: float = 1.0,
        spread: float = 0.1,
        initialization: Initialization = "glorot",
        key: PRNGKeyArray,
    ):
        self.in_size = check_count("FactorizedLinear", "in_size", in_size)
        self.width = check_count("FactorizedLinear", "width", width)
        self.activation = activation
        scale_key, weight_key = jr.split(key)
        weight, self.bias = init_dense(initialization, in_size, width, key=weight_key)
        self.log_scale = as_jax(mean + spread * normal(scale_key, (width,)))
        self.direction = weight / jnp.exp(self.log_scale)[:, None]

    def affine(self) -> tuple[Float[Array, "width dim"], Float[Array, " width"]]:
        """Weights and biases of $z = W x + b$."""
        return jnp.exp(self.log_scale)[:, None] * self.direction, self.bias

    def unit(self) -> tuple[Activation, None]:
        """The activation of $z = W x + b$."""
        return self.activation, None

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " width"]:
        weight, bias = self.affine()
        return self.activation(x @ weight.T + bias)
