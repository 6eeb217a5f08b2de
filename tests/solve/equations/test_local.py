"""Residuals as functions of the field's derivatives at one point."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.problem import Box, Problem, Term, partial
from repnet.problem._jet import FieldJet
from repnet.solve.equations._local import TaylorField, looked_at

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
