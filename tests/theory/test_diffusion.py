"""Finite volumes against Legendre modes, the FFT reference and energies."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.special import eval_legendre

from repnet.theory import (
    NormalBias,
    NormalWeights,
    ParabolicWeights,
    SineEnsemble,
    SpectralGrid,
    SteepEnsemble,
    TensorPoints,
    UniformBias,
    UniformWeights,
    WindowedWaves,
    dissipation,
    fft_reference,
    spectral_diffusion,
    spectral_grid,
)
from repnet.theory._diffusion import relaxation_matrix
from repnet.theory._tr_bdf2 import tr_bdf2

WAVES = WindowedWaves((1.0, 4.0, 10.0), width=0.8)
TIMES = np.linspace(0.0, 4.0, 17)


def minus(waves):
    return lambda xi: -waves.transform(xi)


def relative(found, truth):
    """The distance over frequency and time."""
    weight = truth.grid.weight
    apart = np.sum(weight * np.abs(found.parts - truth.parts) ** 2, axis=(1, 2))
    size = np.sum(weight * np.abs(truth.parts) ** 2, axis=(1, 2))
    return np.sqrt(apart.sum() / size.sum())


@pytest.mark.parametrize("degrees", [(2, 3), (4, 5)])
def test_legendre_modes(degrees):
    # Training w alone with a parabolic law: the modes P_n(ξ/B) decay at c n(n+1), c = 3π/(4B³).
    bound = 2.0
    ensemble = SineEnsemble(weights=ParabolicWeights(bound), trained=("weight",))
    pace = 3 * np.pi / (4 * bound**3)
    times = np.linspace(0.0, 1.0, 5)
    errors = []
    for cells in (80, 160, 320):
        # D is nil from B on: nothing flows there, and the modes end at B.
        grid = SpectralGrid(bound, cells)
        even, odd = (eval_legendre(n, grid.centres / bound) for n in degrees)
        found = _without_checks(ensemble, even + 1j * odd, times, grid)
        exact = np.stack(
            [
                np.outer(np.exp(-pace * n * (n + 1) * times), mode)
                for n, mode in zip(degrees, (even, odd), strict=True)
            ],
            axis=1,
        )
        errors.append(np.linalg.norm(found - exact) / np.linalg.norm(exact))
    assert errors[-1] < 1e-3
    assert np.all(np.log2(np.array(errors[:-1]) / errors[1:]) > 1.9)


def _without_checks(ensemble, start, times, grid):
    """The solution on a grid that ends where the spectrum does not."""
    columns = [
        tr_bdf2(relaxation_matrix(ensemble, grid, parity), part[:, None], times, 100)[..., 0]
        for parity, part in (("even", start.real), ("odd", start.imag))
    ]
    return np.stack(columns, axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("bias", [UniformBias(), NormalBias(0.4), NormalBias(0.0)])
def test_agreement_with_the_fft_reference(bias):
    ensemble = SineEnsemble((1.0, 2.0, 4.0, 8.0), bias=bias, amplitude=1.2)
    points = TensorPoints(10.0, 384)
    grid = spectral_grid(ensemble, WAVES.highest, 4.0, fineness=0.012)
    truth = fft_reference(ensemble, -WAVES(points.points), points, TIMES, grid)
    found = spectral_diffusion(ensemble, minus(WAVES), TIMES, grid, substeps=24)
    assert relative(found, truth) < 1e-4


@pytest.mark.long
@pytest.mark.parametrize("bias", [UniformBias(), NormalBias(0.4)])
def test_agreement_with_the_fft_reference_in_two_dimensions(bias):
    ensemble = SineEnsemble((1.0, 2.0), bias=bias, dim=2)
    waves = WindowedWaves(((1.0, 1.0), (-3.0, 1.0)), width=0.8)
    points = TensorPoints(7.0, 80, dim=2)
    times = np.linspace(0.0, 2.0, 9)
    grid = SpectralGrid(14.0, 1400, dim=2, modes=24)
    truth = fft_reference(ensemble, -waves(points.points), points, times, grid)
    found = spectral_diffusion(ensemble, minus(waves), times, grid, substeps=24)
    assert relative(found, truth) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("bias", [UniformBias(), NormalBias(0.4)])
def test_energy_identity(bias):
    ensemble = SineEnsemble((1.0, 2.0, 4.0, 8.0), bias=bias)
    times = np.linspace(0.0, 4.0, 401)
    grid = spectral_grid(ensemble, WAVES.highest, 4.0)
    history = spectral_diffusion(ensemble, minus(WAVES), times, grid, substeps=2)
    energy, lost = history.energy(), dissipation(ensemble, history)
    # Simpson's rule over the times.
    step = times[1] - times[0]
    total = step / 3 * (lost[0] + 4 * lost[1:-1:2].sum() + 2 * lost[2:-1:2].sum() + lost[-1])
    assert total == pytest.approx(energy[0] - energy[-1], rel=1e-3)
    # Central differences of energies that fall steeply at first.
    slope = (energy[2:] - energy[:-2]) / (2 * step)
    np.testing.assert_allclose(-slope, lost[1:-1], rtol=2e-3, atol=6e-3 * lost[0])


def test_stationary_kernels_decay_at_their_rate():
    model = SteepEnsemble(8.0, span=4.0)
    grid = spectral_grid(model, WAVES.highest, 3.2)
    history = spectral_diffusion(model, minus(WAVES), TIMES, grid, substeps=64)
    left = np.exp(-np.outer(TIMES, model.rate(grid.centres)))
    expected = history.parts[0] * left[:, None]
    # Rates go to infinity at 0, where TR-BDF2 damps at once.
    np.testing.assert_allclose(history.parts, expected, atol=2e-3 * np.abs(expected).max())


def test_frozen_weights_do_not_diffuse():
    ensemble = SineEnsemble((1.0, 4.0), trained=("amplitude", "bias"))
    grid = spectral_grid(ensemble, WAVES.highest, 4.0)
    history = spectral_diffusion(ensemble, minus(WAVES), TIMES, grid, substeps=64)
    left = np.exp(-np.outer(TIMES, ensemble.reaction(grid.centres)))
    expected = history.parts[0] * left[:, None]
    np.testing.assert_allclose(history.parts, expected, atol=1e-4 * np.abs(expected).max())


def test_order_of_the_cells():
    ensemble = SineEnsemble((1.0, 4.0))
    times = np.linspace(0.0, 2.0, 5)
    norms = [
        spectral_diffusion(ensemble, minus(WAVES), times, SpectralGrid(25.6, n), 40).band_norms(
            [0.0, 2.56, 6.4, 12.8]
        )
        for n in (320, 640, 1280)
    ]
    # Richardson: the differences of solutions fall fourfold.
    coarse, fine = (np.linalg.norm(a - b) for a, b in itertools.pairwise(norms))
    assert np.log2(coarse / fine) > 1.9


def test_grid_reaches_and_resolves():
    ensemble = SineEnsemble((1.0, 2.0))
    grid = spectral_grid(ensemble, 20.0, 4.0)
    assert grid.highest == 20.0
    assert grid.step * 4.0 <= 0.1
    assert spectral_grid(ensemble, 5.0, 4.0).highest == ensemble.reach


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        (SpectralGrid(10.0, 800), r"must reach all frequencies of the error; of its energy .*%"),
        (SpectralGrid(30.0, 40), r"must have a step below .* got 0.75. Take at least \d+ cells"),
        (SpectralGrid(30.0, 600, dim=2), r"must have the model's dimension, 1; got 2"),
    ],
)
def test_grids_that_do_not_do(grid, message):
    with pytest.raises(ValueError, match=r"`spectral_diffusion\(grid=...\)` " + message):
        spectral_diffusion(SineEnsemble(), minus(WAVES), TIMES, grid)


def test_the_stated_number_of_cells_is_enough():
    with pytest.raises(ValueError, match="Take at least") as caught:
        spectral_diffusion(SineEnsemble(), minus(WAVES), TIMES, SpectralGrid(30.0, 40))
    cells = int(str(caught.value).split("at least")[1].split()[0])
    spectral_diffusion(SineEnsemble(), minus(WAVES), TIMES, SpectralGrid(30.0, cells))


def test_angular_modes_must_suffice():
    waves = WindowedWaves(((8.0, 0.0),), width=0.8)
    grid = SpectralGrid(18.0, 400, dim=2, modes=6)
    with pytest.raises(ValueError, match=r"must have enough angular modes .* last two of 6. Take"):
        spectral_diffusion(SineEnsemble(dim=2), minus(waves), TIMES, grid)
    enough = dataclasses.replace(grid, modes=40)
    history = spectral_diffusion(SineEnsemble(dim=2), minus(waves), TIMES[:2], enough)
    assert history.energy()[1] < history.energy()[0]


def test_bad_times_values_and_dimensions():
    grid = SpectralGrid(24.0, 400)
    for times in ([0.0], [1.0, 2.0], [0.0, 2.0, 1.0], [0.0, float("nan")]):
        with pytest.raises(ValueError, match=r"diffusion\(times=...\)` must be at least 2 times"):
            spectral_diffusion(SineEnsemble(), minus(WAVES), np.array(times), grid)
    with pytest.raises(ValueError, match=r"diffusion\(initial=...\)` must be finite on the whole"):
        spectral_diffusion(SineEnsemble(), lambda xi: xi[:, 0] * np.nan + 0j, TIMES, grid)
    with pytest.raises(ValueError, match=r"`UniformWeights` is a law of one weight per unit"):
        spectral_diffusion(
            SineEnsemble(weights=UniformWeights(), dim=2),
            minus(WindowedWaves(((1.0, 0.0),), 1.0)),
            TIMES,
            SpectralGrid(10.0, 200, dim=2),
        )
    two = SineEnsemble(weights=NormalWeights(0.5), dim=2)
    waves = minus(WindowedWaves(((1.0, 0.0),), 1.0))
    history = spectral_diffusion(two, waves, TIMES[:2], SpectralGrid(10.0, 200, dim=2))
    with pytest.raises(ValueError, match=r"dissipation\(history=...\)` must be of one dimension"):
        dissipation(two, history)
