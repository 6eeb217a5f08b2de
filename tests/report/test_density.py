"""Tests of where partition points lie, against brute force and the theory's own function."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import PiecewiseCubic, RepLinear, RepNet, Standardized
from repnet.nn._windowed import LocalReadout, SharedPieces, Windowed
from repnet.report._density import BINS, crossing_positions, density
from repnet.theory import crossing_density, partition_points


def test_one_dimension_gives_the_partition_points():
    network = RepNet(1, width=64, scale=9.0, key=jr.key(0))
    found = crossing_positions(network, 0)
    np.testing.assert_allclose(np.sort(found), np.sort(partition_points(network)), atol=1e-6)


@pytest.mark.slow
def test_the_density_is_the_theory_s():
    network = RepNet(2, width=512, scale=9.0, key=jr.key(1))
    found = density(crossing_positions(network, 1))
    wanted = crossing_density(network, [0.0, -1.0], [0.0, 1.0], bins=BINS)
    np.testing.assert_allclose(found, wanted, atol=31.0)  # one crossing on a bin's edge is 30
    assert abs(found.sum() - float(wanted.sum())) <= 31.0


def test_the_standardized_network_is_looked_into():
    network = RepNet(1, width=8, scale=9.0, key=jr.key(0))
    outer = Standardized(network, jnp.full(1, 5.0), jnp.full(1, 7.0), jnp.zeros(1), jnp.ones(1))
    np.testing.assert_array_equal(crossing_positions(outer, 0), crossing_positions(network, 0))


def test_a_network_without_a_first_layer_has_none():
    assert crossing_positions(eqx.nn.MLP(1, 1, 4, 1, key=jr.key(0)), 0) is None


@pytest.mark.parametrize("axis", [0, 1])
def test_windows_count_their_own_units_in_their_own_boxes(axis):
    """Against every unit's plane solved for in global coordinates, window by window."""
    with jax.enable_x64(True):
        layer = RepLinear(2, 30, scale=4.0, directions="isotropic", key=jr.key(2))
        centre = jnp.array([[-0.5, 0.1], [0.5, 0.1], [0.5, 0.9]])
        network = Windowed(
            (LocalReadout(layer, jnp.zeros((3, 1, 30)), jnp.array([1, 0, 2])),),
            jnp.zeros((3, 1, 3)), centre, jnp.full((3, 2), 0.6),
            jnp.zeros(2), jnp.ones(2), (3, 1),
        )  # fmt: skip
        weight, bias = (np.asarray(a) for a in layer.affine())
    wanted = []
    for window in (0, 2):  # the second window does not use this layer
        middle, radius = np.asarray(centre)[window], 0.6
        other = 1 - axis
        if abs(middle[other]) >= radius:
            continue
        for w, b in zip(weight, bias, strict=True):
            # w·(p - c)/r + b = 0 on the line p = position along the axis, 0 on the other
            position = middle[axis] - (b - w[other] * middle[other] / radius) * radius / w[axis]
            if abs(position - middle[axis]) <= radius:
                wanted.append(position)
    found = crossing_positions(network, axis)
    assert len(wanted) > 5
    np.testing.assert_allclose(np.sort(found), np.sort(wanted), atol=1e-12)


def test_samples_count_in_windows_that_hold_cubics_between_them():
    knots = np.array([-0.9, -0.4, 0.05, 0.3, 0.8])
    with jax.enable_x64(True):
        cubic = PiecewiseCubic.akima(knots, np.zeros((5, 1)))
        pieces = SharedPieces(cubic, jnp.array([[0], [0.2], [1.0]]))
        network = Windowed(
            (), jnp.zeros((3, 1, 2)), jnp.array([[-0.5], [0.0], [0.5]]), jnp.full((3, 1), 0.5),
            jnp.array([-0.5]), jnp.array([0.5]), (3,), pieces,
        )  # fmt: skip
    np.testing.assert_array_equal(crossing_positions(network, 0), [-0.4, 0.05, 0.3, 0.05, 0.3, 0.8])


def test_the_density_counts_per_unit_length():
    counts = density(np.array([-1.0, 0.0, 0.001, 1.0, 1.5]))
    assert counts.sum() * 2 / BINS == pytest.approx(4)
