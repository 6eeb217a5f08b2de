"""Missing samples follow from places that look alike, and errors are those of leaving out."""

import jax.random as jr
import numpy as np
import pytest
from scipy.interpolate import Akima1DInterpolator

from repnet.problem import regression
from repnet.solve import Windows
from repnet.solve._alike import Gap, Record, View, _cut, _regressions


def _smoothed_logistic_map(count):
    """A deterministic record that no linear predictor knows."""
    x = np.full(count, 0.3)
    for i in range(1, count):
        x[i] = 3.9 * x[i - 1] * (1.0 - x[i - 1])
    return np.convolve(x, [0.25, 0.5, 0.25], "same")


def _with_holes(values, rng, share=0.1):
    known = rng.random(len(values)) > share
    known[[0, -1]] = True
    held = np.where(
        known, values, np.interp(np.arange(len(values)), np.flatnonzero(known), values[known])
    )
    return Record(held, known, np.ones(len(values), bool))


def _view(record, gap):
    found = record.view(gap)
    assert found is not None
    return found


def _alike(record, gap, view, asked):
    found = record.alike(gap, view, asked)
    assert found is not None
    return found


@pytest.mark.parametrize("gap", [Gap.alone(1, 1), Gap.alone(2, 4), Gap(1, 2, 4, 3)])
def test_errors_are_those_of_the_kernel_without_what_lies_in_the_gap(gap, rng):
    patches, target = rng.normal(size=(40, 6)), rng.normal(size=40)
    places = np.sort(rng.permutation(60)[:40])
    examples, together = _cut(gap, places, places)
    assert np.array_equal(examples, places)
    (found,) = _regressions(patches, target, np.array([0.7]), together)
    distance = np.linalg.norm(patches[:, None] - patches, axis=2)
    np.testing.assert_allclose(found.middle, np.median(distance))
    kernel = np.exp(-0.5 * (distance / (0.7 * found.middle)) ** 2)
    kernel += patches @ patches.T / np.mean(np.sum(patches**2, axis=1))

    def missed(ridge):
        errors = np.empty(40)
        for i in range(40):
            step = places - places[i]
            rest = (step <= -gap.second_left) | (step >= gap.second_right)
            rest |= (step == -gap.left) | (step == gap.right)
            shifted = kernel[np.ix_(rest, rest)] + ridge * np.eye(rest.sum())
            errors[i] = target[i] - kernel[i, rest] @ np.linalg.solve(shifted, target[rest])
        return errors

    by_ridge = [missed(ridge) for ridge in 10.0 ** np.arange(-6.0, 1.5, 0.5)]
    least = min(by_ridge, key=lambda errors: np.mean(errors**2))
    np.testing.assert_allclose(found.missed, least, rtol=1e-6, atol=1e-9)
    # At the examples, the regression itself gives the kernel's products with its weights.
    np.testing.assert_allclose(found(patches), kernel @ found.weight, atol=1e-10)


def test_wide_gaps_are_cut_at_some_examples_and_at_all_that_are_wanted():
    places = np.arange(1000)
    assert len(_cut(Gap.alone(1, 1), places, places[:0])[0]) == 1000
    wanted = np.array([17, 18, 400, 2000])
    examples, together = _cut(Gap.alone(20, 21), places, wanted)
    assert 180 <= len(examples) <= 203
    assert np.isin(wanted[:3], examples).all()
    row = int(np.flatnonzero(examples == 400)[0])
    assert together[row, 0] == 400
    assert sorted(together[row]) == list(range(381, 421))


@pytest.mark.slow
def test_errors_in_a_wide_gap_are_told_as_they_are(rng):
    gap, starts, told, true = Gap.alone(6, 6), np.arange(30, 940, 60), [], []
    for _ in range(4):
        values, known = np.cumsum(rng.normal(size=1000)), np.ones(1000, bool)
        known[starts[:, None] + np.arange(11)] = False
        record = Record(np.where(known, values, 0.0), known, known)
        found = _alike(record, gap, _view(record, gap), starts + 5)
        told.append(found.missed)
        true.append(found.values - values[starts + 5])
    # One example left out at a time, with its neighbours in the gap still there, tells 0.85, by
    # a view that errs by 2.3.
    told, true = (np.sqrt(np.mean(np.concatenate(errors) ** 2)) for errors in (told, true))
    assert told / 1.3 < true < 1.3 * told
    # Nothing is nearer than the line through the ends, whose error is known.
    assert told == pytest.approx(np.sqrt(3.0), rel=0.1)


