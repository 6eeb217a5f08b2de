"""Numbers in equations of one axis, found together with a solution by elements."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from repnet import Box, Problem, Term, dirichlet, initial, observed, partial, solve
from repnet.solve import RESULTS, GaussNewton
from repnet.solve.equations._basis import Basis
from repnet.solve.equations._element_data import cut_for_data, fit_to_data, is_noise
from repnet.solve.equations._piecewise import Piecewise, tied_of
from repnet.solve.equations._sweep import blocks_of, pinned_rows, swept, ties

KEY = jax.random.key(0)
CHAOS = {"a": 10.0, "r": 28.0, "b": 8.0 / 3.0}


def lorenz(y, p, xp):
    return [p["a"] * (y[1] - y[0]), y[0] * (p["r"] - y[2]) - y[1], y[0] * y[1] - p["b"] * y[2]]


def states(rates, truth, start, t, method="DOP853"):
    found = solve_ivp(
        lambda _, y: rates(y, truth, np), (0.0, t[-1]), start, method, t, rtol=1e-11, atol=1e-13
    )
    return found.y.T


def from_states(rates, t, values, guess, seen, out, start=None):
    """A problem of the first order in time; `values` at `t` of the outputs `seen`."""
    box = Box(0.0, float(t[-1]))

    def equation(u, x, unknowns):
        return partial(u, 0)(x) - jnp.stack(rates(u(x), unknowns, jnp))

    terms = {"equation": Term(equation), "data": observed(t[:, None], values, component=seen)}
    if start is not None:
        terms["start"] = initial(box, list(start))
    return Problem(box, terms, guess, out_size=out)


def farthest(solution, truth):
    """Largest relative error of an unknown."""
    return max(abs(solution.unknowns[name] / value - 1.0) for name, value in truth.items())


@pytest.mark.slow
def test_three_unknowns_of_a_chaotic_system_from_few_values():
    truth, start = {"a": 10.0, "r": 15.0, "b": 8.0 / 3.0}, [-8.0, 7.0, 27.0]
    t = np.linspace(0.0, 3.0, 25)
    values = states(lorenz, truth, start, t)
    guess = dict.fromkeys(truth, 1.0)
    solution = solve(from_states(lorenz, t, values, guess, [0, 1, 2], 3, start), key=KEY)
    assert solution.result is RESULTS.successful
    assert solution.plan.solver.startswith("GaussNewton on elements")
    assert farthest(solution, truth) < 1e-9
    between = np.linspace(0.0, 3.0, 101)
    exact = states(lorenz, truth, start, between)
    assert np.abs(solution(between[:, None]) - exact).max() < 1e-7 * np.abs(exact).max()


@pytest.mark.slow
def test_one_output_tells_of_the_others(rng):
    """Lorenz's system seen by its first output with noise, its start unknown."""
    t = np.linspace(0.0, 5.0, 120)
    values = states(lorenz, CHAOS, [-8.0, 7.0, 27.0], t)[:, :1]
    values = values + 0.005 * np.std(values) * rng.normal(size=values.shape)
    problem = from_states(lorenz, t, values, {"a": 8.0, "r": 22.0, "b": 2.0}, [0], 3)
    solution = solve(problem, key=KEY)
    assert solution.result is RESULTS.successful
    assert farthest(solution, CHAOS) < 0.02
    assert solution.plan.numbers["misfit"] == pytest.approx(0.005, rel=0.2)
    for low, high in solution.plan.numbers["intervals"].values():
        assert 0.0 < (high - low) / (high + low) < 0.05


