"""Boxes hold what NumPy says they hold, and samples cover them evenly."""

import jax.random as jr
import numpy as np
import pytest
from scipy.stats import kstest

from repnet.problem import Box

BOX = Box([-1.0, 10.0, 0.0], [1.0, 14.0, 1e-3])


def test_geometry():
    np.testing.assert_allclose(BOX.centre, [0.0, 12.0, 5e-4])
    np.testing.assert_allclose(BOX.half_width, [1.0, 2.0, 5e-4])
    corners = np.array([[-1.0, 10.0, 0.0], [1.0, 14.0, 1e-3], [1.0, 14.0, 1.1e-3]])
    assert BOX.contains(corners).tolist() == [True, True, False]
    assert Box(0.0, 2.0).dim == 1


def test_grid_is_numpys_meshgrid():
    axes = [np.linspace(a, b, n) for a, b, n in zip(BOX.lower, BOX.upper, (3, 4, 2), strict=True)]
    expected = [[a, b, c] for a in axes[0] for b in axes[1] for c in axes[2]]
    np.testing.assert_array_equal(BOX.grid((3, 4, 2)), expected)
    assert BOX.grid(2).shape == (8, 3)


@pytest.mark.parametrize("method", ["sobol", "uniform"])
def test_samples_are_uniform(method):
    points = BOX.sample(1000, method=method, key=jr.key(3))
    assert points.shape == (1000, 3)
    assert BOX.contains(points).all()
    unit = (points - BOX.lower) / (BOX.upper - BOX.lower)
    for axis in range(3):
        assert kstest(unit[:, axis], "uniform").pvalue > 1e-3
    np.testing.assert_array_equal(points, BOX.sample(1000, method=method, key=jr.key(3)))
    assert not np.array_equal(points, BOX.sample(1000, method=method, key=jr.key(4)))


def test_sobol_fills_more_evenly_than_chance():
    cells = np.floor(Box([0.0, 0.0], [8.0, 8.0]).sample(1024, key=jr.key(0))).astype(int)
    counts = np.bincount(cells @ [8, 1], minlength=64)
    assert counts.min() == counts.max() == 16  # a (0, 10, 2)-net: 16 in every cell of 64


@pytest.mark.parametrize(
    ("lower", "upper", "message"),
    [
        (
            [0.0, 2.0],
            [1.0, 1.0],
            r"`Box\(lower=...\)` must lie below `upper`; axis 1 has 2.0 >= 1.",
        ),
        ([0.0], [1.0, 1.0], r"one number per axis each; their shapes are \(1,\) and \(2,\)"),
        ([0.0, np.nan], [1.0, 1.0], r"`Box\(lower=...\)` must be finite; axis 1 has nan"),
        ([0.0], [np.inf], r"`Box\(upper=...\)` must be finite; axis 0 has inf"),
    ],
)
def test_bad_corners(lower, upper, message):
    with pytest.raises(ValueError, match=message):
        Box(lower, upper)


def test_bad_counts_and_methods():
    with pytest.raises(ValueError, match=r"`Box.grid\(counts=...\)` needs 3 positive counts"):
        BOX.grid((3, 4))
    with pytest.raises(ValueError, match=r"`Box.sample\(count=...\)` must be at least 1; got 0"):
        BOX.sample(0, key=jr.key(0))
    with pytest.raises(ValueError, match="'sobol' or 'uniform'; got 'sobel'"):
        BOX.sample(2, method="sobel", key=jr.key(0))
