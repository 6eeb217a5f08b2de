"""Spectra of functions whose frequencies are known in closed form."""

import dataclasses
import time

import numpy as np
import pytest

from repnet.spectrum import axis_spectra, direction_spectra
from repnet.spectrum._samples import as_samples

PI = np.pi


def multiscale(x):
    return np.sin(2 * PI * x) + 0.5 * np.sin(20 * PI * x) + 0.3 * np.sin(100 * PI * x)


def octaves(x):
    return sum(np.sin(2**j * 2 * PI * x + j) for j in range(8))


def broadband(x, periods):
    omega = PI * periods
    return np.sin(omega * x + 0.3) + 0.5 * np.sin(0.37 * omega * x) + np.exp(-(x**2))


def chirp(x):
    return np.sin(2 * PI * (3 * x + 20 * x**3))


def only(x, y):
    (spectrum,) = axis_spectra(x, y)
    return spectrum


def line(points, low=-1.0):
    return np.linspace(low, 1.0, points)


@pytest.mark.parametrize("kept", [1.0, 0.9, 0.7])
def test_multiscale_on_a_grid_with_holes(kept):
    x = line(1001)
    x = x[np.random.default_rng(0).permutation(1001)[: int(kept * 1001)]]
    spectrum = only(x, multiscale(x))
    assert spectrum.omega_max == pytest.approx(100 * PI, rel=0.02)
    assert spectrum.noise < (1e-3 if kept >= 0.9 else 5e-3)
    # Parseval: mean of 4, 400 and 10,000 π² in the shares 1, 1/4 and 0.09, but for the trend.
    exact = PI * np.sqrt((4 + 400 * 0.25 + 10_000 * 0.09) / 1.34)
    assert spectrum.omega_rms == pytest.approx(exact, rel=0.1)


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_multiscale_scattered(noise):
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, 2001)
    spectrum = only(x, multiscale(x) + noise * rng.normal(size=2001))
    assert spectrum.omega_max == pytest.approx(100 * PI, rel=0.1)
    assert spectrum.noise < 0.01 + 2 * noise


def test_octaves():
    x = line(4001)
    assert only(x, octaves(x)).omega_max == pytest.approx(256 * PI, rel=0.02)
    x = np.random.default_rng(0).uniform(-1, 1, 4001)
    assert only(x, octaves(x)).omega_max == pytest.approx(256 * PI, rel=0.1)


def test_chirp_keeps_its_fast_end():
    x = line(2001, 0.0)
    assert only(x, chirp(x)).omega_max == pytest.approx(126 * PI, rel=0.15)


@pytest.mark.parametrize("noise", [0.0, 0.01])
@pytest.mark.parametrize(("points", "grid"), [(14_000, True), (20_000, False)])
def test_broadband_of_a_thousand_periods(points, grid, noise):
    rng = np.random.default_rng(2)
    x = line(points) if grid else rng.uniform(-1, 1, points)
    y = broadband(x, 1000)
    spectrum = only(x, y + noise * y.std() * rng.normal(size=points))
    assert spectrum.omega_max == pytest.approx(1000 * PI, rel=0.05)
    assert abs(spectrum.noise - noise) < 0.005


@pytest.mark.parametrize("points", [33, 501])
def test_few_cycles(points):
    x = line(points)
    assert only(x, np.sin(2 * PI * x)).omega_max == pytest.approx(2 * PI, rel=0.15)
    for smooth in (np.exp(x), x**3):
        spectrum = only(x, smooth)
        assert spectrum.omega_max < 2.5 * PI
        assert spectrum.noise < 1e-3


def test_ramps_and_constants_hold_no_frequency():
    x = line(501)
    spectrum = only(x, 50 * x + np.sin(40 * x))
    assert spectrum.omega_max == pytest.approx(40, rel=0.05)
    for flat in (0 * x + 3.7, 5 * x - 2):
        spectrum = only(x, flat)
        assert spectrum.omega_max == spectrum.omega_rms == spectrum.noise == 0.0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("grid", [True, False])
def test_noise_of_a_tenth_on_129_points(seed, grid):
    rng = np.random.default_rng(seed)
    x = line(129) if grid else rng.uniform(-1, 1, 129)
    y = np.sin(2 * PI * x) + np.cos(5 * x)
    clean = only(x, y)
    noisy = only(x, y + 0.1 * y.std() * rng.normal(size=129))
    assert 0.06 < noisy.noise < 0.15
    assert noisy.omega_max == pytest.approx(clean.omega_max, rel=0.15)
    assert clean.noise < (1e-3 if grid else 0.01)


