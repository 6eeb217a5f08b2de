"""Tables of periodic functions between their grid points."""

import numpy as np
import pytest

from repnet.problem.zoo._interpolate import PeriodicTable


def truth(x, t):
    return np.exp(np.sin(np.pi * (x - 0.7 * t))) * np.cos(3.0 * t)


def table(places, times):
    x, t = -1.0 + 2.0 * np.arange(places) / places, np.linspace(0.0, 2.0, times)
    return PeriodicTable(truth(x[None], t[:, None]), 2.0)


def test_the_rule_is_of_order_twelve(rng):
    points = np.stack([rng.uniform(-1, 1, 400), rng.uniform(0, 2, 400)], axis=1)
    expected = truth(*points.T)[:, None]
    coarse, fine = (np.abs(table(n, n)(points) - expected).max() for n in (20, 40))
    assert coarse / fine > 2.0**10  # 2¹² in the limit
    assert np.abs(table(200, 200)(points) - expected).max() < 1e-12


def test_corners_and_seam():
    corners = np.array([[-1.0, 0.0], [1.0, 0.0], [-1.0, 2.0], [1.0, 2.0]])
    values = table(100, 100)(corners)
    np.testing.assert_allclose(values[:, 0], truth(*corners.T), atol=1e-12)
    assert values[0] == pytest.approx(values[1], abs=1e-15)


def test_series_are_padded_to_any_number_of_places(rng):
    samples = rng.standard_normal((14, 32))
    series = np.fft.rfft(samples, axis=1)
    series[:, -1] = 0.0  # the highest mode is shared by two frequencies
    fine = PeriodicTable.from_series(series, 1.0, 64).values
    np.testing.assert_allclose(fine[:, ::2], np.fft.irfft(series, axis=1), atol=1e-14)
