"""Elements of space and time: against exact solutions, and what they say where they fail."""

import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet import (
    RESULTS,
    Ball,
    Box,
    Problem,
    Solution,
    SpaceTimeElements,
    Term,
    dirichlet,
    initial,
    partial,
    periodic,
    solve,
)
from repnet.solve.equations._plane_basis import PlaneBasis
from repnet.solve.equations._space_time import space_time_of

_module = importlib.import_module("repnet.solve.equations._space_time_elements")

Field = Callable[[Any], Any]


def equation(of: Callable, box: Box) -> Term:
    """`of(d, x)`, where `d(i, j)` is the derivative so often by space and so often by time."""

    def residual(u: Field, x: Any, unknowns: Any) -> Any:
        def d(i: int, j: int) -> Any:
            if i and j:
                return partial(lambda z: partial(u, 0, i)(z), 1, j)(x)
            return partial(u, 0, i)(x) if i else partial(u, 1, j)(x) if j else u(x)

        return of(d, x)

    return Term(residual, box)


def error(solution: Any, exact: Callable, box: Box, last: float | None = None) -> float:
    """Relative L2 error on a grid that is none of the solver's."""
    x = np.linspace(box.lower[0], box.upper[0], 143)
    t = np.linspace(box.lower[1], last or box.upper[1], 29)
    grid = np.stack(np.meshgrid(x, t, indexing="ij"), axis=-1).reshape(-1, 2)
    right = np.reshape(exact(grid[:, 0], grid[:, 1]), (len(grid), -1))
    return float(np.linalg.norm(solution(grid) - right) / np.linalg.norm(right))


def run(problem: Problem, seed: int = 0, **wishes: Any) -> Any:
    return SpaceTimeElements(**wishes).run(problem, key=jax.random.key(seed))


def wave(half_waves: int, last: float) -> Problem:
    box, k = Box([0.0, 0.0], [1.0, last]), np.pi * half_waves
    return Problem(
        box,
        {
            "equation": equation(lambda d, x: d(0, 2) - d(2, 0), box),
            "sides": dirichlet(box.boundary(0), 0.0),
            "start": initial(box, lambda x: jnp.sin(k * x[0]), velocity=0.0),
        },
    )


@pytest.mark.slow
def test_many_waves_for_many_periods() -> None:
    problem = wave(6, 10.0)  # 30 periods
    solution = run(problem)

    def exact(x: Any, t: Any) -> Any:
        return np.sin(6 * np.pi * x) * np.cos(6 * np.pi * t)

    assert solution.result is RESULTS.successful
    assert error(solution, exact, problem.domain) < 1e-9
    assert solution.plan.numbers["residual"] < 1e-8


@pytest.mark.slow
def test_a_ring_whose_slope_vanishes_where_it_closes() -> None:
    box = Box([-1.0, 0.0], [1.0, 2.0])
    rate = 0.05 * np.pi**2

    def exact(x: Any, t: Any) -> Any:
        return np.exp(-rate * t) * np.cos(np.pi * x)

    problem = Problem(
        box,
        {
            "equation": equation(lambda d, x: d(0, 1) - 0.05 * d(2, 0), box),
            "ring": periodic(box, 0, (0, 1)),
            "start": initial(box, lambda x: jnp.cos(jnp.pi * x[0])),
        },
    )
    solution = run(problem)
    assert solution.result is RESULTS.successful
    assert solution.plan.numbers["residuals"]["ring"] < 1e-9
    assert error(solution, exact, box) < 1e-10


@pytest.mark.slow
def test_a_steep_start_spreads() -> None:
    box, width = Box([-1.0, 0.0], [1.0, 0.5]), 0.03

    def profile(x: Any) -> Any:
        return jax.scipy.special.erf(x[0] / jnp.sqrt(width**2 + 0.2 * x[1]))

    problem = Problem(
        box,
        {
            "equation": equation(lambda d, x: d(0, 1) - 0.05 * d(2, 0), box),
            "sides": dirichlet(box.boundary(0), profile),
            "start": initial(box, profile),
        },
    )
    solution = solve(problem, key=jax.random.key(0))  # all defaults
    assert "element" in solution.plan.reasons[0]
    with jax.enable_x64(True):

        def exact(x: Any, t: Any) -> Any:
            return np.asarray(jax.vmap(profile)(jnp.stack([x, t], axis=1)))

        assert error(solution, exact, box) < 1e-9
    strips = solution.plan.numbers["elements"] / solution.plan.numbers["slabs"]
    assert strips < 40  # narrow elements are joined again


