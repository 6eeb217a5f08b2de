"""Errors of a function, against numbers worked out by hand and scikit-learn's."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error

from repnet.judge import psnr, relative_l2, report_card, rmse


def test_relative_l2_of_scaled_values_is_the_scale(rng):
    y = rng.normal(size=(50, 3))
    assert relative_l2(lambda x: 1.25 * y, np.zeros((50, 2)), y) == pytest.approx(0.25, rel=1e-14)


def test_rmse_agrees_with_scikit_learn(rng):
    y, prediction = rng.normal(size=(2, 40, 2))
    expected = math.sqrt(
        np.mean(root_mean_squared_error(y, prediction, multioutput="raw_values") ** 2)
    )
    assert rmse(lambda x: prediction, np.zeros((40, 1)), y) == pytest.approx(expected, rel=1e-14)


def test_psnr_of_one_grey_level_of_255():
    y = np.tile([0.0, 255.0], 8)
    value = psnr(lambda x: y + 1, np.zeros(16), y, peak=255)
    assert value == pytest.approx(48.1308, abs=1e-4)  # 20 log10(255), the textbook figure
    assert psnr(lambda x: y + 1, np.zeros(16), y) == value


def test_any_callable_serves_and_one_axis_may_be_flat():
    x = np.linspace(0, 1, 9)
    assert relative_l2(lambda x: jnp.asarray(x), x, x) < 1e-7  # float32 outside x64
    assert relative_l2(lambda x: x[:, 0], x, x) == 0


def test_report_card_agrees_with_the_single_judges(rng):
    x, y = rng.normal(size=(2, 30, 1))
    card = report_card(np.sin, x, y)
    assert card["relative_l2"] == relative_l2(np.sin, x, y)
    assert card["rmse"] == rmse(np.sin, x, y)
    assert card["psnr"] == psnr(np.sin, x, y)
    assert card["max_error"] == max(abs(np.sin(x) - y))


def test_constant_and_zero_values_are_no_error():
    x, zero = np.zeros((4, 1)), np.zeros((4, 1))
    assert relative_l2(lambda x: x, x, zero) == 0
    assert relative_l2(lambda x: x + 1, x, zero) == math.inf
    assert math.isnan(psnr(lambda x: x + 1, x, zero))
    assert report_card(lambda x: x, x, zero)["rmse"] == 0
    assert psnr(lambda x: x, np.arange(3.0), np.arange(3.0)) == math.inf


@pytest.mark.parametrize("judge", [relative_l2, rmse, psnr, report_card])
def test_a_wrong_shape_is_named(judge):
    with pytest.raises(ValueError, match=r"must return the shape of `y`, \(4, 1\).*has \(3, 1\)"):
        judge(lambda x: x[:3], np.zeros((4, 1)), np.zeros((4, 1)))
    with pytest.raises(ValueError, match="4 points and 3 rows"):
        judge(lambda x: x, np.zeros((4, 1)), np.zeros((3, 1)))


def test_a_peak_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match=r"`psnr\(peak=...\)` must be above 0; got 0"):
        psnr(lambda x: x, np.zeros(4), np.zeros(4), peak=0)
