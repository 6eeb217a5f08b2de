"""Collocation points of a training: drawn anew, and where residuals are large."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import MLP, Linear
from repnet.problem import Box, Problem, Term, dirichlet, zoo
from repnet.solve import Gradient
from repnet.solve._collocation import concentrated, default_count, redrawn
from repnet.solve._training import Collocation, prepare


def problem():
    box = Box([0.0, 0.0], [1.0, 2.0])
    # Whatever the field, the residual is 9 in the strip x < 0.1 and 0 elsewhere.
    strip = Term(lambda u, x, unknowns: 0.0 * u(x) + jnp.where(x[0] < 0.1, 9.0, 0.0))
    return Problem(box, {"equation": strip, "boundary": dirichlet(box.face(0, "lower"), 0.0)})


def network():
    return MLP(Linear(2, 6, key=jr.key(1)), 1, hidden=(), key=jr.key(2))


def ready():
    return prepare(
        problem(),
        network(),
        rate=1e-3,
        steps=10,
        key=jr.key(0),
        collocation=Collocation(1000),
    )


def test_points_drawn_anew_are_other_points_of_the_same_region():
    start = ready()
    terms = redrawn(problem(), start.training.terms, 1000, jr.key(7))
    for old, new in zip(start.training.terms, terms, strict=True):
        assert new.points.shape == old.points.shape
        assert not np.array_equal(new.points, old.points)
    assert (np.asarray(terms[1].points)[:, 0] == 0.0).all()
    assert np.asarray(terms[0].points).max(axis=0) == pytest.approx([1.0, 2.0], abs=0.01)


def test_more_points_lie_where_residuals_are_large():
    # A tenth of the candidates has |r| = 9, the mean is 0.9: probabilities 11 to 1, which would
    # give 11 of 20 points in the strip; without replacement from 400 of 4,000 it is at most 0.4.
    start = ready()
    both = start.initial
    terms = concentrated(problem(), start.training, both, 1000, jr.key(7))
    share = np.mean(np.asarray(terms[0].points)[:, 0] < 0.1)
    assert 0.3 < share <= 0.4 + 0.01
    assert len(np.unique(np.asarray(terms[0].points), axis=0)) == 1000


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.slow
def test_a_training_on_moving_points_is_a_function_of_its_key(adaptive):
    solver = Gradient(steps=30, chunk=10, points=50, resample=10, adaptive=adaptive, finish=0)
    runs = [solver.run(problem(), network(), key=jr.key(k)) for k in (0, 0, 1)]
    x = np.random.default_rng(0).uniform(0.0, 1.0, (20, 2))
    np.testing.assert_array_equal(runs[0](x), runs[1](x))
    assert not np.array_equal(runs[0](x), runs[2](x))


def test_nothing_to_draw_anew_is_an_error():
    given = Term(lambda u, x, unknowns: u(x), np.linspace(0.0, 1.0, 5))
    fixed = Problem(Box(0.0, 1.0), {"equation": given})
    with pytest.raises(ValueError, match="resample"):
        Gradient(steps=1, resample=1).run(
            fixed, MLP(Linear(1, 4, key=jr.key(1)), 1, key=jr.key(2)), key=jr.key(0)
        )
    with pytest.raises(ValueError, match="resample"):
        Gradient(adaptive=True)


@pytest.mark.parametrize("waves", [(1, 2), (5, 7), (3, 8), (7, 7)])
def test_points_follow_the_wavelengths_of_the_source(waves):
    a1, a2 = waves
    problem = zoo.make("helmholtz2d", a1=a1, a2=a2)
    count = default_count(problem, None, jr.key(0))
    # The side holds a wavelengths; the spectrum's 99.9 % edge is at most half a wavelength off.
    low, high = (10.0 * (np.array(waves) + edge) for edge in (0.5, 1.5))
    assert max(2048, np.prod(low)) <= count <= max(2048, np.prod(high))
    assert default_count(problem, np.pi * np.array([1.0, 40.0]), jr.key(0)) == 8192
    assert default_count(problem, np.pi * np.array([2.0, 9.0]), jr.key(0)) == 3000


@pytest.mark.slow
def test_a_plan_states_the_points():
    solution = Gradient(steps=1, finish=0).run(zoo.make("helmholtz2d"), network(), key=jr.key(0))
    assert solution.plan.numbers["points"] == 2048
    assert "2,048 collocation points" in str(solution.plan)
