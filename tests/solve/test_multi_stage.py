"""Solves in stages against closed forms: data, equations with all their conditions, bad input."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet import (
    RESULTS,
    Box,
    Gradient,
    LeastSquares,
    MultiStage,
    Problem,
    Solution,
    Term,
    Windows,
    partial,
    regression,
    solve,
)
from repnet.judge import relative_l2
from repnet.problem import initial
from repnet.solve import _multi_stage
from repnet.solve._correction import Correction

KEY = jr.key(0)
X = np.linspace(-1.0, 3.0, 601)
BETWEEN = np.linspace(-0.99, 2.99, 777)
TANH = LeastSquares(64, activation=jnp.tanh, scale=12.0)


def target(x):
    return np.stack([np.exp(np.sin(7.0 * x)), 1e4 * np.cos(11.0 * x + 1.0)], axis=1)


@pytest.fixture(scope="module")
def staged():
    """Two outputs of very different size, in two stages. Not to be changed."""
    return solve(regression(X, target(X)), solver=MultiStage(TANH, stages=2), key=KEY)


@pytest.mark.slow
def test_data_are_met_far_better_than_in_one_stage(staged):
    one = solve(regression(X, target(X)), solver=TANH, key=KEY)
    error = relative_l2(staged, BETWEEN, target(BETWEEN))
    assert error < 1e-3 * relative_l2(one, BETWEEN, target(BETWEEN))
    assert staged.result is RESULTS.successful


@pytest.mark.slow
def test_the_record_tells_the_true_error(staged):
    told = staged.history["residual"]
    apart = (staged(BETWEEN) - target(BETWEEN)) / target(X).std(axis=0)
    kept = [row["after"] for row in staged.plan.numbers["stages"] if row["kept"]]
    assert told.min() == kept[-1] == staged.plan.numbers["residual"]
    assert 0.2 < np.sqrt(np.mean(apart**2)) / told.min() < 5.0


@pytest.mark.slow
def test_the_sum_is_a_network_like_any_other(staged, tmp_path):
    staged.save(tmp_path / "sum.npz")
    loaded = Solution.load(tmp_path / "sum.npz")
    np.testing.assert_array_equal(loaded(BETWEEN), staged(BETWEEN))
    with jax.enable_x64(True):
        points = jnp.asarray(BETWEEN)[:, None]
        slope = jax.jit(jax.vmap(partial(loaded.network, 0)))(points)[:, 0]
    exact = 7.0 * np.cos(7.0 * BETWEEN) * np.exp(np.sin(7.0 * BETWEEN))
    np.testing.assert_allclose(slope, exact, atol=1e-4)


@pytest.mark.long
def test_noise_is_not_fitted(rng):
    """A stage that helps the fitted rows alone is left out, and the solution is the first's."""
    y = np.sin(3.0 * X) + 0.1 * rng.normal(size=len(X))
    solution = solve(regression(X, y), solver=MultiStage(LeastSquares(40), stages=4), key=KEY)
    stages = solution.plan.numbers["stages"]
    assert len(stages) < 4
    assert not stages[-1]["kept"] or stages[-1]["after"] > 0.9 * stages[-1]["before"]
    assert relative_l2(solution, BETWEEN, np.sin(3.0 * BETWEEN)[:, None]) < 0.06


@pytest.mark.slow
def test_a_target_ends_the_solve_or_is_told_missed(staged):
    problem = regression(X, target(X))
    near = 2.0 * staged.history["residual"][0]
    enough = solve(problem, solver=MultiStage(TANH, target=near), key=KEY)
    assert enough.result is RESULTS.successful
    assert len(enough.history["stage"]) == 1
    missed = solve(problem, solver=MultiStage(TANH, stages=1, target=1e-14), key=KEY)
    assert missed.result is RESULTS.stalled


