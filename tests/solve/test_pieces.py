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


def _squares(pieces):
    return np.square(pieces.missed).sum(axis=1)


@pytest.mark.parametrize("count", [8, 41])
def test_errors_are_those_of_leaving_out_one_sample(count, rng):
    x, y = np.sort(rng.uniform(-1, 1, count)), rng.normal(size=count)
    expected = []
    for left_out in range(count):
        kept = np.arange(count) != left_out
        rest = Akima1DInterpolator(x[kept], y[kept], extrapolate=True)
        expected.append((rest(x[left_out]) - y[left_out]) ** 2)
    np.testing.assert_allclose(_squares(_pieces(x, y)), expected, rtol=1e-8, atol=1e-20)


def test_repeated_inputs_count_as_their_mean(rng):
    x = rng.permutation(np.repeat(np.linspace(-1, 1, 30), 2))
    noise = rng.normal(size=60)
    found = _pieces(x, noise)
    at = np.linspace(-1, 1, 30)
    means = [noise[x == place].mean() for place in at]
    np.testing.assert_allclose(found.function.many(at[:, None])[:, 0], means, atol=1e-13)
    # A sample is left out together with those at the same place.
    rest = Akima1DInterpolator(np.delete(at, 12), np.delete(means, 12))(at[12])
    np.testing.assert_allclose(_squares(found)[x == at[12]], (rest - noise[x == at[12]]) ** 2)


@pytest.mark.parametrize("gap", [5e-324, 1e-300, 1e-13])
def test_inputs_that_hardly_differ_count_as_the_same(gap, rng):
    x, y = np.linspace(-1, 1, 31), rng.normal(size=32)
    found = _pieces(np.append(x, gap), y)
    assert np.isfinite(found.missed).all()
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
        expected = weight @ _squares(target.pieces) / weight.sum()
        np.testing.assert_allclose(found[window], expected)
    assert found[0] < 1e-3 * found[-1]


def test_windows_between_samples_have_the_mean_of_all():
    x = np.concatenate([np.linspace(-1, -0.9, 40), np.linspace(0.9, 1, 40)])
    target = Target.of(regression(x, np.sin(60 * x)))
    assert target.pieces is not None
    cover = target.data.cover(16, np.ones(1)).cover
    found = target.pieces.errors(cover, np.arange(cover.windows))
    middle = np.argmin(np.abs(cover.centre[:, 0]))
    assert found[middle] == _squares(target.pieces).mean()


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


def test_cubics_meet_learnt_values_in_the_holes(rng):
    nodes = np.sort(rng.permutation(400)[:360])
    values = np.cumsum(rng.normal(size=400))
    x = -1 + 2 * nodes / 399
    found = _pieces(x, values[nodes])
    kept = PiecewiseCubic.akima(x, values[nodes, None])
    assert 30 <= len(found.holes) <= 40
    assert np.intersect1d(np.round((found.holes + 1) * 399 / 2).astype(int), nodes).size == 0
    np.testing.assert_allclose(
        found.function.many(x[:, None])[:, 0], values[nodes], rtol=0, atol=1e-8
    )
    there = found.holes[:, None]
    assert not np.allclose(found.function.many(there), kept.many(there))


@pytest.mark.slow
def test_errors_are_learnt_ones_only_in_windows_with_holes(rng):
    nodes = np.r_[np.arange(400), np.sort(400 + rng.permutation(400)[:340])]
    x = -1 + 2 * nodes / 799
    target = Target.of(regression(x, np.sin(40 * x) + 0.3 * rng.normal(size=len(x))))
    assert target.pieces is not None
    cover = target.data.cover(32, np.ones(1)).cover
    learns = target.pieces.learns(cover)
    assert not learns[cover.centre[:, 0] < -0.1].any()
    assert learns[cover.centre[:, 0] > 0.1].mean() > 0.8
    found = target.pieces.errors(cover, np.arange(cover.windows))
    for window in range(cover.windows):
        weight = cover.weights(np.array([window]), target.data.x[None])[0]
        errors = target.pieces.learnt if learns[window] else target.pieces.missed
        expected = weight @ np.square(errors) / weight.sum()
        np.testing.assert_allclose(found[window], expected)


def test_shares_and_means_are_blended_as_the_windows_are(rng):
    target = Target.of(regression(np.linspace(-1, 1, 101), rng.normal(size=(101, 2))))
    assert target.pieces is not None
    cover = target.data.cover(16, np.ones(1)).cover
    share = rng.random((cover.windows, 2))
    every = np.arange(cover.windows)
    weight = cover.weights(every, np.repeat(target.data.x[None], cover.windows, axis=0))
    found = target.pieces.share(cover, share, target.pieces.x)
    np.testing.assert_allclose(found, weight.T @ share, atol=1e-12)
    some = np.array([3, 50, 98])
    found = target.pieces.share(cover, share, target.pieces.x[some])
    np.testing.assert_allclose(found, weight.T[some] @ share, atol=1e-12)
    values = rng.random((101, 2))
    found = target.pieces.mean_by_window(cover, target.pieces.x, values)
    np.testing.assert_allclose(found, weight @ values / weight.sum(axis=1, keepdims=True))
    assert np.array_equal(target.pieces.nearest(cover), np.argmax(weight, axis=0))


@pytest.mark.slow
def test_a_record_with_missing_samples_is_filled_better_than_by_cubics_or_networks_alone(rng):
    record = np.zeros(1200)  # an oscillator that noise drives
    for i in range(2, 1200):
        record[i] = 0.652 * record[i - 1] - 0.81 * record[i - 2] + rng.normal()
    nodes = np.sort(rng.permutation(1200)[:1080])
    away = np.setdiff1d(np.arange(10, 1190), nodes)
    solution = Windows().run(regression(nodes.astype(float), record[nodes]), key=jr.key(0))
    assert solution.plan.numbers["learnt"] >= 100
    akima = Akima1DInterpolator(nodes, record[nodes])(away)
    error = np.linalg.norm(solution(away.astype(float))[:, 0] - record[away])
    assert error < 0.92 * np.linalg.norm(akima - record[away])
