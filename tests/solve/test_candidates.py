"""Candidates are what their rules say: frequencies in an ellipsoid, slopes by the spacing."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.stats import kstest

from repnet.solve._candidates import window_candidates
from repnet.solve._one_layer import sine_features

KEY = jr.key(0)


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_frequencies_fill_the_ellipsoid(dim):
    radii = np.array([4.0, 30.0, 100.0])[:dim]
    with jax.enable_x64(True):
        layer = sine_features(dim, 2000, radii, key=KEY)
    unit = np.asarray(layer.weight) / radii
    length = np.linalg.norm(unit, axis=1)
    assert length.max() <= 1.0
    assert kstest(length**dim, "uniform").pvalue > 1e-3  # uniform in the ball
    assert kstest(np.asarray(layer.bias) / (2 * np.pi), "uniform").pvalue > 1e-3
    x = np.linspace(-1, 1, dim)
    expected = np.sin(np.asarray(layer.weight) @ x + np.asarray(layer.bias))
    with jax.enable_x64(True):
        np.testing.assert_allclose(layer(jnp.asarray(x)), expected, atol=1e-12)


def test_one_dimension_is_stratified():
    with jax.enable_x64(True):
        frequency = np.sort(np.asarray(sine_features(1, 64, np.array([9.0]), key=KEY).weight)[:, 0])
    cells = np.floor(frequency / 9.0 * 64).astype(int)
    np.testing.assert_array_equal(cells, np.arange(64))


@pytest.mark.slow
@pytest.mark.parametrize("dim", [1, 2])
def test_what_the_user_fixes_is_kept(dim):
    band = np.full(dim, 5.0)
    with jax.enable_x64(True):
        free = window_candidates(dim, 49, band, key=KEY)
        relu = window_candidates(dim, 49, band, activation=jax.nn.relu, width=33, key=KEY)
        fixed = window_candidates(dim, 49, band, scale=2.5, key=KEY)
    assert {"tanh", "sine"} < {candidate.name for candidate in free}
    assert {(c.name, c.layer.width) for c in relu} == {("relu", 33)}
    assert [candidate.scale for candidate in fixed] == [2.5]


@pytest.mark.parametrize("limit", [8.0, 1e6, None])
def test_sines_stay_within_what_a_grid_can_tell(limit):
    band = np.array([5.0, 2.0])
    with jax.enable_x64(True):
        wanted = None if limit is None else np.full(2, limit)
        found = window_candidates(2, 64, band, limit=wanted, key=KEY)
        sines = [c for c in found if c.name == "sine"]
        fastest = [np.abs(np.asarray(c.layer.weight)).max() for c in sines]  # pyright: ignore
    if limit == 8.0:
        assert max(fastest) <= 8.0
    else:
        assert 1.2 * (5.0 + np.pi) < max(fastest) <= 1.2 * (9.0 + np.pi)
