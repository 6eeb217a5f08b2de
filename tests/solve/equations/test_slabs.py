"""Slabs: small evolution problems of each kind, against their exact solutions."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet import RESULTS, Slabs, Solution, relative_l2
from repnet.problem import Box, Problem, Term, dirichlet, initial, partial, zoo
from repnet.solve.equations._slabs import marches


def _error(problem: Problem, solution: Solution) -> float:
    x = problem.domain.sample(1000, key=jax.random.key(7))
    assert problem.exact is not None
    return relative_l2(solution, x, problem.exact(x))


@pytest.mark.long
def test_burgers_saves_and_loads(tmp_path: Path) -> None:
    problem = zoo.make("burgers1d", viscosity=0.1)
    solution = Slabs(units=80, tolerance=1e-3).run(problem, key=jax.random.key(0))
    assert solution.result is RESULTS.successful
    assert _error(problem, solution) < 1e-3
    numbers = solution.plan.numbers
    assert np.isclose(sum(numbers["lengths"]), 1.0)
    assert len(numbers["starts"]) == len(numbers["residuals"])
    solution.save(tmp_path / "burgers.npz")
    loaded = Solution.load(tmp_path / "burgers.npz")
    x = problem.domain.sample(50, key=jax.random.key(1))
    np.testing.assert_array_equal(loaded(x), solution(x))
    with jax.enable_x64(True):
        term = problem.terms["equation"]
        residual = jax.vmap(lambda point: term(solution.network, point))(jnp.asarray(x))
    assert np.sqrt(np.mean(np.square(residual))) < 1e-2


@pytest.mark.long
def test_periodic_third_order() -> None:
    problem = zoo.make("kdv1d", dispersion=0.2)
    solution = Slabs(units=100, tolerance=1e-3).run(problem, key=jax.random.key(0))
    assert _error(problem, solution) < 1e-3
    ends = np.array([[-1.0, 0.37], [1.0, 0.37]])
    assert np.ptp(solution(ends)) < 1e-10  # periodic by construction


@pytest.mark.slow
def test_a_transform_and_two_outputs() -> None:
    box = Box([0.0, 0.0], [1.0, 0.5])

    def rotation(u, x, unknowns):
        rate, bend = partial(u, 1)(x), partial(u, 0, 2)(x)
        return rate - 0.1 * bend - jnp.array([-1.0, 1.0]) * u(x)[::-1]

    def start(x):
        return jnp.array([1.0, 0.0]) * jnp.sin(jnp.pi * x[0])

    def exact(x: np.ndarray) -> np.ndarray:
        shape = np.sin(np.pi * x[:, :1]) * np.exp(-0.1 * np.pi**2 * x[:, 1:])
        return shape * np.concatenate([np.cos(x[:, 1:]), np.sin(x[:, 1:])], axis=1)

    problem = Problem(
        box,
        {"equation": Term(rotation), "initial": initial(box, start)},
        exact=exact,
        transform=lambda u, x: x[0] * (1.0 - x[0]) * u(x),
        out_size=2,
    )
    solution = Slabs(units=80, tolerance=1e-3).run(problem, key=jax.random.key(0))
    assert _error(problem, solution) < 1e-3


@pytest.mark.slow
def test_contradicting_conditions_stall() -> None:
    box = Box([0.0, 0.0], [1.0, 1.0])

    def equation(u, x, unknowns):
        return partial(u, 1)(x) - 0.1 * partial(u, 0, 2)(x) + u(x) ** 2

    terms = {
        "equation": Term(equation),
        "left": dirichlet(box.face(0, "lower"), 1.0),
        "right": dirichlet(box.boundary(0), 0.0),
        "initial": initial(box, 0.0),
    }
    solution = Slabs(units=60).run(Problem(box, terms), key=jax.random.key(0))
    assert solution.result is RESULTS.stalled
    assert "Slabs(units=120)" in str(solution.plan)
    assert solution.plan.numbers["reached"] < 1.0


def test_which_problems_march() -> None:
    found = {name: marches(zoo.make(name)) for name in ("burgers1d", "kdv1d", "poisson1d_ms")}
    assert found == {"burgers1d": True, "kdv1d": True, "poisson1d_ms": False}


@pytest.mark.parametrize("name", ["units", "passes"])
def test_wants_positive_numbers(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}=...\\)` must be positive; got 0"):
        Slabs(**{name: 0})


def test_wants_no_network() -> None:
    with pytest.raises(ValueError, match="leave `network` out"):
        Slabs().run(zoo.make("burgers1d"), lambda x: x, key=jax.random.key(0))
