"""Thinned points keep means and hold no frequency of their own."""

import jax.random as jr
import numpy as np

from repnet.judge._thin import thin

KEY = jr.key(0)


def test_few_points_are_left_alone(rng):
    x, y = rng.normal(size=(2, 10, 1))
    found = thin(x, y, 10, KEY)
    np.testing.assert_array_equal(found[0], x)
    np.testing.assert_array_equal(found[1], y)


def test_means_of_neighbours_whatever_the_order(rng):
    x, y = rng.normal(size=(60, 1)), rng.normal(size=(60, 2))
    fewer_x, fewer_y = thin(x, y, 20, KEY)
    order = np.argsort(x[:, 0])
    np.testing.assert_allclose(fewer_x, x[order].reshape(20, 3, 1).mean(axis=1))
    np.testing.assert_allclose(fewer_y, y[order].reshape(20, 3, 2).mean(axis=1))


def test_sizes_that_do_not_divide(rng):
    x, y = rng.normal(size=(2, 100, 1))
    fewer_x, _ = thin(x, y, 64, KEY)
    assert fewer_x.shape == (64, 1)
    assert np.all(np.diff(fewer_x[:, 0]) > 0)


def test_a_frequency_that_does_not_fit_vanishes_instead_of_folding():
    x = np.arange(1024.0)[:, None] / 1024
    fewer_x, fewer_y = thin(x, np.sin(2 * np.pi * 256 * x + 0.3), 128, KEY)
    assert np.abs(fewer_y).max() < 1e-10  # two whole waves to each mean
    low = thin(x, np.sin(2 * np.pi * 2 * x), 128, KEY)[1]
    np.testing.assert_allclose(low, np.sin(2 * np.pi * 2 * fewer_x), atol=1e-3)


def test_several_axes_take_a_choice_of_points(rng):
    x = rng.normal(size=(50, 2))
    fewer_x, fewer_y = thin(x, x.sum(axis=1, keepdims=True), 20, KEY)
    assert len(np.unique(fewer_x, axis=0)) == 20
    assert {tuple(row) for row in fewer_x} <= {tuple(row) for row in x}
    np.testing.assert_allclose(fewer_y[:, 0], fewer_x.sum(axis=1))
