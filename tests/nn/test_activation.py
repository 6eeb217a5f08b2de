"""Activations are recognised by what they do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.nn import RepNet, Sine
from repnet.nn._activation import family, growth, probe_slope


@pytest.mark.parametrize(
    ("activation", "kind"),
    [
        (jnp.tanh, "tanh"),
        (jax.nn.tanh, "tanh"),
        (jax.jit(jnp.tanh), "tanh"),
        (jax.nn.relu, "relu"),
        (lambda z: jnp.maximum(z, 0.0), "relu"),
        (jnp.sin, "sine"),
        (Sine(1.0), "sine"),
        (Sine(30.0), "other"),
        (jax.nn.relu6, "other"),
        (jax.nn.silu, "other"),
        (jax.nn.sigmoid, "other"),
        (jax.nn.leaky_relu, "other"),
    ],
)
def test_family(activation, kind):
    assert family(activation) == kind


def test_a_function_of_numpy_is_no_activation():
    with pytest.raises(ValueError, match="must compute with JAX arrays.*<ufunc 'tanh'> turns them"):
        RepNet(1, scale=3.0, activation=np.tanh, key=jax.random.key(0))


@pytest.mark.parametrize(
    ("activation", "pace"),
    [
        (jnp.tanh, "bounded"),
        (jax.nn.sigmoid, "bounded"),
        (jax.nn.soft_sign, "bounded"),
        (jax.nn.relu6, "bounded"),
        (lambda z: jnp.exp(-(z**2)), "bounded"),
        (jnp.sin, "bounded"),
        (jax.nn.relu, "linear"),
        (jax.nn.leaky_relu, "linear"),
        (jax.nn.elu, "linear"),
        (jax.nn.gelu, "linear"),
        (jax.nn.silu, "linear"),
        (jax.nn.softplus, "linear"),
        (lambda z: z, "linear"),
        (jnp.square, "faster"),
        (lambda z: jax.nn.relu(z) ** 3, "faster"),
        (jnp.exp, "faster"),
    ],
)
def test_growth(activation, pace):
    assert growth(activation) == pace


def test_probing_works_while_tracing_and_leaves_the_precision_alone():
    def kind(x):
        assert family(lambda z: jnp.tanh(z)) == "tanh"
        return x

    assert jax.jit(kind)(jnp.float32(2.0)).dtype == jnp.float32
    slope = probe_slope(jnp.tanh, np.array([0.7]))
    assert slope.dtype == np.float64
    np.testing.assert_allclose(slope, 1 / np.cosh(0.7) ** 2, rtol=1e-14)
