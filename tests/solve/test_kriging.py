"""Missing nodes of a grid follow from the field's own covariance, as far as that is nearer."""

import dataclasses

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from repnet.nn import Standardized
from repnet.nn._windowed import Windowed
from repnet.problem import regression
from repnet.solve import Solution, Windows
from repnet.solve._batches import Sampled
from repnet.solve._kriging import Field, Kriging, _offsets, krige_holes, spread_over
from repnet.solve._missing_nodes import judging_windows, misses_nodes
from repnet.spectrum import detect_grid


def _holes(field, rng, share=0.1):
    return Field(field, rng.random(field.shape) > share)


def _kriging(field):
    found = Kriging.of(field)
    assert found is not None
    return found


def test_one_place_is_the_textbooks_system(rng):
    field = _holes(gaussian_filter(rng.normal(size=(40, 30)), 1.0), rng, 0.3)
    kriging = _kriging(field)
    place = np.array([20, 3])
    values, variances = kriging.at(field, place[None], 1e-3)
    node = place + kriging.offsets
    inside = np.all((node >= 0) & (node < field.values.shape), axis=1)
    near = inside.copy()
    near[inside] = field.known[tuple(node[inside].T)]
    count = near.sum()
    unit = np.mean(np.diag(kriging.among))
    matrix = np.ones((count + 1, count + 1))
    matrix[:count, :count] = kriging.among[np.ix_(near, near)] + 1e-3 * unit * np.eye(count)
    matrix[count, count] = 0.0
    weight = np.linalg.solve(matrix, np.r_[kriging.with_own[near], 1.0])[:count]
    np.testing.assert_allclose(weight.sum(), 1.0)
    np.testing.assert_allclose(values[0], weight @ field.values[tuple(node[near].T)], rtol=1e-9)
    about = kriging.among[np.ix_(near, near)]
    variance = kriging.own - 2 * weight @ kriging.with_own[near] + weight @ about @ weight
    np.testing.assert_allclose(variances[0], variance, rtol=1e-6)


def test_the_variance_is_the_mean_square_of_the_error(rng):
    field = _holes(gaussian_filter(rng.normal(size=(120, 120)), 1.0), rng)
    holes = np.argwhere(~field.known)
    values, variances = _kriging(field).at(field, holes, 1e-4)
    error = np.mean((values - field.values[tuple(holes.T)]) ** 2)
    assert variances.mean() / 1.5 < error < 1.5 * variances.mean()
    assert error < 0.3 * field.values.var()


def test_a_constant_and_a_sample_of_ones_own_change_nothing(rng):
    field = _holes(gaussian_filter(rng.normal(size=(50, 50)), 1.0), rng)
    kriging, places = _kriging(field), np.argwhere(field.known)[::40]
    before, _ = kriging.at(field, places, 1e-3)
    above, _ = _kriging(Field(field.values + 7.0, field.known)).at(
        Field(field.values + 7.0, field.known), places, 1e-3
    )
    np.testing.assert_allclose(above, before + 7.0, atol=1e-8)
    changed = field.values.copy()
    changed[tuple(places[3])] += 10.0
    after, _ = kriging.at(Field(changed, field.known), places, 1e-3)
    assert after[3] == before[3]


@pytest.mark.slow
def test_the_better_of_two_estimates_has_the_share(rng):
    truth = gaussian_filter(rng.normal(size=(80, 80)), 1.0)
    known = rng.random(truth.shape) > 0.1
    bad = krige_holes(Field(np.where(known, truth, 0.0), known), np.where(known, truth, np.nan))
    assert bad is not None
    assert bad.share == 1.0
    error = bad.values - truth[tuple(bad.holes.T)]
    assert len(bad.holes) > 0.9 * (~known).sum()
    assert np.sqrt(np.mean(error**2)) < 0.5 * truth.std()
    good = krige_holes(Field(truth, known), np.where(known, 1e-6, np.nan))
    assert good is None


@pytest.mark.slow
def test_samples_that_no_other_is_near_to_judge_nothing(rng):
    truth = gaussian_filter(rng.normal(size=(150, 60)), 1.0)
    known = np.zeros(truth.shape, bool)
    known[:70] = rng.random((70, 60)) > 0.1
    known[80::10, ::10] = True  # one in a hundred, ten steps from the next
    found = krige_holes(Field(np.where(known, truth, 0.0), known), np.where(known, truth, np.nan))
    assert found is not None
    assert np.all(np.isfinite(found.values))
    assert np.mean(found.holes[:, 0] < 75) > 0.95


