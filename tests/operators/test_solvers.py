"""Operators solved by the one verb, judged by exact antiderivatives."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy

from repnet.nn import MLP, DeepONet, Linear, RepNet
from repnet.operators import (
    OperatorData,
    OperatorGradient,
    OperatorLeastSquares,
    antiderivative,
    operator_problem,
)
from repnet.solve import RESULTS, Solution, solve
from repnet.solve._solve import _of_the_problem


def _same(z):
    return z


def _linear_branch(sensors: int, basis: int, key) -> MLP:
    return MLP(Linear(sensors, sensors, activation=_same, key=key), basis, hidden=(), key=key)


def _operator(sensors: int, basis: int, key, scale: float = 20.0) -> DeepONet:
    one, two = jr.split(key)
    trunk = RepNet(1, basis, width=basis, hidden=(), scale=scale, features="step", key=one)
    return DeepONet([_linear_branch(sensors, basis, two)], trunk, basis=basis)


def _error(solution: Solution, data: OperatorData) -> float:
    found = solution.network.many(data.inputs[0], data.queries)
    return float(np.linalg.norm(found - data.outputs) / np.linalg.norm(data.outputs))


def test_antiderivatives_are_those_of_quadrature():
    data = antiderivative(4, length=0.1, sensors=2001, points=11, key=jr.key(0))
    x = np.linspace(0.0, 1.0, 2001)
    wanted = scipy.integrate.cumulative_simpson(data.inputs[0], x=x, initial=0.0)[:, ::200]
    np.testing.assert_allclose(data.outputs[:, :, 0], wanted, atol=1e-9)


@pytest.mark.slow
def test_the_process_has_its_covariance():
    data = antiderivative(20_000, length=0.1, sensors=11, points=2, key=jr.key(1))
    x = np.linspace(0.0, 1.0, 11)
    wanted = np.exp(-0.5 * np.square((x - x[:, None]) / 0.1))
    np.testing.assert_allclose(np.cov(data.inputs[0].T), wanted, atol=0.05)


@pytest.mark.slow
def test_least_squares_finds_a_linear_operator(tmp_path):
    train, test = (antiderivative(n, key=jr.key(k)) for n, k in ((400, 2), (50, 3)))
    operator = _operator(101, 100, jr.key(4))
    solution = solve(operator_problem(train), operator, OperatorLeastSquares(), key=jr.key(5))
    assert _error(solution, test) < 1e-3
    solution.save(tmp_path / "operator.npz")
    loaded = Solution.load(tmp_path / "operator.npz")
    np.testing.assert_array_equal(
        loaded.network.many(test.inputs[0], test.queries),
        solution.network.many(test.inputs[0], test.queries),
    )


@pytest.mark.slow
def test_training_lowers_the_error_and_repeats_to_the_bit():
    data = antiderivative(64, length=0.15, sensors=31, points=31, key=jr.key(6))
    problem = operator_problem(data)
    operator = _operator(31, 20, jr.key(7), scale=6.0)
    solver = OperatorGradient(steps=400, rate=3e-3, functions=32, points=16)
    first, again = (solve(problem, operator, solver, key=jr.key(8)) for _ in range(2))
    assert first.result is RESULTS.successful
    assert _error(first, data) < 0.3
    assert first.history["loss"][-1] < 0.1 * first.history["loss"][0]
    np.testing.assert_array_equal(
        first.network.many(data.inputs[0], data.queries),
        again.network.many(data.inputs[0], data.queries),
    )


@pytest.mark.slow
def test_query_points_of_each_function_own_and_several_outputs():
    rng = np.random.default_rng(0)
    v = rng.normal(size=(40, 3))
    queries = rng.uniform(size=(40, 9, 1))
    first = v[:, :1] * queries[:, :, 0]
    outputs = np.stack([first, v[:, 1:2] + 0.0 * first], axis=2)
    data = OperatorData((v,), queries, outputs)
    branch = MLP(Linear(3, 12, activation=_same, key=jr.key(0)), 8, hidden=(), key=jr.key(1))
    trunk = MLP(Linear(1, 12, key=jr.key(2)), 8, hidden=(), key=jr.key(3))
    operator = DeepONet([branch], trunk, basis=4, out_size=2)
    solver = OperatorGradient(steps=1500, rate=1e-2)
    solution = solve(operator_problem(data), operator, solver, key=jr.key(4))
    found = jax.vmap(lambda f, y: jax.vmap(lambda q: solution.network(f, q))(y))(
        jnp.asarray(v), jnp.asarray(queries)
    )
    assert float(np.linalg.norm(found - outputs) / np.linalg.norm(outputs)) < 0.05


@pytest.mark.slow
def test_a_loss_that_runs_away_ends_the_training():
    data = antiderivative(8, length=0.15, sensors=11, points=11, key=jr.key(6))
    solver = OperatorGradient(steps=300, rate=1e30, chunk=10)
    solution = solve(operator_problem(data), _operator(11, 4, jr.key(0)), solver, key=jr.key(1))
    assert solution.result is RESULTS.nonfinite
    assert np.isfinite(solution.network.many(data.inputs[0], data.queries)).all()


@pytest.mark.parametrize("name", ["steps", "functions", "points", "chunk"])
def test_counts_must_be_positive(name):
    with pytest.raises(ValueError, match=name):
        OperatorGradient(**{name: 0})


def test_least_squares_says_what_it_needs():
    data = antiderivative(8, length=0.15, sensors=11, points=11, key=jr.key(6))
    plain = DeepONet([lambda v: v[:4]], lambda y: jnp.ones(4), basis=4)
    with pytest.raises(ValueError, match="`features` and `readout`"):
        solve(operator_problem(data), plain, OperatorLeastSquares(), key=jr.key(0))
    with pytest.raises(ValueError, match="must lie between"):
        antiderivative(2, length=0.5, key=jr.key(0))


def test_solve_chooses_a_training_where_no_solver_is_named():
    data = antiderivative(8, length=0.15, sensors=11, points=11, key=jr.key(6))
    chosen = _of_the_problem(operator_problem(data))
    assert chosen == OperatorGradient(functions=64, points=1024)
