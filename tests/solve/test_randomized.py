"""Gauss–Newton on points at random: against a linear model and an oscillator."""

import equinox as eqx
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
from repnet.solve._randomized import randomized, subsampled
from repnet.solve._training import Collocation, prepare


def run(problem, network, points, steps, tell=lambda step, loss: None, batch=None):
    """The network after some steps, in the user's units, and all losses.

    Of steps on `batch` residuals each, if it is given, and else on a few at random.
    """
    ready = prepare(
        problem, network, rate=1e-3, steps=1, key=jr.key(0), collocation=Collocation(points)
    )
    parameters, rest, _ = trainable(network, problem.unknowns)
    start = problem, parameters, rest, ready.training, steps
    if batch is None:
        found = randomized(*start, jr.key(1), tell)
    else:
        found = subsampled(*start, batch, jr.key(1), tell)
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


def run_network(found):
    """The network that steps from `small` ended with."""
    _, rest, _ = trainable(small(), None)
    return eqx.combine(found.parameters, rest)[0]


def oscillation_error(u):
    x = jnp.linspace(0.0, 1.0, 500)[:, None]
    truth = jnp.cos(30.0 * x)
    return float(jnp.linalg.norm(jax.vmap(u)(x) - truth) / jnp.linalg.norm(truth))


def test_steps_follow_the_work():
    assert on_all(519, 21_000)
    assert not on_all(2048, 21_000)
    assert on_all(8192, 100)  # few parameters: their own space is small
    assert steps_for(8192, 21_000) == 200


def linear():
    """A network with one layer, frozen, a function of its span, and the equation that asks it."""
    first = RepLinear(1, 16, scale=2.0, features="plain", rates=FROZEN, key=jr.key(0))
    truth = MLP(first, 1, hidden=(), key=jr.key(2))

    def equation(u, x, unknowns):
        return u(x) - truth(x)

    problem = Problem(Box(-1.0, 1.0), {"equation": Term(equation)})
    return problem, MLP(first, 1, hidden=(), key=jr.key(1)), truth


def largest_error(u, truth):
    x = jnp.linspace(-1.0, 1.0, 50)[:, None]
    return float(jnp.max(jnp.abs(jax.vmap(u)(x) - jax.vmap(truth)(x))))


@pytest.mark.slow
def test_a_linear_model_ends_at_the_least_squares_solution(monkeypatch):
    """A consistent system is solved by any choice of its rows: the exact solution is in reach."""
    monkeypatch.setattr(_randomized, "BATCH", 24)
    monkeypatch.setattr(_randomized, "_FEWEST", 4)
    with jax.enable_x64(True):
        problem, network, truth = linear()
        u, found = run(problem, network, 400, 40)
        error = largest_error(u, truth)
    assert found.losses[-1] < 1e-8
    assert error < 1e-3


@pytest.mark.slow
def test_large_steps_solve_a_linear_model_and_end_when_nothing_helps():
    with jax.enable_x64(True):
        problem, network, truth = linear()
        u, found = run(problem, network, 400, 60, batch=200)
        error = largest_error(u, truth)
        again = run(problem, truth, 400, 5, batch=200)[1]
    assert len(found.losses) < 60
    assert found.losses[-1] < 1e-11
    assert error < 1e-5
    assert again.losses == []


@pytest.mark.long
def test_large_steps_go_on_from_where_few_residuals_end(monkeypatch):
    """Each lowers the residual at points that none has seen; Ctrl-C keeps the last."""
    monkeypatch.setattr(_randomized, "BATCH", 128)
    near, found = run(OSCILLATIONS, small(), 400, 20)
    network = run_network(found)
    seen = []

    def stop(step, loss):
        seen.append(loss)
        if step == 6:
            raise KeyboardInterrupt

    u, after = run(OSCILLATIONS, network, 400, 20, stop, batch=300)
    assert after.interrupted
    assert len(after.losses) == len(seen) == 6
    assert after.losses[-1] < 0.01 * found.losses[-1]
    assert oscillation_error(u) < 0.1 * oscillation_error(near)


@pytest.mark.long
def test_free_oscillations_are_learnt(monkeypatch):
    """The network must reach values of the order of the frequency's square."""
    monkeypatch.setattr(_randomized, "BATCH", 128)
    u, found = run(OSCILLATIONS, small(), 400, 80)
    assert not found.interrupted
    assert len(found.losses) == 80
    assert oscillation_error(u) < 0.02


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
