"""The shallow experiment against its own formulas, and what it is there to show."""

import jax.random as jr
import numpy as np
import pytest

from repnet.theory import Start, fit_shallow

KEY = jr.key(0)
SMALL = {"units": 32, "points": 97}
EVEN = 1.02


@pytest.fixture(scope="module")
def found():
    """A few steps of three starts. Not to be changed."""
    starts = [Start("vanilla"), Start("RepNet", 16.0, EVEN, True), Start("narrow", 16.0, 0.2)]
    return fit_shallow(starts, [2.0, 8.0], **SMALL, steps=40, key=KEY)


def test_starts_have_the_slopes_and_points_they_name(found):
    slopes, points = found.slopes[:, :, 0], found.points[:, :, 0]
    assert found.slopes.shape == (3, 2, 6, 32)
    assert found.steps == (0, 8, 16, 24, 32, 40)
    np.testing.assert_allclose(slopes[1:], 16.0, rtol=1e-6)
    assert slopes[0].max() <= 1.0
    # One point in each of 32 equal cells.
    for row, spread in ((1, EVEN), (2, 0.2)):
        cells = np.floor((points[row, 0] / spread + 1.0) * 16.0 + 1e-4)
        assert sorted(cells.tolist()) == list(range(32))
    # Weights and biases uniform in ±1: half of the points -b/w lie within ±1.
    assert 0.25 < np.mean(np.abs(points[0, 0]) < 1.0) < 0.75
    assert np.any(found.points[1, 1, -1] != points[1, 1])


def test_attainable_error_is_that_of_linear_splines(found):
    # The interpolating spline on even knots errs by at most k²h²/8 in the maximum norm; the best
    # fit by no more in the mean. Knots differ from even ones by up to a cell.
    cell = 2.0 * EVEN / 32
    for turn, k in enumerate(found.frequencies):
        assert found.attainable[1, turn] < (k * 2.0 * cell) ** 2 / 8.0 * 2.0
    # With points within ±0.2 what lies outside is two straight lines, at best those of polyfit.
    x = np.linspace(-1.0, 1.0, 97)
    for turn, k in enumerate(found.frequencies):
        y, right = np.sin(k * x), x > 0.2
        line = np.polyval(np.polyfit(x[right], y[right], 1), x[right])
        least = np.sqrt(2.0 * np.sum((line - y[right]) ** 2) / np.sum(y**2))  # odd: both sides
        assert 0.99 * least < found.attainable[2, turn] < 1.5 * least


@pytest.mark.slow
def test_each_factor_alone_decides():
    starts = [Start("flat", 1.0, EVEN), Start("steep", 16.0, EVEN)]
    starts += [Start("narrow", 16.0, 0.25), Start("wide", 16.0, 4.0)]
    found = fit_shallow(starts, [8.0], units=64, points=129, steps=1500, key=KEY)
    flat, steep, narrow, wide = found.error[:, 0]
    assert found.attainable[0, 0] == pytest.approx(found.attainable[1, 0], rel=0.3)
    assert steep < flat / 3
    assert steep < narrow / 3
    assert steep < wide / 2
    assert np.all(found.error >= 0.9 * np.minimum(found.attainable, 1e-3))


@pytest.mark.slow
def test_the_best_of_several_rates_counts():
    starts, options = [Start("s", 4.0, EVEN)], {**SMALL, "steps": 60}
    alone = [
        fit_shallow(starts, [4.0], rates=[rate], key=KEY, **options).error[0, 0]
        for rate in (1e-4, 1e-2)
    ]
    both = fit_shallow(starts, [4.0], rates=[1e-4, 1e-2], key=KEY, **options).error[0, 0]
    assert both == pytest.approx(min(alone), rel=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frequencies": [-1.0]}, r"`fit_shallow\(frequencies=...\)` must be finite and positive"),
        ({"points": 9}, r"must be at least 11, four per wavelength, for k = 8; got 9"),
        ({"units": 1}, r"`fit_shallow\(units=...\)` must be an integer >= 2"),
        ({"rates": [0.0]}, r"`fit_shallow\(rates=...\)` must be finite and positive"),
    ],
)
def test_bad_input(change, message):
    options = {"frequencies": [8.0], **change}
    with pytest.raises(ValueError, match=message):
        fit_shallow([Start("vanilla")], options.pop("frequencies"), **options, key=KEY)
