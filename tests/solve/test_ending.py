"""How trainings end: with steps started anew, steps that a trial allows, or none."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.judge import relative_l2
from repnet.nn import MLP, Linear, RepNet
from repnet.problem import Box, Problem, Term, partial, regression
from repnet.solve import Gradient, _ending, _randomized, train_many
from repnet.solve._ending import unsolved
from repnet.solve._loop import trainable


@pytest.mark.slow
@pytest.mark.parametrize(("share", "said"), [(0.0, True), (0.2, True), (0.9, False), (1.0, False)])
def test_a_network_that_is_mostly_there_is_no_fresh_start(share, said):
    """A residual is compared with the terms that make it up, so its unit is no matter."""
    truth = MLP(Linear(1, 8, key=jr.key(0)), 1, hidden=(), key=jr.key(1))

    def equation(u, x, unknowns):
        return 1e3 * u(x) - 1e3 * jax.vmap(truth)(x[None])[0]

    problem = Problem(Box(-1.0, 1.0), {"equation": Term(equation)})
    network = eqx.tree_at(
        lambda n: n.readout, truth, jax.tree.map(lambda a: jnp.asarray(share) * a, truth.readout)
    )
    parameters, rest, _ = trainable(network, problem.unknowns)
    assert unsolved(problem, parameters, rest, jr.key(2)) is said


FEW = Gradient(steps=1000, width=32, hidden=(16,), scale=3.0)


@pytest.mark.slow
def test_a_smooth_target_at_few_points_is_ended_by_steps_that_a_trial_allows():
    def front(x):
        return np.tanh(6 * x) + 0.2 * np.cos(4 * x)

    x, between = np.linspace(-1, 1, 33), np.linspace(-1, 1, 999)
    without, ended = (
        replace(FEW, finish=finish).run(regression(x, front(x)), key=jr.key(0))
        for finish in (0, None)
    )
    errors = [relative_l2(each, between, front(between)) for each in (without, ended)]
    assert errors[1] < 0.1 * errors[0]
    taken = ended.steps - 1000
    assert 1 <= taken <= 6
    assert len(ended.history["loss"]) == len(without.history["loss"]) + taken
    assert ended.plan.reasons[-1].startswith(f"{taken} Gauss–Newton steps at the end")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_nothing_goes_astray_between_scattered_points(seed):
    """Read-outs of features that hardly differ on the points once left spikes between them."""
    x = np.sort(np.random.default_rng(3).uniform(-1, 1, 40))
    between = np.linspace(x[0], x[-1], 4001)
    solution = replace(FEW, width=256, hidden=(64, 64), steps=3000, scale="auto").run(
        regression(x, np.exp(2 * x)), key=jr.key(seed)
    )
    assert solution.steps > 3000
    assert np.abs(solution(between)[:, 0] - np.exp(2 * between)).max() < 0.01


@pytest.mark.slow
def test_noise_is_not_fitted_by_them(rng):
    x = np.linspace(-1, 1, 65)
    problem = regression(x, np.exp(x) + 0.1 * rng.normal(size=65))
    without, ended = (replace(FEW, finish=f).run(problem, key=jr.key(0)) for f in (0, None))
    assert ended.steps == 1000
    assert ended(x).tobytes() == without(x).tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"steps": 999}, {"batch": 16}, {"hold_out": 0.2}])
def test_trainings_that_are_ended_otherwise_have_none(change):
    x = np.linspace(-1, 1, 33)
    solver = replace(FEW, **change)
    assert solver.run(regression(x, np.tanh(6 * x)), key=jr.key(0)).steps == solver.steps


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "steps"), [(jax.nn.relu, 0), (jax.nn.softplus, 6)])
def test_relu_is_not_tried(monkeypatch, activation, steps):
    """A trial that always helps: no steps for an activation with kinks all the same."""
    monkeypatch.setattr(_ending, "_NEARER", np.inf)
    x = np.linspace(-1, 1, 33)
    solver = replace(FEW, activation=activation)
    assert solver.run(regression(x, np.tanh(6 * x)), key=jr.key(0)).steps == solver.steps + steps


@pytest.mark.slow
def test_a_network_of_the_callers_is_trained_as_asked():
    x = np.linspace(-1, 1, 33)
    network = RepNet(1, width=32, hidden=(16,), scale=3.0, key=jr.key(1))
    assert FEW.run(regression(x, np.tanh(6 * x)), network, key=jr.key(0)).steps == 1000


@pytest.mark.long
def test_the_plan_says_that_steps_started_anew(monkeypatch):
    """Of each of two networks that are trained at once."""
    monkeypatch.setattr(_ending, "on_all", lambda rows, columns: False)
    monkeypatch.setattr(_randomized, "BATCH", 64)

    def equation(u, x, unknowns):
        return partial(u, 0, 2)(x) + 400.0 * u(x)

    def make(key):
        return RepNet(1, width=24, hidden=(8,), scale=6.0, features="plain", key=key)

    problem = Problem(
        Box(0.0, 1.0), {"equation": Term(equation)}, transform=lambda u, x: 1.0 + x**2 * u(x)
    )
    solver = Gradient(steps=2, finish=3, points=256)
    keys = jr.split(jr.key(0), 2)
    for solution in train_many(problem, make, solver, keys=keys):
        assert "started from the initial network" in solution.plan.reasons[-1]
        assert solution.steps == 5
