"""Inverse problems: unknown numbers and fields against the truth, intervals against noise."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.problem import Box, Problem, Term, UnknownField, dirichlet, observed, partial, zoo
from repnet.solve import RESULTS, GaussNewton, solve
from repnet.solve.equations._intervals import intervals, noise_and_deviations
from repnet.solve.equations._inverse import Inverse
from repnet.solve.equations._projection import Projection
from repnet.solve.equations._rows import Frame
from repnet.solve.equations._scan import candidates
from repnet.solve.equations._unknowns import numbers, with_layers, with_numbers


def _decay(noise: float = 0.0, seed: int = 0, count: int = 40) -> Problem:
    """u' = -rate u on [0, 1] with u(0) unknown; truth: rate 3, u(0) 1."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0.0, 1.0, count)
    y = np.exp(-3.0 * x) + noise * rng.standard_normal(count)
    equation = Term(lambda u, x, unknowns: partial(u, 0)(x) + unknowns["rate"] * u(x))
    terms = {"equation": equation, "data": observed(x, y)}
    return Problem(Box(0.0, 1.0), terms, {"rate": np.asarray(2.0)})


def _reduced(problem: Problem, units: int = 24):
    frame = Frame.of(problem)
    omega = np.full(problem.dim, 4.0)
    inverse = Inverse(problem, frame, True, omega, jax.random.key(0))
    tree = with_layers(problem, "sine", omega, 8, jax.random.key(1))
    return (*inverse.reduced(units, tree), tree)


def test_projection_agrees_with_numpy(rng):
    matrix, right = rng.normal(size=(30, 6)), rng.normal(size=(30, 2))
    projection = Projection.of(matrix, 0.0)
    expected, *_ = np.linalg.lstsq(matrix, right, rcond=None)
    np.testing.assert_allclose(projection.solve(right[:, 0]), expected[:, 0], rtol=1e-12)
    left = right - matrix @ expected
    rest = projection.rest(right)
    np.testing.assert_allclose(rest.T @ rest, left.T @ left, rtol=1e-12)
    hat = matrix @ np.linalg.pinv(matrix)
    np.testing.assert_allclose(projection.leverages(matrix), np.diag(hat), rtol=1e-12)


def test_projection_with_tikhonov_solves_the_stacked_system(rng):
    matrix, right = rng.normal(size=(20, 5)), rng.normal(size=20)
    norms = np.linalg.norm(matrix, axis=0)
    stacked = np.vstack([matrix, 0.3 * np.sqrt(5) * np.diag(norms)])
    expected, *_ = np.linalg.lstsq(stacked, np.concatenate([right, np.zeros(5)]), rcond=None)
    np.testing.assert_allclose(Projection.of(matrix, 0.3).solve(right), expected, rtol=1e-12)


@pytest.mark.slow
def test_kaufman_slopes_agree_with_finite_differences_of_the_misfit():
    with jax.enable_x64(True):
        reduced, network, tree = _reduced(_decay(0.1))

        def state(rate: float):
            return reduced.settle(network, with_numbers(tree, np.array([rate])))

        here, step = state(2.5), 1e-5
        slopes = reduced.jacobian(here)
        left = here.projection.rest(here.residual[:, None])[:, 0]
        numeric = (state(2.5 + step).misfit ** 2 - state(2.5 - step).misfit ** 2) / (2 * step)
    # The gradient of the projected misfit is exact in Kaufman's form.
    assert 2.0 * left @ slopes[:, 0] == pytest.approx(numeric, rel=1e-4)


def test_scan_is_fine_enough_for_a_wave():
    values = candidates(np.array([30.0]), np.array([40.0]))
    assert values.min() == pytest.approx(10.0)
    assert values.max() == pytest.approx(90.0)
    # From one value to the next the phase over the domain, 2 omega, changes by about 2 radians.
    assert np.diff(np.log(values[:, 0])).max() * 80.0 < 2.1
    around_zero = candidates(np.array([0.0]), np.array([40.0]))
    assert around_zero.min() == -1.0
    assert around_zero.max() == 1.0
    several = candidates(np.array([1.0, -2.0]), np.array([40.0]))
    assert several[:, 1].max() < 0.0
    assert several[:, 0].min() > 0.3


@pytest.mark.parametrize(("noise", "bound"), [(0.0, 1e-9), (0.01, 1e-3)])
@pytest.mark.slow
def test_wavenumber(noise: float, bound: float):
    k = 20.0
    problem = zoo.make("helmholtz1d_wavenumber", k=k, guess=15.0, noise=noise, seed=3)
    solution = solve(problem, key=jax.random.key(0))
    assert solution.result is RESULTS.successful
    assert abs(solution.unknowns["k"] / k - 1.0) <= bound
    low, high = solution.plan.numbers["intervals"]["k"]
    assert low <= solution.unknowns["k"] <= high
    if noise:
        assert low < k < high
    x = np.linspace(-1.0, 1.0, 301)[:, None]
    truth = np.sin(k * x) + 0.5 * np.cos(17.0 * x)
    assert np.linalg.norm(solution(x) - truth) <= max(noise, 1e-8) * np.linalg.norm(truth)