def test_noise_is_measured_against_the_whole_target_and_its_trend():
    x = line(2001)
    noise = np.random.default_rng(0).normal(size=2001)
    y = 10 * x + np.sin(20 * x)
    assert only(x, y + 0.1 * y.std() * noise).noise == pytest.approx(0.1, rel=0.1)


def test_jumps_are_not_noise():
    x = line(1001)
    assert only(x, np.sign(np.sin(8 * PI * x + 0.1)) + np.sin(2 * PI * x)).noise < 1e-3
    assert only(x, np.sign(x - 0.3) + np.sign(x + 0.45)).noise < 1e-3


def test_white_noise_is_noise_alone():
    spectrum = only(line(1001), np.random.default_rng(0).normal(size=1001))
    assert spectrum.noise > 0.8
    assert spectrum.power.sum() < 0.05


@pytest.mark.parametrize("layout", ["grid", "holes", "scattered"])
def test_axes_of_a_plane_wave_product(layout):
    rng = np.random.default_rng(3)
    if layout == "scattered":
        x = rng.uniform(-1, 1, (3000, 2))
    else:
        a, b = np.meshgrid(line(61), line(51), indexing="ij")
        x = rng.permutation(np.stack([a.ravel(), b.ravel()], axis=1))
        x = x[: int(0.9 * len(x))] if layout == "holes" else x
    first, second = axis_spectra(x, np.sin(30 * x[:, 0]) * np.cos(10 * x[:, 1]))
    # Half of a bin: frequencies closer than the resolution are not told apart.
    assert first.omega_max == pytest.approx(30, abs=first.resolution / 2)
    assert second.omega_max == pytest.approx(10, abs=second.resolution / 2)


def test_a_wave_far_faster_along_one_axis_than_the_mean_spacing():
    x = np.random.default_rng(4).uniform(-1, 1, (5000, 2))
    first, second = axis_spectra(x, np.sin(300 * x[:, 0]) + x[:, 1] ** 2)
    assert first.omega_max == pytest.approx(300, rel=0.05)
    assert second.omega_max < 5


@pytest.mark.slow
@pytest.mark.parametrize("points", [4096, 20_000])
def test_four_dimensions(points):
    x = np.random.default_rng(5).uniform(-1, 1, (points, 4))
    additive = np.mean(np.sin(2 * PI * x) + 0.5 * np.sin(10 * PI * x), axis=1)
    for spectrum in axis_spectra(x, additive):
        assert spectrum.omega_max == pytest.approx(10 * PI, rel=0.1)
        assert spectrum.nyquist > 10 * spectrum.omega_max
    coupled = np.sin(4 * PI * (x[:, 0] + x[:, 1]) / np.sqrt(2)) * np.cos(2 * PI * x[:, 2])
    coupled += 0.5 * np.sin(8 * PI * x[:, 3] * x[:, 0])
    spectra = axis_spectra(x, coupled)
    # Axis 0 and 3: the slope of 8π x₃x₀ reaches 8π; axis 1: 4π/√2; axis 2: 2π.
    exact = np.array([8 * PI, 4 * PI / np.sqrt(2), 2 * PI, 8 * PI])
    bins = (np.array([s.omega_max for s in spectra]) - exact) / [s.resolution for s in spectra]
    # A wave spreads over one bin. x₃x₀ is steep in its corners alone: 4,096 points hide the little
    # energy that is there under their own floor.
    assert np.all(np.abs(bins[1:3]) < 1)
    assert np.all(np.abs(bins[[0, 3]]) < (1 if points == 20_000 else 2))


def test_images_beyond_a_hidden_grid_are_not_taken_for_waves():
    """Points near the nodes of a grid, or on few of them, repeat every wave at its images."""
    rng = np.random.default_rng(10)
    jittered = line(500) + rng.normal(size=500) * 0.02 * 2 / 499
    assert only(jittered, np.sin(40 * jittered)).omega_max == pytest.approx(40, rel=0.1)
    few = rng.integers(0, 400, (1500, 2)) / 200.0 - 1
    first, second = axis_spectra(few, np.sin(20 * few[:, 0]) * np.cos(8 * few[:, 1]))
    assert first.omega_max == pytest.approx(20, abs=first.resolution / 2)
    assert second.omega_max == pytest.approx(8, abs=second.resolution / 2)


def test_few_scattered_points_of_a_slow_wave():
    found = []
    for seed in range(10):
        x = np.random.default_rng(seed).uniform(-1, 1, 33)
        found.append(only(x, np.sin(2 * PI * x)).omega_max)
    assert np.median(found) == pytest.approx(2 * PI, rel=0.2)
    assert min(found) > PI
    assert max(found) < 4 * PI


