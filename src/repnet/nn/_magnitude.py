r"""Output and slope magnitudes of a network at initialization, layer by layer."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._activation import Activation, Sine, family
from repnet.nn._draw import sobol_points
from repnet.nn._first import AbstractFirstLayer
from repnet.nn._mlp import MLP, Dense

# The trapezoidal rule in ξ: exact to round-off for smooth activations, 1e-5 at a kink.
_NODES = np.linspace(-8.0, 8.0, 1024)  # none at 0, where many slopes jump
_WEIGHTS = np.exp(-0.5 * _NODES**2)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


def gaussian_moments(
    activation: Activation, variance: Float[Array, "*batch"]
) -> tuple[Float[Array, "*batch"], Float[Array, "*batch"]]:
    r"""Second moments of an activation and its slope at a Gaussian pre-activation.

    $$\mathbb E\,\varphi(\sqrt v\,\xi)^2,\quad \mathbb E\,\varphi'(\sqrt v\,\xi)^2,\qquad
    \xi\sim N(0,1)$$

    ReLU: $v/2$ and $1/2$. Sine of frequency $\omega$: $(1 - e^{-2\omega^2 v})/2$ and
    $\omega^2(1 + e^{-2\omega^2 v})/2$. Any other activation by quadrature.

    **Arguments:** `variance`: $v$, any shape.

    **Returns:** two arrays of the shape of `variance`.

    **Source:** this project.

    >>> [float(moment) for moment in gaussian_moments(jax.nn.relu, jnp.array(3.0))]
    [1.5, 0.5]
    """
    variance = jnp.asarray(variance)
    kind = family(activation)
    if kind == "relu":
        return 0.5 * variance, jnp.full_like(variance, 0.5)
    if kind == "sine" or isinstance(activation, Sine):
        square = activation.frequency**2 if isinstance(activation, Sine) else 1.0
        decay = jnp.exp(-2.0 * square * variance)
        return 0.5 * (1.0 - decay), 0.5 * square * (1.0 + decay)
    z = jnp.sqrt(variance)[..., None] * jnp.asarray(_NODES, dtype=variance.dtype)
    value, slope = jax.jvp(activation, (z,), (jnp.ones_like(z),))
    weights = jnp.asarray(_WEIGHTS, dtype=variance.dtype)
    return jnp.square(value) @ weights, jnp.square(slope) @ weights


class Magnitude(eqx.Module):
    r"""Root mean squares of a network's output and slope, and how they came about.

    - `output_rms`: of $u$, per output.
    - `slope_rms`: of $|\nabla u|$, per output, in units of output over units of input.
    - `values`: $q_1, \dots, q_L$, the mean square of each layer's features, shape `(layers,)`.
    - `slopes`: $p_1, \dots, p_L$, the mean square of their gradients, shape `(layers,)`.
    """

    output_rms: Float[Array, ""]
    slope_rms: Float[Array, ""]
    values: Float[Array, " layers"]
    slopes: Float[Array, " layers"]


def first_moments(
    first: AbstractFirstLayer, points: Float[Array, "points dim"]
) -> tuple[Float[Array, " points"], Float[Array, " points"]]:
    r"""Mean squares of a first layer's features and of their gradients at each point.

    $$q_1(x) = \tfrac1N\sum_i h_i(x)^2,\qquad p_1(x) = \tfrac1N\sum_i |\nabla h_i(x)|^2$$

    The layer's own units stand for the integral over directions and partition points, so that
    any first layer will do, before and after training.

    **Returns:** two arrays of shape `(points,)`.

    **Source:** this project.

    >>> import jax.random as jr
    >>> from repnet.nn import FourierFeatures
    >>> q, _ = first_moments(FourierFeatures(1, 8, key=jr.key(0)), jnp.zeros((3, 1)))
    >>> q.tolist()
    [0.5, 0.5, 0.5]
    """

    def at_point(x: Array) -> tuple[Array, Array]:
        values, push = jax.linearize(first, x)
        slopes = jax.vmap(push)(jnp.eye(x.shape[0], dtype=x.dtype))
        return jnp.mean(jnp.square(values)), jnp.sum(jnp.mean(jnp.square(slopes), axis=1))

    return jax.vmap(at_point)(points)


def magnitude(network: MLP, points: Float[Array, "points dim"] | None = None) -> Magnitude:
    r"""Root mean squares of the output and slope that a network starts with.

    With $q_1, p_1$ of the first layer (`first_moments`), weights of mean square $\sigma_w^2$ per
    fan-in and biases of mean square $\sigma_b^2$,

    $$q_{l+1} = \mathbb E\,\varphi(\sqrt{v_l}\,\xi)^2,\quad
      p_{l+1} = \sigma_w^2 p_l\,\mathbb E\,\varphi'(\sqrt{v_l}\,\xi)^2,\quad
      v_l = \sigma_w^2 q_l + \sigma_b^2,$$

    $$\mathbb E u^2 = \sigma_{\mathrm{out}}^2 q_L + \sigma_b^2,\qquad
      \mathbb E |\nabla u|^2 = \sigma_{\mathrm{out}}^2 p_L,$$

    at every point, then averaged over the points. It holds for random independent weights, before
    training, up to corrections of order one over the width.

    **Arguments:** `points`: where, shape `(points, dim)`; `None` is 1,024 Sobol points of
    $[-1, 1]^d$.

    **Source:** this project, after the mean-field recursion of Poole et al. 2016.

    >>> import jax.random as jr
    >>> from repnet.nn import RepNet
    >>> network = RepNet(1, scale=30.0, key=jr.key(0))
    >>> bool(abs(magnitude(network).output_rms - 1.0) < 0.2)
    True
    """
    if points is None:
        points = 2.0 * sobol_points(1024, network.first.in_size) - 1.0 + 1.0 / 1024
    return _recursion(network, points)


@eqx.filter_jit
def _recursion(network: MLP, points: Float[Array, "points dim"]) -> Magnitude:
    q, p = first_moments(network.first, points)
    values, slopes = [jnp.mean(q)], [jnp.mean(p)]
    for layer in network.hidden:
        weight_square, bias_square = _mean_squares(layer)
        q, factor = gaussian_moments(network.activation, weight_square * q + bias_square)
        p = weight_square * p * factor
        values.append(jnp.mean(q))
        slopes.append(jnp.mean(p))
    weight_square, bias_square = _mean_squares(network.readout)
    return Magnitude(
        output_rms=jnp.sqrt(weight_square * values[-1] + bias_square),
        slope_rms=jnp.sqrt(weight_square * slopes[-1]),
        values=jnp.stack(values),
        slopes=jnp.stack(slopes),
    )


def _mean_squares(layer: Dense) -> tuple[Float[Array, ""], Float[Array, ""]]:
    fan_in = layer.weight.shape[1]
    return fan_in * jnp.mean(jnp.square(layer.weight)), jnp.mean(jnp.square(layer.bias))
