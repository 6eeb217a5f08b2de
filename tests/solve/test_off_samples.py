"""Points between samples lie in cells of the grid, or midway between neighbours."""

import jax.random as jr
import numpy as np
import pytest
from scipy.spatial import cKDTree

from repnet.solve._off_samples import off_samples


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_points_of_a_grid_fill_its_cells(dim):
    axes = np.meshgrid(*[np.arange(6.0) * (axis + 1) for axis in range(dim)], indexing="ij")
    x = np.stack(axes, axis=-1).reshape(-1, dim)
    step = np.arange(1.0, dim + 1.0)
    points = np.concatenate([off_samples(x, step, 6**dim, jr.key(k)) for k in range(200)])
    assert points.min() > 0
    assert np.all(points < 5 * step)
    share = points / step % 1.0
    assert np.all(np.abs(share.mean(axis=0) - 0.5) < 0.03)
    assert np.all(np.abs(share.std(axis=0) - 12**-0.5) < 0.03)


def test_an_axis_without_extent_stays_where_it_is():
    x = np.stack([np.arange(5.0), np.full(5, 7.0)], axis=1)
    points = off_samples(x, np.array([1.0, 0.0]), 5, jr.key(0))
    np.testing.assert_array_equal(points[:, 1], 7.0)


def test_scattered_points_are_met_halfway(rng):
    x = rng.uniform(size=(300, 2))
    points = off_samples(x, None, 100, jr.key(0))
    assert points.shape == (100, 2)
    distances, nearest = cKDTree(x).query(points, 9)
    # Twice the midpoint less one of the points nearby is another point.
    mirrored = 2 * points[:, None] - x[nearest]
    apart, _ = cKDTree(x).query(mirrored.reshape(-1, 2))
    assert np.all(apart.reshape(100, 9).min(axis=1) < 1e-12)
    assert np.all(distances[:, 0] < 0.2)
    assert np.all(distances[:, 0] > 0.0)  # and no sample is met by itself


@pytest.mark.parametrize("step", [None, np.ones(2)])
@pytest.mark.parametrize("held", [1, 3])
def test_few_samples_give_as_many_points_as_many(step, held, rng):
    x = rng.uniform(size=(held, 2))
    assert off_samples(x, step, 20, jr.key(0)).shape == (20, 2)
