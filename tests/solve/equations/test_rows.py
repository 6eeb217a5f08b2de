"""Rows, sizes and linearity of residuals against direct evaluation."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from repnet import Box, Problem, Term, dirichlet, laplacian, partial
from repnet.solve.equations._layers import make_layer
from repnet.solve.equations._points import draw_points
from repnet.solve.equations._rows import (
    Frame,
    is_affine,
    linearized,
    readout_size,
    residuals,
    with_readout,
)
from repnet.solve.equations._sizes import term_sizes

box = Box([0.0, -1.0], [3.0, 1.0])


def linear(u, x, _):
    return laplacian(u)(x) + x[0] * u(x) - jnp.sin(x[1])


def nonlinear(u, x, _):
    return partial(u, 1)(x) + u(x) * partial(u, 0)(x)


def _made(residual, out=1):
    problem = Problem(
        box, {"equation": Term(residual), "edge": dirichlet(box.boundary(), 2.0)}, out_size=out
    )
    network = make_layer("sine", out, 24, np.array([4.0, 2.0]), key=jr.key(0))
    return problem, Frame.of(problem), network


def test_rows_predict_the_residual_at_any_readout_of_a_linear_equation():
    with jax.enable_x64(True):
        problem, frame, network = _made(linear)
        term, x = problem.terms["equation"], box.sample(33, key=jr.key(1))
        values, rows = linearized(term, frame, with_readout(network, np.zeros(25)), None, x)
        other = np.random.default_rng(0).normal(size=readout_size(network))
        expected = residuals(term, frame, with_readout(network, other), None, x)
    np.testing.assert_allclose(values + rows @ other, expected, rtol=1e-9, atol=1e-9)


def test_linearity_is_checked():
    with jax.enable_x64(True):
        for residual, expected in ((linear, True), (nonlinear, False)):
            problem, frame, network = _made(residual)
            points = draw_points(problem, 20, jr.key(2))
            found = is_affine(problem, frame, network, points)
            assert found == {"equation": expected, "edge": True}


def test_sizes_are_sums_of_absolute_terms():
    with jax.enable_x64(True):
        problem, frame, network = _made(linear)
        x = box.sample(17, key=jr.key(3))
        found = term_sizes(problem.terms["equation"], frame, network, None, x)
        field = frame.field(network)

        def absolute(p):
            return jnp.abs(laplacian(field)(p)) + jnp.abs(p[0] * field(p)) + jnp.abs(jnp.sin(p[1]))

        parts = np.asarray(jax.vmap(absolute)(jnp.asarray(x)))
    np.testing.assert_allclose(found, np.sqrt(np.mean(parts**2, axis=0)), rtol=1e-10)


def test_points_are_in_proportion():
    with jax.enable_x64(True):
        problem, _, _ = _made(linear)
    points = draw_points(problem, 300, jr.key(0))
    assert len(points["equation"]) == 900
    assert len(points["edge"]) == 4 * 75
    assert box.contains(points["equation"]).all()
