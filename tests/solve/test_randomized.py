"""Gauss–Newton on points at random: against a linear model and an oscillator."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import FROZEN, MLP, RepLinear, RepNet
from repnet.problem import Box, Problem, Term, partial
from repnet.solve import _randomized
from repnet.solve._ending import on_all, steps_for
from repnet.solve._loop import trainable
from repnet.solve._randomized import randomized
from repnet.solve._training import Collocation, prepare


def run(problem, network, points, steps, tell=lambda step, loss: None):
    """The network after some steps, in the user's units, and all losses."""
    ready = prepare(
        problem, network, rate=1e-3, steps=1, key=jr.key(0), collocation=Collocation(points)
    )
    parameters, rest, _ = trainable(network, problem.unknowns)
    found = randomized(problem, parameters, rest, ready.training, steps, jr.key(1), tell)
    combined = jax.tree.map(
        lambda a, b: b if a is None else a, found.parameters, rest, is_leaf=lambda a: a is None
    )
    return ready.wrap(combined[0]), found


def oscillator(frequency):
    """Free oscillations from rest at 1, their start met by construction."""

    def equation(u, x, unknowns):
        return partial(u, 0, 2)(x) + frequency**2 * u(x)

    def transform(u, x):
        return 1.0 + x**2 * u(x)

    return Problem(Box(0.0, 1.0), {"equation": Term(equation)}, transform=transform)


OSCILLATIONS = oscillator(30.0)


def small():
    return RepNet(1, width=48, hidden=(24,), scale=6.0, features="plain", key=jr.key(0))


def test_steps_follow_the_work():
    assert on_all(519, 21_000)
    assert not on_all(2048, 21_000)
    assert on_all(8192, 100)  # few parameters: their own space is small
    assert steps_for(8192, 21_000) == 200


@pytest.mark.slow
def test_a_linear_model_ends_at_the_least_squares_solution(monkeypatch):
    """A consistent system is solved by any choice of its rows: the exact solution is in reach."""
    monkeypatch.setattr(_randomized, "BATCH", 24)
    monkeypatch.setattr(_randomized, "_FEWEST", 4)
    with jax.enable_x64(True):
        first = RepLinear(1, 16, scale=2.0, features="plain", rates=FROZEN, key=jr.key(0))
        network = MLP(first, 1, hidden=(), key=jr.key(1))
        truth = MLP(first, 1, hidden=(), key=jr.key(2))

        def equation(u, x, unknowns):
            return u(x) - truth(x)

        problem = Problem(Box(-1.0, 1.0), {"equation": Term(equation)})
        u, found = run(problem, network, 400, 40)
        x = jnp.linspace(-1.0, 1.0, 50)[:, None]
        error = np.asarray(jax.vmap(u)(x) - jax.vmap(truth)(x))
    assert found.losses[-1] < 1e-8
    assert np.max(np.abs(error)) < 1e-3


@pytest.mark.slow
def test_free_oscillations_are_learnt(monkeypatch):
    """The network must reach values of the order of the frequency's square."""
    monkeypatch.setattr(_randomized, "BATCH", 128)
    u, found = run(OSCILLATIONS, small(), 400, 80)
    x = jnp.linspace(0.0, 1.0, 500)[:, None]
    truth = jnp.cos(30.0 * x)
    error = jnp.linalg.norm(jax.vmap(u)(x) - truth) / jnp.linalg.norm(truth)
    assert not found.interrupted
    assert len(found.losses) == 80
    assert float(error) < 0.02


@pytest.mark.slow
def test_an_interrupt_keeps_the_best(monkeypatch):
    monkeypatch.setattr(_randomized, "BATCH", 128)

    def stop(step, loss):
        if step == 12:
            raise KeyboardInterrupt

    _, found = run(OSCILLATIONS, small(), 400, 50, stop)
    assert found.interrupted
    assert len(found.losses) == 12
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(found.parameters))
    _, whole = run(OSCILLATIONS, small(), 400, 10)
    for one, other in zip(*(jax.tree.leaves(f.parameters) for f in (found, whole)), strict=True):
        np.testing.assert_array_equal(one, other)
