"""Networks and radial units that share targets: shares by what both miss, and what comes of it."""

import dataclasses

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import repnet
from repnet._threads import one_blas_thread
from repnet.nn import Sum
from repnet.problem import regression
from repnet.solve import LeastSquares, Radial
from repnet.solve._pilot import choose_features
from repnet.solve._plan import Decision, _together, _Trial
from repnet.solve._radial import fit_radial, with_radial
from repnet.solve._together import Together
from repnet.solve._window_fit import Target, fit_windows
from repnet.solve._windows import fit_chosen, try_windows


def _both(problem, width=64, key=0):
    """The better layer and the radial units of a problem, and their shares."""
    target = Target.of(problem)
    with jax.enable_x64(True):
        pilot = choose_features(LeastSquares(width), problem, None, jr.key(key))
        radial = fit_radial(target.data.x, target.data.y, None, jr.key(key + 1))
    return Together.of_layer(target, pilot, radial)


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (150, 2))
    y = np.exp(-3.0 * np.square(x - 0.2).sum(axis=1)) + 0.2 * rng.normal(size=150)
    return regression(x, np.stack([y, 1e3 + 50.0 * x[:, 0] ** 2], axis=1))


@pytest.fixture(scope="module")
def noisy(problem):
    return _both(problem)


@pytest.mark.slow
def test_together_is_the_weighted_mean_of_both(problem, noisy, rng, tmp_path):
    both = dataclasses.replace(noisy, shares=np.array([0.25, 1.0]))
    solution = both.finish(problem)
    assert isinstance(solution.network.network, Sum)
    new = rng.uniform(-1.0, 1.0, (50, 2))
    layer = dataclasses.replace(both, shares=np.zeros(2)).finish(problem)
    assert layer.plan.solver == "LeastSquares"
    layer, radial = layer(new), with_radial(both.radial, problem)(new)
    expected = np.stack([0.75 * layer[:, 0] + 0.25 * radial[:, 0], radial[:, 1]], axis=1)
    np.testing.assert_allclose(solution(new), expected, rtol=1e-9)
    assert solution.plan.solver == "LeastSquares and Radial"
    assert "0.25 to 1" in solution.plan.reasons[0]
    solution.save(tmp_path / "both.repnet")
    assert np.array_equal(repnet.Solution.load(tmp_path / "both.repnet")(new), solution(new))


def test_what_can_not_be_told_apart_is_shared(noisy):
    assert 0.05 < noisy.shares[0] < 0.95
    assert noisy.errors[0] <= 1.02 * noisy.radial.errors[0]


def _rough(x):
    """Hills of many sizes, the small ones steep."""
    rng = np.random.default_rng(1)
    places, sizes = rng.uniform(-1.2, 1.2, (60, 2)), 10.0 ** rng.uniform(-1.3, -0.3, 60)
    square = np.square(x[:, None] - places).sum(axis=2)
    return np.sum(np.sqrt(sizes) * np.exp(-square / np.square(sizes)), axis=1)


@pytest.mark.long
def test_windows_share_with_radial_units(rng, tmp_path):
    x, new = (rng.uniform(-1.0, 1.0, (count, 2)) for count in (400, 3000))
    problem = regression(x, _rough(x))
    target, (windows_key, key) = Target.of(problem), jr.split(jr.key(0))
    choice = try_windows(target, windows_key)
    with jax.enable_x64(True):
        radial = fit_radial(target.data.x, target.data.y, None, key)
    both = dataclasses.replace(Together.of_windows(target, choice, radial), shares=np.array([0.4]))
    solution = both.finish(problem)
    alone, others = fit_chosen(target, choice, problem)(new), with_radial(radial, problem)(new)
    np.testing.assert_allclose(solution(new), 0.6 * alone + 0.4 * others, atol=1e-8)
    np.testing.assert_allclose(
        [solution.network(jnp.asarray(at)) for at in new[:3]], solution(new[:3]), atol=1e-8
    )
    assert solution.plan.solver == "Windows and Radial"
    solution.save(tmp_path / "both.repnet")
    assert np.array_equal(repnet.Solution.load(tmp_path / "both.repnet")(new), solution(new))


@pytest.mark.slow
def test_windows_miss_at_points_what_refits_without_them_miss(rng):
    x = rng.uniform(-1.0, 1.0, (120, 2))
    problem = regression(x, _rough(x))
    choice = try_windows(target := Target.of(problem), jr.key(0))
    with jax.enable_x64(True), one_blas_thread():
        fitted = fit_windows(target, choice, left_out=True)
    told = np.sqrt(np.nanmean(np.square(fitted.missed)))
    assert 0.7 * fitted.error < told < 1.3 * fitted.error
    assert np.isfinite(fitted.missed).mean() > 0.9
    assert fit_windows(target, choice).missed is None


@pytest.mark.slow
def test_what_is_far_worse_has_little_of_a_target(rng):
    x = rng.uniform(-1.0, 1.0, (200, 2))
    wave = np.sin(x @ np.array([7.0, 4.0])) + np.cos(x @ np.array([4.0, -6.0]))
    peak = 1.0 / (1.0 + 40.0 * np.square(x).sum(axis=1))
    both = _both(regression(x, np.stack([wave, peak], axis=1)), width=128)
    assert both.shares[0] < 0.2
    assert both.shares[1] > 0.8


@pytest.mark.parametrize(("share", "solver"), [(0.0, LeastSquares), (1.0, Radial)])
@pytest.mark.slow
def test_whole_shares_leave_one_of_the_two(share, solver, noisy):
    both = dataclasses.replace(noisy, shares=np.array([share, share]))
    layer = LeastSquares(64)
    before = Decision(layer, ("One layer.",), {"trials": {"least_squares": 0.1}})
    decision = _together(_Trial(before, np.array([0.1, 0.1]), None), np.array([0.2, 0.2]), both)
    assert isinstance(decision.solver, solver)
    assert set(decision.numbers["trials"]) == {"least_squares", "radial"}
