"""Transforms of slopes against quadrature of the features themselves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.nn._activation import probe_slope
from repnet.nn._feature import Feature
from repnet.theory._activation_transform import slope_transform

KAPPA = np.array([0.05, 0.4, 1.0, 2.3, 4.0])
SMOOTH = [
    Feature("plain", jnp.tanh),
    Feature("bump", jnp.tanh),
    Feature("ramp", jax.nn.relu),
    Feature("hat", jax.nn.relu),
    Feature("plain", jax.nn.sigmoid),
    Feature("bump", jax.nn.sigmoid),
    Feature("ramp", jax.nn.gelu),
    Feature("hat", jax.nn.softplus),
]


@pytest.mark.slow
@pytest.mark.parametrize("feature", SMOOTH, ids=lambda f: f"{f.kind}-{f.activation.__name__}")
def test_transform_and_its_slope_by_quadrature(feature):
    # Slopes that vanish far out, also where the activation's own does not.
    count, reach = 80_000, 50.0
    z = (np.arange(count) + 0.5) * 2 * reach / count - reach
    slope = probe_slope(feature, z) * (2 * reach / count)
    waves = np.exp(-1j * np.outer(KAPPA, z))
    value, rise = slope_transform(feature, KAPPA)
    # Kinks lie on the ends of the midpoint rule's cells.
    np.testing.assert_allclose(value, waves @ slope, atol=2e-6)
    np.testing.assert_allclose(rise, waves @ (-1j * z * slope), atol=2e-5)


@pytest.mark.parametrize("activation", [jnp.tanh, jax.nn.relu, jax.nn.gelu])
def test_the_second_value_is_the_derivative_of_the_first(activation):
    feature, h = Feature("plain", activation), 1e-4
    ahead, behind = (slope_transform(feature, KAPPA + d)[0] for d in (h, -h))
    rise = slope_transform(feature, KAPPA)[1]
    np.testing.assert_allclose(rise, (ahead - behind) / (2 * h), rtol=1e-5, atol=1e-7)


def test_relu_is_the_limit_of_sharp_softplus():
    def sharp(z):
        return jax.nn.softplus(20.0 * z) / 20.0

    # The transform of a logistic density of width 1/20 is 1 - (πκ/20)²/6 + ….
    found, _ = slope_transform(Feature("plain", sharp), KAPPA)
    exact = -1j / KAPPA * (np.pi * KAPPA / 20) / np.sinh(np.pi * KAPPA / 20)
    np.testing.assert_allclose(found, exact, atol=1e-6)


def test_tanh_has_no_seam_and_no_overflow():
    feature = Feature("plain", jnp.tanh)
    seam = 2e-3 / np.pi
    value, rise = slope_transform(feature, np.array([0.999999 * seam, 1.000001 * seam, 1e4]))
    assert abs(value[0] - value[1]) < 1e-9
    assert abs(rise[0] - rise[1]) < 1e-8
    assert abs(value[2]) < 1e-100
    assert abs(rise[2]) < 1e-100


@pytest.mark.parametrize("activation", [jnp.sin, jnp.square, jnp.exp])
def test_activations_without_a_transform(activation):
    with pytest.raises(ValueError, match=r"`activation` must be a step or a ramp, such as tanh"):
        slope_transform(Feature("plain", activation), KAPPA)


@pytest.mark.parametrize("activation", [jax.nn.leaky_relu, jax.nn.hard_tanh, jax.nn.relu6])
def test_kinks_are_refused(activation):
    with pytest.raises(ValueError, match=r"`activation` must be smooth, or ReLU itself, .* jumps"):
        slope_transform(Feature("plain", activation), KAPPA)


def test_activations_that_stay_curved_are_refused():
    with pytest.raises(ValueError, match=r"`activation` must be straight far from zero"):
        slope_transform(Feature("plain", lambda z: jnp.sqrt(1.0 + z**2)), KAPPA)
