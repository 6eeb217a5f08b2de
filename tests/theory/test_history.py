"""Bands, energies and times of a spectrum against exact decay."""

import numpy as np
import pytest

from repnet.theory import SpectralGrid, SpectralHistory, WindowedWaves, time_to_fraction
from repnet.theory._history import checked_edges

TIMES = np.linspace(0.0, 4.0, 9)


def decaying(grid, rate):
    waves = WindowedWaves((2.0, 6.0), width=1.0)
    first = grid.parts(waves.transform(grid.points))
    return SpectralHistory(grid, TIMES, first * np.exp(-np.multiply.outer(TIMES, rate))[:, None])


def test_time_to_a_fraction_of_exact_decay():
    rates = np.array([2.0, 0.5, 0.01])
    norms = 7.0 * np.exp(-np.outer(TIMES, rates))
    expected = np.log(5.0) / rates
    expected[2] = np.inf  # later than the last time
    np.testing.assert_allclose(time_to_fraction(TIMES, norms, 0.2), expected, rtol=1e-12)


def test_time_to_a_fraction_in_special_cases():
    norms = np.array([[1.0, 0.0, 4.0, 1.0], [0.0, 0.0, 8.0, np.nan], [0.0, 0.0, 1.0, np.nan]])
    found = time_to_fraction(np.array([0.0, 1.0, 2.0]), norms, 0.5)
    # To nothing at all: at that time; nothing from the start: never; after a rise to 8: from 8 down
    # to 2 is two thirds of the way to 1 in logarithm; not finite: never.
    np.testing.assert_allclose(found, [1.0, np.inf, 1.0 + 2.0 / 3.0, np.inf])


def test_band_norms_are_shares_of_the_energy():
    grid = SpectralGrid(16.0, 100)
    history = decaying(grid, np.full(grid.cells, 0.3))
    whole = history.band_norms([0.0, 16.0])[:, 0]
    np.testing.assert_allclose(whole**2, history.energy(), rtol=1e-12)
    np.testing.assert_allclose(whole, whole[0] * np.exp(-0.3 * TIMES), rtol=1e-12)
    # Edges inside of cells, beyond the grid and past 0.
    edges = [0.0, 1.234, 5.55, 40.0]
    np.testing.assert_allclose(np.sum(history.band_norms(edges) ** 2, axis=1), history.energy())
    half = history.band_norms([0.04, 0.12])[0, 0] ** 2  # half of the first cell
    np.testing.assert_allclose(half, 0.75 * history.band_norms([0.0, 0.16])[0, 0] ** 2 * 2 / 3)


def test_times_per_band():
    grid = SpectralGrid(16.0, 160)
    rate = np.where(grid.centres < 4.0, 1.0, 0.25)
    found = decaying(grid, rate).time_to(0.5, [0.0, 4.0, 16.0])
    np.testing.assert_allclose(found, np.log(2.0) / np.array([1.0, 0.25]), rtol=1e-9)


@pytest.mark.parametrize("dim", [1, 2])
def test_magnitude_is_the_root_mean_square_over_directions(dim):
    grid = SpectralGrid(8.0, 40, dim=dim, modes=24)
    waves = WindowedWaves(((1.0, 2.0)[:dim], (3.0, -1.0)[:dim]), width=1.0)
    transform = waves.transform(grid.points)
    history = SpectralHistory(grid, np.zeros(1), grid.parts(transform)[None])
    directly = np.sqrt(np.mean(np.abs(transform.reshape(grid.cells, -1)) ** 2, axis=1))
    np.testing.assert_allclose(history.magnitude()[0], directly, rtol=1e-6)


def test_bad_input():
    norms = np.ones((2, 1))
    for fraction in (0.0, 1.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match=r"`time_to_fraction\(fraction=...\)` must lie betwe"):
            time_to_fraction(np.arange(2.0), norms, fraction)
    with pytest.raises(ValueError, match=r"one time per row of norms, .* got 0 for 0 rows"):
        time_to_fraction(np.zeros(0), np.zeros((0, 1)), 0.5)
    for edges in ([1.0], [-1.0, 2.0], [2.0, 1.0], [0.0, float("nan")]):
        with pytest.raises(ValueError, match=r"`edges` must be at least 2 ascending frequencies"):
            checked_edges(edges)
