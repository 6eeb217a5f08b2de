"""Standard units, against NumPy's own means and deviations."""

import jax
import numpy as np
import pytest

from repnet.problem import regression
from repnet.solve import standardization
from repnet.solve._regression import data_of


def test_ranges_means_and_rms(rng):
    x = rng.normal(size=(50, 3)) * [1e-6, 1.0, 1e8] + [0.0, -4.0, 1e9]
    y = rng.normal(size=(50, 2)) * [1e-9, 1e7] + [3.0, -1e7]
    points, targets = data_of(regression(x, y))
    np.testing.assert_allclose(points.min(axis=0), -1.0, atol=1e-12)
    np.testing.assert_allclose(points.max(axis=0), 1.0, atol=1e-12)
    np.testing.assert_allclose(targets.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(targets.std(axis=0), 1.0, atol=1e-6)


@pytest.mark.parametrize("level", [0.0, 0.1, -1e12])
def test_constant_targets_keep_a_spread_of_one(level):
    units = standardization(regression(np.arange(9.0), np.full(9, level)))
    np.testing.assert_array_equal(units.spread, 1.0)
    np.testing.assert_allclose(units.mean, level)


def test_wrapping_undoes_the_standardization(rng):
    x, y = rng.normal(size=(20, 2)) + 5.0, rng.normal(size=(20, 2)) * 100.0
    units = standardization(regression(x, y))
    with jax.enable_x64(True):
        identity = units.wrap(lambda z: z, double=True)  # standard in, standard out
        values = np.asarray(jax.vmap(identity)(x))
    np.testing.assert_allclose(units.targets(values), units.inputs(x), atol=1e-12)
