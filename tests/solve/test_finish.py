"""Gauss–Newton at the end of a training: against normal equations, and where descent stalls."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import FROZEN, MLP, Linear, RepLinear, RepNet
from repnet.problem import Box, Problem, Term, dirichlet, observed, partial
from repnet.solve import GaussNewton, Gradient, solve


def poisson(frequency):
    """u'' = f on [0, 1] whose solution has a slow and a fast part."""
    box = Box(0.0, 1.0)
    slow, fast = 2.0 * np.pi, frequency * np.pi

    def exact(x):
        return jnp.sin(slow * x) + 0.1 * jnp.sin(fast * x)

    def equation(u, x, unknowns):
        source = slow**2 * jnp.sin(slow * x) + 0.1 * fast**2 * jnp.sin(fast * x)
        return partial(u, 0, 2)(x) + source

    terms = {"equation": Term(equation), "boundary": dirichlet(box.boundary(), exact)}
    return Problem(box, terms), exact


def relative(solution, exact):
    x = np.linspace(0.0, 1.0, 1001)[:, None]
    with jax.enable_x64(True):
        truth = np.asarray(exact(jnp.asarray(x)))
    return np.linalg.norm(solution(x) - truth) / np.linalg.norm(truth)


@pytest.mark.slow
def test_a_linear_model_is_solved_to_the_least_squares_solution():
    problem, _ = poisson(6.0)
    with jax.enable_x64(True):
        first = RepLinear(1, 24, scale=6.0, features="plain", rates=FROZEN, key=jr.key(0))
        network = MLP(first, 1, hidden=(), key=jr.key(1))
    solver = Gradient(steps=1, points=80, finish=40)
    solution = solver.run(problem, network, key=jr.key(0))
    loss = solution.history["loss"]
    assert len(loss) == solution.steps <= 41
    # Its own sum of squares has no descent left: a further run from there changes nothing.
    again = Gradient(steps=1, rate=1e-12, points=80, finish=5).run(
        problem, solution.network.network, key=jr.key(0)
    )
    np.testing.assert_allclose(
        again(np.linspace(0, 1, 50)), solution(np.linspace(0, 1, 50)), atol=1e-5
    )


@pytest.mark.long
def test_it_removes_the_slow_error_that_descent_leaves():
    problem, exact = poisson(20.0)
    network = RepNet(1, width=48, hidden=(24,), scale=10.0, features="plain", key=jr.key(0))
    plain = Gradient(steps=300, points=120, finish=0).run(problem, network, key=jr.key(0))
    ended = Gradient(steps=300, points=120, finish=25).run(problem, network, key=jr.key(0))
    assert relative(plain, exact) > 0.1
    assert relative(ended, exact) < 0.01


@pytest.mark.slow
def test_the_readout_is_solved_for_after_every_step():
    """No change of the read-out alone lowers the loss: its gradient there vanishes."""

    def equation(u, x, unknowns):
        return partial(u, 0, 2)(x) + 9.0 * u(x) - jnp.cos(5.0 * x)

    points = np.linspace(-1.0, 1.0, 40)[:, None]
    problem = Problem(Box(-1.0, 1.0), {"equation": Term(equation, points)})
    with jax.enable_x64(True):
        network = MLP(Linear(1, 10, key=jr.key(1)), 1, hidden=(6,), key=jr.key(2))
        wide = jax.tree.map(lambda a: a.astype(float) if hasattr(a, "astype") else a, network)

    def loss(readout, network):
        u = eqx.tree_at(lambda n: n.readout, network, readout)
        return jnp.mean(jnp.square(jax.vmap(lambda x: equation(u, x, None))(points)))

    slopes = []
    for steps in (0, 2):
        # In double precision, from a start that Adam leaves where it is.
        solver = Gradient(steps=1, rate=1e-30, finish=steps)
        found = solver.run(problem, wide, key=jr.key(0)).network.network
        with jax.enable_x64(True):
            slopes.append(np.abs(jax.grad(loss)(found.readout, found).weight).max())
    assert slopes[1] < 1e-6 * slopes[0]


@pytest.mark.slow
def test_unknowns_are_found_along():
    # u' = -k u, with u given at some points.
    def decay(u, x, unknowns):
        return partial(u, 0)(x) + unknowns["k"] * u(x)

    x = np.linspace(0.0, 1.0, 20)
    terms = {"equation": Term(decay), "data": observed(x, np.exp(-1.7 * x))}
    problem = Problem(Box(0.0, 1.0), terms, unknowns={"k": np.array(0.5)})
    network = MLP(Linear(1, 12, key=jr.key(1)), 1, hidden=(), key=jr.key(2))
    solution = Gradient(steps=20, points=40, finish=15).run(problem, network, key=jr.key(0))
    assert float(solution.unknowns["k"]) == pytest.approx(1.7, abs=1e-4)
    np.testing.assert_allclose(solution(x)[:, 0], np.exp(-1.7 * x), atol=2e-3)


@pytest.mark.parametrize(("hidden", "points"), [((12,), 15), ((), 60)])
@pytest.mark.slow
def test_gauss_newton_takes_a_given_network(hidden, points):
    """Fewer residuals than parameters, and more: a step is taken in the smaller space."""

    def decay(u, x, unknowns):
        return partial(u, 0)(x) + unknowns["k"] * u(x)

    x = np.linspace(0.0, 1.0, points)
    terms = {
        "equation": Term(decay, np.linspace(0.0, 1.0, points)[:, None]),
        "data": observed(x, np.exp(-1.7 * x)),
    }
    problem = Problem(Box(0.0, 1.0), terms, unknowns={"k": np.array(0.5)})
    network = MLP(Linear(1, 12, key=jr.key(1)), 1, hidden=hidden, key=jr.key(2))
    solution = solve(problem, network, GaussNewton(), key=jr.key(0))
    assert float(solution.unknowns["k"]) == pytest.approx(1.7, abs=1e-3)
    np.testing.assert_allclose(solution(x)[:, 0], np.exp(-1.7 * x), atol=2e-3)