@pytest.mark.slow
def test_diffusion_field():
    """Darcy's law with one smooth coefficient: (a u')' = f, u = x + x² / 2, a = 1 + x / 2."""
    x = np.linspace(0.0, 1.0, 60)

    def equation(u, x, unknowns):
        a = unknowns["a"]
        spread = a(x) * partial(u, 0, 2)(x) + partial(a, 0)(x) * partial(u, 0)(x)
        return spread - (1.5 + x)

    data = observed(x, x + x**2 / 2)
    box = Box(0.0, 1.0)
    known = Term(lambda u, x, unknowns: unknowns["a"](x) - 1.0, box.face(0, "lower"))
    terms = {"equation": Term(equation), "end": known, "data": data}
    problem = Problem(box, terms, {"a": UnknownField(initial=1.0)})
    solution = GaussNewton(units=64).run(problem, key=jax.random.key(0))
    points = np.linspace(0.0, 1.0, 21)[:, None]
    with jax.enable_x64(True):
        found = jax.vmap(solution.unknowns["a"])(jnp.asarray(points))
    np.testing.assert_allclose(found, 1.0 + points / 2, atol=2e-5)


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.slow
def test_nonlinear_equation_with_two_unknowns(seed):
    """Logistic growth, u' = r u (1 - u / k), with u(0) known: closed form."""
    x = np.linspace(0.0, 4.0, 60)
    y = 2.0 / (1.0 + 9.0 * np.exp(-1.5 * x))

    def equation(u, x, unknowns):
        return partial(u, 0)(x) - unknowns["r"] * u(x) * (1.0 - u(x) / unknowns["k"])

    box = Box(0.0, 4.0)
    terms = {
        "equation": Term(equation),
        "start": dirichlet(box.face(0, "lower"), 0.2),
        "data": observed(x, y),
    }
    problem = Problem(box, terms, {"r": np.asarray(1.0), "k": np.asarray(1.4)})
    solution = GaussNewton(units=64).run(problem, key=jax.random.key(seed))
    assert solution.result is RESULTS.successful
    assert solution.unknowns["r"] == pytest.approx(1.5, rel=1e-7)
    assert solution.unknowns["k"] == pytest.approx(2.0, rel=1e-7)
    assert sorted(solution.plan.numbers["intervals"]) == ["k", "r"]


@pytest.mark.long
def test_intervals_cover_the_truth_as_often_as_they_say():
    noise = 0.02
    with jax.enable_x64(True):
        reduced, network, tree = _reduced(_decay())
        truth = with_numbers(tree, np.array([3.0]))
        (equation, data) = reduced.parts
        rng = np.random.default_rng(1)
        covered, levels = 0, []
        assert data.term.values is not None
        for _ in range(200):
            values = data.term.values + noise * rng.standard_normal(data.term.values.shape)
            term = Term(data.term.residual, data.placed.x, values)
            placed = dataclasses.replace(data.placed, term=term)
            noisy = dataclasses.replace(data, placed=placed)
            drawn = dataclasses.replace(reduced, parts=[equation, noisy])
            state, _, _ = drawn.minimize(drawn.settle(network, truth), 10)
            low, high = intervals(drawn, state)["rate"]
            covered += low <= 3.0 <= high
            levels.append(noise_and_deviations(drawn, state)[0] / data.weight[0])
    assert 0.90 <= covered / 200 <= 0.99
    assert np.sqrt(np.mean(np.square(levels))) == pytest.approx(noise, rel=0.05)


def test_names_of_intervals_follow_the_tree():
    with jax.enable_x64(True):
        problem = _decay(0.01)
        equation = Term(lambda u, x, unknowns: partial(u, 0)(x) + jnp.sum(unknowns["rates"]) * u(x))
        terms = {"equation": equation, "data": problem.terms["data"]}
        two = Problem(problem.domain, terms, {"rates": np.array([1.0, 2.0])})
        reduced, network, tree = _reduced(two)
        found = intervals(reduced, reduced.settle(network, tree))
        assert numbers(tree).tolist() == [1.0, 2.0]
    assert np.shape(found["rates"]) == (2, 2)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"GaussNewton\(units=...\)` must be at least 1; got 0"):
        GaussNewton(units=0)
    key = jax.random.key(0)
    problem = _decay()
    known = Problem(problem.domain, problem.terms)
    with pytest.raises(ValueError, match="finds `unknowns`"):
        GaussNewton().run(known, key=key)
    without = Problem(problem.domain, {"equation": problem.terms["equation"]}, problem.unknowns)
    with pytest.raises(ValueError, match="needs data"):
        GaussNewton().run(without, key=key)
    unasked = Problem(problem.domain, problem.terms, {"rate": 1.0, "a": UnknownField()})
    with pytest.raises(ValueError, match="no residual asks"):
        GaussNewton().run(unasked, key=key)