@pytest.mark.slow
def test_a_ring_is_closed_in_first_order() -> None:
    box = Box([0.0, 0.0], [2.0, 6.0])

    def exact(x: Any, t: Any) -> Any:
        return np.exp(np.sin(np.pi * (x - t)))

    problem = Problem(
        box,
        {
            "equation": equation(lambda d, x: d(0, 1) + d(1, 0), box),
            "ring": periodic(box, 0),
            "start": initial(box, lambda x: jnp.exp(jnp.sin(jnp.pi * x[0]))),
        },
    )
    assert space_of(problem).ring == "ring"
    assert error(run(problem), exact, box) < 1e-9


@pytest.mark.long
def test_two_outputs_a_nonlinear_equation_and_its_file(tmp_path: Path) -> None:
    box, speed = Box([-8.0, 0.0], [8.0, 0.5]), 1.0

    def schroedinger(d: Callable, x: Any) -> Any:
        (a, b), bent, moved = d(0, 0), d(2, 0), d(0, 1)
        size = a * a + b * b
        return jnp.stack(
            [-moved[1] + 0.5 * bent[0] + size * a, moved[0] + 0.5 * bent[1] + size * b]
        )

    def soliton(x: Any, t: Any, module: Any) -> Any:
        phase = speed * x + 0.5 * (1.0 - speed**2) * t
        return (
            module.stack([module.cos(phase), module.sin(phase)], axis=-1)
            / module.cosh(x - speed * t)[..., None]
        )

    def given(x: Any) -> Any:
        return soliton(x[0], x[1], jnp)

    problem = Problem(
        box,
        {
            "equation": equation(schroedinger, box),
            "sides": dirichlet(box.boundary(0), given),
            "start": initial(box, given),
        },
        out_size=2,
    )
    solution = run(problem, tolerance=1e-8)
    assert error(solution, lambda x, t: soliton(x, t, np), box) < 1e-7
    solution.save(tmp_path / "solution.npz")
    grid = np.random.default_rng(0).uniform(box.lower, box.upper, (50, 2))
    np.testing.assert_array_equal(Solution.load(tmp_path / "solution.npz")(grid), solution(grid))


@pytest.mark.long
def test_a_third_order_front_that_moves() -> None:
    box, speed = Box([-6.0, 0.0], [6.0, 1.0]), 4.0

    def soliton(x: Any) -> Any:
        return 0.5 * speed / jnp.cosh(0.5 * jnp.sqrt(speed) * (x[0] + 2.0 - speed * x[1])) ** 2

    def slope(x: Any) -> Any:
        return jax.grad(lambda y: soliton(jnp.stack([y, x[1]])))(x[0])

    problem = Problem(
        box,
        {
            "equation": equation(lambda d, x: d(0, 1) + 6.0 * d(0, 0) * d(1, 0) + d(3, 0), box),
            "sides": dirichlet(box.boundary(0), soliton),
            "bend": Term(lambda u, x, unknowns: partial(u, 0)(x) - slope(x), box.face(0, "upper")),
            "start": initial(box, soliton),
        },
    )
    solution = run(problem, tolerance=1e-8)
    with jax.enable_x64(True):

        def exact(x: Any, t: Any) -> Any:
            return np.asarray(jax.vmap(soliton)(jnp.stack([x, t], axis=1)))

        assert error(solution, exact, box) < 1e-7


@pytest.mark.slow
def test_hard_conditions() -> None:
    box, rate = Box([0.0, 0.0], [1.0, 1.0]), 1.0 - 0.9 * np.pi**2
    problem = Problem(
        box,
        {
            "equation": equation(lambda d, x: d(0, 1) - 0.1 * d(2, 0) - d(0, 0), box),
            "start": initial(box, lambda x: jnp.sin(3 * jnp.pi * x[0])),
        },
        transform=lambda u, x: x[0] * (1.0 - x[0]) * u(x),
    )

    def exact(x: Any, t: Any) -> Any:
        return np.sin(3 * np.pi * x) * np.exp(rate * t)

    assert error(run(problem), exact, box) < 1e-9


@pytest.mark.slow
def test_an_edge_lies_where_a_coefficient_jumps() -> None:
    """A mode that bends at the wall between two conductors: continuous in value and slope."""
    box, wall = Box([0.0, 0.0], [1.0, 0.5]), 0.3719
    problem = Problem(
        box,
        {
            "equation": equation(
                lambda d, x: d(0, 1) - jnp.where(x[0] < wall, 1.0, 0.1) * d(2, 0), box
            ),
            "sides": dirichlet(box.boundary(0), 0.0),
            "start": initial(box, lambda x: jnp.where(x[0] < wall, *_mode(x[0], wall))),
        },
    )
    (found,) = space_of(problem).jumps
    assert found == pytest.approx(wall, abs=1e-12)
    solution = run(problem)

    def exact(x: np.ndarray, t: np.ndarray) -> np.ndarray:
        return np.where(x < wall, *_mode(x, wall)) * np.exp(-(_RATE**2) * t)

    assert error(solution, exact, box) < 1e-8