def thin_layer(hold):
    """ε u″ - u′ + q = 0 on the unit interval; ε = 1e-3 is told by its logarithm."""
    x = np.unique(np.concatenate([np.linspace(0.0, 1.0, 31), np.linspace(0.98, 1.0, 9)]))
    values = x - np.exp((x - 1.0) / 1e-3)

    def equation(u, x, unknowns):
        thin, source = jnp.exp(unknowns["thin"]), unknowns["source"][0]
        return thin * partial(u, 0, 2)(x) - partial(u, 0)(x) + source

    box = Box(0.0, 1.0)
    terms = {"equation": Term(equation), "data": observed(x, values)}
    guess = {"thin": np.log(4e-3), "source": np.array([2.0])}
    if hold == "hard":
        return Problem(box, terms, guess, transform=lambda u, x: x * (1.0 - x) * u(x))
    return Problem(box, terms | {"ends": dirichlet(box.boundary())}, guess)


@pytest.mark.parametrize("hold", ["terms", "hard"])
@pytest.mark.slow
def test_width_of_a_boundary_layer(hold):
    solution = solve(thin_layer(hold), key=KEY)
    assert solution.result is RESULTS.successful
    assert solution.unknowns["thin"] == pytest.approx(np.log(1e-3), abs=1e-6)
    assert solution.unknowns["source"] == pytest.approx([1.0], abs=1e-7)
    assert len(solution.plan.numbers["intervals"]["source"]) == 1


@pytest.mark.slow
def test_a_model_that_lacks_something_is_told(rng):
    """Decay to zero fitted to a decay that ends at a fifth."""
    t = np.linspace(0.0, 4.0, 80)
    values = 0.2 + np.exp(-1.5 * t) + 0.003 * rng.normal(size=80)
    decay = Term(lambda u, x, unknowns: partial(u, 0)(x) + unknowns["rate"] * u(x))
    terms = {"decay": decay, "data": observed(t, values)}
    solution = solve(Problem(Box(0.0, 4.0), terms, {"rate": 1.0}), key=KEY)
    assert any("goes on from point to point" in reason for reason in solution.plan.reasons)
    lacking = Term(lambda u, x, k: partial(u, 0)(x) + k["rate"] * (u(x) - k["end"]))
    terms = {"decay": lacking, "data": observed(t, values)}
    solution = solve(Problem(Box(0.0, 4.0), terms, {"rate": 1.0, "end": 0.0}), key=KEY)
    assert not any("goes on from point to point" in reason for reason in solution.plan.reasons)
    assert solution.unknowns["end"] == pytest.approx(0.2, abs=0.005)


@pytest.mark.parametrize("count", [40, pytest.param(6000, marks=pytest.mark.long)])
def test_a_rate_of_the_other_sign_under_much_noise(rng, count):
    t = np.linspace(0.0, 2.0, count)
    values = np.exp(-1.5 * t) + 0.2 * rng.normal(size=count)
    decay = Term(lambda u, x, unknowns: partial(u, 0)(x) - unknowns * u(x))
    terms = {"decay": decay, "data": observed(t, values)}
    solution = solve(Problem(Box(0.0, 2.0), terms, 1.0), key=KEY)
    assert solution.result is RESULTS.successful
    assert solution.plan.solver.startswith("GaussNewton on elements")
    low, high = solution.plan.numbers["intervals"]["unknown"]
    assert low < -1.5 < high
    slopes = np.stack([t * np.exp(-1.5 * t), np.exp(-1.5 * t)], axis=1)
    least = 0.2 * np.sqrt(np.linalg.inv(slopes.T @ slopes)[0, 0])  # by Cramér and Rao
    assert 0.25 * (high - low) == pytest.approx(least, rel=0.3)
    assert solution.plan.numbers["misfit"] > 0.3  # of noise, which is no disagreement


def growth_under_decay():
    """Growth where the equation knows decay alone: its rate would have to be below 2."""

    def equation(u, x, unknowns):
        return partial(u, 0)(x) + jnp.sqrt(unknowns["rate"] - 2.0) * u(x) ** 2

    t = np.linspace(0.0, 1.0, 20)
    terms = {"decay": Term(equation), "data": observed(t, np.exp(4.0 * t))}
    return Problem(Box(0.0, 1.0), terms, {"rate": 2.5})


