"""Plane waves found off the lattice, against the waves that made the samples."""

import numpy as np
import pytest

from repnet.spectrum._pursuit import pursue_waves

RNG = np.random.default_rng(0)


def standardized(y):
    y = np.atleast_2d(y.T).T
    return (y - y.mean(axis=0)) / y.std(axis=0)


def test_two_waves_closer_than_the_lattice_come_apart():
    x = RNG.uniform(-1, 1, (1500, 2))
    true = np.array([[7.0, 5.1], [8.9, 6.6]])  # the lattice's distance is π
    y = standardized(np.cos(x @ true[0]) + np.sin(x @ true[1]))
    found = pursue_waves(x, y, np.pi * np.array([[2.0, 2.0], [3.0, 2.0], [0.0, 1.0]]))
    order = np.argsort(found.vectors[:2, 0])
    np.testing.assert_allclose(found.vectors[order], true, atol=0.05)
    assert found.left < 0.01


def test_amplitudes_give_the_energies():
    x = RNG.uniform(-1, 1, (4000, 3))
    waves = np.array([[9.0, 0.0, 1.0], [0.0, 14.0, 5.0]])
    y = standardized(3 * np.sin(x @ waves[0]) + np.cos(x @ waves[1]))
    found = pursue_waves(x, y, waves + 0.5)
    np.testing.assert_allclose(np.sort(found.energy), [0.1, 0.9], atol=0.03)


def test_outputs_share_their_waves():
    x = RNG.uniform(-1, 1, (1000, 2))
    k = np.array([6.3, -8.2])
    y = standardized(np.stack([np.sin(x @ k), np.cos(x @ k)], axis=1))
    found = pursue_waves(x, y, np.array([[6.0, -9.0]]))
    np.testing.assert_allclose(found.vectors[0], k, atol=1e-2)
    assert found.left < 5e-3


@pytest.mark.parametrize("points", [40, 1000])
def test_noise_holds_no_waves(points):
    x = RNG.uniform(-1, 1, (points, 2))
    y = standardized(RNG.normal(size=points))
    starts = np.pi * np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(-1, 2)
    assert pursue_waves(x, y, starts[1:]).left > 0.8
