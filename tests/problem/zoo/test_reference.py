"""References answer in float64; the points to judge at resolve every solution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.problem import Ball, Box, zoo
from repnet.problem.zoo._reference import CAP, Reference, judging_points


def test_references_answer_in_float64_whatever_the_session():
    assert not jax.config.jax_enable_x64
    points = np.random.default_rng(0).random((20_001, 1))  # more than two blocks
    values = Reference((1.0,), field=lambda x: jnp.sin(1e4 * x))(points)
    assert values.dtype == np.float64
    np.testing.assert_allclose(values, np.sin(1e4 * points), atol=1e-11)


def test_a_reference_is_a_field_or_a_function_of_many():
    with pytest.raises(ValueError, match="one of the two"):
        Reference((1.0,))


def nearest_on_axis(points, axis):
    places = np.unique(points[:, axis])
    return np.diff(places).max()


@pytest.mark.parametrize("name", zoo.names())
@pytest.mark.slow
def test_ten_points_per_wavelength(name):
    problem = zoo.make(name)
    points = zoo.entry(name).test_points(problem)
    assert points.shape[0] <= CAP
    assert points.shape[1] == problem.dim
    assert problem.domain.contains(points).all()
    for axis, length in enumerate(problem.exact.wavelengths):
        assert nearest_on_axis(points, axis) <= 0.1 * length
    values = problem.exact(points[:: max(1, len(points) // 500)])
    assert values.shape[1] == problem.out_size
    assert np.isfinite(values).all()


def test_the_multiscale_heat_equation_has_5000_points_in_space():
    points = zoo.entry("heat1d_ms").test_points(zoo.heat1d_ms())
    assert len(np.unique(points[:, 0])) >= 5000
    assert len(np.unique(points[:, 1])) >= 40


@pytest.mark.parametrize("count", [2, 3, 101, 257, 1001, 2001, 4001, 8001])
def test_no_regular_grid_meets_the_points(count):
    points = judging_points(Box(-1.0, 1.0), (0.04,))
    distance = np.abs(points - np.linspace(-1.0, 1.0, count)[None]).min()
    assert distance > 1e-9


def test_many_waves_on_many_axes_are_scattered_evenly():
    box = Box([0.0, 0.0, -1.0], [1.0, 2.0, 1.0])
    points = judging_points(box, (0.01, 0.01, 0.01))
    assert points.shape == (CAP, 3)
    assert box.contains(points).all()
    unit = (points - box.lower) / (box.upper - box.lower)
    counts, _ = np.histogramdd(unit, bins=8, range=[(0.0, 1.0)] * 3)
    assert counts.std() < 0.6 * np.sqrt(counts.mean())  # independent points: 1.0


def test_holes_are_left_out():
    domain = Box([0.0, 0.0], [1.0, 1.0]) - Ball([0.5, 0.5], 0.25)
    points = judging_points(domain, (0.1, 0.1))
    assert domain.contains(points).all()
    full = len(judging_points(Box([0.0, 0.0], [1.0, 1.0]), (0.1, 0.1)))
    assert len(points) / full == pytest.approx(1.0 - np.pi / 16.0, rel=1e-2)
