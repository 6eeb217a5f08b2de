"""Missing samples are filled by what the rest of a record has in common, and judged so."""

import numpy as np
import pytest
from scipy.interpolate import Akima1DInterpolator

from repnet.solve._missing import Gap, akima_between, fill_missing


def _akima_left_out(nodes, y):
    values = np.zeros_like(y)
    for i in range(len(nodes)):
        kept = np.arange(len(nodes)) != i
        values[i] = Akima1DInterpolator(nodes[kept], y[kept], extrapolate=True)(nodes[i])
    return values


def _record(rng, count=900, missing=0.1):
    """An oscillator that noise drives, without some of its samples."""
    record = np.zeros((count, 1))
    for i in range(2, count):
        record[i] = 0.652 * record[i - 1] - 0.81 * record[i - 2] + rng.normal()
    out = np.sort(1 + rng.permutation(count - 2)[: int(missing * count)])
    nodes = np.setdiff1d(np.arange(count), out)
    return record, nodes, out


def test_the_cubic_between_six_samples_is_scipys(rng):
    x = np.concatenate([-rng.uniform(0.1, 3, (40, 3)), rng.uniform(0.1, 3, (40, 3))], axis=1)
    x = np.sort(x, axis=1)
    y = rng.normal(size=(40, 6, 2))
    y[:10] = 2 * x[:10, :, None] + 1  # no bends
    y[10:20] = np.abs(x[10:20, :, None])  # bends on one side only
    expected = [Akima1DInterpolator(x[i], y[i])(0.0) for i in range(40)]
    np.testing.assert_allclose(akima_between(x, y), expected, atol=1e-13)


@pytest.mark.slow
def test_an_oscillators_missing_samples_follow_its_law(rng):
    record, nodes, out = _record(rng)
    cubics = _akima_left_out(nodes, record[nodes])
    found = fill_missing(nodes, record[nodes], cubics)
    assert found is not None
    assert set(found.nodes) <= set(out)
    assert len(found.nodes) > 0.8 * len(out)
    akima = Akima1DInterpolator(nodes, record[nodes])(found.nodes)
    assert np.linalg.norm(found.values - record[found.nodes]) < 0.97 * np.linalg.norm(
        akima - record[found.nodes]
    )
    # What is told of the errors at the samples holds in the holes.
    told = np.sqrt(np.mean(np.square(found.left_out - record[nodes])))
    true = np.sqrt(np.mean(np.square(found.values - record[found.nodes])))
    assert true / 1.4 < told < 1.4 * true


def test_a_sample_that_is_left_out_does_not_change_its_own_estimate(rng):
    record, nodes, _ = _record(rng, 300)
    cubics = _akima_left_out(nodes, record[nodes])
    before = fill_missing(nodes, record[nodes], cubics)
    changed = record.copy()
    place = nodes[150]
    changed[place] += 5.0
    after = fill_missing(nodes, changed[nodes], cubics)
    assert before is not None
    assert after is not None
    # Up to the choice of the ridge and the examples that look at this sample.
    moved = np.abs(after.left_out - before.left_out)[:, 0]
    assert moved[150] < 0.5
    assert moved.max() > 1.0


def test_cubics_that_make_no_error_are_kept(rng):
    record, nodes, _ = _record(rng, 300)
    record[:] = 2.0 * np.arange(300.0)[:, None] - 7.0
    cubics = _akima_left_out(nodes, record[nodes])
    found = fill_missing(nodes, record[nodes], cubics)
    assert found is not None
    np.testing.assert_allclose(found.values[:, 0], 2.0 * found.nodes - 7.0, atol=1e-9)
    np.testing.assert_allclose(found.left_out, cubics, atol=1e-9)


@pytest.mark.long
def test_errors_in_gaps_are_told_for_every_kind(rng):
    record, nodes, _ = _record(rng, 1500)
    nodes = nodes[~np.isin(nodes, np.arange(100, 1400, 60)[:, None] + np.arange(4))]
    found = fill_missing(nodes, record[nodes], _akima_left_out(nodes, record[nodes]))
    assert found is not None
    ends = {each.gap[:2] for each in found.gaps}
    assert {(1, 1), (1, 4), (2, 3), (3, 2), (4, 1)} <= ends
    for each in found.gaps:
        for places in (each.holes, each.examples):
            assert np.isin(places - each.gap.left, nodes).all()
            assert np.isin(places + each.gap.right, nodes).all()
        between = np.arange(1 - each.gap.left, each.gap.right)
        assert not np.isin(each.holes[:, None] + between, nodes).any()
        assert np.isin(each.examples[:, None] + each.gap.samples, nodes).all()
    special = [each for each in found.gaps if each.gap != Gap.alone(*each.gap[:2])]
    assert special
    for each in special:
        steps = np.arange(-40, 40)
        steps = steps[each.gap.missing(steps)]
        assert not np.isin(each.holes[:, None] + steps, nodes).any()
    kinds = {each.gap[:2]: each for each in found.gaps if each.gap == Gap.alone(*each.gap[:2])}
    # What is told of the errors in the middle of the gaps holds there, and is more than at its rim.
    told = {kind: np.sqrt(np.mean(np.square(kinds[kind].missed))) for kind in kinds}
    middle = np.concatenate([kinds[2, 3].holes, kinds[3, 2].holes])
    row = np.searchsorted(found.nodes, middle)
    true = np.sqrt(np.mean(np.square(found.values[row] - record[middle])))
    assert true / 1.4 < told[2, 3] < 1.4 * true
    assert min(told[2, 3], told[3, 2]) > max(told[1, 4], told[4, 1], told[1, 1])


@pytest.mark.slow
def test_outputs_are_learnt_one_by_one(rng):
    one, nodes, _ = _record(rng, 500)
    both = np.concatenate([one, rng.normal(size=one.shape)], axis=1)
    cubics = _akima_left_out(nodes, both[nodes])
    together = fill_missing(nodes, both[nodes], cubics)
    alone = fill_missing(nodes, one[nodes], cubics[:, :1])
    assert together is not None
    assert alone is not None
    np.testing.assert_allclose(together.values[:, :1], alone.values, rtol=1e-10)


@pytest.mark.parametrize("nodes", [np.arange(100), np.r_[0, np.arange(60, 100)], np.r_[:9, 10:19]])
def test_none_where_nothing_is_missing_or_nothing_is_like_it(nodes, rng):
    y = rng.normal(size=(len(nodes), 1))
    assert fill_missing(nodes, y, np.zeros_like(y)) is None
