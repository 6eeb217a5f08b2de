"""Weights of terms: against gradients and kernels taken by hand."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from repnet.nn import MLP, Linear
from repnet.problem import Box, Problem, Term, dirichlet, partial
from repnet.solve import Gradient, train_many
from repnet.solve._collocation import draw_terms
from repnet.solve._training import prepare
from repnet.solve._weighting import balanced


def problem():
    box = Box(-1.0, 1.0)
    steep = Term(lambda u, x, unknowns: 10.0 * partial(u, 0)(x) - 1.0)
    return Problem(box, {"equation": steep, "boundary": dirichlet(box.face(0, "lower"), 2.0)})


def network():
    return MLP(Linear(1, 6, key=jr.key(1)), 1, hidden=(), key=jr.key(2))


def ready():
    return prepare(problem(), network(), rate=1e-3, steps=10, key=jr.key(0))


def by_hand(start):
    """Residuals of both terms as functions of a flat vector."""
    flat, shape = ravel_pytree(network())
    points = start.training.terms[0].points

    def equation(p):
        slope = jax.vmap(jax.grad(lambda x: shape(p)(x)[0]))(points)[:, 0]
        return 10.0 * slope - 1.0

    return flat, (equation, lambda p: shape(p)(jnp.array([-1.0])) - 2.0)


def new_weights(start, kind):
    terms = balanced(kind, start.training, start.state.parameters, start.rest, first=True)
    return np.array([float(term.weight) for term in terms])


@pytest.mark.slow
def test_gradient_norms_are_equal_after_weighting():
    start = ready()
    flat, residuals = by_hand(start)
    slopes = [jax.jit(jax.grad(lambda p, r=r: jnp.mean(r(p) ** 2))) for r in residuals]
    norms = [np.linalg.norm(slope(flat)) for slope in slopes]
    weights = new_weights(start, "gradient_norm")
    np.testing.assert_allclose(weights, sum(norms) / np.array(norms), rtol=1e-3)


@pytest.mark.slow
def test_kernel_weights_are_inverse_traces():
    start = ready()
    flat, residuals = by_hand(start)
    every = len(start.training.terms[0].points) // 64
    rows = [np.asarray(jax.jit(jax.jacobian(r))(flat)) for r in residuals]
    traces = np.array([np.mean(np.sum(r[::every] ** 2, axis=1)) for r in rows])
    np.testing.assert_allclose(new_weights(start, "ntk"), traces.sum() / traces, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["gradient_norm", "ntk", {"boundary": 100.0}])
def test_weights_let_the_small_term_be_met(weights):
    # du/dx = 0.1 and u(-1) = 2: with equal weights the steep term rules.
    solver = Gradient(steps=400, chunk=100, rate=1e-2, weights=weights, finish=0, points=64)
    solution = solver.run(problem(), network(), key=jr.key(0))
    assert solution(np.array([-1.0]))[0, 0] == pytest.approx(2.0, abs=0.05)


def test_given_weights_multiply_the_loss():
    one, ten = (
        Gradient(steps=1, rate=1e-9, weights={"equation": 0.0, "boundary": w}, finish=0, points=8)
        .run(problem(), network(), key=jr.key(0))
        .history["loss"][0]
        for w in (1.0, 10.0)
    )
    assert ten == pytest.approx(10.0 * one, rel=1e-4)


def test_bad_weights_are_named():
    with pytest.raises(ValueError, match="loud"):
        Gradient(weights="loud")
    with pytest.raises(ValueError, match="boundary"):
        Gradient(weights={"boundary": -1.0})
    with pytest.raises(ValueError, match="edge"):
        Gradient(weights={"edge": 1.0}, steps=1).run(problem(), network(), key=jr.key(0))
    with pytest.raises(ValueError, match="ntk"):
        train_many(
            problem(), lambda key: network(), Gradient(weights="ntk"), keys=jr.split(jr.key(0), 2)
        )


def test_points_are_those_of_the_direct_solver():
    points = draw_terms(problem(), 100, jr.key(0))
    assert points["equation"].shape == (100, 1)
    assert points["boundary"].tolist() == [[-1.0]]