def test_an_interrupt_keeps_the_sum_so_far(monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(_multi_stage, "correct", interrupted)
    solution = solve(regression(X, target(X)), solver=MultiStage(TANH), key=KEY)
    assert solution.result is RESULTS.interrupted
    assert solution.history["stage"].tolist() == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stages": 0}, r"stages=.* >= 1; got 0"),
        ({"stages": True}, r"stages=.* >= 1; got True"),
        ({"solver": Windows()}, r"solver=.*got Windows"),
        ({"solver": LeastSquares}, r"solver=.*got "),
        ({"solver": None}, r"solver=.*got NoneType"),
        ({"later": "tanh"}, r"later=.*got str"),
        ({"target": 0.0}, r"target=.*positive; got 0"),
        ({"target": float("nan")}, r"target=.*finite and positive; got nan"),
        ({"hold_out": 1.0}, r"hold_out=.*\(0, 1\); got 1"),
        ({"hold_out": float("nan")}, r"hold_out=.*got nan"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=r"`MultiStage\(" + message):
        MultiStage(**arguments)


def test_problems_that_it_does_not_take():
    line = Box([0.0], [1.0])
    inverse = Problem(line, {"equation": Term(lambda u, x, a: a * u(x))}, unknowns=jnp.ones(()))
    with pytest.raises(ValueError, match="`MultiStage` takes problems without `unknowns`"):
        solve(inverse, solver=MultiStage(), key=KEY)
    broken = Problem(line, {"equation": Term(lambda u, x, a: jnp.log(x - 2.0) * u(x))})
    with pytest.raises(ValueError, match="term 'equation' must be finite"):
        solve(broken, solver=MultiStage(Gradient(steps=1)), key=KEY)
    with pytest.raises(ValueError, match="must be finite"):
        solve(regression(X, np.full(len(X), np.nan)), solver=MultiStage(), key=KEY)


def system():
    """u' = 3 v, v' = -48 u + 2 cos t with u(0) = 1, v(0) = 0 and five values of u.

    u'' = -144 u + 6 cos t is solved by u = c cos t + (1 - c) cos 12 t, c = 6/143.
    """
    c = 6.0 / 143.0

    def exact(x):
        t = np.asarray(x)[:, 0]
        u = c * np.cos(t) + (1 - c) * np.cos(12 * t)
        return np.stack([u, -(c * np.sin(t) + 12 * (1 - c) * np.sin(12 * t)) / 3.0], axis=1)

    def equation(u, x, unknowns):
        slope = partial(u, 0)(x)
        return slope - jnp.array([3.0 * u(x)[1], -48.0 * u(x)[0] + 2.0 * jnp.cos(x[0])])

    line, few = Box([0.0], [2.0]), np.linspace(0.3, 1.9, 5)[:, None]
    terms = {"equation": Term(equation)}
    terms["start"] = initial(line, jnp.array([1.0, 0.0]))
    terms["measured"] = Term(lambda u, x, unknowns: u(x)[:1], few, exact(few)[:, :1])
    return Problem(line, terms, exact=exact, out_size=2)


T = np.linspace(0.0, 2.0, 401)[:, None]


@pytest.mark.long
def test_every_term_of_a_linear_system_is_met_better():
    """As well as the record says, and a hundred times better than by the first stage alone."""
    problem = system()
    staged = solve(problem, solver=MultiStage(LeastSquares(40, activation=jnp.tanh)), key=KEY)
    told = staged.history["residual"]
    assert told[-1] < 0.01 * told[0]
    assert relative_l2(staged, T, problem.exact(T)) < 2.0 * told[-1]
    assert np.abs(staged(T[:1]) - [[1.0, 0.0]]).max() < 10.0 * told[-1]


def cubic(u, x, unknowns):
    return partial(u, 0, 2)(x) - u(x) ** 3


def linear(u, x, unknowns):
    return partial(u, 0, 2)(x) - 3.0 * u(x) + 7.0


@pytest.mark.parametrize(("residual", "affine"), [(cubic, False), (linear, True), (linear, False)])
def test_a_correction_states_what_is_left(residual, affine):
    """With u₀ = x² sin x under u ↦ x u and v = eˣ: (r(x (u₀ + ε v)) - g) / ε by hand."""
    few = np.array([[0.4], [1.3]])
    given = np.array([[2.0], [-1.0]])
    terms = {"equation": Term(residual), "data": Term(lambda u, x, unknowns: u(x), few, given)}
    problem = Problem(Box([0.0], [2.0]), terms, transform=lambda u, x: x * u(x))
    sizes = {"equation": np.ones(1), "data": np.full(1, 3.0)}
    left = Correction(problem, lambda x: x**2 * jnp.sin(x), 0.25, affine, sizes).stated()
    x = np.array([0.7])
    found = left.terms["equation"](jnp.exp, jnp.asarray(x))
    u = x**3 * np.sin(x) + 0.25 * x * np.exp(x)
    second = 6 * x * np.sin(x) + 6 * x**2 * np.cos(x) - x**3 * np.sin(x)
    second = second + 0.25 * (2.0 + x) * np.exp(x)
    whole = second - u**3 if residual is cubic else second - 3.0 * u + 7.0
    np.testing.assert_allclose(found, whole / 0.25, rtol=1e-4)
    data = left.terms["data"]
    apart = np.asarray(data(jnp.exp, jnp.asarray(few[1]))) - data.values[1]
    u = 1.3**3 * np.sin(1.3) + 0.25 * 1.3 * np.exp(1.3)
    np.testing.assert_allclose(apart, (u + 1.0) / 0.25, rtol=1e-4)


@pytest.mark.long
def test_trained_stages_gain_over_one_of_as_many_steps():
    y = np.exp(np.sin(5.0 * X))[:, None]
    truth = np.exp(np.sin(5.0 * BETWEEN))[:, None]
    make = {"width": 48, "hidden": (16,)}
    one = solve(regression(X, y), solver=Gradient(steps=1600, **make), key=KEY)
    staged = solve(
        regression(X, y), solver=MultiStage(Gradient(steps=800, **make), stages=2), key=KEY
    )
    assert staged.steps == 1600
    assert staged.history["loss"][-1] < 0.1 * staged.history["loss"][7]
    assert relative_l2(staged, BETWEEN, truth) < 0.5 * relative_l2(one, BETWEEN, truth)
