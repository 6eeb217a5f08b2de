"""Draws of directions and points, against their definitions and uniformity statistics."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.stats import kstest, qmc

from repnet.nn._draw import (
    draw_hyperplanes,
    isotropic_directions,
    latin_points,
    rotated_sobol,
    sobol_points,
)


@pytest.mark.parametrize("dim", [1, 2, 4, 7])
def test_rotated_sobol_keeps_low_discrepancy(dim):
    points = np.asarray(rotated_sobol(256, dim, key=jr.key(3)), dtype=float)
    random = np.random.default_rng(0).uniform(size=(256, dim))
    assert points.min() >= 0.0
    assert points.max() < 1.0
    # The independent measure is scipy's wrap-around discrepancy, which a rotation leaves alone.
    assert qmc.discrepancy(points, method="WD") < 0.5 * qmc.discrepancy(random, method="WD")


def test_sobol_is_scipys_sequence():
    expected = qmc.Sobol(3, scramble=False).random_base2(5)
    np.testing.assert_allclose(sobol_points(32, 3), expected, atol=1e-7)


def test_latin_points_fill_every_cell_once():
    points = np.asarray(latin_points(50, 3, key=jr.key(1)))
    cells = np.sort(np.floor(points * 50), axis=0)
    np.testing.assert_array_equal(cells, np.tile(np.arange(50.0)[:, None], (1, 3)))


def test_isotropic_directions_have_the_spheres_moments():
    n = np.asarray(isotropic_directions(20_000, 3, key=jr.key(0)))
    # On the unit sphere E n nᵀ = I/3, and one coordinate is uniform (Archimedes).
    np.testing.assert_allclose(n.T @ n / 20_000, np.eye(3) / 3, atol=0.01)
    assert kstest(n[:, 0], "uniform", args=(-1, 2)).pvalue > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("offsets", [None, "stratified", "sobol"])
@pytest.mark.parametrize("dim", [2, 3, 4])
def test_axis_offsets_cover_the_whole_of_every_axis(offsets, dim):
    # Giving axis i mod d to Sobol point i confines an axis to a part of the domain.
    unit, points = draw_hyperplanes(
        64 * dim, dim, directions="axis", offsets=offsets, key=jr.key(5)
    )
    for axis in range(dim):
        own = np.sort(np.asarray(points)[np.asarray(unit)[:, axis] != 0, axis])
        assert own.size == 64
        assert np.max(np.diff(np.concatenate([[0.0], own, [1.0]]))) < 3.0 / 64


@pytest.mark.parametrize(("directions", "along"), [("axis", 11), ("isotropic", 0), ("mixed", 6)])
@pytest.mark.slow
def test_shares_of_the_directions(directions, along):
    unit, points = draw_hyperplanes(11, 3, directions=directions, offsets=None, key=jr.key(0))
    assert unit.shape == points.shape == (11, 3)
    np.testing.assert_allclose(jnp.linalg.norm(unit, axis=1), 1.0, atol=1e-6)
    assert int(jnp.sum(jnp.any(jnp.abs(unit) == 1.0, axis=1))) == along


@pytest.mark.parametrize("offsets", [None, "sobol"])
@pytest.mark.slow
def test_draw_is_traceable_over_keys(offsets):
    def draw(key):
        return draw_hyperplanes(8, 2, directions="mixed", offsets=offsets, key=key)[1]

    keys = jr.split(jr.key(0), 3)
    np.testing.assert_allclose(jax.vmap(draw)(keys)[1], draw(keys[1]), atol=1e-6)
