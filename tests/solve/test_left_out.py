"""Fits of few points, judged at each of them."""

import importlib
import itertools

import jax.random as jr
import numpy as np
import pytest
import scipy.stats

from repnet.judge import relative_l2
from repnet.problem import regression
from repnet.solve import LeastSquares
from repnet.solve._left_out import FewRows
from repnet.solve._triangular import Spectral, Triangle


@pytest.mark.parametrize("columns", [5, 20, 30])
@pytest.mark.parametrize("ridge", [1e-6, 1e-2, 0.5])
def test_they_are_the_errors_of_fits_without_each_row(columns, ridge):
    rng = np.random.default_rng(0)
    matrix, y = rng.normal(size=(20, columns)), rng.normal(size=(20, 2))
    matrix /= np.sqrt(np.square(matrix).sum(axis=0))
    shift = (ridge * np.linalg.svd(matrix, compute_uv=False)[0]) ** 2
    missed = []
    for row in range(20):
        kept = np.delete(np.arange(20), row)
        normal = matrix[kept].T @ matrix[kept] + shift * np.eye(columns)
        weights = np.linalg.solve(normal, matrix[kept].T @ y[kept])
        missed.append(y[row] - matrix[row] @ weights)
    rms = np.sqrt(np.mean(np.square(missed), axis=0))
    found = FewRows.of(matrix, y, np.array([ridge])).left_out_rms()[0]
    np.testing.assert_allclose(found, rms, rtol=1e-4)


@pytest.mark.parametrize("columns", [5, 20, 30])
def test_evidence_is_the_density_of_the_rows(columns, rng):
    """Up to a constant, with the variance at which they are most likely."""
    matrix, y = rng.normal(size=(20, columns)), rng.normal(size=(20, 2))
    ridges = np.array([1e-3, 0.1, 1.0])
    found = FewRows.of(matrix, y, ridges).log_evidence()
    unit = matrix / np.sqrt(np.square(matrix).sum(axis=0))
    shift = np.square(ridges * np.linalg.svd(unit, compute_uv=False)[0])
    for target in range(2):
        densities = []
        for more in shift:
            shape = unit @ unit.T + more * np.eye(20)
            variance = y[:, target] @ np.linalg.solve(shape, y[:, target]) / 20
            normal = scipy.stats.multivariate_normal(np.zeros(20), variance * shape)
            densities.append(normal.logpdf(y[:, target]))
        np.testing.assert_allclose(np.diff(found[:, target]), np.diff(densities), rtol=1e-6)


def test_a_fit_that_all_but_interpolates_keeps_its_digits():
    """Differences from 1 lose them: what is left of a leverage is 1e-20 of it here."""
    x = np.linspace(-1.0, 1.0, 12)[:, None]
    matrix, y = np.cos(np.pi * x * np.arange(12) / 3.0 + np.arange(12)), np.exp(x)
    triangle = Triangle(12, 1)
    triangle.add(matrix, y)
    assert np.min(1.0 - Spectral.of(triangle).leverages(matrix, 1e-10)) < 1e-12
    (near,), (nearer,) = FewRows.of(matrix, y, np.array([1e-10, 1e-12])).left_out_rms()
    missed = []
    for row in range(12):
        kept = np.delete(np.arange(12), row)
        weights = np.linalg.lstsq(matrix[kept], y[kept], rcond=None)[0]
        missed.append(y[row] - matrix[row] @ weights)
    assert near == pytest.approx(np.sqrt(np.mean(np.square(missed))), rel=0.1)
    assert nearer == pytest.approx(near, rel=0.1)


@pytest.mark.long
@pytest.mark.usefixtures("untyped")
def test_noise_is_smoothed_by_what_all_rows_say(monkeypatch):
    """A fifth of 129 noisy points chose rougher fits, over draws of the noise."""
    search = importlib.import_module("repnet.solve._search")
    work = search._WORK
    targets = (
        lambda x: np.exp(2 * x),
        lambda x: np.tanh(6 * x) + 0.2 * np.cos(4 * x),
        lambda x: 1 / (1 + 25 * x * x),
    )
    x, between = np.linspace(-1.0, 1.0, 129), np.linspace(-1.0, 1.0, 1001)
    errors: dict[int, list[float]] = {0: [], 512: []}
    for target, seed in itertools.product(targets, range(12)):
        noise = np.random.default_rng(seed).normal(size=len(x))
        problem = regression(x, target(x) + 0.1 * np.std(target(x)) * noise)
        for most, found in errors.items():
            monkeypatch.setattr(search, "_EACH", most)
            monkeypatch.setattr(search, "_WORK", work if most else 0.0)
            solution = LeastSquares().run(problem, key=jr.key(seed))
            found.append(relative_l2(solution, between, target(between)))
        assert "left out one at a time" in solution.plan.reasons[1]
    gain = np.exp(np.mean(np.log(errors[512]) - np.log(errors[0])))
    assert gain < 0.85, (gain, errors)


def test_a_ridge_that_is_given_stays():
    x = np.linspace(-1.0, 1.0, 60)
    problem = regression(x, x + 0.2 * np.random.default_rng(0).normal(size=60))
    solution = LeastSquares(ridge=0.03).run(problem, key=jr.key(0))
    assert solution.plan.numbers["ridge"] == 0.03
    assert "left out one at a time" in solution.plan.reasons[1]
