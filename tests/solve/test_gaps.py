"""In wide gaps networks are held by their rims, and stay where they are no worse."""

import jax.random as jr
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from repnet.problem import regression
from repnet.solve import Windows
from repnet.solve._gaps import _KERNELS, _moved, _radial, _squares_in, steadied, wide_gaps
from repnet.solve._kriging import Field


def _rough(rng, size=(60, 60)):
    return gaussian_filter(np.cumsum(np.cumsum(rng.normal(size=size), 0), 1), 0.7)


def _block(size=(60, 60)):
    known = np.ones(size, bool)
    known[20:32, 25:39] = False
    return known


def test_a_gap_is_wide_with_a_node_two_steps_from_the_next_sample(rng):
    known = _block()
    known[5, 5] = known[50, 10:30] = False  # a hole and a line
    wide = wide_gaps(known)
    assert np.array_equal(wide, ~_block())
    assert not wide_gaps(rng.random((200, 200)) > 0.1).any()
    assert not wide_gaps(np.ones((5, 5), bool)).any()


def test_an_estimate_far_off_gives_way_and_a_good_one_has_half_of_the_weight(rng):
    truth, known = _rough(rng), _block()
    gaps = wide_gaps(known)
    astray = np.where(gaps, truth + 20.0 * truth.std() * np.sin(np.arange(60)), truth)
    held = steadied(Field(astray, known), gaps)
    samples, asked = np.argwhere(known), np.argwhere(gaps)
    through = [_radial(kernel)(samples, truth[known], asked) for kernel in _KERNELS]
    missed = [np.linalg.norm(values - truth[gaps]) for values in through]
    assert np.linalg.norm(held - truth[gaps]) < 1.5 * min(missed)
    # The true field has half of the weight, the most that any has.
    kept = steadied(Field(truth, known), gaps)
    halves = [np.abs(0.5 * (values + truth[gaps]) - kept).max() for values in through]
    assert min(halves) < 1e-9 * truth.std()


def test_each_gap_is_judged_by_itself(rng):
    truth, known = _rough(rng), _block()
    known[40:52, 5:17] = False
    gaps = wide_gaps(known)
    astray = truth.copy()
    astray[40:52, 5:17] += 30.0 * truth.std()
    held, alone = truth.copy(), truth.copy()
    held[gaps] = steadied(Field(astray, known), gaps)
    alone[gaps] = steadied(Field(truth, known), gaps)
    np.testing.assert_array_equal(held[20:32, 25:39], alone[20:32, 25:39])
    assert np.abs(held - truth)[40:52, 5:17].max() < 3.0 * truth.std()


def test_what_is_told_of_errors_in_gaps_is_true(rng):
    told, true = [], []
    for _ in range(6):
        truth, known = _rough(rng), _block()
        gaps, kind = wide_gaps(known), _radial("thin_plate_spline")
        told.append(_squares_in(gaps, Field(truth, known), (kind,))[0])
        missed = kind(np.argwhere(known), truth[known], np.argwhere(gaps)) - truth[gaps]
        true.append(np.square(missed))
    assert np.mean(told) / 2 < np.mean(true) < 2 * np.mean(told)
    inside = np.abs(np.argwhere(gaps) - [25.5, 31.5]).max(axis=1) < 4
    assert np.mean(told, axis=0)[inside].mean() > 2 * np.mean(told, axis=0)[~inside].mean()


def test_gaps_are_moved_to_other_places_as_they_are():
    gaps = ~_block()
    moved = list(_moved(gaps))
    assert len({tuple(np.argwhere(one)[0]) for one in moved}) == len(moved) == 8
    assert all(one.sum() == gaps.sum() for one in moved)
    assert np.mean([np.mean(one & gaps) / gaps.mean() for one in moved]) < 0.4


@pytest.mark.parametrize("level", [0.0, 1e12])
def test_few_samples_and_equal_ones_are_no_fault(level):
    known = np.zeros((12, 12), bool)
    known[:2] = True
    gaps = wide_gaps(known)
    few = Field(np.full((12, 12), level), known)
    np.testing.assert_array_equal(steadied(few, gaps), level)
    equal = Field(np.full((60, 60), level), _block())
    np.testing.assert_allclose(steadied(equal, wide_gaps(_block())), level)


@pytest.mark.slow
def test_samples_on_one_line_have_no_plane_through_them(rng):
    y = np.cumsum(rng.normal(size=200))
    known = np.ones((1, 200), bool)
    known[0, 60:70] = known[0, 120:130] = False
    gaps = wide_gaps(known)
    assert gaps.sum() == 20
    held = steadied(Field(np.where(gaps, 1e3, y), known), gaps)
    assert np.all(np.isfinite(held))
    assert np.abs(held - y[gaps[0]]).max() < 10 * np.abs(np.diff(y)).max()
    for point in (np.array([[0.0, 65.0]]), np.array([[0.0, 300.0]])):
        x = np.argwhere(known).astype(float)
        assert np.isfinite(Windows().run(regression(x, y[known[0]]), key=jr.key(0))(point)).all()


@pytest.mark.long
def test_windows_do_not_run_away_in_a_gap(rng):
    truth = _rough(rng) + 0.3 * rng.normal(size=(60, 60))
    known = _block()
    known[-1, -1] = known[0, 0] = False  # corners, too
    nodes, away = np.argwhere(known).astype(float), np.argwhere(~_block()).astype(float)
    solution = Windows().run(regression(nodes, truth[known]), key=jr.key(0))
    assert solution.plan.numbers["in_gaps"] == len(away)
    assert any("gaps" in reason for reason in solution.plan.reasons)
    error = solution(away)[:, 0] - truth[~_block()]
    best = _radial("linear")(nodes, truth[known], away) - truth[~_block()]
    assert np.linalg.norm(error) < 1.6 * np.linalg.norm(best)
