"""Two predictions are added by what both miss: each alone where it is better, halves else."""

import threading

import numpy as np
import pytest

from repnet.solve._batches import Batch, Sampled
from repnet.solve._stacking import Missed, local_shares, stacked_share


def test_independent_equals_are_halved(rng):
    assert stacked_share(*rng.normal(size=(2, 5000))) == 0.5


def test_the_clearly_better_one_is_weighed_by_its_precision(rng):
    first, second = rng.normal(size=(2, 200_000)) * np.array([[1.0], [3.0]])
    assert stacked_share(first, second) == pytest.approx(0.1, abs=0.026)  # 1 / (1 + 3²)
    assert stacked_share(second, first) == pytest.approx(0.9, abs=0.026)


def test_few_samples_that_differ_by_chance_leave_it_at_one_half():
    # The first is better in the mean by less than its standard error: one sample makes it so.
    first, second = np.ones(20), np.tile([1.0, -1.0], 10)
    assert stacked_share(first, np.where(np.arange(20) == 7, 2.0, second)) == 0.5
    assert stacked_share(1e-3 * first, second) == 0.0


def test_windows_follow_the_whole_unless_their_errors_are_far_apart():
    equal = local_shares(0.3, np.ones((1, 1)), np.ones((1, 1)))
    np.testing.assert_allclose(equal, 0.3, rtol=1e-12)
    first, second = np.array([[1e-12, 1.0, 1.0, 1.0], [1.0, 1e-12, 2.0, 0.5]])[..., None]
    far = local_shares(0.5, first, second)
    assert far[0] < 1e-10
    assert far[1] > 1 - 1e-10
    assert 0.45 < far[2] < 0.5 < far[3] < 0.55
    np.testing.assert_allclose(far[2] + far[3], 1.0)
    assert local_shares(0.0, second, first).max() == 0.0
    assert local_shares(1.0, first, second).min() == 1.0
    both = local_shares(np.array([0.3, 0.5]), np.tile(first, 2), np.tile(second, 2))
    np.testing.assert_array_equal(both[:, 1:], far)


def test_errors_are_blended_over_windows_by_weights_and_shares(rng):
    data = Sampled(np.linspace(-1, 1, 4)[:, None], rng.normal(size=(4, 2)), None)
    missed = Missed.none(data, np.ones(2, bool))
    site = np.array([[0, 1, 2], [1, 2, 0]])
    weight = np.array([[1.0, 0.75, 0.5], [0.25, 0.5, 0.0]])
    share = np.array([[0.5, 1.0], [1.0, 0.0]])
    errors = np.array([[4.0, 2.0, 1.0], [8.0, 3.0, 99.0]])[..., None]
    mask = weight > 0
    batch = Batch(np.arange(2), np.zeros((2, 3, 1)), mask, weight, np.zeros((2, 3, 2)), site)
    threads = [
        threading.Thread(target=missed.add, args=(batch, share, share[:, None] * errors))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [4.0, (0.375 * 2 + 0.25 * 8) / 0.625, (0.25 * 1 + 0.5 * 3) / 0.75, np.nan]
    np.testing.assert_allclose(missed.mean()[:, 0], expected)
    np.testing.assert_allclose(missed.mean()[:, 1], [4.0, 2.0, 1.0, np.nan])
    # Added twice, the shares come to 2 and 1.5 at the first two sites, to 1 and 0 at the others.
    np.testing.assert_array_equal(np.isnan(missed.mean(1.0)[:, 1]), [False, False, True, True])
