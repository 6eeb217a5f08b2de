"""Features against the differences that define them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.nn._feature import Feature, make_feature

Z = np.linspace(-9.0, 9.0, 1001) + 1e-3


@pytest.mark.parametrize(
    ("kind", "activation", "definition"),
    [
        ("bump", jnp.tanh, lambda z: (np.tanh(z + 1) - np.tanh(z - 1)) / 2),
        ("bump", jnp.sin, lambda z: (np.sin(z + 1) - np.sin(z - 1)) / 2),
        ("bump", lambda z: z / (1 + jnp.abs(z)), lambda z: (g(z + 1) - g(z - 1)) / 2),
        ("ramp", jax.nn.relu, lambda z: r(z + 1) - r(z - 1) - 1),
        ("hat", jax.nn.relu, lambda z: r(z + 1) - 2 * r(z) + r(z - 1)),
        ("ramp", jax.nn.softplus, lambda z: s(z + 1) - s(z - 1) - 1),
        ("hat", jax.nn.softplus, lambda z: s(z + 1) - 2 * s(z) + s(z - 1)),
        ("plain", jnp.tanh, np.tanh),
    ],
)
def test_value_is_the_difference(kind, activation, definition):
    with jax.enable_x64(True):
        values = Feature(kind, activation)(jnp.asarray(Z))
    np.testing.assert_allclose(values, definition(Z), atol=1e-14)


def g(z):
    return z / (1 + np.abs(z))


def r(z):
    return np.maximum(z, 0)


def s(z):
    return np.logaddexp(0, z)


@pytest.mark.parametrize("kind", ["bump", "ramp", "hat", "plain"])
@pytest.mark.parametrize("activation", [jnp.tanh, jax.nn.relu, jnp.sin, jax.nn.gelu])
def test_slope_is_the_central_difference(kind, activation):
    feature, h = Feature(kind, activation), 1e-6
    with jax.enable_x64(True):
        z = jnp.asarray(Z)
        slope = jax.vmap(jax.grad(feature))(z)
        numeric = (feature(z + h) - feature(z - h)) / (2 * h)
    # The central difference of a smooth function errs by h² and round-off over h: 1e-9.
    np.testing.assert_allclose(slope, numeric, atol=1e-8)


def test_bump_has_its_curvature_at_the_top():
    with jax.enable_x64(True):
        curvature = jax.grad(jax.grad(Feature("bump", jnp.tanh)))(0.0)
    # d²/dz² of [tanh(z+1) - tanh(z-1)]/2 at 0 is -2 tanh(1) / cosh²(1).
    assert curvature == pytest.approx(-2 * np.tanh(1) / np.cosh(1) ** 2, rel=1e-12)


@pytest.mark.parametrize("activation", [jax.nn.relu, jax.nn.leaky_relu, jax.nn.elu, jax.nn.silu])
def test_ramp_has_opposite_limits_and_hat_dies_out(activation):
    far = jnp.array([-30.0, 30.0])
    low, high = Feature("ramp", activation)(far)
    assert high == pytest.approx(-float(low), abs=1e-5)
    assert high > 0.4
    np.testing.assert_allclose(Feature("hat", activation)(far), 0.0, atol=1e-5)


@pytest.mark.parametrize("kind", ["ramp", "hat"])
def test_relu_features_stay_exact_far_out(kind):
    # In float32 relu(z + 1) - relu(z - 1) has lost five digits at z = 1e4 / 3.
    far = Feature(kind, jax.nn.relu)(jnp.array([-1e4 / 3, 1e4 / 3]))
    assert far.tolist() == ([-1.0, 1.0] if kind == "ramp" else [0.0, 0.0])


@pytest.mark.parametrize(
    ("features", "activation", "kind", "cost"),
    [
        ("step", jnp.tanh, "plain", 1),
        ("local", jnp.tanh, "bump", 2),
        ("step", jax.nn.relu, "ramp", 2),
        ("local", jax.nn.relu, "hat", 3),
        ("local", jax.nn.gelu, "hat", 3),
        ("plain", jax.nn.relu, "plain", 1),
        ("plain", jnp.square, "plain", 1),
    ],
)
def test_names(features, activation, kind, cost):
    feature = make_feature(features, activation)
    assert (feature.kind, feature.cost) == (kind, cost)


def test_fast_growth_has_no_bounded_difference():
    with pytest.raises(ValueError, match=r"must be 'plain'.*grows faster"):
        make_feature("local", jnp.square)


def test_equal_features_are_equal():
    # Networks are stacked and compiled functions are reused only where static fields are equal.
    assert make_feature("local", jnp.tanh) == make_feature("bump", jnp.tanh)
