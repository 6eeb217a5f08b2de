import numpy as np
import pytest

from repnet.spectrum._noise import line_noise, plateau_noise, scattered_noise


@pytest.mark.parametrize("samples", [129, 1000])
def test_line_noise_ignores_smooth_parts_and_jumps(samples):
    rng = np.random.default_rng(0)
    t = np.linspace(0, 1, samples)
    signal = np.sin(12 * t) + np.sign(t - 0.4) + 5 * (t > 0.8)
    found = [line_noise((signal + 0.1 * rng.normal(size=samples))[None]) for _ in range(20)]
    assert np.mean(found) == pytest.approx(0.1, rel=0.25)
    assert line_noise(signal[None]) < 1e-6


def test_plateau_noise_of_white_spectra_and_of_falling_ones():
    rng = np.random.default_rng(0)
    white = rng.exponential(size=(200, 64))
    shares = [plateau_noise(p, 2.0) / p.sum() for p in white]
    assert 0.6 < np.mean(shares) < 1.1
    falling = 1.0 / np.arange(1, 65) ** 4
    assert plateau_noise(falling, 2000.0) == 0.0


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_scattered_noise_is_the_deviation_from_neighbours(dim):
    rng = np.random.default_rng(1)
    x = rng.uniform(size=(4000, dim))
    y = np.stack([x.sum(axis=1), np.sin(x[:, 0])], axis=1)
    noisy = y + rng.normal(size=y.shape) * np.array([0.3, 0.05])
    np.testing.assert_allclose(scattered_noise(x, noisy), [0.3, 0.05], rtol=0.12)
    assert np.all(scattered_noise(x, y) < 0.01)
