"""Errors per band, against sums of sines whose energies are known, and Parseval's identity."""

import math

import numpy as np
import pytest

from repnet.judge import band_error, relative_l2
from repnet.judge._bands import grid_of
from repnet.problem import Box

TAU = 2 * math.pi


def waves(amplitudes, frequencies):
    """x ↦ Σ a sin(ω x + 1) along the first axis."""
    return lambda x: sum(
        a * np.sin(w * x[:, :1] + 1) for a, w in zip(amplitudes, frequencies, strict=True)
    )


@pytest.fixture(params=["grid", "scattered"])
def points(request, rng):
    if request.param == "grid":
        return np.linspace(-1, 1, 2001)[:, None]
    return rng.uniform(-1, 1, (2001, 1))


def test_each_band_has_the_error_of_its_sine(points):
    # Whole numbers of waves, four bins or more from every edge. On random points the gaps leak some
    # hundredths of the error (not of the target) into other bands, hence the absolute tolerance.
    frequencies = [TAU * 5, TAU * 20, TAU * 80]
    target, network = waves([1, 2, 0.5], frequencies), waves([1.1, 1.9, 0.5], frequencies)
    error = band_error(network, points, target(points), bands=np.array([0, 60, 250, 800]))
    np.testing.assert_allclose(error.of_band, [0.1, 0.05, 0], atol=0.004)
    np.testing.assert_allclose(error.share, np.array([1, 4, 0.25]) / 5.25, rtol=0.1)
    np.testing.assert_allclose(error.of_total, error.of_band * np.sqrt(error.share), atol=1e-12)


def test_on_a_periodic_grid_the_bands_are_exact():
    x = (np.arange(256) / 256)[:, None]
    frequencies = [TAU * 8, TAU * 64]
    target, network = waves([1, 1], frequencies), waves([0.5, 1 + 1e-9], frequencies)
    error = band_error(network, x, target(x), bands=[0.0, TAU * 20, TAU * 100])
    np.testing.assert_allclose(error.of_band, [0.5, 1e-9], rtol=1e-5)
    np.testing.assert_allclose(error.share, [0.5, 0.5], rtol=1e-12)


@pytest.mark.parametrize("shape", [(301,), (30, 41), (7, 8, 9, 10)])
def test_parseval_the_bands_add_up_to_the_windowed_error(shape, rng):
    axes = [np.linspace(0, 1 + axis, size) for axis, size in enumerate(shape)]
    x = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(shape))
    y, prediction = rng.normal(size=(2, len(x), 2))
    window = 1.0
    for size in reversed(shape):
        window = np.multiply.outer(np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2, window)
    w = np.ravel(window)[:, None]
    expected = np.linalg.norm(w * (prediction - y)) / np.linalg.norm(w * y)
    error = band_error(lambda _: prediction, x, y, grid_shape=shape)
    assert np.linalg.norm(error.of_total) == pytest.approx(expected, rel=1e-12)
    assert error.share.sum() == pytest.approx(1, rel=1e-12)


def test_octave_bands_hold_one_octave_each():
    # Σ sin(2ʲ·2πx + j): beyond the first bands, which the window blurs, equal shares.
    x = np.linspace(-1, 1, 4001)[:, None]
    y = sum(np.sin(2**j * TAU * x + j) for j in range(8))
    error = band_error(lambda x: np.zeros_like(x), x, y)
    held = error.share > 1e-6
    assert held.sum() == 8
    np.testing.assert_allclose(error.share[held][2:], 1 / 8, rtol=0.05)
    np.testing.assert_allclose(error.of_band[held], 1, rtol=1e-12)


def test_scattered_points_in_the_plane_keep_their_axes_apart(rng):
    x = rng.uniform([-1, 0], [1, 0.5], (8000, 2))  # axes of different lengths
    y = np.sin(20 * x[:, :1]) + np.sin(90 * x[:, 1:])
    prediction = 0.9 * np.sin(20 * x[:, :1]) + np.sin(90 * x[:, 1:])
    box = Box([-1.0, 0.0], [1.0, 0.5])
    error = band_error(lambda _: prediction, x, y, bands=[0, 50, 150], box=box)
    np.testing.assert_allclose(error.of_band, [0.1, 0], atol=2e-3)
    np.testing.assert_allclose(error.share, [0.5, 0.5], atol=0.05)


def test_scattered_energy_beyond_the_points_is_counted_in_the_last_band(rng):
    x = rng.uniform(-1, 1, (4000, 1))
    noise = rng.normal(size=(4000, 1))
    y = np.sin(40 * x)
    error = band_error(lambda _: y + noise, x, y)
    expected = relative_l2(lambda _: y + noise, x, y)
    assert np.linalg.norm(error.of_total) == pytest.approx(expected, rel=0.1)
    assert error.of_total.argmax() == len(error.of_total) - 1


def test_duplicate_points_and_zero_targets_do_not_break_the_judge(rng):
    x = np.repeat(rng.uniform(-1, 1, (50, 1)), 2, axis=0)
    error = band_error(lambda x: x, x, x)
    np.testing.assert_allclose(error.of_total, 0, atol=1e-12)
    silent = band_error(lambda x: x, x, np.zeros_like(x))
    assert np.isnan(silent.of_band).all()


def test_a_diverged_function_is_judged_nan():
    x = np.linspace(0, 1, 33)[:, None]
    error = band_error(lambda x: np.full_like(x, np.inf), x, np.sin(9 * x))
    assert np.isnan(error.of_total).all()


def test_grids_are_found_and_told_from_scattered_points(rng):
    a, b = np.linspace(0, 1, 5), np.linspace(-3, 4, 7)
    grid = np.stack(np.meshgrid(a, b, indexing="ij"), -1).reshape(-1, 2)
    assert grid_of(grid) == (5, 7)
    assert grid_of(grid[::-1]) == (5, 7)
    assert grid_of(np.delete(grid, 3, axis=0)) is None
    assert grid_of(rng.permutation(grid)) is None
    assert grid_of(rng.uniform(size=(35, 2))) is None
    assert grid_of(np.linspace(0, 1, 9)[:, None] ** 2) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bands": [3.0, 1.0]}, "ascending"),
        ({"bands": [1.0]}, "at least 2"),
        ({"grid_shape": (4, 4)}, r"grid_shape.*got \(4, 4\)"),
        ({"box": Box(0.0, 0.5)}, r"box.*32 lie outside"),
    ],
)
def test_faults_are_named(arguments, message):
    x = np.linspace(0, 1, 65)[:, None]
    with pytest.raises(ValueError, match=message):
        band_error(lambda x: x, x, x, **arguments)


def test_scattered_points_must_be_enough_and_on_few_axes(rng):
    with pytest.raises(ValueError, match="at least 8 scattered points; got 5"):
        band_error(lambda x: x[:, :1], rng.uniform(size=(5, 2)), np.ones((5, 1)))
    with pytest.raises(ValueError, match="at most 3 axes.*got 4"):
        band_error(lambda x: x[:, :1], rng.uniform(size=(50, 4)), np.ones((50, 1)))
