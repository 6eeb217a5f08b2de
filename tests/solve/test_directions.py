"""Directions learnt from data, in least squares and in gradient training."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.problem import Box, Problem, Term, regression
from repnet.solve import Gradient, LeastSquares
from repnet.solve._directions import direction_choices

KEY = jr.key(0)


def cloud(dim, count, function, seed=0):
    x = np.random.default_rng(seed).uniform(-1, 1, (count, dim))
    return x, function(x)


def relative(solution, x, y):
    return np.linalg.norm(solution(x)[:, 0] - y) / np.linalg.norm(y)


def ridges(x):
    return np.sin(x @ np.array([4.0, -7.0, 5.0])) + np.sin(x @ np.array([9.0, 3.0, 2.0]) + 1)


def choices(problem, wanted):
    return direction_choices(problem, wanted, 32, activation=jnp.tanh, features="local", key=KEY)


def test_kinds_that_are_tried():
    oblique = regression(*cloud(3, 800, ridges))
    assert list(choices(oblique, "auto").directions) == ["mixed", "axis", "isotropic", "active"]
    assert choices(oblique, "active").directions["active"].shape == (32, 3)
    assert list(choices(oblique, "axis").directions) == ["axis"]
    line = regression(*cloud(1, 100, lambda x: np.sin(9 * x[:, 0])))
    assert choices(line, "active").directions == {"mixed": "mixed"}


def product(x):
    return np.sin(9 * x[:, 0]) + 2 * np.sin(12 * x[:, 1] * x[:, 2])


def additive(x):
    return np.sin(9 * x[:, 0]) + np.sin(12 * x[:, 1]) + np.cos(7 * x[:, 2])


@pytest.mark.parametrize("function", [product, additive])
def test_targets_of_many_waves_or_of_the_axes_keep_to_fixed_kinds(function):
    problem = regression(*cloud(3, 800, function))
    assert list(choices(problem, "auto").directions) == ["mixed", "axis", "isotropic"]
    assert list(choices(problem, "active").directions) == ["active"]


def test_noise_leaves_mixed_directions_and_says_so():
    noise = regression(*cloud(3, 400, lambda x: np.random.default_rng(3).normal(size=len(x))))
    found = choices(noise, "active")
    assert found.directions == {"mixed": "mixed"}
    assert "no waves" in found.reason


def test_an_equation_has_no_data_to_learn_directions_from():
    def zero(u, x, unknowns):
        return u(x)

    problem = Problem(Box(0.0, 1.0), {"equation": Term(zero, np.linspace(0, 1, 5))})
    with pytest.raises(ValueError, match=r"learnt from data.*'equation'"):
        choices(problem, "active")


@pytest.mark.slow
def test_least_squares_on_oblique_waves():
    x, y = cloud(3, 900, ridges)
    new = cloud(3, 2000, ridges, seed=1)
    fixed = LeastSquares(128, directions="mixed").run(regression(x, y), key=KEY)
    found = LeastSquares(128).run(regression(x, y), key=KEY)
    assert relative(found, *new) < min(0.02, 0.1 * relative(fixed, *new))
    assert any("covariance of its gradient lies" in reason for reason in found.plan.reasons)


@pytest.mark.slow
def test_steps_along_active_directions():
    x, y = cloud(3, 1500, ridges)
    new = cloud(3, 2000, ridges, seed=1)
    errors = {
        name: relative(
            LeastSquares(200, activation=jnp.tanh, directions=name).run(regression(x, y), key=KEY),
            *new,
        )
        for name in ("mixed", "active")
    }
    assert errors["active"] < 0.2 * errors["mixed"]


@pytest.mark.slow
def test_training_finds_oblique_ridges():
    x, y = cloud(3, 2000, ridges)
    solver = Gradient(steps=900, width=64, hidden=(16,), batch=256)
    found = solver.run(regression(x, y), key=KEY)
    tried = found.plan.numbers["directions"]
    assert tried["active"] < 0.8 * min(tried[name] for name in ("mixed", "axis", "isotropic"))
    assert any("Active directions" in reason for reason in found.plan.reasons)
    assert relative(found, *cloud(3, 2000, ridges, seed=1)) < 0.3
