"""Residuals as functions of the field's derivatives at one point."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.problem import (
    Box,
    Problem,
    Term,
    directional,
    divergence,
    gradient,
    laplacian,
    partial,
)
from repnet.problem._jet import FieldJet
from repnet.solve.equations._local import LocalField, asked, look, looked_at

LOOKS = tuple((i, j) for i in range(4) for j in range(4 - i))


def _wave(x):
    """A field of two outputs."""
    return jnp.stack([jnp.sin(2.0 * x[0] - x[1]), x[0] * jnp.exp(x[1])])


def _local(x):
    """The same, by its derivatives at one point up to order 3."""
    axes = [np.eye(2)[0]], [np.eye(2)[1]]
    jet = FieldJet(_wave, x)
    values = [jet.derivative(*(axes[0] * i + axes[1] * j)) for i, j in LOOKS]
    return LocalField(x, jnp.stack(values, axis=1), LOOKS)


@pytest.mark.slow
@pytest.mark.parametrize("other", [False, True])
def test_a_field_is_differentiated_where_it_is_known(rng: np.random.Generator, other: bool) -> None:
    with jax.enable_x64(True):
        x = jnp.asarray(rng.normal(size=2))
        field, right = _local(x), FieldJet(_wave, x)
        z = 1.0 * x if other else x  # the same place by another name
        directions = rng.normal(size=(3, 2))
        for count in range(4):
            for chosen in itertools.combinations(directions, count):
                found = field.jet(z).derivative(*chosen)
                np.testing.assert_allclose(found, right.derivative(*chosen), atol=1e-12)
        found = field.jet(z).laplacian(list(directions))
        np.testing.assert_allclose(found, right.laplacian(list(directions)), atol=1e-12)


@pytest.mark.parametrize(
    ("residual", "looks"),
    [
        (lambda u, x: laplacian(u)(x), {(2, 0), (0, 2)}),
        (lambda u, x: partial(partial(u, 0), 1)(x), {(1, 1)}),
        (lambda u, x: directional(u, [1.0, 2.0])(x), {(1, 0), (0, 1)}),
        (lambda u, x: jax.jacfwd(u)(x)[0], {(1, 0), (0, 1)}),
        (lambda u, x: jax.grad(lambda z: u(z)[0] ** 2)(x), {(0, 0), (1, 0), (0, 1)}),
        (
            lambda u, x: divergence(lambda y: (1.0 + y[0] ** 2) * gradient(u)(y)[0])(x),
            {(1, 0), (0, 1), (2, 0), (1, 1), (0, 2)},
        ),
        (lambda u, x: jnp.trace(jax.hessian(lambda z: u(z)[1])(x)), {(2, 0), (0, 2)}),
        pytest.param(
            lambda u, x: partial(laplacian(u), 0)(x), {(3, 0), (1, 2)}, marks=pytest.mark.slow
        ),
    ],
)
def test_what_a_residual_asks_is_all_it_needs(rng: np.random.Generator, residual, looks) -> None:
    found = asked(lambda u, x, unknowns: residual(u, x), None, 2, 2, None)
    assert looks <= set(found.looks) <= set(LOOKS)
    with jax.enable_x64(True):
        x = jnp.asarray(rng.normal(size=2))
        field = _local(x)
        places = jnp.asarray([LOOKS.index(look) for look in found.looks])
        few = LocalField(x, field.values[:, places], found.looks)
        for way in (lambda: residual(few, x), jax.jit(lambda: residual(few, x))):
            np.testing.assert_allclose(way(), residual(_wave, x), rtol=1e-12, atol=1e-12)


def test_slopes_by_all_derivatives_in_conservation_form(rng: np.random.Generator) -> None:
    def residual(u, x, unknowns):
        return divergence(lambda y: (1.0 + y[0] ** 2) * gradient(u)(y)[0])(x)

    looks = ((0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2))
    x, v = rng.normal(size=(30, 2)), rng.normal(size=(30, 1, 6))
    with jax.enable_x64(True):
        found = look(residual, None, looks, x, v)
    _, ux, _, uxx, _, uyy = np.moveaxis(v[:, 0], 1, 0)
    spread, zero = 1.0 + x[:, 0] ** 2, np.zeros(30)
    right = spread * (uxx + uyy) + 2.0 * x[:, 0] * ux
    np.testing.assert_allclose(found.residual[:, 0], right, rtol=1e-12, atol=1e-12)
    expected = np.stack([zero, 2.0 * x[:, 0], zero, spread, zero, spread], axis=1)
    np.testing.assert_allclose(found.slopes[:, 0, 0], expected, rtol=1e-12, atol=1e-12)


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
