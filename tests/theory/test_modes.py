"""Eigenfunctions of kernels whose eigenfunctions are known."""

import numpy as np
import pytest

from repnet.theory import kernel_modes

N = 128


def test_circulant_kernel():
    # On a circle, cosines and sines: the eigenvalue of frequency m is half its weight.
    x = np.arange(N)[:, None] * 2 * np.pi / N
    weights = {3: 4.0, 10: 2.0, 25: 1.0}
    kernel = sum(weight * np.cos(m * (x - x.T)) for m, weight in weights.items())
    modes = kernel_modes(kernel, x, count=6)
    np.testing.assert_allclose(modes.values, [2.0, 2.0, 1.0, 1.0, 0.5, 0.5], rtol=1e-12)
    # The Hann window blurs by less than one period of the span.
    np.testing.assert_allclose(modes.frequency[:, 0], [3, 3, 10, 10, 25, 25], atol=0.6)
    np.testing.assert_allclose(np.mean(modes.functions**2, axis=0), 1.0)
    again = (modes.functions * modes.values) @ modes.functions.T
    np.testing.assert_allclose(again, kernel, atol=1e-12)


def test_frequencies_per_axis():
    axis = np.linspace(-1.0, 1.0, 17)
    x = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    wave = np.cos(12.0 * x[:, 0] + 0.3) * np.cos(6.0 * x[:, 1])
    modes = kernel_modes(np.outer(wave, wave), x, count=1)
    np.testing.assert_allclose(modes.frequency, [[12.0, 6.0]], atol=1.0)
    np.testing.assert_allclose(modes.values, [np.mean(wave**2)])
    assert kernel_modes(np.eye(len(x)), x).functions.shape == (289, 289)


def test_bad_input():
    x = np.linspace(0.0, 1.0, 4)[:, None]
    with pytest.raises(ValueError, match=r"must be finite, of shape \(4, 4\).*got shape \(3, 3\)"):
        kernel_modes.__wrapped__(np.eye(3), x)  # past the checks of shapes that tests switch on
    with pytest.raises(ValueError, match=r"`kernel_modes\(kernel=...\)` must be finite"):
        kernel_modes(np.full((4, 4), np.nan), x)
    with pytest.raises(ValueError, match=r"must be symmetric; it differs from its transpose by 1"):
        kernel_modes(np.triu(np.ones((4, 4))), x)
    with pytest.raises(ValueError, match=r"`kernel_modes\(count=...\)` must be an integer >= 1"):
        kernel_modes(np.eye(4), x, count=0)
