"""Conditions: exact fields satisfy them, wrong ones don't."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.problem import (
    Ball,
    Box,
    Problem,
    Term,
    dirichlet,
    initial,
    neumann,
    observed,
    periodic,
    robin,
)

SPACE_TIME = Box([0.0, 0.0], [2.0, 1.0])
DOMAIN = Box([-1.0, -1.0], [1.0, 1.0]) - Ball([0.1, 0.2], 0.4)


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def largest(term, field):
    points = jnp.asarray(term.points.sample(64, key=jr.key(0)))
    return float(jnp.abs(jax.vmap(lambda x: term(field, x, None))(points)).max())


def wave(x):  # period 2 in x, two outputs
    return jnp.stack([jnp.sin(jnp.pi * (x[0] - 3.0 * x[1])), jnp.cos(2.0 * jnp.pi * x[0])])


def slope_out(x):  # the normal derivative of exp(x) sin(y) on the boundary of DOMAIN
    gradient = jnp.exp(x[0]) * jnp.array([jnp.sin(x[1]), jnp.cos(x[1])])
    return gradient @ DOMAIN.boundary().normal(x)


def harmonic(x):
    return jnp.exp(x[:1]) * jnp.sin(x[1:])


def plane(x, k=5.0):  # exp(ikx) leaves through the upper end
    return jnp.stack([jnp.cos(k * x[0]), jnp.sin(k * x[0])])


TERMS = {
    "dirichlet": (dirichlet(DOMAIN.boundary(), lambda x: harmonic(x)), harmonic),
    "dirichlet of one output": (dirichlet(SPACE_TIME.face(0, "upper"), 1.0, component=1), wave),
    "dirichlet one number each": (dirichlet(Box(0.0, 1.0).face(0, "lower"), [1.0, 0.0]), plane),
    "neumann": (neumann(DOMAIN.boundary(), slope_out), harmonic),
    "robin": (
        robin(DOMAIN.boundary(), 2.0, -3.0, lambda x: 2.0 * harmonic(x) - 3.0 * slope_out(x)),
        harmonic,
    ),
    "robin with a coefficient": (
        robin(DOMAIN.boundary(), lambda x: x[0], 0.0, lambda x: x[0] * harmonic(x)),
        harmonic,
    ),
    "absorbing": (robin(Box(0.0, 1.0).face(0, "upper"), [[0.0, 5.0], [-5.0, 0.0]], 1.0), plane),
    "periodic": (periodic(SPACE_TIME, 0, (0, 1, 2)), wave),
    "initial": (initial(SPACE_TIME, lambda x: wave(x)), wave),
    "initial with velocity": (
        initial(
            SPACE_TIME,
            lambda x: wave(x),
            lambda x: jnp.stack([-3.0 * jnp.pi * jnp.cos(jnp.pi * x[0]), 0.0 * x[0]]),
        ),
        wave,
    ),
}


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.slow
def test_exact_fields_satisfy_and_wrong_ones_do_not(name):
    term, exact = TERMS[name]
    assert largest(term, exact) < 1e-12
    assert largest(term, lambda x: exact(x) * (1.0 + 0.1 * jnp.sum(x)) + 0.1) > 1e-2


def test_numbers_of_equations():
    x = jnp.zeros(2)
    assert initial(SPACE_TIME, 0.0, 0.0)(wave, x).shape == (4,)
    assert periodic(SPACE_TIME, 0, (0, 1))(wave, x).shape == (4,)
    assert dirichlet(SPACE_TIME.boundary(0), component=[0, 1])(wave, x).shape == (2,)
    data = observed(np.zeros((3, 2)), np.ones(3), component=1)
    assert data(wave, x).tolist() == [1.0]
    assert data.values.shape == (3, 1)


def test_hard_conditions_hold_for_any_field():
    terms = {"equation": Term(lambda u, x, unknowns: u(x)), "start": initial(SPACE_TIME, 0.0)}
    problem = Problem(SPACE_TIME, terms, transform=lambda u, x: x[1] * u(x), out_size=2)
    assert problem.terms["equation"].points is problem.domain
    assert largest(problem.terms["start"], problem.field(wave)) == 0.0
    assert largest(problem.terms["start"], wave) > 0.1


def test_bad_input():
    x = jnp.zeros(2)
    with pytest.raises(TypeError, match=r"`neumann\(region=...\)` needs a boundary.*got Box"):
        neumann(SPACE_TIME)
    with pytest.raises(TypeError, match=r"`robin\(region=...\)` needs a boundary"):
        robin(SPACE_TIME, 1.0, 1.0)
    with pytest.raises(ValueError, match=r"got shape \(3,\) for 2 outputs"):
        dirichlet(SPACE_TIME.boundary(), [1.0, 2.0, 3.0])(wave, x)
    with pytest.raises(ValueError, match="needs at least one order"):
        periodic(SPACE_TIME, 0, ())
    with pytest.raises(ValueError, match="must be an axis of 2; got 5"):
        initial(SPACE_TIME, 0.0, axis=5)
    with pytest.raises(ValueError, match=r"must return shape \(equations,\) .* got shape \(\)"):
        Term(lambda u, x, unknowns: u(x)[0])(wave, x)
    with pytest.raises(ValueError, match="needs points that they belong to"):
        Term(lambda u, x, unknowns: u(x), SPACE_TIME, np.zeros(3))
    with pytest.raises(ValueError, match="points of term 'start' .* got 2 for 1"):
        Problem(Box(0.0, 1.0), {"start": initial(SPACE_TIME, 0.0)})
    with pytest.raises(ValueError, match=r"`Problem\(out_size=...\)` must be an integer >= 1"):
        Problem(SPACE_TIME, {"start": initial(SPACE_TIME, 0.0)}, out_size=0)
    with pytest.raises(ValueError, match=r"`Term\(points=...\)` must not be empty"):
        Term(lambda u, x, unknowns: u(x), np.zeros((0, 2)))
