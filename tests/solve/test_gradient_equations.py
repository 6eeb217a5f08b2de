"""Gradient training of differential equations."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import MLP, Linear
from repnet.problem import Box, Problem, Term, dirichlet, initial, partial, zoo
from repnet.problem._unknown import UnknownField
from repnet.solve import RESULTS, Gradient, Solution


def small(dim, out=1):
    return MLP(Linear(dim, 16, key=jr.key(1)), out, hidden=(12,), key=jr.key(2))


@pytest.mark.slow
def test_a_hard_condition_holds_exactly_and_is_saved(tmp_path):
    box = Box(0.0, 2.0)
    problem = Problem(
        box,
        {"equation": Term(lambda u, x, unknowns: partial(u, 0)(x) - jnp.cos(x))},
        transform=from_one,
    )
    solution = Gradient(steps=300, rate=1e-2, points=64, finish=10).run(
        problem, small(1), key=jr.key(0)
    )
    x = np.linspace(0.0, 2.0, 101)
    assert solution(x)[0, 0] == 1.0
    np.testing.assert_allclose(solution(x)[:, 0], 1.0 + np.sin(x), atol=2e-4)
    solution.save(tmp_path / "hard.npz")
    np.testing.assert_array_equal(Solution.load(tmp_path / "hard.npz")(x), solution(x))


def from_one(u, x):
    return 1.0 + x * u(x)


@pytest.mark.slow
def test_a_system_of_two_outputs_is_trained():
    # A rotation: p' = -3q, q' = 3p.
    box = Box(0.0, 1.0)

    def rotation(u, x, unknowns):
        p, q = u(x)
        return partial(u, 0)(x) - 3.0 * jnp.stack([-q, p])

    terms = {"equation": Term(rotation), "initial": initial(box, [1.0, 0.0])}
    problem = Problem(box, terms, out_size=2)
    solution = Gradient(steps=200, rate=1e-2, points=64, finish=15).run(
        problem, small(1, 2), key=jr.key(0)
    )
    x = np.linspace(0.0, 1.0, 50)
    truth = np.stack([np.cos(3.0 * x), np.sin(3.0 * x)], axis=1)
    np.testing.assert_allclose(solution(x), truth, atol=3e-3)


@pytest.mark.slow
def test_the_scale_comes_from_the_equation():
    # u' = cos 40 x: 40 radians per half-width.
    box = Box(-1.0, 1.0)
    terms = {
        "equation": Term(lambda u, x, unknowns: partial(u, 0)(x) - 40.0 * jnp.cos(40.0 * x)),
        "boundary": dirichlet(box.face(0, "lower"), -np.sin(40.0)),
    }
    solver = Gradient(steps=2, width=16, hidden=(8,), finish=0, points=32)
    solution = solver.run(Problem(box, terms), key=jr.key(0))
    (omega,) = solution.plan.numbers["omega"]
    assert 36.0 < omega < 90.0
    assert solution.plan.scale == pytest.approx(((omega + np.pi) / 3.5,), rel=1e-3)
    assert "plain" in solution.plan.network


@pytest.mark.slow
def test_earlier_times_come_first_where_asked():
    # du/dt = f with f large at late times: causal training fits the early half first.
    box = Box(0.0, 1.0)

    def equation(u, x, unknowns):
        return partial(u, 0)(x) - 8.0 * jnp.cos(8.0 * x)

    problem = Problem(box, {"equation": Term(equation)}, transform=lambda u, x: x * u(x))
    errors = {}
    for causal in (0.0, 100.0):
        solver = Gradient(steps=150, points=128, causal=causal, finish=0, rate=3e-3)
        solution = solver.run(problem, small(1), key=jr.key(0))
        x = np.linspace(0.0, 0.25, 40)
        slope = np.gradient(solution(x)[:, 0], x)
        errors[causal] = np.mean((slope - 8.0 * np.cos(8.0 * x)) ** 2)
    assert errors[100.0] < 0.5 * errors[0.0]


def test_an_unknown_field_wants_a_network():
    term = Term(lambda u, x, unknowns: unknowns["a"](x) * u(x))
    problem = Problem(Box(0.0, 1.0), {"equation": term}, unknowns={"a": UnknownField()})
    with pytest.raises(ValueError, match="UnknownField"):
        Gradient(steps=1).run(problem, small(1), key=jr.key(0))


@pytest.mark.long
def test_soft_conditions_no_longer_stall():
    problem = zoo.make("poisson1d_ms", frequency=20.0)
    solver = Gradient(steps=400, rate=3e-3, width=96, hidden=(32,), points=200)
    solution = solver.run(problem, key=jr.key(0))
    x = np.linspace(0.0, 1.0, 1001)[:, None]
    truth = problem.exact(x)
    assert solution.result is RESULTS.successful
    assert np.linalg.norm(solution(x) - truth) / np.linalg.norm(truth) < 0.01
