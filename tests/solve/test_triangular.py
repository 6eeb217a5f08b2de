"""The running factor solves what NumPy solves with all rows at once, in memory that stays."""

import tracemalloc

import numpy as np
import pytest

from repnet.solve._triangular import Spectral, Triangle, coefficients, solved


def running(matrix, y, block):
    triangle = Triangle(matrix.shape[1], y.shape[1])
    for first in range(0, len(matrix), block):
        triangle.add(matrix[first : first + block], y[first : first + block])
    return triangle


@pytest.mark.parametrize("block", [1, 7, 64, 1000])
def test_equals_lstsq(rng, block):
    matrix, y = rng.normal(size=(203, 12)), rng.normal(size=(203, 3))
    triangle = running(matrix, y, block)
    expected, residual, *_ = np.linalg.lstsq(matrix, y)
    np.testing.assert_allclose(coefficients(triangle, 1e-14), expected, atol=1e-12)
    np.testing.assert_allclose(triangle.parts()[2], residual, rtol=1e-12)
    assert triangle.rows == 203


@pytest.mark.parametrize("ridge", [1e-6, 1e-2, 1.0])
def test_ridges_equal_the_normal_equations(rng, ridge):
    matrix, y = rng.normal(size=(90, 8)) * 10.0 ** np.arange(-4, 4), rng.normal(size=(90, 2))
    triangle = running(matrix, y, 32)
    norms = np.linalg.norm(matrix, axis=0)
    scaled = matrix / norms

    def normal(level):
        return (
            np.linalg.solve(scaled.T @ scaled + level**2 * np.eye(8), scaled.T @ y) / norms[:, None]
        )

    largest = np.linalg.norm(scaled, 2)
    spectral = Spectral.of(triangle)
    np.testing.assert_allclose(spectral.coefficients(ridge), normal(ridge * largest), rtol=1e-9)
    np.testing.assert_allclose(coefficients(triangle, ridge), normal(ridge * 8**0.5), rtol=1e-9)
    hat = scaled @ np.linalg.solve(scaled.T @ scaled + (ridge * largest) ** 2 * np.eye(8), scaled.T)
    np.testing.assert_allclose(spectral.leverages(matrix, ridge), np.diag(hat), rtol=1e-8)


def test_every_target_is_solved_at_its_own_ridge(rng):
    triangle = running(rng.normal(size=(60, 6)), rng.normal(size=(60, 4)), 32)
    found = solved(triangle, np.array([1e-13, 0.1, 1e-13, 2.0]))
    np.testing.assert_array_equal(found[:, [0, 2]], coefficients(triangle, 1e-13)[:, [0, 2]])
    spectral = Spectral.of(triangle)
    np.testing.assert_array_equal(found[:, 1], spectral.coefficients(0.1)[:, 1])
    np.testing.assert_array_equal(found[:, 3], spectral.coefficients(2.0)[:, 3])


def test_fewer_rows_than_columns_and_a_column_of_zeros(rng):
    matrix, y = rng.normal(size=(5, 9)), rng.normal(size=(5, 1))
    matrix[:, 4] = 0.0
    found = coefficients(running(matrix, y, 2), 1e-8)
    np.testing.assert_allclose(matrix @ found, y, atol=1e-6)
    assert found[4] == 0.0


@pytest.mark.slow
def test_memory_does_not_grow_with_rows(rng):
    matrix, y = rng.normal(size=(256, 40)), rng.normal(size=(256, 1))
    triangle = Triangle(40, 1)
    triangle.add(matrix, y)
    tracemalloc.start()
    triangle.add(matrix, y)
    _, once = tracemalloc.get_traced_memory()
    for _ in range(30):
        triangle.add(matrix, y)
    _, often = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert often < 1.5 * once
    assert triangle.rows == 32 * 256
