"""Magnitudes against closed forms and against Monte Carlo over random networks."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.integrate import quad

from repnet.nn import (
    MLP,
    FourierFeatures,
    Linear,
    RepLinear,
    RepNet,
    Sine,
    first_moments,
    gaussian_moments,
    magnitude,
    siren,
)

ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh, "sine": jnp.sin, "gelu": jax.nn.gelu}


def _softplus(z):
    return np.logaddexp(0.0, z), 1.0 / (1.0 + np.exp(-z))


@pytest.mark.parametrize(
    ("activation", "reference"),
    [
        (jax.nn.relu, lambda z: (max(z, 0.0), float(z > 0))),
        (jnp.tanh, lambda z: (np.tanh(z), 1.0 / np.cosh(z) ** 2)),
        (jnp.sin, lambda z: (np.sin(z), np.cos(z))),
        (Sine(3.0), lambda z: (np.sin(3 * z), 3 * np.cos(3 * z))),
        (jax.nn.softplus, _softplus),
        (jax.nn.relu6, lambda z: (min(max(z, 0.0), 6.0), float(0 < z < 6))),
    ],
)
@pytest.mark.parametrize("variance", [0.01, 1.0, 9.0])
def test_gaussian_moments_against_adaptive_quadrature(activation, reference, variance):
    def moment(index):
        def integrand(xi):
            value, slope = reference(np.sqrt(variance) * xi)
            cross = value * slope * xi / np.sqrt(variance)
            weight = np.exp(-(xi**2) / 2) / np.sqrt(2 * np.pi)
            return weight * (value**2, slope**2, (slope * xi) ** 2, cross)[index]

        kinks = [0.0, min(6.0 / np.sqrt(variance), 11.0)]
        return quad(integrand, -12, 12, points=kinks, limit=200)[0]

    with jax.enable_x64(True):
        moments = gaussian_moments(activation, jnp.asarray(variance))
    # relu6 has kinks between nodes that are 1/64 apart; the others agree to round-off.
    tolerance = 3e-3 if activation is jax.nn.relu6 else 1e-9
    for index, value in enumerate(moments):
        assert float(value) == pytest.approx(moment(index), rel=tolerance, abs=1e-9)


@pytest.mark.slow
def test_plain_relu_in_one_dimension_in_closed_form():
    # E relu(s n (x - t))² = (s²/2T) ∫|x - t|² dt, and E|∂h|² = s²/2, t uniform on ±T/2.
    s, x = 30.0, np.linspace(-1.0, 1.0, 5)
    layer = RepLinear(1, 20_000, scale=s, activation=jax.nn.relu, features="plain", key=jr.key(0))
    q, p, _ = first_moments(layer, jnp.asarray(x, dtype=jnp.float32)[:, None])
    square = float(layer.gain) ** 2
    expected = s**2 / (2 * 2.04) * ((x + 1.02) ** 3 + (1.02 - x) ** 3) / 3
    # The sign of n is random: 20,000 units give 1 to 2 %.
    np.testing.assert_allclose(q / square, expected, rtol=0.05)
    np.testing.assert_allclose(p / square, s**2 / 2, rtol=0.05)


@pytest.mark.parametrize("scale", [10.0, 100.0])
def test_tanh_steps_in_one_dimension_in_closed_form(scale):
    # Away from the ends ∫(1 - tanh²) = 2 and ∫ sech⁴ = 4/3 over z: q = 1 - 2/(sT), p = 4s/(3T).
    layer = RepLinear(1, 20_000, scale=scale, features="step", key=jr.key(0))
    q, p, _ = first_moments(layer, jnp.zeros((1, 1)))
    square = float(layer.gain) ** 2
    assert float(q[0]) / square == pytest.approx(1 - 2 / (scale * 2.04), rel=1e-3)
    assert float(p[0]) / square == pytest.approx(4 * scale / (3 * 2.04), rel=1e-2)


@pytest.mark.slow
def test_slope_grows_like_the_root_of_the_scale():
    slopes = [
        float(magnitude(RepNet(1, width=2048, scale=s, features="step", key=jr.key(0))).slope_rms)
        for s in (25.0, 100.0, 400.0)
    ]
    np.testing.assert_allclose(np.divide(slopes[1:], slopes[:-1]), 2.0, rtol=0.05)


@eqx.filter_jit
def _squares(network, x):
    u = jax.vmap(network)(x)
    slope = jax.vmap(jax.jacfwd(network))(x)  # far fewer inputs than outputs
    return jnp.mean(u**2), jnp.sum(jnp.mean(slope**2, axis=(0, 1)))


def _monte_carlo(make, dim, seeds):
    """Root mean squares of output and slope over random networks and points of the box."""
    keys = jr.split(jr.key(77), seeds)
    points = jr.uniform(jr.key(78), (seeds, 64, dim), minval=-1.0, maxval=1.0)
    squares = np.array([_squares(make(key), x) for key, x in zip(keys, points, strict=True)])
    return np.sqrt(squares.mean(axis=0))


def _check_against_monte_carlo(make, dim):
    # Read-outs of 32 outputs, so that 20 networks give the rms to about 3 %; one network's own
    # weights, from which the estimate is made, add as much.
    output, slope = _monte_carlo(make, dim, 20)
    for seed in (0, 1):
        estimate = magnitude(make(jr.key(seed)))
        assert float(estimate.output_rms) == pytest.approx(output, rel=0.1)
        assert float(estimate.slope_rms) == pytest.approx(slope, rel=0.1)


CASES = [
    # activation, features, dim, scale, depth
    ("tanh", "step", 1, 1.0, 2),
    ("tanh", "local", 1, 300.0, 3),
    ("relu", "local", 1, 30.0, 2),
    ("relu", "step", 4, 30.0, 4),
]
SIZES = [(1, 1.0, 1), (1, 300.0, 2), (1, 30.0, 4), (4, 1.0, 4), (4, 30.0, 2), (4, 300.0, 3)]
FEATURES = ("step", "local", "plain")
ALL = [
    (activation, FEATURES[(row + column) % 3], *size)
    for row, activation in enumerate(ACTIVATIONS)
    for column, size in enumerate(SIZES)
]
# One layer has no hidden weights to average over, and four let an error of one layer grow: each at
# the ends of the scales that `SIZES` leaves out. All 12 kinds of unit hold there to 6 %.
CORNERS = [
    ("tanh", "local", 1, 300.0, 1),
    ("sine", "plain", 4, 1.0, 1),
    ("relu", "local", 4, 30.0, 1),
    ("gelu", "local", 4, 300.0, 1),
    ("gelu", "local", 1, 1.0, 4),
    ("relu", "plain", 1, 300.0, 4),
    ("tanh", "step", 4, 300.0, 4),
]


def _random_repnet(activation, features, dim, scale, depth):
    def make(key):
        hidden = (512,) * (depth - 1)
        return RepNet(
            dim,
            32,
            width=512,
            hidden=hidden,
            scale=scale,
            activation=ACTIVATIONS[activation],
            features=features,
            key=key,
        )

    return make


@pytest.mark.parametrize(("activation", "features", "dim", "scale", "depth"), CASES)
@pytest.mark.slow
def test_estimates_match_random_networks(activation, features, dim, scale, depth):
    make = _random_repnet(activation, features, dim, scale, depth)
    _check_against_monte_carlo(make, dim)


@pytest.mark.long
@pytest.mark.parametrize(("activation", "features", "dim", "scale", "depth"), ALL + CORNERS)
def test_estimates_match_random_networks_everywhere(activation, features, dim, scale, depth):
    make = _random_repnet(activation, features, dim, scale, depth)
    _check_against_monte_carlo(make, dim)


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda key: MLP(Linear(4, 512, key=key), 32, hidden=(512, 512), key=jr.fold_in(key, 1)),
        lambda key: MLP(FourierFeatures(4, 512, key=key), 32, key=jr.fold_in(key, 1)),
        lambda key: siren(4, 32, width=512, depth=3, key=key),
    ],
)
def test_estimates_hold_for_the_rivals(make):
    _check_against_monte_carlo(make, 4)


@pytest.mark.slow
def test_biases_count():
    def make(key):
        """Biases ten times as large as weights of the same fan-in: three quarters of the mean
        square. Read-outs of 512 outputs, whose biases count one by one."""
        network = MLP(
            Linear(1, 512, initialization="uniform", key=key),
            512,
            hidden=(512,),
            initialization="uniform",
            key=jr.fold_in(key, 1),
        )
        return eqx.tree_at(_later_biases, network, replace_fn=lambda bias: 10.0 * bias)

    _check_against_monte_carlo(make, 1)
    network = make(jr.key(0))
    bias_free = eqx.tree_at(_later_biases, network, replace_fn=jnp.zeros_like)
    # So the check above, to 10 %, can't pass with biases left out.
    assert magnitude(bias_free).output_rms < 0.6 * magnitude(network).output_rms


def _later_biases(network):
    return network.hidden[0].bias, network.readout.bias
