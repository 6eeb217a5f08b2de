"""Units that are steep and dense where a target bends."""

import importlib

import jax
import jax.random as jr
import numpy as np
import pytest

from repnet import LeastSquares, regression, solve
from repnet.judge import relative_l2
from repnet.nn import RepLinear
from repnet.solve._bends import KNOTS, candidates

pilot = importlib.import_module("repnet.solve._pilot")
PEAK = np.exp(-200.0 * (KNOTS[:, None] + 0.5) ** 2)


def test_units_move_with_the_map():
    with jax.enable_x64(True):
        layer = RepLinear(1, 32, scale=12.0, features="plain", key=jr.key(1))
        bends = candidates(PEAK, KNOTS)[1]
        weight, bias = layer.affine()
        steeper, moved = bends.place(layer).affine()
    before, after = (-(b / w[:, 0]) for w, b in ((weight, bias), (steeper, moved)))
    inside = np.abs(before) < 1.0
    np.testing.assert_allclose(np.interp(after, KNOTS, bends.warped)[inside], before[inside])
    slope = np.interp(after, KNOTS, bends.slope)
    np.testing.assert_allclose((steeper / weight)[:, 0], slope, rtol=1e-12)


def test_units_gather_where_the_target_bends():
    for bends in candidates(PEAK, KNOTS):
        assert np.all(np.diff(bends.warped) > 0)
        np.testing.assert_allclose(bends.warped[[0, -1]], [-1.0, 1.0], atol=1e-12)
        assert abs(KNOTS[np.argmax(bends.slope)] + 0.5) < 0.1
    contrasts = [bends.contrast for bends in candidates(PEAK, KNOTS)]
    assert contrasts[0] < contrasts[1] < contrasts[2]
    assert f"{contrasts[0]:.1f} times" in candidates(PEAK, KNOTS)[0].reason()


@pytest.mark.parametrize("values", [np.zeros(401), np.full(401, 7.0), 3.0 * KNOTS])
def test_a_straight_target_moves_no_unit(values):
    for bends in candidates(values[:, None], KNOTS):
        np.testing.assert_allclose(bends.warped, KNOTS, atol=1e-3)


def test_a_gap_of_the_data_draws_no_units():
    """What a fit does there is its own: it overshoots where it goes on from a slope."""
    overshoot = np.exp(-0.5 * ((KNOTS[:, None] - 0.25) / 0.05) ** 2)
    x = KNOTS[(KNOTS < 0.0) | (KNOTS > 0.5)]
    for bends, filled in zip(candidates(overshoot, x), candidates(overshoot, KNOTS), strict=True):
        gap = np.abs(KNOTS - 0.25) < 0.05
        assert np.all(bends.slope[gap] < filled.slope[gap])


@pytest.mark.long
def test_two_peaks_of_different_width_in_noise(monkeypatch):
    x = np.linspace(-1.0, 1.0, 129)
    between = np.linspace(-1.0, 1.0, 2001)

    def exact(at):
        return np.exp(-200.0 * (at + 0.5) ** 2) + 0.6 * np.exp(-8.0 * (at - 0.3) ** 2)

    def errors():
        found = []
        for seed in range(4):
            noise = np.random.default_rng(seed).normal(size=len(x))
            problem = regression(x, exact(x) + 0.1 * np.std(exact(x)) * noise)
            solution = solve(problem, None, LeastSquares(), key=jr.key(0))
            found.append(np.log(relative_l2(solution, between, exact(between))))
        return np.exp(np.mean(found)), solution.plan

    bent, plan = errors()
    assert "variable-width local tanh" in plan.network
    assert "as steep and dense" in str(plan)
    monkeypatch.setattr(pilot, "bent_units", lambda *_: None)
    even, plan = errors()
    assert "variable-width" not in plan.network
    assert bent < 0.85 * even


def test_an_activation_without_local_features_stays_as_it_is(rng):
    x = np.linspace(-1.0, 1.0, 100)
    noisy = x**2 + 0.1 * rng.normal(size=len(x))
    solver = LeastSquares(activation=lambda z: z**2 + z**3)
    solution = solve(regression(x, noisy), None, solver, key=jr.key(0))
    assert relative_l2(solution, x, x**2) < 0.2
    assert "local" not in solution.plan.network