@pytest.mark.slow
def test_holes_unlike_the_samples_are_left_alone(rng):
    truth = gaussian_filter(rng.normal(size=(80, 80)), 1.0)
    known = rng.random(truth.shape) > 0.02
    known[30:50, 30:50] = False  # no sample within reach of its middle
    found = krige_holes(Field(np.where(known, truth, 0.0), known), np.where(known, truth, np.nan))
    assert found is not None
    inside = np.all((found.holes >= 32) & (found.holes < 48), axis=1)
    assert not inside.any()
    assert len(found.holes) > 50


@pytest.mark.parametrize("shape", [(5, 5), (12, 12), (3, 3, 3, 3)])
def test_small_grids_have_no_covariance(shape, rng):
    assert Kriging.of(_holes(rng.normal(size=shape), rng)) is None


@pytest.mark.parametrize("level", [0.0, 3.0, 1e120])
def test_equal_values_have_no_covariance(level, rng):
    assert Kriging.of(_holes(np.full((40, 40), level), rng)) is None


def test_shells_are_whole_and_at_most_as_many_as_said():
    for size in ((50, 50), (20, 20, 20), (9, 9, 9, 9)):
        square = np.sum(_offsets(size) ** 2, axis=1)
        assert 30 < len(square) <= 64
        assert np.all(np.diff(square) >= 0)
        every = np.argwhere(np.ones([17] * len(size))) - 8
        assert len(square) == np.sum(np.sum(every**2, axis=1) <= square.max()) - 1


def test_places_are_spread_evenly_without_a_period():
    some = spread_over(10**6, 5000)
    assert len(some) > 4900
    assert np.all(np.diff(np.histogram(some, 10, (0, 10**6))[0]) < 60)
    columns = np.bincount(some % 100, minlength=100)
    assert columns.min() > 20


@pytest.mark.long
def test_windows_fill_a_rough_field_nearer_than_networks_alone(rng, tmp_path):
    truth = np.cumsum(np.cumsum(rng.normal(size=(70, 70)), axis=0), axis=1)
    known = rng.random(truth.shape) > 0.1
    nodes, away = np.argwhere(known).astype(float), np.argwhere(~known)
    solution = Windows().run(regression(nodes, truth[known]), key=jr.key(0))
    assert solution.plan.numbers["kriged"] > 0.3
    assert any("covariance" in reason for reason in solution.plan.reasons)
    units = solution.network
    assert isinstance(units, Standardized)
    assert isinstance(units.network, Windowed)
    with jax.enable_x64(True):
        bare = dataclasses.replace(units.network, nodal=None)
        alone = units.around(bare.many, away.astype(float))[:, 0]
    error = solution(away.astype(float))[:, 0] - truth[~known]
    assert np.linalg.norm(error) < 0.95 * np.linalg.norm(alone - truth[~known])
    # At the samples it changes nothing, and a file brings it back.
    np.testing.assert_allclose(
        solution(nodes[:200]), units.around(bare.many, nodes[:200]), rtol=1e-9
    )
    solution.save(tmp_path / "field.npz")
    again = Solution.load(tmp_path / "field.npz")
    np.testing.assert_array_equal(again(away.astype(float)), solution(away.astype(float)))


def test_windows_around_a_pilot_have_all_weights_near_it(rng):
    nodes = np.argwhere(np.ones((60, 60))) / 29.5 - 1.0
    x = nodes[rng.random(3600) > 0.1]
    data = Sampled(x, np.zeros((len(x), 1)), detect_grid(x))
    assert misses_nodes(data)
    cover = data.cover(64, np.ones(2)).cover
    pilot = np.array([3 * cover.counts[1] + 4, 0])
    judging = judging_windows(cover, pilot)
    assert judging.sum() == 9 + 4
    every = np.arange(cover.windows)
    weight = cover.weights(every, np.repeat(x[None], cover.windows, axis=0))
    for window in pilot:
        near = np.all(
            np.abs(x - cover.start - cover.spacing * cover.node[window]) <= cover.spacing / 2, 1
        )
        assert near.any()
        np.testing.assert_allclose(weight[judging][:, near].sum(axis=0), 1.0)


@pytest.mark.slow
def test_a_given_activation_is_all_that_a_fit_has(rng):
    truth = np.cumsum(np.cumsum(rng.normal(size=(40, 40)), axis=0), axis=1)
    known = rng.random(truth.shape) > 0.1
    known[10:20, 12:25] = False
    problem = regression(np.argwhere(known).astype(float), truth[known])
    numbers = Windows(activation=jnp.tanh).run(problem, key=jr.key(0)).plan.numbers
    assert numbers["kriged"] == numbers["in_gaps"] == 0
