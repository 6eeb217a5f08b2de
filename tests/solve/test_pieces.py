"""Cubic pieces are judged without the sample they are judged at, and win where data have kinks."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.interpolate import Akima1DInterpolator

from repnet.nn import PiecewiseCubic
from repnet.problem import regression
from repnet.solve import Solution, Windows, solve
from repnet.solve._pieces import Pieces
from repnet.solve._window_fit import Target


def _pieces(x, y):
    found = Pieces.of(x[:, None], y[:, None])
    assert found is not None
    return found


@pytest.mark.parametrize("count", [8, 41])
def test_errors_are_those_of_leaving_out_one_sample(count, rng):
    x, y = np.sort(rng.uniform(-1, 1, count)), rng.normal(size=count)
    expected = []
    for left_out in range(count):
        kept = np.arange(count) != left_out
        rest = Akima1DInterpolator(x[kept], y[kept], extrapolate=True)
        expected.append((rest(x[left_out]) - y[left_out]) ** 2)
    np.testing.assert_allclose(_pieces(x, y).squares, expected, rtol=1e-8, atol=1e-20)


def test_repeated_inputs_count_as_their_mean(rng):
    x = rng.permutation(np.repeat(np.linspace(-1, 1, 30), 2))
    noise = rng.normal(size=60)
    found = _pieces(x, noise)
    at = np.linspace(-1, 1, 30)
    means = [noise[x == place].mean() for place in at]
    np.testing.assert_allclose(found.function.many(at[:, None])[:, 0], means, atol=1e-13)
    # A sample is left out together with those at the same place.
    rest = Akima1DInterpolator(np.delete(at, 12), np.delete(means, 12))(at[12])
    np.testing.assert_allclose(found.squares[x == at[12]], (rest - noise[x == at[12]]) ** 2)


@pytest.mark.parametrize("gap", [5e-324, 1e-300, 1e-13])
def test_inputs_that_hardly_differ_count_as_the_same(gap, rng):
    x, y = np.linspace(-1, 1, 31), rng.normal(size=32)
    found = _pieces(np.append(x, gap), y)
    assert np.isfinite(found.squares).all()
    middle = float(found.function.many(np.zeros((1, 1)))[0, 0])
    assert middle == pytest.approx((y[15] + y[31]) / 2, abs=1e-6)


def test_windows_weigh_the_errors_of_their_own_samples(rng):
    x = np.sort(rng.uniform(-1, 1, 300))
    y = np.where(x > 0, rng.normal(size=300), np.sin(3 * x))
    target = Target.of(regression(x, y))
    assert target.pieces is not None
    cover = target.data.cover(24, np.ones(1)).cover
    windows = np.arange(cover.windows)
    found = target.pieces.errors(cover, windows)
    for window in windows:
        weight = cover.weights(np.array([window]), target.data.x[None])[0]
        expected = weight @ target.pieces.squares / weight.sum()
        np.testing.assert_allclose(found[window], expected)
    assert found[0] < 1e-3 * found[-1]


def test_windows_between_samples_have_the_mean_of_all():
    x = np.concatenate([np.linspace(-1, -0.9, 40), np.linspace(0.9, 1, 40)])
    target = Target.of(regression(x, np.sin(60 * x)))
    assert target.pieces is not None
    cover = target.data.cover(16, np.ones(1)).cover
    found = target.pieces.errors(cover, np.arange(cover.windows))
    middle = np.argmin(np.abs(cover.centre[:, 0]))
    assert found[middle] == target.pieces.squares.mean()


def test_none_for_several_inputs_or_few_samples(rng):
    assert Pieces.of(rng.random((50, 2)), rng.random((50, 1))) is None
    assert Pieces.of(np.repeat(np.arange(7.0), 9)[:, None], rng.random((63, 1))) is None


@pytest.mark.slow
def test_kinks_are_met_and_the_file_brings_them_back(tmp_path):
    def wave(x):
        return np.abs(((5 * x + 0.3) % 1) - 0.5)

    x = np.linspace(-1, 1, 501)
    solution = solve(regression(x, wave(x)), key=jr.key(0))
    between = np.linspace(-0.99, 0.99, 3331)
    error = np.linalg.norm(solution(between)[:, 0] - wave(between)) / np.linalg.norm(wave(between))
    akima = np.linalg.norm(Akima1DInterpolator(x, wave(x))(between) - wave(between))
    assert error < 1.02 * akima / np.linalg.norm(wave(between))
    assert solution.plan.network.startswith("cubics between samples in")
    solution.save(tmp_path / "kinks.npz")
    assert Solution.load(tmp_path / "kinks.npz")(between).tobytes() == solution(between).tobytes()


def test_only_features_that_are_asked_for_compete():
    x = np.linspace(-1, 1, 200)
    problem = regression(x, np.abs(x - 0.1))
    for wish in ({"scale": 4.0}, {"activation": jnp.tanh}):
        solution = solve(problem, None, Windows(per_window=16, **wish), key=jr.key(0))
        assert "cubics between samples" not in solution.plan.numbers["shares"]


def test_a_piecewise_cubic_takes_two_outputs(rng):
    x, y = np.linspace(-1, 1, 9), rng.normal(size=(9, 2))
    found = Pieces.of(x[:, None], y)
    assert found is not None
    assert isinstance(found.function, PiecewiseCubic)
    np.testing.assert_allclose(found.function.many(x[:, None]), y, atol=1e-13)
