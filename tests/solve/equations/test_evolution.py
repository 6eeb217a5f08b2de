"""Evolution problems: which are, what is read off them, and their restriction to a slab."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.problem import (
    Box,
    Face,
    Problem,
    Term,
    Union,
    UnknownField,
    dirichlet,
    initial,
    observed,
    zoo,
)
from repnet.problem import periodic as periodic_term
from repnet.solve import Slabs
from repnet.solve.equations._evolution import Known, evolution_of

_BOX = Box([-1.0, 0.0], [1.0, 2.0])


def _zero(u, x, unknowns):
    return u(x)


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


@pytest.mark.parametrize(
    ("name", "ring"), [("burgers1d", None), ("kdv1d", "periodic"), ("allen_cahn1d", "periodic")]
)
def test_zoo(name: str, ring: str | None) -> None:
    found = evolution_of(zoo.make(name))
    assert (found.start, found.ring, found.times) == ("initial", ring, (0.0, 1.0))


def test_the_given_state_is_read_off_the_residual() -> None:
    problem = zoo.make("allen_cahn1d")
    x = np.stack([np.linspace(-1, 1, 7), np.zeros(7)], axis=1)
    found = evolution_of(problem).given(x)
    np.testing.assert_allclose(found[:, 0], x[:, 0] ** 2 * np.cos(np.pi * x[:, 0]), atol=1e-14)


def test_a_condition_of_half_the_period_is_no_ring() -> None:
    half = Box([-1.0, 0.0], [0.0, 2.0])
    terms = {
        "equation": Term(_zero),
        "half": Term(periodic_term(half, 0).residual, _BOX.face(0, "lower")),
        "initial": initial(_BOX, 0.0),
    }
    assert evolution_of(Problem(_BOX, terms)).ring is None


def test_a_slab_has_the_faces_of_its_times() -> None:
    slab = evolution_of(zoo.make("burgers1d")).slab(0.25, 0.5)
    ends = slab.terms["boundary"].points
    assert isinstance(ends, Union)
    assert all(piece.lower[1] == 0.25 and piece.upper[1] == 0.5 for piece in ends.pieces)
    start = slab.terms["initial"].points
    assert isinstance(start, Face)
    assert start.lower[1] == start.upper[1] == 0.25
    x = jnp.array([0.3, 0.25])
    known = Known(lambda x: 2.0 * x[:1], None)
    left = slab.terms["initial"].residual(lambda x: x[:1], x, known)
    np.testing.assert_allclose(left, [-0.3])


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"equation": Term(_zero)}, "one term on the lower face of time"),
        (
            {
                "equation": Term(_zero),
                "initial": initial(_BOX, 0.0),
                "seen": observed(np.array([[0.0, 1.0]]), np.ones(1)),
            },
            "'seen' holds elsewhere",
        ),
        (
            {"equation": Term(_zero), "initial": initial(_BOX, 0.0, velocity=0.0)},
            "first order in time",
        ),
        (
            {"initial": initial(_BOX, 0.0), "end": dirichlet(_BOX.face(1, "upper"))},
            "'end' holds elsewhere",
        ),
    ],
)
def test_refuses(terms: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evolution_of(Problem(_BOX, terms))


def test_refuses_two_axes_of_space_and_unknowns() -> None:
    cube = Box([0.0] * 3, [1.0] * 3)
    with pytest.raises(ValueError, match="one axis of space"):
        evolution_of(Problem(cube, {"equation": Term(_zero), "initial": initial(cube, 0.0)}))
    terms = {"equation": Term(_zero), "initial": initial(_BOX, 0.0)}
    with pytest.raises(ValueError, match="takes numbers as unknowns"):
        evolution_of(Problem(_BOX, terms, unknowns=UnknownField()))
    with pytest.raises(ValueError, match="without `unknowns`"):
        Slabs().run(Problem(_BOX, terms, unknowns=1.0), key=jax.random.key(0))
