"""Cubics at the nodes of a grid: their values there, between them, and outside."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.nn import NodalCubic


def _surface(rng, size=(5, 4), out=2):
    with jax.enable_x64(True):
        values = jnp.asarray(rng.normal(size=(int(np.prod(size)), out)))
        origin, step = jnp.asarray([0.5, -1.0]), jnp.asarray([0.25, 2.0])
        return NodalCubic(origin, step, values, size)


def test_its_values_at_the_nodes_are_those_given(rng):
    surface = _surface(rng)
    nodes = np.array([0.5, -1.0]) + np.argwhere(np.ones((5, 4))) * np.array([0.25, 2.0])
    np.testing.assert_allclose(surface.many(nodes), surface.values, atol=1e-12)


@pytest.mark.slow
def test_one_point_and_many_agree(rng):
    surface = _surface(rng)
    points = rng.uniform([0.0, -4.0], [2.0, 8.0], size=(60, 2))
    with jax.enable_x64(True):
        one = eqx.filter_jit(eqx.filter_vmap(surface))(jnp.asarray(points))
    np.testing.assert_allclose(surface.many(points), one, atol=1e-12)


def test_quadratics_are_met_inside(rng):
    def quadratic(x):
        return 1.0 + x[:, [0]] - 2.0 * x[:, [1]] * x[:, [0]] + 0.5 * x[:, [1]] ** 2

    nodes = np.argwhere(np.ones((7, 7))).astype(float)
    with jax.enable_x64(True):
        surface = NodalCubic(jnp.zeros(2), jnp.ones(2), jnp.asarray(quadratic(nodes)), (7, 7))
    points = rng.uniform(1.0, 5.0, size=(50, 2))
    np.testing.assert_allclose(surface.many(points), quadratic(points), atol=1e-12)


@pytest.mark.slow
def test_its_slope_is_continuous_and_that_of_differences(rng):
    surface = _surface(rng)
    step = 1e-5
    for x in (0.6, 0.75, 1.0):  # between nodes and at nodes
        point = np.array([[x, 1.7]])
        with jax.enable_x64(True):
            slope = jax.jit(jax.jacfwd(surface))(jnp.asarray(point[0]))[:, 0]
        for side in (-step, step):
            away = (surface.many(point + np.array([side, 0.0])) - surface.many(point))[0] / side
            np.testing.assert_allclose(away, slope, atol=1e-3)


@pytest.mark.parametrize("point", [[-1.0, 0.0], [0.75, 50.0], [1e300, 0.0]])
def test_it_ends_two_nodes_beyond_the_grid(point, rng):
    assert not _surface(rng).many(np.array([point])).any()


def test_an_axis_of_one_node_does_not_matter(rng):
    with jax.enable_x64(True):
        values = jnp.asarray(rng.normal(size=(5, 1)))
        line = NodalCubic(jnp.zeros(2), jnp.asarray([1.0, 0.0]), values, (5, 1))
        alone = NodalCubic(jnp.zeros(1), jnp.ones(1), values, (5,))
    points = rng.uniform(-1.0, 6.0, size=(20, 2))
    np.testing.assert_allclose(line.many(points), alone.many(points[:, :1]), atol=1e-14)


def test_a_value_at_nan_is_nan(rng):
    assert np.isnan(_surface(rng).many(np.array([[np.nan, 0.0]]))).all()
