"""What counts as a regression."""

import jax.random as jr
import numpy as np
import pytest

from repnet import Box, Gradient, LeastSquares, Problem, Windows, solve
from repnet.problem import observed
from repnet.solve._regression import is_regression

x = np.linspace(0.0, 2.0, 301)
y = np.sin(9.0 * x) + 3.0


@pytest.mark.parametrize("solver", [None, LeastSquares(64), Windows(48)])
@pytest.mark.slow
def test_a_data_term_of_any_name_is_a_regression(solver):
    problem = Problem(Box(0.0, 2.0), {"gauge": observed(x, y)})
    assert is_regression(problem)
    solution = solve(problem, solver=solver, key=jr.key(0))
    np.testing.assert_allclose(solution(x)[:, 0], y, atol=1e-6)


@pytest.mark.slow
def test_hard_conditions_on_data_are_kept_in_training():
    problem = Problem(Box(0.0, 2.0), {"data": observed(x, x * y)}, transform=lambda u, x: x * u(x))
    assert not is_regression(problem)
    solution = Gradient(steps=200, width=64, hidden=(), scale=8.0).run(problem, key=jr.key(0))
    assert solution.history["loss"][-1] < 0.1 * solution.history["loss"][0]
    np.testing.assert_array_equal(solution(np.zeros(1)), 0.0)
