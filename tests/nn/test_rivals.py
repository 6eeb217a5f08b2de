"""Every first layer keeps one contract; each rival is what its paper says."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import (
    FactorizedLinear,
    FourierFeatures,
    Linear,
    MscaleLinear,
    RepLinear,
    SineLinear,
)

KEY = jr.key(0)
LAYERS = {
    "RepLinear": (lambda d, k: RepLinear(d, 12, scale=5.0, features="step", key=k), jnp.tanh),
    "Linear": (lambda d, k: Linear(d, 12, key=k), jnp.tanh),
    "FourierFeatures": (lambda d, k: FourierFeatures(d, 12, key=k), jnp.sin),
    "SineLinear": (lambda d, k: SineLinear(d, 12, key=k), jnp.sin),
    "FactorizedLinear": (lambda d, k: FactorizedLinear(d, 12, key=k), jnp.tanh),
    "MscaleLinear": (lambda d, k: MscaleLinear(d, 12, scales=(1.0, 4.0), key=k), jnp.sin),
    "MscaleLinear, shared": (
        lambda d, k: MscaleLinear(d, 12, scales=(1.0, 4.0), shared=True, key=k),
        jnp.sin,
    ),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("dim", [1, 3])
def test_contract(name, dim):
    make, activation = LAYERS[name]
    layer = make(dim, KEY)
    x = jr.uniform(jr.key(1), (dim,), minval=-1.0)
    h = layer(x)
    assert (layer.in_size, layer.width) == (dim, 12)
    assert h.shape == (12,)
    # The features are a function of z = W x + b alone, with the weights `affine` gives.
    weight, bias = layer.affine()
    gain = getattr(layer, "gain", 1.0)
    np.testing.assert_allclose(h, gain * activation(weight @ x + bias), atol=2e-5)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.slow
def test_stacks_over_keys_and_follows_the_default_precision(name):
    make, _ = LAYERS[name]
    keys = jr.split(KEY, 2)
    stack = eqx.filter_vmap(lambda key: make(2, key))(keys)
    x = jnp.array([0.1, 0.2])
    both = eqx.filter_vmap(lambda layer: layer(x))(stack)
    np.testing.assert_allclose(both[1], make(2, keys[1])(x), atol=2e-5)
    with jax.enable_x64(True):
        precise = make(2, jr.key(0))
        leaves = jax.tree.leaves(eqx.filter(precise, eqx.is_array))
        assert {leaf.dtype.name for leaf in leaves} == {"float64"}
        assert precise(jnp.zeros(2)).dtype == jnp.float64


def test_fourier_kernel_is_the_mean_of_gaussians():
    # Rahimi and Recht: h(x)·h(x')/half → mean of exp(-2π²σ²|x - x'|²) over the scales.
    layer = FourierFeatures(2, 80_000, sigmas=(0.3, 1.0), key=KEY)
    x, y = jnp.array([0.2, 0.1]), jnp.array([-0.1, 0.3])
    distance = float(jnp.sum((x - y) ** 2))
    expected = np.mean([np.exp(-2 * np.pi**2 * s**2 * distance) for s in (0.3, 1.0)])
    # 40,000 draws: standard error 0.004.
    assert float(layer(x) @ layer(y)) / 40_000 == pytest.approx(expected, abs=0.015)


def test_fourier_scales_share_the_width_evenly():
    layer = FourierFeatures(1, 6_000, sigmas=(1.0, 10.0, 100.0), key=KEY)
    spread = jnp.std(layer.frequency.reshape(3, 1000), axis=1)
    np.testing.assert_allclose(spread, [1.0, 10.0, 100.0], rtol=0.1)


def test_fourier_frequencies_get_no_gradient_unless_trainable():
    for trainable in (False, True):
        layer = FourierFeatures(1, 8, trainable=trainable, key=KEY)
        gradient = eqx.filter_grad(lambda each: jnp.sum(each(jnp.array([0.3]))))(layer)
        assert bool(jnp.any(gradient.frequency != 0.0)) is trainable


@pytest.mark.parametrize("width", [7, 2])
def test_fourier_width_must_fit_the_scales(width):
    with pytest.raises(ValueError, match=r"must be even and at least twice"):
        FourierFeatures(1, width, sigmas=(1.0, 10.0), key=KEY)


def test_sine_weights_are_uniform_over_their_range():
    layer = SineLinear(4, 20_000, frequency=30.0, key=KEY)
    assert float(jnp.max(jnp.abs(layer.weight))) <= 0.25
    assert float(jnp.std(layer.weight)) == pytest.approx(0.25 / 3**0.5, rel=0.02)
    assert float(jnp.std(layer.bias)) == pytest.approx(0.5 / 3**0.5, rel=0.03)


def test_factorization_starts_as_the_vanilla_layer():
    layer = FactorizedLinear(300, 400, key=KEY)
    weight, _ = layer.affine()
    assert float(jnp.var(weight)) == pytest.approx(2 / 700, rel=0.02)
    assert float(jnp.mean(layer.log_scale)) == pytest.approx(1.0, abs=0.02)
    assert float(jnp.std(layer.log_scale)) == pytest.approx(0.1, rel=0.1)


@pytest.mark.parametrize("frequency", [0.0, -1.0, float("inf")])
def test_sine_refuses_a_frequency(frequency):
    with pytest.raises(ValueError, match=r"`SineLinear\(frequency=\.\.\.\)` must be finite"):
        SineLinear(1, 4, frequency=frequency, key=KEY)
