"""Generated motions: strength, repeatability, and a spectrum with the soil's shape."""

import jax.random as jr
import numpy as np
import pytest

from repnet.data import Accelerogram
from repnet.operators import generated_motions

G = 9.80665


def test_the_same_key_gives_the_same_motions_and_another_others():
    first, again, other = (generated_motions(3, 200, 0.02, key=jr.key(k)) for k in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


def test_motions_are_plausible_accelerograms():
    motions = generated_motions(64, 1500, 0.02, key=jr.key(0))
    peaks = np.abs(motions).max(axis=1) / G
    assert 0.1 <= peaks.min() < 0.15
    assert 0.9 < peaks.max() <= 1.2
    drifts = [Accelerogram(str(i), motion, 0.02).drift for i, motion in enumerate(motions)]
    assert np.median(drifts) < 0.1


def test_energy_lies_where_soil_and_high_pass_leave_it():
    motions = generated_motions(256, 1024, 0.02, key=jr.key(2))
    energy = np.square(np.abs(np.fft.rfft(motions / np.abs(motions).max(axis=1)[:, None])))
    hertz = np.fft.rfftfreq(1024, 0.02)
    mean = energy.mean(axis=0)
    soil = mean[(hertz > 1.5) & (hertz < 5.0)].mean()  # 5 to 40 rad/s are 0.8 to 6.4 Hz
    assert mean[hertz < 0.05].mean() < 0.05 * soil  # those of 0.4 rad/s pass a part of it
    assert mean[hertz > 20.0].mean() < 0.1 * soil


def test_too_few_samples_are_refused():
    with pytest.raises(ValueError, match="samples=.*>= 64"):
        generated_motions(1, 10, 0.02, key=jr.key(0))