@pytest.mark.slow
def test_a_million_scattered_points_in_the_plane():
    x = np.random.default_rng(11).uniform(-1, 1, (1_000_000, 2))
    begin = time.perf_counter()
    first, second = axis_spectra(x, np.sin(100 * x[:, 0]) * np.cos(50 * x[:, 1]))
    assert time.perf_counter() - begin < 10.0  # 1.4 s on two quiet cores
    assert first.omega_max == pytest.approx(100, rel=0.1)
    assert second.omega_max == pytest.approx(50, rel=0.1)


def test_power_sums_to_the_variance_and_outputs_weigh_the_same():
    x = line(801)
    y = 3 * np.sin(60 * x)
    assert only(x, y).power.sum() == pytest.approx(np.var(y), rel=0.02)
    pooled = only(x, np.stack([1e6 * np.sin(10 * x), np.sin(200 * x)], axis=1))
    assert pooled.omega_max == pytest.approx(200, rel=0.02)


def test_spectrum_scales_with_the_unit_of_length_and_not_with_the_targets():
    rng = np.random.default_rng(6)
    for x in (line(300), rng.uniform(-1, 1, 300)):
        one, other = only(x, np.sin(25 * x)), only(1e3 * x + 7, 1e-5 * np.sin(25 * x) + 1)
        assert other.omega_max == pytest.approx(one.omega_max / 1e3, rel=1e-6)
        assert other.spacing == pytest.approx(1e3 * one.spacing, rel=1e-6)


def test_given_grid_shape_gives_the_detected_spectrum():
    a, b = np.meshgrid(line(20), line(30), indexing="ij")
    x = np.stack([a.ravel(), b.ravel()], axis=1)
    y = np.sin(9 * x[:, 0]) * x[:, 1]
    for given, found in zip(axis_spectra(x, y, (20, 30)), axis_spectra(x, y), strict=True):
        for field in dataclasses.fields(given):
            one, other = getattr(given, field.name), getattr(found, field.name)
            if field.name != "label":
                np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_frequencies_ascend_and_duplicates_do_no_harm():
    rng = np.random.default_rng(7)
    x = np.repeat(rng.uniform(-1, 1, 300), 3)
    spectrum = only(x, np.sin(20 * x))
    assert np.all(np.diff(spectrum.frequencies) > 0)
    assert len(spectrum.frequencies) == len(spectrum.power)
    assert spectrum.omega_max == pytest.approx(20, rel=0.2)
    assert spectrum.spacing == pytest.approx(2 / 300, rel=0.05)


@pytest.mark.parametrize("points", [1, 2, 3, 4, 6])
def test_very_few_points(points):
    rng = np.random.default_rng(8)
    for x in (
        np.arange(points) * 1.0,
        rng.uniform(size=(points, 2)),
        rng.uniform(size=(points, 5)),
    ):
        y = rng.normal(size=points)
        for spectrum in axis_spectra(x, y):
            assert 0 <= spectrum.omega_rms <= spectrum.omega_max <= spectrum.nyquist
            assert np.all(spectrum.power >= 0)
            assert spectrum.power.sum() <= np.var(y) * (1 + 1e-9)  # round-off
            if points <= 1 + (1 if x.ndim == 1 else x.shape[1]):  # a plane through all of them
                assert spectrum.omega_max == spectrum.power.sum() == 0


@pytest.mark.parametrize("grid", [True, False])
def test_directions_see_a_plane_wave_at_its_component(grid):
    rng = np.random.default_rng(9)
    a, b = np.meshgrid(line(64), line(64), indexing="ij")
    x = np.stack([a.ravel(), b.ravel()], axis=1) if grid else rng.uniform(-1, 1, (4096, 2))
    wave = np.array([30.0, 12.0])
    spectra = direction_spectra(x, np.sin(x @ wave), 6, seed=3)
    drawn = np.random.default_rng(3).normal(size=(6, 2))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    found = np.array([s.omega_max for s in spectra])
    # One bin: waves on the lattice lie up to half a bin off along each of the two axes.
    assert np.all(np.abs(found - np.abs(drawn @ wave)) < [s.resolution for s in spectra])


def test_the_same_seed_gives_the_same_directions():
    x = np.random.default_rng(0).uniform(size=(200, 3))
    one, two = (direction_spectra(x, x[:, 0] ** 2, 3, seed=5) for _ in range(2))
    assert [s.label for s in one] == [s.label for s in two]
    assert [s.omega_max for s in one] == [s.omega_max for s in two]


def test_bad_input_is_named():
    x = line(10)
    with pytest.raises(ValueError, match="`y` must be finite; row 3"):
        axis_spectra(x, np.where(np.arange(10) == 3, np.nan, x))
    with pytest.raises(ValueError, match="as many rows"):
        as_samples(x, x[:5])
    with pytest.raises(ValueError, match="at least one point"):
        axis_spectra(np.zeros((0, 2)), np.zeros((0, 1)))
