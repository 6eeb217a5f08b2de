"""Numbers in nonlinear evolutions, found on solutions that are marched."""

import dataclasses
import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet import Box, Problem, Term, UnknownField, initial, observed, partial, solve
from repnet.problem import dirichlet, zoo
from repnet.solve import RESULTS
from repnet.solve.equations._evolution import evolution_of
from repnet.solve.equations._marched import _Search, march_to_data, needs_marching
from repnet.solve.equations._slabs import March, Slabs

KEY = jax.random.key(0)


def viscosity_from_data(noise: float, truth: float = 0.02, count: int = 300) -> Problem:
    """Burgers' equation with its viscosity and the strength of its convection unknown."""
    known = zoo.make("burgers1d", viscosity=truth)
    rng = np.random.default_rng(5)
    x = known.domain.lower + known.domain.half_width * 2.0 * rng.random((count, 2))
    assert known.exact is not None
    y = known.exact(x)
    y = y + noise * np.sqrt(np.mean(y**2)) * rng.normal(size=y.shape)

    def equation(u, x, unknowns):
        convection = unknowns["strength"] * u(x) * partial(u, 0)(x)
        return partial(u, 1)(x) + convection - unknowns["viscosity"] * partial(u, 0, 2)(x)

    terms = {**known.terms, "equation": Term(equation), "data": observed(x, y)}
    guess = {"viscosity": np.asarray(0.5 * truth), "strength": np.asarray(1.3)}
    return Problem(known.domain, terms, guess)


@pytest.mark.long
def test_viscosity_and_strength_of_burgers_equation():
    solution = solve(viscosity_from_data(0.01), key=KEY)
    assert solution.result is RESULTS.successful
    assert solution.plan.solver == "GaussNewton on marches in time"
    assert solution.unknowns["viscosity"] == pytest.approx(0.02, rel=0.02)
    assert solution.unknowns["strength"] == pytest.approx(1.0, rel=0.01)
    low, high = solution.plan.numbers["intervals"]["viscosity"]
    assert low < 0.02 < high
    assert high - low < 0.1 * 0.02
    residuals = solution.plan.numbers["residuals"]
    assert residuals["data"] == pytest.approx(0.01, rel=0.15)  # the noise
    assert 0.0 < residuals["equation"] < 0.01


def test_marches_that_never_end_are_told(monkeypatch):
    def lost(*arguments):
        return March([], [], 0.0, 0.1, 10)

    module = importlib.import_module(march_to_data.__module__)
    for name in ("march_through", "march_again"):
        monkeypatch.setattr(module, name, lost)
    problem = viscosity_from_data(0.0, count=20)
    with jax.enable_x64(True):
        found = march_to_data(problem, KEY, 3)
    assert not np.isfinite(found.misfit)
    assert found.intervals() == {}
    assert float(found.unknowns["viscosity"]) == float(problem.unknowns["viscosity"])


@pytest.mark.slow
def test_only_nonlinear_evolutions_of_numbers_are_marched():
    problem = viscosity_from_data(0.0, count=20)
    assert needs_marching(problem, KEY)
    field = dataclasses.replace(problem, unknowns={"viscosity": UnknownField(), "strength": 1.0})
    assert not needs_marching(field, KEY)
    box = Box([0.0, 0.0], [1.0, 1.0])
    decay = Term(lambda u, x, c: partial(u, 1)(x) - c * partial(u, 0, 2)(x))
    data = observed(np.array([[0.5, 0.5]]), np.ones(1))
    start = initial(box, lambda x: jnp.sin(jnp.pi * x[0]))
    ends = dirichlet(box.boundary(0), 0.0)
    terms = {"decay": decay, "start": start, "ends": ends, "data": data}
    assert not needs_marching(Problem(box, terms, np.asarray(1.0)), KEY)  # linear
    del terms["start"]
    assert not needs_marching(Problem(box, terms, np.asarray(1.0)), KEY)  # no start


class _Closed(_Search):
    """Marches with a formula: a decay, and a slow rise that the data hardly tell of."""

    def at(self, row, wishes):
        self.known[tuple(row)] = residual = _left(row)
        return None, residual

    def slopes(self, row, wishes):
        steps = 1e-6 * np.diag(row)
        return np.stack([(_left(row + h) - _left(row - h)) / (2.0 * h.sum()) for h in steps], 1)


def _left(row: np.ndarray, truth: tuple[float, float] = (5.0, 1.0)) -> np.ndarray:
    t = np.linspace(0.0, 1.0, 200)

    def data(fast, weak):
        return np.exp(-fast * t) + 0.01 * weak * t**2

    return data(*row) - data(*truth)


def test_an_unknown_that_data_hardly_tell_of_waits_for_the_others():
    evolution = evolution_of(zoo.make("burgers1d"))
    search, guess, wishes = _Closed(evolution, {}, KEY), np.array([2.5, 0.5]), Slabs()
    row, _ = search.descend(guess, search.slopes(guess, wishes), wishes, 40, 1e-6)
    np.testing.assert_allclose(row, [5.0, 1.0], rtol=1e-4)
    far = [weak for fast, weak in search.known if abs(fast - 5.0) > 0.5]
    assert len(far) > 1
    np.testing.assert_allclose(far, 0.5, rtol=0.2)
    assert all(0.25 < weak < 2.0 for _, weak in search.known)


class _Lost(_Closed):
    """Marches that get worse after the second, and derivatives that never come to their end."""

    def at(self, row, wishes):
        run, residual = super().at(row, wishes)
        return run, residual if len(self.known) < 3 else residual + 10.0

    def slopes(self, row, wishes):
        return np.full((200, 2), np.inf)


def test_derivatives_that_do_not_come_to_their_end_leave_the_best_so_far():
    evolution = evolution_of(zoo.make("burgers1d"))
    closed, search = (kind(evolution, {}, KEY) for kind in (_Closed, _Lost))
    guess, wishes = np.array([2.5, 0.5]), Slabs()
    row, slopes = search.descend(guess, closed.slopes(guess, wishes), wishes, 40, 1e-6)
    assert row[0] == pytest.approx(3.67, rel=0.01)  # of the one step that helped
    assert np.isinf(slopes).all()
