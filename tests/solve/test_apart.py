"""Targets of one table that different solvers fit best are each fitted by their own."""

import dataclasses

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet import partial
from repnet.nn import Beside
from repnet.problem import regression
from repnet.report._density import crossing_positions
from repnet.report._measure import scales_in_units
from repnet.solve import LeastSquares, Solution, Windows, solve
from repnet.solve._apart import fit_apart, worth_apart

X = np.random.default_rng(0).uniform([-1.0, 0.0], [1.0, 5.0], (400, 2))
BETWEEN = np.random.default_rng(1).uniform([-0.9, 0.3], [0.9, 4.7], (300, 2))


def targets(x):
    """A corner that windows meet better, and a wave that one layer does."""
    plane = x[:, 0] + 0.4 * x[:, 1]
    return np.stack([np.abs(x[:, 0] * x[:, 1] - 0.5), 1e3 + np.sin(3.0 * plane)], axis=1)


def rms(solution):
    return np.sqrt(np.mean(np.square(solution(BETWEEN) - targets(BETWEEN)), axis=0))


@pytest.mark.long
def test_each_target_is_fitted_by_its_own_solver_and_saved(tmp_path):
    solution = solve(regression(X, targets(X)), key=jr.key(0))
    plan = solution.plan
    assert plan.solver == "Windows and LeastSquares"
    assert (plan.numbers["Windows"]["targets"], plan.numbers["LeastSquares"]["targets"]) == (
        [0],
        [1],
    )
    assert "Target 2: 192 features" in str(plan)
    corner, wave = rms(solution)
    assert corner < 0.1
    assert wave < 1e-8
    solution.save(tmp_path / "both.repnet")
    again = Solution.load(tmp_path / "both.repnet")
    assert again(BETWEEN).tobytes() == solution(BETWEEN).tobytes()
    with jax.enable_x64(True):
        slope = partial(solution.network, 0)(jnp.array([0.2, 1.0]))
    np.testing.assert_allclose(slope[1], 3.0 * np.cos(3.0 * 0.6), rtol=1e-6)
    # What a report draws of a network is drawn of both.
    parts = solution.network.parts
    alone = (dataclasses.replace(solution, network=part) for part in parts)
    scales = [scale for each in alone for scale in scales_in_units(each, 0) or ()]
    assert (scales_in_units(solution, 0) or []) == scales
    crossed = [crossing_positions(part, 0) for part in parts]
    np.testing.assert_array_equal(crossing_positions(solution.network, 0), np.concatenate(crossed))


@pytest.mark.slow
def test_the_targets_keep_their_places():
    x = np.linspace(-1.0, 1.0, 200)
    waves = np.stack([np.sin(k * x) + k for k in (3.0, 5.0, 7.0)], axis=1)
    solvers = Windows(per_window=48), LeastSquares(64)
    problem = regression(x, waves)
    solution = fit_apart(problem, solvers, np.array([False, True, False]), jr.key(0))
    assert isinstance(solution.network, Beside)
    np.testing.assert_allclose(solution(x), waves, atol=1e-6)
    assert "for targets 1 and 3; one layer" in solution.plan.network


def test_small_differences_do_not_part_targets():
    equal = np.array([1e-15, 0.2, 0.3])
    assert not worth_apart(equal, np.array([1e-14, 0.21, 0.29]))  # both at round-off
    assert worth_apart(equal, np.array([1e-9, 0.1, 0.3]))
    assert not worth_apart(equal, 2.0 * equal)  # one is better for all
