"""Residuals as functions of the field's derivatives at one point."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.problem import Box, Problem, Term, laplacian, partial
from repnet.problem._jet import FieldJet
from repnet.solve.equations._local import (
    ALL,
    TaylorField,
    drawn_derivatives,
    is_local,
    looked_at,
    same_slopes,
    smooth_derivatives,
    smooth_field,
    which_matter,
)

LOOKS = ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (0, 3))


@pytest.mark.slow
def test_derivatives_of_a_taylor_field_are_those_of_its_polynomial(
    rng: np.random.Generator,
) -> None:
    with jax.enable_x64(True):
        values, x, z = (jnp.asarray(rng.normal(size=n)) for n in ((2, len(LOOKS)), 2, 2))
        field = TaylorField(x, values, LOOKS)
        right = FieldJet(field, z)
        directions = rng.normal(size=(3, 2))
        for count in range(4):
            for chosen in itertools.combinations(directions, count):
                found = field.jet(z).derivative(*chosen)
                np.testing.assert_allclose(found, right.derivative(*chosen), atol=1e-12)
        found = field.jet(z).laplacian(list(directions))
        np.testing.assert_allclose(found, right.laplacian(list(directions)), atol=1e-12)


def test_given_derivatives_come_back_at_the_point(rng: np.random.Generator) -> None:
    with jax.enable_x64(True):
        values, x = jnp.asarray(rng.normal(size=(2, len(LOOKS)))), jnp.asarray(rng.normal(size=2))
        field = TaylorField(x, values, LOOKS)
        for place, (i, j) in enumerate(LOOKS):
            axes = [np.eye(2)[0]] * i + [np.eye(2)[1]] * j
            np.testing.assert_allclose(field.jet(x).derivative(*axes), values[:, place], rtol=1e-13)


@pytest.mark.parametrize("hard", [False, True])
def test_residuals_and_slopes_of_a_nonlinear_equation(rng: np.random.Generator, hard: bool) -> None:
    def residual(u, x, unknowns):
        return partial(u, 1)(x) + u(x) * partial(u, 0)(x) - 0.3 * partial(u, 0, 2)(x)

    transform = (lambda u, x: x[0] * u(x)) if hard else None
    box = Box([0.0, 0.0], [1.0, 2.0])
    problem = Problem(box, {"equation": Term(residual)}, transform=transform)
    looks = ((0, 0), (1, 0), (0, 1), (2, 0))
    with jax.enable_x64(True):
        x, v = rng.uniform(0.1, 0.9, (40, 2)), rng.normal(size=(40, 1, 4))
        found = looked_at(problem, "equation", looks, x, v)
    u, ux, ut, uxx = np.moveaxis(v[:, 0], 1, 0)
    one = np.ones_like(u)
    if hard:  # x u and its derivatives
        first = x[:, 0]
        u, ux, ut, uxx = first * u, u + first * ux, first * ut, 2.0 * ux + first * uxx
        expected = np.stack([first * ux + u, first * u - 0.6, first, -0.3 * first], axis=1)
    else:
        expected = np.stack([ux, u, one, -0.3 * one], axis=1)
    right = ut + u * ux - 0.3 * uxx
    np.testing.assert_allclose(found.residual[:, 0], right, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.slopes[:, 0, 0], expected, rtol=1e-12, atol=1e-12)
    absolute = np.abs(ut) + 2.0 * np.abs(u * ux) + 0.3 * np.abs(uxx)
    rest = np.abs(u * ux)  # of a product of two parts each slope counts, and what both leave
    np.testing.assert_allclose(found.sizes[:, 0], absolute + rest, rtol=1e-12, atol=1e-12)


def test_unknowns_move_residuals(rng: np.random.Generator) -> None:
    def residual(u, x, unknowns):
        return partial(u, 0)(x) - unknowns["rate"] * u(x) + unknowns["source"] @ x

    problem = Problem(Box(0.0, 1.0), {"equation": Term(residual)}, unknowns={"rate": 0.0})
    x, v = rng.uniform(size=(600, 1)), rng.normal(size=(600, 1, 2))
    with jax.enable_x64(True):
        unknowns = {"rate": jnp.asarray(2.0), "source": jnp.asarray([3.0])}
        found = looked_at(problem, "equation", ((0,), (1,)), x, v, unknowns)
    right = v[:, 0, 1] - 2.0 * v[:, 0, 0] + 3.0 * x[:, 0]
    np.testing.assert_allclose(found.residual[:, 0], right, atol=1e-13)
    np.testing.assert_allclose(found.moves[:, 0], np.stack([-v[:, 0, 0], x[:, 0]], axis=1))


@pytest.mark.parametrize("dim", [1, 2])
def test_derivatives_of_the_smooth_field(rng: np.random.Generator, dim: int) -> None:
    box = Box(np.full(dim, -1.0), np.arange(2.0, 2.0 + dim))
    problem = Problem(box, {"equation": Term(lambda u, x, _: u(x))}, out_size=2)
    looks = tuple(look for look in ALL[dim] if sum(look) <= 3)
    with jax.enable_x64(True):
        x = rng.uniform(-1.0, 2.0, (1, dim))
        found = smooth_derivatives(problem, looks, x)[0]
        jet = FieldJet(smooth_field(problem), jnp.asarray(x[0]))
        for place, look in enumerate(looks):
            axes = [np.eye(dim)[axis] for axis in range(dim) for _ in range(look[axis])]
            np.testing.assert_allclose(found[:, place], jet.derivative(*axes), atol=1e-12)


@pytest.mark.parametrize(
    ("damping", "affine"), [(lambda v: 1e-3 * v, True), (lambda v: 1e-3 * v**3, False)]
)
@pytest.mark.parametrize("end", [1.0, 1e7])
def test_orders_and_nonlinearity_however_long_the_domain(damping, affine, end) -> None:
    def residual(u, x, unknowns):
        return partial(u, 0, 2)(x) + u(x) + damping(partial(u, 0)(x))

    problem = Problem(Box(0.0, end), {"equation": Term(residual)})
    with jax.enable_x64(True):
        x = np.linspace(0.1, 0.9, 40)[:, None] * end
        slopes, others = (
            looked_at(problem, "equation", ALL[1], x, field(problem, ALL[1], x)).slopes
            for field in (smooth_derivatives, drawn_derivatives)
        )
    assert same_slopes(slopes, others) is affine
    scale = (0.5 * end) ** -np.arange(float(len(ALL[1])))
    matters = which_matter(slopes * scale, ALL[1]) | which_matter(others * scale, ALL[1])
    assert np.flatnonzero(matters[0, 0]).tolist() == [0, 1, 2]


def test_what_ties_distant_points_is_not_local() -> None:
    box = Box([0.0, 0.0], [1.0, 1.0])
    inside = np.array([[0.4, 0.6]])
    for residual, expected in (
        (lambda u, x, unknowns: laplacian(u)(x), True),
        (lambda u, x, unknowns: jax.grad(lambda z: u(z)[0])(x)[0] + u(x), True),
        (lambda u, x, unknowns: u(x * 1.0), True),
        (lambda u, x, unknowns: u(x) - u(x.at[0].set(0.9)), False),
    ):
        problem = Problem(box, {"equation": Term(residual)})
        with jax.enable_x64(True):
            assert is_local(problem, problem.terms["equation"], inside, None) is expected
