"""Regions: points where they should be, measures in closed form, normals by differences."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.problem import Ball, Box, Difference, Region

SQUARE = Box([-1.0, -1.0], [1.0, 1.0])
DISC = Ball([0.2, -0.1], 0.3)
DOMAINS = {
    "interval": Box(0.0, 2.0),
    "square": SQUARE,
    "box": Box([0.0, 0.0, 0.0], [1.0, 2.0, 3.0]),
    "disc": DISC,
    "ball": Ball([0.0, 0.0, 1.0], 2.0),
    "segment": Ball(1.0, 0.5),
    "square without disc": SQUARE - DISC,
    "square without two": SQUARE - DISC - Box([-0.8, -0.8], [-0.5, 0.0]),
    "L-shape": SQUARE - Box([0.0, 0.0], [1.0, 1.0]),
    "interval without middle": Box(0.0, 2.0) - Box(0.5, 1.0),
}
VOLUMES = [2.0, 4.0, 6.0, np.pi * 0.09, 4 / 3 * np.pi * 8, 1.0]
VOLUMES += [4.0 - np.pi * 0.09, 4.0 - np.pi * 0.09 - 0.24, 3.0, 1.5]
AREAS = [2.0, 8.0, 22.0, 0.6 * np.pi, 16.0 * np.pi, 2.0]
AREAS += [8.0 + 0.6 * np.pi, 8.0 + 0.6 * np.pi + 2.2, 8.0, 4.0]


@pytest.mark.parametrize(
    ("name", "volume", "area"), list(zip(DOMAINS, VOLUMES, AREAS, strict=True))
)
def test_measures(name, volume, area):
    domain = DOMAINS[name]
    tolerance = 5e-3 if name == "L-shape" else 1e-12  # a hole through the boundary is estimated
    assert domain.measure == pytest.approx(volume, rel=tolerance)
    assert domain.boundary().measure == pytest.approx(area, rel=tolerance)
    assert domain.manifold_dim == domain.dim == domain.boundary().manifold_dim + 1


@pytest.mark.parametrize("method", ["sobol", "uniform"])
@pytest.mark.parametrize("name", DOMAINS)
def test_points_lie_where_they_should(name, method):
    domain = DOMAINS[name]
    inside = domain.sample(500, method=method, key=jr.key(1))
    assert inside.shape == (500, domain.dim)
    assert domain.contains(inside).all()
    boundary = domain.boundary()
    edge = boundary.sample(101, method=method, key=jr.key(2))
    if boundary.finite:
        assert len(edge) == boundary.measure
    else:
        assert edge.shape == (101, domain.dim)
    step = 1e-6 * np.asarray(jax.vmap(boundary.normal)(jnp.asarray(edge)))
    assert domain.contains(edge - step).all()
    assert not domain.contains(edge + step).any()
    gaps = jax.vmap(boundary.gap)(jnp.asarray(edge))
    np.testing.assert_allclose(gaps, 0.0, atol=1e-6)  # float32
    np.testing.assert_array_equal(inside, domain.sample(500, method=method, key=jr.key(1)))


def test_samples_of_a_disc_are_even():
    points = Ball([0.0, 0.0], 1.0).sample(4096, key=jr.key(0))
    radius = np.linalg.norm(points, axis=1)
    assert np.mean(radius < 0.5) == pytest.approx(0.25, abs=2e-3)
    assert np.mean(points[:, 0] > 0.0) == pytest.approx(0.5, abs=2e-3)
    sphere = Ball([0.0, 0.0, 0.0], 1.0).boundary().sample(4096, key=jr.key(0))
    # Archimedes: the area of a cap is in proportion to its height.
    assert np.mean(sphere[:, 2] > 0.5) == pytest.approx(0.25, abs=5e-3)


def test_every_face_of_a_box_gets_the_same_share():
    points = Box([0.0, 0.0], [100.0, 1.0]).boundary().sample(400, key=jr.key(0))
    counts = [(points[:, a] == at).sum() for a, at in ((0, 0.0), (0, 100.0), (1, 0.0), (1, 1.0))]
    assert counts == [100, 100, 100, 100]


def test_the_ends_of_space_and_one_face():
    box = Box([0.0, 0.0], [2.0, 5.0])
    ends = box.boundary(0).sample(64, key=jr.key(0))
    assert set(ends[:, 0]) == {0.0, 2.0}
    start = box.face(-1, "lower")
    assert np.all(start.sample(7, key=jr.key(0))[:, 1] == 0.0)
    assert start.measure == 2.0


def test_normals_of_a_sphere_point_along_the_distance():
    boundary = Ball([0.5, -0.5, 1.0], 0.7).boundary()
    points = jnp.asarray(boundary.sample(16, key=jr.key(0)))

    def distance(x):
        return jnp.linalg.norm(x - jnp.array([0.5, -0.5, 1.0]))

    h = 1e-2
    for x in points:
        slope = [(distance(x + h * e) - distance(x - h * e)) / (2 * h) for e in jnp.eye(3)]
        np.testing.assert_allclose(boundary.normal(x), slope, atol=3e-4)


def test_the_boundary_of_a_hole_points_into_it():
    domain = SQUARE - DISC
    hole = domain.holes[0].boundary()
    points = jnp.asarray(hole.sample(8, key=jr.key(0)))
    inward = (jnp.array([0.2, -0.1]) - points) / 0.3
    np.testing.assert_allclose(jax.vmap(hole.normal)(points), inward, atol=1e-5)
    np.testing.assert_allclose(jax.vmap(DISC.boundary().normal)(points), -inward, atol=1e-5)
    outer = domain.outer_boundary().sample(40, key=jr.key(0))
    assert np.all(np.abs(outer).max(axis=1) == 1.0)


def test_overlapping_holes():
    domain = SQUARE - Ball([0.0, 0.0], 0.4) - Ball([0.3, 0.0], 0.4)
    lens = 2 * 0.16 * np.arccos(0.375) - 0.15 * np.sqrt(0.64 - 0.09)
    assert domain.measure == pytest.approx(4.0 - 2 * np.pi * 0.16 + lens, rel=3e-3)
    edge = domain.boundary().sample(200, key=jr.key(0))
    assert domain.contains(edge * (1 + 0.0), closed=True).mean() > 0.9  # rounding on the arcs
    assert not Ball([0.0, 0.0], 0.399).contains(edge).any()
    assert not Ball([0.3, 0.0], 0.399).contains(edge).any()


BAD = [
    (lambda: SQUARE.face(0, "left"), "'lower' or 'upper'; got 'left'"),
    (lambda: SQUARE.face(2, "lower"), r"`Box.face\(axis=...\)` must be an axis of 2; got 2"),
    (lambda: SQUARE.boundary(-3), r"`Box.boundary\(axis=...\)` must be an axis of 2; got -3"),
    (lambda: Ball([0.0], 0.0), r"`Ball\(radius=...\)` must be finite and positive; got 0.0"),
    (lambda: Ball([np.nan], 1.0), r"`Ball\(centre=...\)` must be one finite number per axis"),
    (lambda: SQUARE - Ball([3.0, 0.0], 0.5), r"the hole must overlap .* \[2.5, -0.5\]"),
    (lambda: SQUARE - Ball(0.0, 0.5), "the same number of axes; got 2 and 1"),
    (lambda: SQUARE - Box([-2.0, -2.0], [2.0, 2.0]), "must leave something"),
    (lambda: SQUARE.boundary().sample(0, key=jr.key(0)), "must be at least 1; got 0"),
    (lambda: DISC.sample(3, method="grid", key=jr.key(0)), "'sobol' or 'uniform'; got 'grid'"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_kinds():
    assert isinstance(SQUARE, Region)
    assert isinstance(SQUARE - DISC, Difference)
    np.testing.assert_allclose((SQUARE - DISC).half_width, [1.0, 1.0])
