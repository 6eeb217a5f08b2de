"""A layer and radial units that share targets: shares by what both miss, and what comes of it."""

import dataclasses

import jax
import jax.random as jr
import numpy as np
import pytest

import repnet
from repnet.nn import Sum
from repnet.problem import regression
from repnet.solve import LeastSquares, Radial
from repnet.solve._least_squares import solve_with
from repnet.solve._pilot import choose_features
from repnet.solve._plan import Decision, _together, _Trial
from repnet.solve._radial import fit_radial, with_radial
from repnet.solve._together import Together
from repnet.solve._window_fit import Target


def _both(problem, width=64, key=0):
    """The better layer and the radial units of a problem, and their shares."""
    target = Target.of(problem)
    with jax.enable_x64(True):
        pilot = choose_features(LeastSquares(width), problem, None, jr.key(key))
        radial = fit_radial(target.data.x, target.data.y, None, jr.key(key + 1))
    return Together.of(target, pilot, radial)


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (150, 2))
    y = np.exp(-3.0 * np.square(x - 0.2).sum(axis=1)) + 0.2 * rng.normal(size=150)
    return regression(x, np.stack([y, 1e3 + 50.0 * x[:, 0] ** 2], axis=1))


@pytest.fixture(scope="module")
def noisy(problem):
    return _both(problem)


def test_together_is_the_weighted_mean_of_both(problem, noisy, rng, tmp_path):
    both = dataclasses.replace(noisy, shares=np.array([0.25, 1.0]))
    solution = both.finish(problem)
    assert isinstance(solution.network.network, Sum)
    new = rng.uniform(-1.0, 1.0, (50, 2))
    layer, radial = solve_with(both.pilot, problem)(new), with_radial(both.radial, problem)(new)
    expected = np.stack([0.75 * layer[:, 0] + 0.25 * radial[:, 0], radial[:, 1]], axis=1)
    np.testing.assert_allclose(solution(new), expected, rtol=1e-9)
    assert solution.plan.solver == "LeastSquares and Radial"
    assert "0.25 to 1" in solution.plan.reasons[0]
    solution.save(tmp_path / "both.repnet")
    assert np.array_equal(repnet.Solution.load(tmp_path / "both.repnet")(new), solution(new))


def test_what_can_not_be_told_apart_is_shared(noisy):
    assert 0.05 < noisy.shares[0] < 0.95
    assert noisy.errors[0] <= 1.02 * noisy.radial.errors[0]


@pytest.mark.slow
def test_what_is_far_worse_has_little_of_a_target(rng):
    x = rng.uniform(-1.0, 1.0, (200, 2))
    wave = np.sin(x @ np.array([7.0, 4.0])) + np.cos(x @ np.array([4.0, -6.0]))
    peak = 1.0 / (1.0 + 40.0 * np.square(x).sum(axis=1))
    both = _both(regression(x, np.stack([wave, peak], axis=1)), width=128)
    assert both.shares[0] < 0.2
    assert both.shares[1] > 0.8


@pytest.mark.parametrize(("share", "solver"), [(0.0, LeastSquares), (1.0, Radial)])
def test_whole_shares_leave_one_of_the_two(share, solver, noisy):
    both = dataclasses.replace(noisy, shares=np.array([share, share]))
    layer = LeastSquares(64)
    before = Decision(layer, ("One layer.",), {"trials": {"least_squares": 0.1}})
    decision = _together(_Trial(before, np.array([0.1, 0.1]), None, both.pilot), both)
    assert isinstance(decision.solver, solver)
    assert set(decision.numbers["trials"]) == {"least_squares", "radial"}
