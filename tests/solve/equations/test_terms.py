"""Terms at points against direct evaluation: residuals, rows, sizes, linearity."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet import Box, Problem, Term, dirichlet, laplacian, partial
from repnet.nn import MLP, FourierFeatures, Linear, RepLinear, RingBumps, Standardized, Sum
from repnet.problem import directional
from repnet.solve.equations._layers import make_layer
from repnet.solve.equations._points import draw_points
from repnet.solve.equations._rows import Frame, flat_readout, readout_size, with_readout
from repnet.solve.equations._terms import Placed, is_affine, residuals

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
        silent = with_readout(network, np.zeros(25))
        values, rows = Placed.of(term, frame, network, None, x).linearized(silent, None)
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
        found = Placed.of(problem.terms["equation"], frame, network, None, x).sizes(network, None)
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


def _double(tree):
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float64), tree)


def _layer(kind, out):
    match kind:
        case "deep":
            return MLP(Linear(2, 8, activation=jnp.tanh, key=jr.key(1)), out, key=jr.key(2))
        case "sine" | jnp.tanh:
            return make_layer(kind, out, 12, np.array([4.0, 2.0]), key=jr.key(1))
        case "bumps":
            first = RepLinear(2, 12, scale=3.0, activation=jnp.tanh, key=jr.key(1))
        case "pairs":
            first = RepLinear(2, 12, scale=3.0, features="bump", paired=True, key=jr.key(1))
        case "ring":
            first = RingBumps(*(jnp.linspace(0.1, 0.9, 12) * k for k in (2.0, 1.0, 0.3, 0.2)))
        case "fourier":
            first = FourierFeatures(2, 12, sigmas=(2.0, 4.0), key=jr.key(1))
        case _:
            raise AssertionError(kind)
    return MLP(first, out, hidden=(), key=jr.key(2))


def _own(u, x, unknowns):
    """Of third order, nonlinear, along a direction that is not an axis, with an unknown."""
    return (
        partial(u, 0, 3)(x)
        + u(x) * directional(u, [0.6, 0.8])(x)
        - unknowns["k"] * laplacian(u)(x)
        + jnp.sin(x[1])
    )


def _elsewhere(u, x, unknowns):
    """Looks at the field on the other side, and differentiates it by other means."""
    return unknowns["k"] * u(x) * u(3.0 - x) + jax.jacfwd(u)(x)[:, 0]


@pytest.mark.parametrize(
    ("kind", "residual", "hard"),
    [
        ("sine", _own, False),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (
                ("sine", _own, True),
                ("sine", _elsewhere, True),
                (jnp.tanh, _own, False),
                ("bumps", _own, False),
                ("pairs", _own, False),
                ("fourier", _own, False),
                ("ring", _own, False),
                ("ring", _elsewhere, False),
                ("deep", _own, False),
            )
        ),
    ],
)
def test_terms_are_those_of_the_network(kind, residual, hard):
    transform = (lambda u, x: x[0] * u(x)) if hard else None
    with jax.enable_x64(True):
        network = _double(_layer(kind, 2))
        domain = Frame.of(Problem(box, {"equation": Term(residual)}, out_size=2))
        frame = Frame(domain.centre, domain.half_width, transform)
        unknowns = {"k": jnp.asarray(0.7)}
        x = box.sample(9, key=jr.key(3))
        term = Term(residual, x, np.ones((9, 2)))

        def at(coefficients, k):
            field = frame.field(with_readout(network, coefficients))
            return jax.vmap(lambda p: residual(field, p, {"k": k}))(jnp.asarray(x)) - 1.0

        start = flat_readout(network)
        expected = at(start, unknowns["k"])
        by_readout, by_k = jax.jacrev(at, argnums=(0, 1))(start, unknowns["k"])
        placed = Placed.of(term, frame, with_readout(network, 0.0 * start), unknowns, x)
        found, rows = placed.linearized(network, unknowns)
        moves = placed.moves(network, unknowns, {"k": None})
        some = placed.at(slice(2, 5))
        size = float(jnp.max(jnp.abs(expected)))
        np.testing.assert_allclose(found, expected, atol=1e-12 * size)
        np.testing.assert_allclose(residuals(term, frame, network, unknowns, x), found)
        np.testing.assert_allclose(some.residuals(network, unknowns), found[2:5])
        np.testing.assert_allclose(rows, by_readout, atol=1e-12 * float(np.abs(by_readout).max()))
        np.testing.assert_allclose(moves[..., 0], by_k, atol=1e-12 * size)


def test_sums_of_networks_are_judged():
    with jax.enable_x64(True):
        ones, zeros = jnp.ones(2), jnp.zeros(2)
        parts = [_double(_layer(kind, 2)) for kind in ("sine", "ring")]
        network = Sum(tuple(Standardized(p, zeros, ones, zeros, ones) for p in parts), out_size=2)
        frame = Frame.of(Problem(box, {"equation": Term(_own)}, out_size=2))
        x, unknowns = box.sample(9, key=jr.key(3)), {"k": jnp.asarray(0.7)}
        found = residuals(Term(_own), frame, network, unknowns, x)
        field = frame.field(network)
        expected = jax.vmap(lambda p: _own(field, p, unknowns))(jnp.asarray(x))
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_sizes_where_jax_differentiates_the_field():
    def local(u, x, _):
        return jnp.trace(jax.hessian(lambda z: u(z)[0])(x)) + x[0] * u(x) - jnp.sin(x[1])

    def distant(u, x, _):
        return jax.grad(lambda z: u(z)[0])(x)[:1] + u(3.0 - x) - jnp.sin(x[1])

    with jax.enable_x64(True):
        _, frame, network = _made(linear)
        x = box.sample(17, key=jr.key(3))
        network = with_readout(network, np.random.default_rng(1).normal(size=25))
        field = frame.field(network)

        def of_local(p):
            second = jnp.diagonal(jax.hessian(lambda z: field(z)[0])(p))
            rest = jnp.abs(p[0] * field(p)[0]) + jnp.abs(jnp.sin(p[1]))
            return jnp.sum(jnp.abs(second)) + rest

        def of_distant(p):
            given = jnp.sin(p[1])
            return jnp.abs(distant(field, p, None)[0] + given) + jnp.abs(given)

        for residual, absolute in ((local, of_local), (distant, of_distant)):
            found = Placed.of(Term(residual), frame, network, None, x).sizes(network, None)
            parts = np.asarray(jax.vmap(absolute)(jnp.asarray(x)))
            np.testing.assert_allclose(found, np.sqrt(np.mean(parts**2)), rtol=1e-10)
