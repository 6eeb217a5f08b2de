"""Errors of responses against values known by hand and by SciPy."""

import numpy as np
import pytest
import scipy

from repnet.operators import band_errors, error_growth, quartiles, response_errors
from repnet.operators._measures import response_spectrum


def test_a_response_spectrum_agrees_with_integration():
    step, periods = 0.005, np.array([0.2, 0.7, 1.5])
    time = step * np.arange(6000)
    moved = 0.05 * np.sin(9.0 * time) * np.exp(-0.5 * np.square((time - 8.0) / 2.0))
    pushed = np.gradient(np.gradient(moved, step), step)
    wanted = []
    for period in periods:
        omega = 2.0 * np.pi / period
        system = scipy.signal.lti([-1.0], [1.0, 0.1 * omega, omega**2])
        wanted.append(np.abs(scipy.signal.lsim(system, pushed, time)[1]).max())
    np.testing.assert_allclose(response_spectrum(moved, step, periods), wanted, rtol=2e-3)


def test_errors_of_a_record_that_is_shifted():
    truth = np.sin(np.arange(600) / 10.0)[None] * np.hanning(600)
    found = truth + 0.1
    errors = response_errors(found, truth, [600], 0.01)
    peak = np.abs(truth).max()
    assert errors["relative_l2"][0] == pytest.approx(
        0.1 * np.sqrt(600) / np.linalg.norm(truth), rel=1e-12
    )
    assert errors["residual"][0] == pytest.approx(0.1 / peak)


def test_what_lies_behind_a_record_counts_for_nothing():
    rng = np.random.default_rng(0)
    truth, found = rng.normal(size=(2, 1, 300))
    cut = response_errors(found[:, :200], truth[:, :200], [200], 0.01)
    whole = response_errors(found, truth, [200], 0.01)
    for name in cut:
        np.testing.assert_array_equal(cut[name], whole[name])


def test_a_roll_out_that_ran_away_has_an_infinite_error():
    truth = np.sin(np.arange(100.0))[None]
    errors = response_errors(np.full((1, 100), np.nan), truth, [100], 0.01)
    assert np.isinf([value[0] for value in errors.values()]).all()


def test_an_error_at_one_frequency_stands_in_its_band():
    step, period = 0.01, 0.5
    time = step * np.arange(4000)
    base = np.sin(2 * np.pi * 1.5 / period * time) + np.sin(2 * np.pi * 0.35 / period * time)
    found = base + 0.1 * np.sin(2 * np.pi * 1.5 / period * time)
    bands = band_errors(found[None], base[None], [4000], step, period)[0]
    assert bands[3] == pytest.approx(0.1, rel=1e-3)  # 1 to 2 times the structure's frequency
    assert bands[1] < 1e-3
    assert np.isnan(bands[5])


def test_growth_rises_where_the_error_begins():
    truth = np.ones((1, 200))
    found = truth.copy()
    found[:, 100:] += 1.0
    growth = error_growth(found, truth, [200])[0]
    assert growth[8] == 0.0
    assert growth[-1] == pytest.approx(np.sqrt(0.5), rel=0.01)


def test_quartiles_of_known_numbers():
    found = quartiles({"e": np.arange(5.0)})["e"]
    assert found == {"lower": 1.0, "median": 2.0, "upper": 3.0, "worst": 4.0}
