"""The one verb: it chooses, says what and why, and looks at nothing but the data."""

import re

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import MLP, Linear, RepLinear, RepNet
from repnet.problem import Problem, Term, regression
from repnet.solve import RESULTS, Gradient, LeastSquares, Windows, solve
from repnet.solve._plan import choose_solver
from repnet.solve._regression import require_regression
from repnet.solve._solve import _check

KEY = jr.key(0)
X = np.linspace(0.0, 4.0, 301)


def forbidden(x):
    raise AssertionError("a solve must not look at the exact solution")


@pytest.mark.slow
def test_defaults_never_call_exact_and_say_why():
    problem = regression(X, np.sin(7.0 * X), exact=forbidden)
    solution = solve(problem, key=KEY)
    assert solution.result is RESULTS.successful
    assert solution.plan.reasons[0].startswith("Relative error in trials on points held out")
    assert set(solution.plan.numbers["trials"]) >= {"windows"}
    between = np.linspace(0.05, 3.95, 333)
    np.testing.assert_allclose(solution(between)[:, 0], np.sin(7.0 * between), atol=1e-6)
    assert solution.seconds > 0.0
    assert not jax.config.jax_enable_x64
    assert jnp.ones(3).dtype == jnp.float32


def test_units_of_the_data_do_not_matter():
    """The same data in other units give the same fit, up to rounding."""
    y = np.sin(7.0 * X)
    solver = LeastSquares(64, activation=jnp.tanh, scale=8.0)
    one = solve(regression(X, y), None, solver, key=KEY)
    two = solve(regression(1e6 + 1e3 * X, 5.0 - 1e-4 * y), None, solver, key=KEY)
    np.testing.assert_allclose((5.0 - two(1e6 + 1e3 * X)) * 1e4, one(X), atol=1e-6)


def test_a_given_network_decides_the_solver():
    shallow = MLP(RepLinear(1, 16, scale=4.0, key=KEY), hidden=(), key=KEY)
    deep = MLP(Linear(1, 16, key=KEY), hidden=(8,), key=KEY)
    problem = regression(X, X)
    assert isinstance(choose_solver(problem, shallow, KEY).solver, LeastSquares)
    assert isinstance(choose_solver(problem, deep, KEY).solver, Gradient)


def test_equations_are_solved_directly_and_unknowns_without_data_are_trained():
    problem = regression(X, X)
    term = Term(lambda u, x, unknowns: u(x) - x, X)
    other = Problem(problem.domain, {"equation": term})
    decision = choose_solver(other, None, KEY)
    assert isinstance(decision.solver, LeastSquares)
    assert "equation" in decision.reasons[0]
    other = Problem(problem.domain, {"equation": term}, unknowns={"speed": 1.0})
    decision = choose_solver(other, None, KEY)
    assert isinstance(decision.solver, Gradient)
    assert "unknowns" in decision.reasons[0]


@pytest.mark.parametrize("unknowns", [np.ones(1), {"speed": np.zeros(2)}])
def test_unknowns_are_not_for_direct_solves(unknowns):
    problem = regression(X, X)
    problem = Problem(problem.domain, problem.terms, unknowns=unknowns)
    with pytest.raises(ValueError, match="problems without `unknowns`"):
        require_regression(problem, "LeastSquares")
    two = Problem(problem.domain, {**problem.terms, "more": problem.terms["data"]})
    with pytest.raises(ValueError, match=r"got the terms \['data', 'more'\]"):
        require_regression(two, "LeastSquares")


def test_a_solver_in_the_place_of_a_network_is_told():
    problem = regression(np.linspace(0, 1, 9), np.zeros(9))
    with pytest.raises(
        ValueError, match=r"takes a network; got a LeastSquares: pass it as `solver"
    ):
        solve(problem, LeastSquares(), key=jr.key(0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"problem": (np.zeros(3), np.zeros(3))}, "`solve(problem=...)` takes a problem"),
        ({"solver": "windows"}, "takes a solver, such as `Windows()`; got 'windows'"),
        ({"solver": LeastSquares}, "takes a solver, such as `Windows()`; got <class"),
        ({"network": "net"}, "takes a callable module; got 'net'"),
        ({"network": Windows()}, "pass it as `solver=`"),
        ({"network": RepNet(2, width=4, scale=1.0, key=KEY)}, "as the problem, 1; it has 2"),
        ({"key": 0}, "must be one random key, such as `jax.random.key(0)`; got 0"),
        ({"key": None}, "must be one random key"),
        ({"key": jax.random.split(KEY, 3)}, "must be one random key"),
    ],
)
def test_arguments_of_another_kind_are_named(arguments, message):
    problem = regression(np.arange(9.0), np.arange(9.0))
    given = {"problem": problem, "network": None, "solver": None, "key": KEY, **arguments}
    with pytest.raises(ValueError, match=re.escape(message)):  # called past the tests' type checks
        _check(**given)


def test_old_keys_are_keys():
    problem = regression(np.arange(9.0), np.arange(9.0))
    solver = LeastSquares(8, activation=jnp.tanh, scale=1.0)
    old = solve(problem, solver=solver, key=jax.random.PRNGKey(0))
    assert np.isfinite(old(np.array([0.5]))).all()


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3, 4, 7])
def test_so_few_points_are_met(count):
    x = np.linspace(0.0, 2.0, count)
    solution = solve(regression(x, x**2), key=KEY)
    assert np.abs(solution(x)[:, 0] - x**2).max() < 2e-3 * 4.0  # ridges up to 1e-4
