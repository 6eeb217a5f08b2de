"""Shares of choices against Bayes' rule by hand."""

import numpy as np
import pytest

from repnet.solve._mixture import TEMPER, posterior


def test_bayes_with_a_given_prior():
    errors, count = np.array([[1.0, 2.0, 0.5]]), np.array([10.0])
    prior = np.array([0.5, 0.3, 0.2])
    shares, kept = posterior(errors, count, prior)
    likelihood = prior * errors[0] ** (-TEMPER * 10.0 / 2)
    np.testing.assert_allclose(shares[0], likelihood / likelihood.sum(), rtol=1e-12)
    np.testing.assert_array_equal(kept, prior)


def test_windows_with_little_evidence_follow_the_others(rng):
    errors = np.concatenate([np.tile([[1.0, 4.0]], (30, 1)), [[1.05, 1.0]], [[100.0, 1.0]]])
    count = np.concatenate([np.full(30, 50.0), [2.0], [50.0]])
    shares, prior = posterior(errors, count)
    assert prior[0] > 0.9
    assert shares[30, 0] > 0.9  # its own errors prefer the other one, by chance
    assert shares[31, 1] > 0.99  # clear evidence of its own
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("size", [1e-28, 1e12])
def test_only_ratios_of_errors_count(rng, size):
    errors, count = rng.uniform(0.5, 2.0, (6, 4)), np.full(6, 20.0)
    one, two = posterior(errors, count)[0], posterior(size * errors, count)[0]
    np.testing.assert_allclose(one, two, rtol=1e-6)
