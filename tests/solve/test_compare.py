"""Judging a global layer at the points where windows were judged."""

import jax
import jax.random as jr
import numpy as np
import pytest

from repnet import regression, solve
from repnet.solve._compare import _leave_one_out, global_errors
from repnet.solve._feature_rows import accumulate, feature_rows
from repnet.solve._least_squares import LeastSquares
from repnet.solve._pilot import choose_features
from repnet.solve._triangular import Spectral
from repnet.solve._window_fit import Target
from repnet.solve._windows import try_windows


def _judged(x, y, width=64):
    problem = regression(x, y)
    target = Target.of(problem)
    with jax.enable_x64(True):
        pilot = choose_features(LeastSquares(width), problem, None, jr.key(1))
    return target, pilot


@pytest.mark.slow
def test_leave_one_out_equals_refitting_without_each_point():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-1, 1, 90))[:, None]
    y = np.sin(9 * x) * [1.0, 1.0] + rng.normal(size=(90, 2)) * [0.1, 1.0]
    target, pilot = _judged(x, y, 24)
    found = _leave_one_out(pilot.network, pilot.ridges, target.data.x, target.data.y)
    with jax.enable_x64(True):
        whole = Spectral.of(accumulate(pilot.network, target.data.x, target.data.y))
        matrix = feature_rows(pilot.network, target.data.x)
    # Column norms and the ridge's level change with the rows: refit with those of all rows.
    scaled = matrix / whole.norms
    assert pilot.ridges[0] < pilot.ridges[1]  # each target has its own
    for out, ridge in enumerate(pilot.ridges):
        shift = (ridge * whole.singular[0]) ** 2 * np.eye(scaled.shape[1])
        for left_out in (0, 17, 89):
            kept = np.arange(90) != left_out
            normal = scaled[kept].T @ scaled[kept] + shift
            weights = np.linalg.solve(normal, scaled[kept].T @ target.data.y[kept, out])
            expected = target.data.y[left_out, out] - scaled[left_out] @ weights
            np.testing.assert_allclose(found[left_out, out], expected, rtol=1e-3, atol=1e-6)


@pytest.mark.slow
def test_large_data_are_judged_on_a_part_that_holds_the_pilot_windows():
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (30_000, 1))
    noise = 0.1
    target, pilot = _judged(x, np.sin(3 * x) + noise * rng.normal(size=x.shape))
    (error,) = global_errors(target, try_windows(target, jr.key(2)), pilot, jr.key(3))
    assert error == pytest.approx(noise / np.sqrt(0.5 + noise**2), rel=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_windows_win_where_the_signal_is_rough_and_narrow_bumps_stand_on_noise(seed):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, 900)
    places, widths = rng.uniform(0, 1, 11), rng.uniform(0.004, 0.02, 11)
    y = np.sum(1.0 / (1 + ((t[:, None] - places) / widths) ** 2) ** 2, axis=1)
    held = rng.permutation(900)[:90]
    kept = np.setdiff1d(np.arange(900), held)
    noisy = y + 0.02 * rng.normal(size=900)
    both = {
        name: np.sqrt(np.mean((run(t[held])[:, 0] - y[held]) ** 2))
        for name, run in (
            ("chosen", solve(regression(t[kept], noisy[kept]), key=jr.key(seed))),
            ("global", LeastSquares(512).run(regression(t[kept], noisy[kept]), key=jr.key(seed))),
        )
    }
    assert both["chosen"] < 1.05 * both["global"]
