"""Discrepancies of histories that are known to differ by a factor."""

import numpy as np
import pytest

from repnet.theory import SpectralGrid, SpectralHistory, compare_histories

GRID = SpectralGrid(10.0, 20)
TIMES = np.linspace(0.0, 6.0, 121)


def decaying(rate, factor=1.0, times=TIMES, grid=GRID):
    parts = factor * np.exp(-rate * times)[:, None, None] * np.ones((1, 2, grid.cells))
    return SpectralHistory(grid, times, parts.astype(complex))


def test_a_factor_is_the_discrepancy():
    found = compare_histories(decaying(1.0, 1.1), decaying(1.0), [0.0, 10.0])
    assert found.trajectory == pytest.approx(0.1, rel=1e-12)
    assert found.final == pytest.approx(0.1, rel=1e-12)
    np.testing.assert_allclose(found.ratios, 1.0)


def test_rates_that_differ_by_quadrature():
    found = compare_histories(decaying(1.0), decaying(0.5), [0.0, 5.0, 10.0], (0.5, 0.02))
    t = np.linspace(0.0, 6.0, 100_001)
    apart, size = (np.exp(-t) - np.exp(-0.5 * t)) ** 2, np.exp(-t)
    expected = np.sqrt(np.trapezoid(apart, t) / np.trapezoid(size, t))
    assert found.trajectory == pytest.approx(expected, rel=1e-3)  # the trapezoidal rule's, h²/12
    assert found.final == pytest.approx(1.0 - np.exp(-3.0), rel=1e-12)
    np.testing.assert_allclose(found.times[0], [[np.log(2.0), 2 * np.log(2.0)]] * 2, rtol=1e-9)
    np.testing.assert_allclose(found.ratios[0], 0.5, rtol=1e-9)
    assert np.isnan(found.ratios[1]).all()  # 2 ln 50 is past the last time


@pytest.mark.parametrize(
    "other",
    [decaying(1.0, times=2 * TIMES), decaying(1.0, grid=SpectralGrid(10.0, 21))],
)
def test_histories_must_match(other):
    with pytest.raises(ValueError, match=r"histories\(measured=...\)` must have the grid and the"):
        compare_histories(decaying(1.0), other, [0.0, 10.0])