@pytest.mark.slow
def test_elements_stop_before_an_equation_is_not_finite():
    with jax.enable_x64(True):
        tied = cut_for_data(growth_under_decay())
        assert tied is not None
        found = fit_to_data(tied, KEY, 40)
        assert not found.explains
        assert np.isfinite(found.misfit)
        assert float(found.piecewise.unknowns["rate"]) >= 2.0


@pytest.mark.slow
def test_so_does_one_layer():
    solution = solve(growth_under_decay(), solver=GaussNewton(units=24, steps=1), key=KEY)
    assert solution.result is not RESULTS.successful
    assert solution.unknowns["rate"] >= 2.0
    assert any("still fell when 1 steps were over" in reason for reason in solution.plan.reasons)


def test_what_is_left_to_one_layer():
    known = thin_layer("terms")
    with jax.enable_x64(True):
        assert cut_for_data(known) is not None
        twofold = Term(lambda u, x, unknowns: u(x) - u(1.0 - x) + unknowns["source"])
        distant = Problem(known.domain, {**known.terms, "twofold": twofold}, known.unknowns)
        assert cut_for_data(distant) is None


def cut_at(edges, problem, rng):
    """Elements of a problem with one output of the second order; call in float64 mode."""
    tree = jax.tree.map(jnp.asarray, problem.unknowns)
    return Piecewise.blank(tied_of(problem, tree), Basis.of(1, 2, rng), np.array(edges), tree)


class TestParts:
    def test_the_sweep_is_least_squares_of_rows_with_unknowns(self, rng):
        problem = thin_layer("terms")
        with jax.enable_x64(True):
            blank = cut_at([0.0, 0.4, 1.0], problem, rng)
            basis = blank.basis
            bent = blank.having(rng.normal(size=blank.coefficients.shape))
            blocks, pinned = blocks_of(bent, np.arange(2)), pinned_rows(bent, of_data=0.1)
            tying = ties(bent)
            found = swept(blocks, pinned, tying, basis.size)
        size, rows = basis.size, []
        for place, block in enumerate(blocks):
            for own in (block.triangle, pinned[place]):
                whole = np.zeros((len(own), 2 * size + 3))
                whole[:, place * size : (place + 1) * size] = own[:, :size]
                whole[:, 2 * size :] = own[:, size:]
                rows.append(whole)
        both, right = tying[0]
        rows.append(np.column_stack([both, np.zeros((len(both), 2)), right]))
        rows = np.concatenate(rows)
        best = np.linalg.lstsq(rows[:, :-1], rows[:, -1], rcond=1e-15)[0]
        left = rows[:, :-1] @ np.append(found.coefficients.ravel(), found.unknowns) - rows[:, -1]
        least = rows[:, :-1] @ best - rows[:, -1]
        assert np.linalg.norm(left) <= (1.0 + 1e-9) * np.linalg.norm(least) + 1e-9
        np.testing.assert_allclose(found.unknowns, best[-2:], rtol=1e-5)

    def test_rows_cut_otherwise_sum_to_the_same(self, rng):
        """With sizes for the whole axis, the squares of all rows are an integral over it."""
        problem = thin_layer("terms")
        with jax.enable_x64(True):
            one = cut_at([0.0, 1.0], problem, rng)
            smooth = np.cos(one.basis.dense + 0.3)
            one = one.having((smooth @ one.basis.back.T)[None, None])
            two = one.values_on(np.array([0.0, 0.3, 1.0]))
            sums = [
                sum(
                    np.sum(np.square(block.triangle[:, -1]))
                    for block in blocks_of(cut, np.arange(cut.count), np.array([7.0]))
                )
                for cut in (one, two)
            ]
        assert sums[0] == pytest.approx(sums[1], rel=1e-8)

    @pytest.mark.long
    def test_noise_and_what_is_none(self, rng):
        x = rng.uniform(size=400)
        noise = rng.normal(size=(400, 2))
        assert is_noise({"data": x}, {"data": noise})
        assert not is_noise({"data": x}, {"data": noise + 2.0 * np.sin(9.0 * x)[:, None]})
        assert is_noise({"data": x[:1]}, {"data": noise[:1]})
