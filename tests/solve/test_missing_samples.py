"""Networks and learnt values share a gap of a record by what both miss where it is cut."""

import jax
import jax.random as jr
import numpy as np
import pytest
from scipy.interpolate import Akima1DInterpolator

from repnet.problem import regression
from repnet.solve import Windows
from repnet.solve._local import Blocks, blocks_left_out, make_design
from repnet.solve._missing import FilledGaps, Gap
from repnet.solve._missing_samples import CutGaps
from repnet.solve._window_fit import Target, Wishes, choose_windows


def _lorenz(count):
    """A coordinate of Lorenz's system in steps of 0.08: a law, but no straight line."""
    state, values = np.array([1.0, 1.0, 20.0]), np.empty(count)
    for i in range(count):
        for _ in range(80):
            u, v, w = state
            state = state + 1e-3 * np.array([10.0 * (v - u), u * (28.0 - w) - v, u * v - 8 / 3 * w])
        values[i] = state[0]
    return values


def _without(values, starts, width):
    held = np.ones(len(values), bool)
    for start in starts:
        held[start : start + width] = False
    nodes = np.flatnonzero(held)
    return nodes, np.setdiff1d(np.arange(nodes[0], nodes[-1]), nodes)


def test_errors_where_gaps_are_cut_are_blended_refits(rng):
    nodes, _ = _without(rng.normal(size=200), [40, 90, 91, 160], 1)
    target = Target.of(regression(nodes.astype(float), rng.normal(size=len(nodes))))
    with jax.enable_x64(True):
        choice = choose_windows(Wishes(per_window=16), target, jr.key(0))
        batches = target.data.batches(choice.cut, np.arange(choice.cut.cover.windows))
        examples = np.array([60, 61, 120])
        gaps = (FilledGaps(Gap.alone(2, 3), 0, np.zeros(0, int), examples, np.zeros(3)),)
        cuts = CutGaps.of(gaps, 1)
        layer, ridges = choice.candidates[0].layer, np.array([1e-4, 1e-2])
        total, weight = np.zeros(3), np.zeros(3)
        for batch in batches:
            share = rng.uniform(0.2, 0.5, (len(batch.site), 2, 1))
            design = make_design(layer, batch.local)
            cuts.add(batch, design, ridges, share)
            for row, node in enumerate(examples):
                for window, point in zip(*np.nonzero(batch.site == node), strict=True):
                    near = (batch.site > node - 2) & (batch.site < node + 3)
                    out = near[[window]] & np.broadcast_to(batch.mask, near.shape)[[window]]
                    block = Blocks(np.array([window]), np.array([point]), out)
                    error = blocks_left_out(design, batch.mask, ridges, share, batch.y, block)
                    total[row] += batch.weight[window, point] * error[0, 0]
                    weight[row] += batch.weight[window, point] * share[window].sum()
    np.testing.assert_allclose(cuts.missed(examples, Gap.alone(2, 3), 0), total / weight, rtol=2e-3)
    assert np.isnan(cuts.missed(np.array([63]), Gap.alone(2, 3), 0)).all()
    assert np.isnan(CutGaps.of(gaps, 1).missed(examples, Gap.alone(2, 3), 0)).all()


@pytest.mark.slow
def test_gaps_of_a_record_with_a_law_are_filled_by_half_of_what_others_miss(rng):
    values = _lorenz(1200)
    nodes, away = _without(values, rng.integers(20, 1160, 20), 4)
    solution = Windows().run(regression(nodes.astype(float), values[nodes]), key=jr.key(0))
    error = np.linalg.norm(solution(away.astype(float))[:, 0] - values[away])
    akima = Akima1DInterpolator(nodes, values[nodes])(away)
    line = np.interp(away, nodes, values[nodes])
    least = min(np.linalg.norm(other - values[away]) for other in (akima, line))
    assert error < 0.5 * least
    moved = solution.plan.numbers["in_gaps"]
    assert 0.7 * len(away) < moved <= len(away)
    assert f"{moved} samples missing near to each other" in " ".join(solution.plan.reasons)


@pytest.mark.long
def test_samples_with_others_missing_beside_them_are_learnt_without_these():
    values, missed, akima = _lorenz(1200), [], []
    for seed in (1, 2):
        nodes = np.sort(np.random.default_rng(seed).permutation(1200)[:1080])
        away = np.setdiff1d(np.arange(10, 1190), nodes)
        away = away[~np.isin(away[:, None] + np.array([-2, -1, 1, 2]), nodes).all(axis=1)]
        solution = Windows().run(regression(nodes.astype(float), values[nodes]), key=jr.key(0))
        missed.append(solution(away.astype(float))[:, 0] - values[away])
        akima.append(Akima1DInterpolator(nodes, values[nodes])(away) - values[away])
    # 0.14 where kernel regression takes for known what ridge regression has for the others.
    assert np.linalg.norm(np.concatenate(missed)) < 0.1 * np.linalg.norm(np.concatenate(akima))


@pytest.mark.long
def test_gaps_of_a_random_walk_are_filled_as_well_as_by_a_line(rng):
    values = np.cumsum(rng.normal(size=1200))
    nodes, away = _without(values, rng.integers(20, 1160, 14), 8)
    solution = Windows().run(regression(nodes.astype(float), values[nodes]), key=jr.key(0))
    error = np.linalg.norm(solution(away.astype(float))[:, 0] - values[away])
    line = np.linalg.norm(np.interp(away, nodes, values[nodes]) - values[away])
    assert error < 1.1 * line
