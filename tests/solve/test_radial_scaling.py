"""Widths by input and along directions: the evidence they raise, and what they find."""

import jax.random as jr
import numpy as np
import pytest

from repnet.nn._radial import KERNELS, radial_profile
from repnet.problem import regression
from repnet.solve import Radial, solve
from repnet.solve._radial_scaling import Evidence, width_along_directions, width_by_input
from repnet.solve._radial_units import beside, orthonormal, polynomials_at

SCALING = np.array([[1.5, 0.2, -0.4], [0.0, 0.7, 0.3], [0.1, -0.2, 0.4]])


def _evidence(kernel, rng, points=25):
    x = rng.uniform(-1.0, 1.0, (points, 3))
    y = np.stack([np.sin(3.0 * x[:, 0]), x[:, 1] * x[:, 2]], axis=1)
    y += 0.1 * rng.normal(size=y.shape)
    return Evidence(x, y, kernel, orthonormal(polynomials_at(x, kernel)))


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_value_is_the_likelihood_of_the_best_amplitude(kernel, rng):
    evidence = _evidence(kernel, rng)
    z, inside = evidence.x @ SCALING.T, beside(evidence.flat)
    square = np.square(z[:, None] - z).sum(axis=2)
    covariance = inside.T @ radial_profile(kernel, square, np) @ inside
    covariance += 0.01 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    logs = []
    for y in (inside.T @ evidence.y).T:
        amplitude = y @ np.linalg.solve(covariance, y) / len(y)
        log_det = np.linalg.slogdet(amplitude * covariance)[1]
        energy = y @ np.linalg.solve(amplitude * covariance, y)  # one by the point
        logs.append((log_det + energy) / len(y) - 1.0)
    assert evidence(SCALING, np.log(0.01))[0] == pytest.approx(np.mean(logs), rel=1e-10)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_derivatives_are_those_of_the_value(kernel, rng):
    evidence, log_ridge, step = _evidence(kernel, rng), np.log(0.02), 1e-5
    _, by_scaling, by_ridge = evidence(SCALING, log_ridge)
    above, below = (evidence(SCALING, log_ridge + sign * step)[0] for sign in (1, -1))
    assert by_ridge == pytest.approx((above - below) / (2 * step), rel=1e-5)
    for place in np.ndindex(SCALING.shape):
        move = np.zeros_like(SCALING)
        move[place] = step
        above, below = (evidence(SCALING + sign * move, log_ridge)[0] for sign in (1, -1))
        assert by_scaling[place] == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-7)


def test_searches_raise_the_evidence(rng):
    evidence = _evidence("gaussian", rng, points=80)
    start = evidence(np.eye(3), np.log(0.1))[0]
    by_input, log_ridge = width_by_input(evidence, 1.0, np.log(0.1))
    assert np.count_nonzero(by_input) == 3
    of_inputs = evidence(by_input, log_ridge)[0]
    any_way, log_ridge = width_along_directions(evidence, by_input, log_ridge)
    assert evidence(any_way, log_ridge)[0] <= of_inputs < start


def test_a_scaling_that_overflows_has_no_evidence(rng):
    evidence = _evidence("cubic_multiquadric", rng)
    value, by_scaling, by_ridge = evidence(1e200 * SCALING, 0.0)
    assert value > 1e9
    assert not by_scaling.any()
    assert by_ridge == 0.0


def _friedman(x):
    """Friedman's first function: five inputs of unequal reach; all others say nothing."""
    z = (x + 1.0) / 2.0
    curved = 10.0 * np.sin(np.pi * z[:, 0] * z[:, 1]) + 20.0 * (z[:, 2] - 0.5) ** 2
    return curved + 10.0 * z[:, 3] + 5.0 * z[:, 4]


def _error(solution, function, new):
    true = function(new)
    return np.sqrt(np.mean((solution(new)[:, 0] - true) ** 2)) / true.std()


def test_inputs_that_say_nothing_are_left_out(rng):
    x, new = (rng.uniform(-1.0, 1.0, (count, 10)) for count in (120, 2000))
    solution = Radial().run(regression(x, _friedman(x)), key=jr.key(0))
    assert _error(solution, _friedman, new) < 0.01
    assert solution.plan.numbers["kinds"] == ["a width for every input"]
    widths = solution.plan.numbers["widths"][0]
    assert max(widths[:3]) < 100.0 < min(widths[5:])  # two are linear, which polynomials can be
    assert "a width for every input" in solution.plan.reasons[0]
    assert solution.plan.reasons[0].count("over 100") >= 5
    silent = np.array([0.0] * 5 + [0.9, -0.9, 0.9, -0.9, 0.9])
    one, other = solution(np.stack([0.0 * silent, silent]))[:, 0]
    assert one == pytest.approx(other, abs=0.01 * _friedman(new).std())


@pytest.mark.slow
def test_directions_are_found(rng):
    def ridge(x):
        return np.exp(-8.0 * np.mean(x, axis=1) ** 2)

    x, new = (rng.uniform(-1.0, 1.0, (count, 4)) for count in (120, 2000))
    solution = Radial().run(regression(x, ridge(x)), key=jr.key(0))
    assert _error(solution, ridge, new) < 0.01
    assert solution.plan.numbers["kinds"] == ["widths along directions found"]
    widths = solution.plan.numbers["widths"][0]
    assert widths[1] > 10.0 * widths[0]


def test_few_points_keep_one_width(rng):
    x = rng.uniform(-1.0, 1.0, (40, 6))
    solution = Radial().run(regression(x, rng.normal(size=40)), key=jr.key(0))
    assert solution.plan.numbers["kinds"] == ["one width"]


@pytest.mark.slow
def test_many_targets_have_one_scaling_of_the_most_evidence(rng):
    x, new = (rng.uniform(-1.0, 1.0, (count, 6)) for count in (120, 1000))
    waves = np.linspace(1.0, 2.0, 6)
    y = np.sin(x[:, :1] * waves) + x[:, 1:2] ** 2
    solution = Radial().run(regression(x, y), key=jr.key(0))
    true = np.sin(new[:, :1] * waves) + new[:, 1:2] ** 2
    assert np.abs(solution(new) - true).max() < 0.02
    assert set(solution.plan.numbers["kinds"]) <= {
        "a width for every input",
        "widths along directions found",
    }


@pytest.mark.long
def test_solve_takes_them_in_many_inputs(rng):
    x, new = (rng.uniform(-1.0, 1.0, (count, 10)) for count in (200, 2000))
    solution = solve(regression(x, _friedman(x)), key=jr.key(0))
    assert solution.plan.solver == "Radial"
    assert _error(solution, _friedman, new) < 0.005