def test_a_chaotic_records_samples_follow_from_places_like_theirs(rng):
    values = _smoothed_logistic_map(800)
    record = _with_holes(values, rng)
    gap = Gap.alone(1, 1)
    view = _view(record, gap)
    holes = np.flatnonzero(~record.known[2:-2]) + 2
    holes = holes[record.known[holes - 1] & record.known[holes + 1]]
    found = _alike(record, gap, view, holes)
    line = (values[holes - 1] + values[holes + 1]) / 2.0
    error = np.sqrt(np.mean((found.values - values[holes]) ** 2))
    assert error < 0.4 * np.sqrt(np.mean((line - values[holes]) ** 2))
    told = np.sqrt(np.mean(found.missed**2))
    assert told / 1.5 < error < 1.5 * told


def test_samples_that_are_asked_have_what_all_others_say(rng):
    record = _with_holes(_smoothed_logistic_map(300), rng)
    gap, view = Gap.alone(1, 1), View(8, 1.0)
    known = np.flatnonzero(record.known)[100:150]
    found = _alike(record, gap, view, known)
    learnt = np.isin(known, found.examples)
    assert learnt.sum() > 20
    missed = found.missed[np.searchsorted(found.examples, known[learnt])]
    rest = record.values[known[learnt]] - missed
    np.testing.assert_allclose(found.values[learnt], rest, atol=1e-12)
    # A sample says nothing of itself: with another value, others tell the same of its place.
    changed = record.values.copy()
    place = known[learnt][7]
    changed[place] += 1e-3
    moved = (
        _alike(Record(changed, record.known, record.held), gap, view, known).values - found.values
    )
    assert np.argmax(np.abs(moved)) != np.flatnonzero(known == place)[0]
    assert np.abs(moved[known == place]) < 0.1 * np.abs(moved).max()


def test_patches_are_nodes_less_the_line_weighed_by_their_distance():
    values = np.arange(12.0) ** 2
    held = np.ones(12, bool)
    held[10] = False
    record = Record(values, held, held)
    (patch,), (line,) = record._patches(Gap.alone(1, 2), 4, np.array([5]))
    np.testing.assert_allclose(line, 16.0 + (49.0 - 16.0) / 3)
    offset = np.array([-4, -3, -2, -1, 2, 3, 4, 5])
    expected = (values[5 + offset] - line) / np.sqrt(np.abs(offset))
    expected[-1] = 0.0  # not held
    np.testing.assert_allclose(patch, expected)
    (patch,), _ = record._patches(Gap(1, 2, 4, 3), 4, np.array([5]))
    expected[1:3] = 0.0  # missing in such a gap
    np.testing.assert_allclose(patch, expected)


def test_what_is_missing_about_a_node_lies_between_its_two_samples_on_either_side():
    steps = np.arange(-5, 6)
    assert steps[Gap.alone(2, 1).missing(steps)].tolist() == [-1, 0]
    assert steps[Gap(1, 2, 4, 3).missing(steps)].tolist() == [-3, -2, 0, 1]
    assert Gap(1, 2, 4, 3).samples.tolist() == [-4, -1, 2, 3]


def test_a_long_period_is_looked_for_further_away_and_noise_is_not(rng):
    nodes = np.arange(1500)
    periodic = rng.normal(size=90)[nodes % 90] + 0.05 * rng.normal(size=1500)
    assert _view(_with_holes(periodic, rng), Gap.alone(1, 1)).side == 128
    assert _view(_with_holes(rng.normal(size=1500), rng), Gap.alone(1, 1)).side == 8


@pytest.mark.parametrize("values", [np.full(400, 3.0), np.sin(np.arange(60.0))])
def test_equal_or_few_examples_teach_nothing(values, rng):
    record = _with_holes(values, rng)
    assert record.view(Gap.alone(1, 1)) is None
    assert record.alike(Gap.alone(1, 1), View(8, 1.0), np.array([30])) is None


def test_many_outputs_share_the_examples_of_eight(rng):
    record = _with_holes(rng.normal(size=1400), rng)
    shared = Record(record.values, record.known, record.held, outputs=16)
    count = len(_alike(record, Gap.alone(1, 1), View(8, 1.0), np.array([30])).examples)
    assert 550 <= count <= 1000
    few = len(_alike(shared, Gap.alone(1, 1), View(8, 1.0), np.array([30])).examples)
    assert count / 2.5 < few < count / 1.5


@pytest.mark.slow
def test_windows_fill_a_chaotic_record_by_half_of_what_cubics_miss(rng):
    values = _smoothed_logistic_map(900)
    nodes = np.sort(rng.permutation(900)[:810])
    away = np.setdiff1d(np.arange(10, 890), nodes)
    solution = Windows().run(regression(nodes.astype(float), values[nodes]), key=jr.key(0))
    akima = Akima1DInterpolator(nodes, values[nodes])(away)
    error = np.linalg.norm(solution(away.astype(float))[:, 0] - values[away])
    assert error < 0.5 * np.linalg.norm(akima - values[away])
