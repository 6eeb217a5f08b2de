"""When a training starts its last steps anew."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import pytest

from repnet.nn import MLP, Linear, RepNet
from repnet.problem import Box, Problem, Term, partial
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


@pytest.mark.slow
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
