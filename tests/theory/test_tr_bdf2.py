"""TR-BDF2 against the exponential of its matrix."""

import numpy as np
import pytest
import scipy

from repnet.theory._tr_bdf2 import tr_bdf2

CELLS = 24


@pytest.fixture
def matrix(rng):
    """A stiff relaxation matrix that is not symmetric."""
    banded = np.zeros((3, CELLS))
    banded[0, 1:], banded[2, :-1] = rng.uniform(1.0, 200.0, (2, CELLS - 1))
    banded[1] = -(banded[0] + banded[2]) - rng.uniform(0.1, 3.0, CELLS)
    return banded


def dense(banded):
    upper, main, lower = banded
    return np.diag(main) + np.diag(upper[1:], 1) + np.diag(lower[:-1], -1)


def exact(banded, start, times):
    return np.stack([scipy.linalg.expm(t * dense(banded)) @ start for t in times])


def test_order_two(matrix, rng):
    start = scipy.linalg.expm(0.02 * dense(matrix)) @ rng.normal(size=(CELLS, 2))
    times = np.array([0.0, 0.3, 1.1])
    truth = exact(matrix, start, times)
    errors = [
        np.abs(tr_bdf2(matrix, start, times, substeps) - truth).max() for substeps in (40, 80, 160)
    ]
    assert np.all(np.log2(np.array(errors[:-1]) / errors[1:]) > 1.9)


def test_unequal_intervals_and_columns(matrix, rng):
    start = rng.normal(size=(CELLS, 3))
    times = np.array([0.0, 0.01, 0.02, 0.5, 2.0])
    found = tr_bdf2(matrix, start, times, 400)
    np.testing.assert_array_equal(found[0], start)
    np.testing.assert_allclose(found, exact(matrix, start, times), atol=3e-4)


def test_large_steps_do_not_ring(matrix, rng):
    # L-stable: the amplification of one step goes to 0 as hλ grows.
    start = rng.normal(size=(CELLS, 1))
    after = tr_bdf2(matrix, start, np.array([1e6]), substeps=1)
    assert np.abs(after).max() < 1e-3 * np.abs(start).max()