def _matched(rate: float, wall: float = 0.3719) -> float:
    """Slopes over values at the wall: equal where the rate is that of a mode."""
    left, right = rate, rate / np.sqrt(0.1)
    return left / np.tan(left * wall) + right / np.tan(right * (1.0 - wall))


def _first_rate() -> float:
    from scipy.optimize import brentq

    return float(brentq(_matched, 0.9, 1.2))


_RATE = _first_rate()


def _mode(x: Any, wall: float) -> tuple[Any, Any]:
    module = np if isinstance(x, np.ndarray) else jnp
    right = _RATE / np.sqrt(0.1)
    size = np.sin(_RATE * wall) / np.sin(right * (1.0 - wall))
    return module.sin(_RATE * x), size * module.sin(right * (1.0 - x))


@pytest.mark.long
def test_conditions_that_disagree_at_a_corner_matter_only_there() -> None:
    box = Box([0.0, 0.0], [1.0, 0.2])
    problem = Problem(
        box,
        {
            "equation": equation(lambda d, x: d(0, 1) - d(2, 0), box),
            "sides": dirichlet(box.boundary(0), 0.0),
            "start": initial(box, 1.0),
        },
    )
    solution = run(problem)
    assert solution.result is RESULTS.successful
    odd = np.arange(1, 80, 2)[:, None] * np.pi
    x = np.linspace(0.0, 1.0, 143)
    for t in (0.02, 0.2):
        exact = np.sum(4.0 / odd * np.sin(odd * x) * np.exp(-(odd**2) * t), axis=0)
        found = solution(np.stack([x, np.full_like(x, t)], axis=1))[:, 0]
        np.testing.assert_allclose(found, exact, atol=1e-8)


@pytest.mark.slow
def test_rounding_does_not_grow_over_many_short_slabs() -> None:
    """Ninety slabs in which almost nothing happens: a start met too eagerly doubles each one's."""
    box = Box([-1.0, 0.0], [1.0, 1.0])
    problem = Problem(
        box,
        {
            "equation": equation(lambda d, x: d(0, 1) - 1e-4 * d(2, 0), box),
            "ring": periodic(box, 0, (0, 1)),
            "start": initial(box, lambda x: jnp.sin(jnp.pi * x[0])),
        },
    )
    with jax.enable_x64(True):
        march = _module.March.begun(SpaceTimeElements(), space_time_of(problem), jax.random.key(0))
        for _ in range(90):
            march.length = 1e-5
            assert march._one_slab(1.0)
        x = np.linspace(-1.0, 1.0, 99)
        found = march.strips[-1].at_end(x)[:, 0]
    exact = np.sin(np.pi * x) * np.exp(-1e-4 * np.pi**2 * march.reached)
    np.testing.assert_allclose(found, exact, atol=1e-9)


@pytest.mark.long
def test_a_blow_up_is_told() -> None:
    """u' = u² + u_xx from 1, no flux: u = 1 / (1 - t), which ends at 1."""
    box = Box([0.0, 0.0], [1.0, 2.0])
    problem = Problem(
        box,
        {
            "equation": equation(lambda d, x: d(0, 1) - d(2, 0) - d(0, 0) ** 2, box),
            "sides": Term(lambda u, x, unknowns: partial(u, 0)(x), box.boundary(0)),
            "start": initial(box, 1.0),
        },
    )
    solution = run(problem, tolerance=1e-4)
    assert solution.result is RESULTS.stalled
    reached = 2.0 * solution.plan.numbers["reached"]
    assert 0.9 < reached < 1.01
    assert "The solution ends at time" in solution.plan.reasons[-1]
    assert error(solution, lambda x, t: 1.0 / (1.0 - t), box, last=0.8) < 1e-4


@pytest.mark.slow
def test_a_tolerance_buys_fewer_elements() -> None:
    problem = wave(16, 0.5)
    rough, fine = (run(problem, tolerance=tolerance) for tolerance in (1e-4, 1e-10))
    assert rough.plan.numbers["elements"] < fine.plan.numbers["elements"]

    def exact(x: Any, t: Any) -> Any:
        return np.sin(16 * np.pi * x) * np.cos(16 * np.pi * t)

    errors = [error(each, exact, problem.domain) for each in (rough, fine)]
    assert errors[0] < 1e-3
    assert errors[1] < 1e-9


def space_of(problem: Problem) -> Any:
    with jax.enable_x64(True):
        return space_time_of(problem)


