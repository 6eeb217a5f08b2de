"""Partition points against root finding and exact counts."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.stats import kstest

from repnet.nn import MLP, FactorizedLinear, FourierFeatures, Linear, RepLinear, RepNet, SineLinear
from repnet.theory import (
    crossing_density,
    crossings,
    partition_density,
    partition_points,
    slope_scales,
)

KEY = jr.key(0)
LAYERS = [
    lambda d: RepLinear(d, 20, scale=9.0, key=KEY),
    lambda d: RepLinear(d, 20, scale=9.0, form="centre", key=KEY),
    lambda d: RepLinear(d, 20, scale=9.0, form="affine", key=KEY),
    lambda d: Linear(d, 20, initialization="uniform", key=KEY),
    lambda d: FactorizedLinear(d, 20, initialization="uniform", key=KEY),
    lambda d: SineLinear(d, 20, key=KEY),
    lambda d: FourierFeatures(d, 20, key=KEY),
]


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.slow
def test_every_layer_is_crossed_where_its_preactivation_is_zero(make):
    layer = make(3)
    start, end = jnp.array([-1.0, 0.4, 0.2]), jnp.array([1.0, -0.7, 0.9])
    weight, bias = layer.affine()
    share = crossings(layer, start, end)
    at = start + share[:, None] * (end - start)
    residual = jnp.sum(weight * at, axis=1) + bias
    size = jnp.sum(jnp.abs(weight * at), axis=1) + jnp.abs(bias) + 1.0
    np.testing.assert_allclose(residual / size, 0.0, atol=2e-5)


@pytest.mark.slow
def test_partition_points_are_where_a_unit_turns():
    layer = RepLinear(1, 30, scale=40.0, activation=jax.nn.relu, features="hat", key=KEY)
    grid = jnp.linspace(-1.1, 1.1, 44_001)[:, None]  # 5e-5 apart
    peaks = grid[jnp.argmax(jax.vmap(layer)(grid), axis=0), 0]
    np.testing.assert_allclose(partition_points(layer), peaks, atol=5.1e-5)


@pytest.mark.slow
def test_density_of_stratified_points_is_flat_and_vanilla_is_not():
    edges = np.linspace(-1.02, 1.02, 11)
    layer = RepLinear(1, 500, scale=20.0, key=KEY)
    np.testing.assert_allclose(partition_density(layer, edges), 500 / 2.04, rtol=0.02)
    vanilla = partition_density(MLP(Linear(1, 500, key=KEY), key=KEY), edges)
    # Zero biases put every partition point at the origin.
    assert int(jnp.sum(vanilla > 0)) == 1


def test_density_of_a_cauchy_law():
    # Gaussian w and b: -b/w is a standard Cauchy variable.
    layer = Linear(1, 4000, key=KEY)
    drawn = (jr.normal(jr.key(1), (4000, 1)), jr.normal(jr.key(2), (4000,)))
    layer = eqx.tree_at(lambda each: (each.weight, each.bias), layer, drawn)
    assert kstest(np.asarray(partition_points(layer)), "cauchy").pvalue > 1e-3
    edges = np.linspace(-3.0, 3.0, 7)
    counts = np.asarray(partition_density(layer, edges)) * np.diff(edges)
    inside = np.sum(np.abs(np.asarray(partition_points(layer))) <= 3.0)
    assert counts.sum() == inside


@pytest.mark.slow
def test_density_moves_with_training():
    network = RepNet(1, width=40, scale=10.0, key=KEY)
    moved = eqx.tree_at(lambda n: n.first.planes.offset, network, replace_fn=lambda t: t / 2)
    before, after = (partition_density(n, [-1.1, -0.55, 0.55, 1.1]) for n in (network, moved))
    assert float(before[0]) > 0.0
    assert after.tolist() == [0.0, pytest.approx(40 / 1.1), 0.0]


@pytest.mark.slow
def test_crossings_along_an_axis_and_the_diagonal():
    layer = RepLinear(4, 800, scale=10.0, directions="axis", key=KEY)
    along = crossing_density(layer, [-1.02, 0, 0, 0], [1.02, 0, 0, 0], bins=4)
    np.testing.assert_allclose(along, 200 / 2.04, rtol=0.03)
    # The diagonal of the box crosses all 800 hyperplanes, evenly over its length of 2.04 · 2.
    diagonal = crossing_density(layer, [-1.02] * 4, [1.02] * 4, bins=4)
    np.testing.assert_allclose(diagonal, 800 / 4.08, rtol=0.05)


def test_slope_scales_per_axis():
    layer = RepLinear(2, 10, scale=(3.0, 30.0), directions="axis", key=KEY)
    np.testing.assert_allclose(slope_scales(layer), [3.0, 30.0] * 5, rtol=1e-5)


@pytest.mark.slow
def test_wrapped_networks_are_seen_through():
    class Wrapper(eqx.Module):
        network: MLP

    network = RepNet(1, width=10, scale=10.0, key=KEY)
    np.testing.assert_array_equal(partition_points(Wrapper(network)), partition_points(network))


def test_bad_arguments_are_named():
    network = RepNet(2, width=10, scale=10.0, key=KEY)
    with pytest.raises(ValueError, match=r"`partition_points.* needs .* one input; got 2"):
        partition_density(network, [0.0, 1.0])
    with pytest.raises(ValueError, match=r"`crossings\(start=...\)`.*shape \(2,\); got \(1,\)"):
        crossings(network, [0.0], [1.0, 1.0])
    with pytest.raises(ValueError, match=r"`edges` must be increasing"):
        partition_density(RepNet(1, width=10, scale=10.0, key=KEY), [1.0, 0.0])
    with pytest.raises(TypeError, match=r"must have a first layer.*got MLP"):
        slope_scales(eqx.nn.MLP(1, 1, 4, 1, key=KEY))
