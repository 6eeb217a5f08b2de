r"""Output and slope magnitudes of a network at initialization, layer by layer."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._activation import Activation, Sine, family
from repnet.nn._draw import sobol_points
from repnet.nn._first import AbstractFirstLayer
from repnet.nn._mlp import MLP, BlockDense, Dense
from repnet.nn._random import Drawn, as_jax, settled

# The trapezoidal rule in ξ: exact to round-off for smooth activations, 1e-5 at a kink.
_NODES = np.linspace(-8.0, 8.0, 1024)  # none at 0, where many slopes jump
_WEIGHTS = np.exp(-0.5 * _NODES**2)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


class GaussianMoments(NamedTuple):
    r"""Moments of an activation at $z = \sqrt v\,\xi$, $\xi\sim N(0,1)$.

    - `value`: $\mathbb E\,\varphi(z)^2$.
    - `slope`: $\mathbb E\,\varphi'(z)^2$.
    - `outer`: $\mathbb E\,\varphi'(z)^2\,\xi^2$, the slope where the unit is driven far.
    - `cross`: $\mathbb E\,\varphi(z)\,\varphi'(z)\,z\,/\,v$.

    >>> moments = gaussian_moments(jnp.sin, jnp.zeros(()))
    >>> float(moments.value), float(moments.slope)
    (0.0, 1.0)
    """

    value: Float[Array, "*batch"]
    slope: Float[Array, "*batch"]
    outer: Float[Array, "*batch"]
    cross: Float[Array, "*batch"]


def gaussian_moments(activation: Activation, variance: Float[Array, "*batch"]) -> GaussianMoments:
    r"""Second moments of an activation and its slope at a Gaussian pre-activation.

    ReLU: $v/2, 1/2, 1/2, 1/2$. Sine of frequency $\omega$, with $E = e^{-2\omega^2 v}$:
    $(1 - E)/2,\ \omega^2(1 + E)/2,\ \omega^2(1 + (1 - 4\omega^2 v)E)/2,\ \omega^2 E$. Any other
    activation by quadrature.

    **Arguments:** `variance`: $v$, any shape.

    **Returns:** `GaussianMoments` of arrays of the shape of `variance`.

    **Source:** this project.

    >>> [float(moment) for moment in gaussian_moments(jax.nn.relu, jnp.array(3.0))]
    [1.5, 0.5, 0.5, 0.5]
    """
    variance = jnp.asarray(variance)
    kind = family(activation)
    if kind == "relu":
        half = jnp.full_like(variance, 0.5)
        return GaussianMoments(0.5 * variance, half, half, half)
    if kind == "sine" or isinstance(activation, Sine):
        square = activation.frequency**2 if isinstance(activation, Sine) else 1.0
        return _sine_moments(square, variance)
    nodes, weights = (jnp.asarray(each, dtype=variance.dtype) for each in (_NODES, _WEIGHTS))
    deviation = jnp.sqrt(variance + jnp.finfo(variance.dtype).tiny)[..., None]
    z = deviation * nodes
    value, slope = jax.jvp(activation, (z,), (jnp.ones_like(z),))
    return GaussianMoments(
        jnp.square(value) @ weights,
        jnp.square(slope) @ weights,
        jnp.square(slope * nodes) @ weights,
        (value * slope * nodes / deviation) @ weights,
    )


def _sine_moments(square: float, variance: Float[Array, "*batch"]) -> GaussianMoments:
    decay = jnp.exp(-2.0 * square * variance)
    return GaussianMoments(
        0.5 * (1.0 - decay),
        0.5 * square * (1.0 + decay),
        0.5 * square * (1.0 + (1.0 - 4.0 * square * variance) * decay),
        square * decay,
    )


class Magnitude(eqx.Module):
    r"""Root mean squares of a network's output and slope, and how they came about.

    - `output_rms`: of $u$, per output.
    - `slope_rms`: of $|\nabla u|$, per output, in units of output over units of input.
    - `values`: $q_1, \dots, q_L$, the mean square of each layer's features, shape `(layers,)`.
    - `slopes`: $p_1, \dots, p_L$, the mean square of their gradients, shape `(layers,)`.

    >>> import jax.random as jr
    >>> from repnet.nn import RepNet
    >>> found = magnitude(RepNet(1, scale=30.0, key=jr.key(0)))
    >>> found.values.shape, bool(found.slope_rms > found.output_rms)
    ((3,), True)
    """

    output_rms: Float[Array, ""]
    slope_rms: Float[Array, ""]
    values: Float[Array, " layers"]
    slopes: Float[Array, " layers"]


def first_moments(
    first: AbstractFirstLayer, points: Float[Array, "points dim"]
) -> tuple[Float[Array, " points"], Float[Array, " points"], Float[Array, "points dim"]]:
    r"""Second moments of a first layer's features and of their gradients at each point.

    $$q_1(x) = \tfrac1N\sum_i h_i(x)^2,\quad p_1(x) = \tfrac1N\sum_i |\nabla h_i(x)|^2,\quad
    r_1(x) = \tfrac1N\sum_i h_i(x) \nabla h_i(x)$$

    The layer's own units stand for the integral over directions and partition points, so that
    any first layer will do, before and after training.

    **Returns:** $q_1$ and $p_1$, shape `(points,)`, and $r_1$, shape `(points, dim)`.

    **Source:** this project.

    >>> import jax.random as jr
    >>> from repnet.nn import FourierFeatures
    >>> q, _, _ = first_moments(FourierFeatures(1, 8, key=jr.key(0)), jnp.zeros((3, 1)))
    >>> q.tolist()
    [0.5, 0.5, 0.5]
    """

    q, p, r = _grouped_moments(first, points, 1)
    return q[0], p[0], r[0]


def magnitude(network: MLP, points: Float[Array, "points dim"] | None = None) -> Magnitude:
    r"""Root mean squares of the output and slope that a network starts with.

    With $q_1, p_1, r_1$ of the first layer (`first_moments`), weights of mean square $\sigma_w^2$
    per fan-in and biases of mean square $\sigma_b^2$, a unit's pre-activation and its slope are
    Gaussian with variances $v = \sigma_w^2 q_l + \sigma_b^2$, $\sigma_w^2 p_l$ and covariance
    $\sigma_w^2 r_l$. With $\rho^2 = |\sigma_w^2 r_l|^2/v$,

    $$q_{l+1} = \mathbb E\,\varphi(z)^2,\quad
      p_{l+1} = (\sigma_w^2 p_l - \rho^2)\,\mathbb E\,\varphi'(z)^2
                + \rho^2\,\mathbb E\,\varphi'(z)^2\xi^2,\quad
      r_{l+1} = \sigma_w^2 r_l\,\mathbb E\,\varphi(z)\varphi'(z)z/v,$$

    $$\mathbb E u^2 = \sigma_{\mathrm{out}}^2 q_L + \sigma_b^2,\qquad
      \mathbb E |\nabla u|^2 = \sigma_{\mathrm{out}}^2 p_L,$$

    at every point, then averaged over the points. It holds for random independent weights, before
    training, up to corrections of order one over the width. The covariance $r$ matters where few
    features are non-zero at a point, as for steep local features: without it the slope comes out
    14 % too large for bumps of scale 300 in four dimensions.

    **Arguments:** `points`: where, shape `(points, dim)`; `None` is 1,024 Sobol points of
    $[-1, 1]^d$.

    **Returns:** a `Magnitude`.

    **Source:** this project, after the mean-field recursion of Poole et al. 2016.

    >>> import jax.random as jr
    >>> from repnet.nn import RepNet
    >>> network = RepNet(1, scale=30.0, key=jr.key(0))
    >>> bool(abs(magnitude(network).output_rms - 1.0) < 0.2)
    True
    """
    if points is None:
        points = 2.0 * sobol_points(1024, network.first.in_size) - 1.0 + 1.0 / 1024
    groups = _groups(network)
    q, p, r = _grouped_moments(network.first, points, groups)
    values, slopes = [q], [p]
    for layer in network.hidden:
        q, p, r = _next_moments(network.activation, q, p, r, _mean_squares(layer, groups))
        values.append(q)
        slopes.append(p)
    return _of_output(network.readout, values, slopes)


@eqx.filter_jit
def _next_moments(
    activation: Activation,
    q: Float[Array, "groups points"],
    p: Float[Array, "groups points"],
    r: Float[Array, "groups points dim"],
    squares: tuple[Float[Drawn, "groups 1"], Float[Drawn, "groups 1"]],
) -> tuple[
    Float[Array, "groups points"], Float[Array, "groups points"], Float[Array, "groups points dim"]
]:
    """The moments after a layer, whose size does not matter: compiled once per activation."""
    weight_square, bias_square = (jnp.asarray(each) for each in squares)
    variance = weight_square * q + bias_square
    p, r = weight_square * p, weight_square[:, None] * r
    tiny = jnp.finfo(variance.dtype).tiny
    rho = jnp.sum(jnp.square(r), axis=2) / (variance + tiny)
    moments = gaussian_moments(activation, variance)
    after = (p - rho) * moments.slope + rho * moments.outer
    return moments.value, after, r * moments.cross[..., None]


def _of_output(readout: Dense, values: list[Array], slopes: list[Array]) -> Magnitude:
    """All magnitudes, from the moments after every layer and the read-out."""
    readout, values, slopes = settled((readout, values, slopes))
    space, q, p = values[-1].__array_namespace__(), values[-1], slopes[-1]
    blocks = readout.weight.reshape(readout.weight.shape[0], len(q), -1)
    out_square = blocks.shape[2] * space.mean(space.square(blocks), axis=(0, 2))
    output = space.sum(out_square * space.mean(q, axis=1)) + space.mean(space.square(readout.bias))
    slope = space.sum(out_square * space.mean(p, axis=1))
    means = (space.stack([space.mean(each) for each in every]) for every in (values, slopes))
    return Magnitude(*as_jax((space.sqrt(output), space.sqrt(slope), *means)))


def _groups(network: MLP) -> int:
    """Number of sub-networks: the blocks of the hidden layers."""
    counts = {layer.weight.count for layer in network.hidden if isinstance(layer, BlockDense)}
    return counts.pop() if counts else 1


@eqx.filter_jit
def _grouped_moments(
    first: AbstractFirstLayer, points: Float[Array, "points dim"], groups: int
) -> tuple[
    Float[Array, "groups points"], Float[Array, "groups points"], Float[Array, "groups points dim"]
]:
    """`first_moments` of every group of features."""

    def at_point(x: Array) -> tuple[Array, Array, Array]:
        values, push = jax.linearize(first, x)
        slopes = jax.vmap(push)(jnp.eye(x.shape[0], dtype=x.dtype))
        values, slopes = values.reshape(groups, -1), slopes.reshape(x.shape[0], groups, -1)
        slope_square = jnp.sum(jnp.mean(jnp.square(slopes), axis=2), axis=0)
        cross = jnp.mean(values * slopes, axis=2).T
        return jnp.mean(jnp.square(values), axis=1), slope_square, cross

    return jax.vmap(at_point, out_axes=1)(points)


def _mean_squares(
    layer: Dense | BlockDense, groups: int
) -> tuple[Float[Drawn, "groups 1"], Float[Drawn, "groups 1"]]:
    """Per group: the sum over inputs of the weights' mean square, and that of the biases."""
    layer = settled(layer)
    space = layer.bias.__array_namespace__()
    matrix = layer.weight.blocks if isinstance(layer, BlockDense) else layer.weight[None]
    squares = matrix.shape[-1] * space.mean(space.square(matrix), axis=(-2, -1))
    biases = space.mean(space.square(layer.bias.reshape(matrix.shape[0], -1)), axis=1)
    shape = (groups, 1)
    return space.broadcast_to(squares[:, None], shape), space.broadcast_to(biases[:, None], shape)