@pytest.mark.slow
def test_orders_and_looks_are_read_off_the_residuals() -> None:
    box = Box([0.0, 0.0], [1.0, 1.0])
    found = space_of(
        Problem(
            box,
            {
                "equation": equation(
                    lambda d, x: d(0, 1) - d(2, 1) + d(1, 0) + d(0, 0) * d(1, 0), box
                ),
                "sides": dirichlet(box.boundary(0), 0.0),
                "start": initial(box, lambda x: jnp.sin(jnp.pi * x[0])),
            },
        )
    )
    assert found.orders.tolist() == [[2, 1]]
    assert set(found.looks) == {(i, j) for i in range(3) for j in range(2)}
    assert not found.linear
    assert found.ring is None
    assert found.jumps == ()
    assert [face.side for face in found.sides["sides"]] == ["lower", "upper"]
    x = np.array([0.25, 0.5])
    with jax.enable_x64(True):
        np.testing.assert_allclose(found.initial(x)[:, 0], np.sin(np.pi * x), rtol=1e-12)


def test_the_basis_holds_what_is_smooth_and_tells_where_it_is_not_enough() -> None:
    basis = PlaneBasis.of(np.array([[2, 1]]), np.random.default_rng(0))
    x = basis.points["dense"]
    smooth = np.exp(0.7 * x[:, 0]) * np.cos(2.0 * x[:, 1] - x[:, 0])
    np.testing.assert_allclose(
        basis.table("dense", (0, 0)) @ basis.back @ smooth, smooth, atol=1e-10
    )
    for axis, other in ((0, 1), (1, 0)):
        wave = np.sin(7.0 * x[:, axis] + 0.4) + x[:, other] ** 2
        coefficients = (wave @ basis.back.T)[None, None]
        tails = basis.tails(coefficients)
        assert tails[axis][0] > 100.0 * tails[other][0]
    here, step, some = np.array([[0.3, -0.2]]), 1e-5, slice(80)  # rounding rules the last ones
    for look, moved in (((1, 0), [step, 0.0]), ((0, 1), [0.0, step])):
        slope = (basis.at(here + moved, (0, 0)) - basis.at(here - moved, (0, 0))) / (2 * step)
        size = np.abs(slope[:, some]).max()
        np.testing.assert_allclose(basis.at(here, look)[:, some], slope[:, some], atol=1e-6 * size)


def _changed(**terms: Term | None) -> Problem:
    problem = wave(1, 1.0)
    kept = {**problem.terms, **terms}
    return dataclasses.replace(problem, terms={k: v for k, v in kept.items() if v is not None})


BOX = Box([0.0, 0.0], [1.0, 1.0])


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (lambda: _changed(start=None), "needs a term at the begin of time"),
        (lambda: _changed(equation=None), "needs a term on the domain"),
        (lambda: _changed(start=initial(BOX, 0.0)), "doesn't give them all"),
        (
            lambda: _changed(end=dirichlet(BOX.face(1, "upper"), 0.0)),
            "term 'end' holds elsewhere",
        ),
        (
            lambda: _changed(more=equation(lambda d, x: d(0, 1), BOX)),
            "2 equation\\(s\\) for 1 output",
        ),
        (
            lambda: _changed(equation=equation(lambda d, x: d(0, 1) + d(5, 0), BOX)),
            "up to order 4; term 'equation'",
        ),
        (
            lambda: _changed(equation=equation(lambda d, x: d(0, 2) + d(0, 0), BOX)),
            "derivatives by space",
        ),
        (
            lambda: _changed(
                far=Term(lambda u, x, unknowns: u(x) + u(x.at[0].set(0.5)), BOX.face(0, "lower"))
            ),
            "term 'far' ties distant points",
        ),
        (
            lambda: _changed(start=Term(lambda u, x, unknowns: u(x) ** 2, BOX.face(1, "lower"))),
            "term 'start' is not",
        ),
        (lambda: Problem(Ball([0.0, 0.0], 1.0), wave(1, 1.0).terms), "got a Ball of 2 axes"),
    ],
)
def test_rules_are_named(problem: Callable[[], Problem], words: str) -> None:
    with jax.enable_x64(True), pytest.raises(ValueError, match=words):
        space_time_of(problem())


def test_arguments_are_checked() -> None:
    with pytest.raises(ValueError, match="tolerance=...\\)` must be positive; got 0"):
        SpaceTimeElements(tolerance=0.0)
    with pytest.raises(ValueError, match="makes its own networks"):
        SpaceTimeElements().run(wave(1, 1.0), jnp.sin, key=jax.random.key(0))
    unknown = dataclasses.replace(wave(1, 1.0), unknowns={"speed": 1.0})
    with pytest.raises(ValueError, match="without `unknowns`"):
        run(unknown)
