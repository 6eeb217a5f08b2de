"""Least squares with a ridge at round-off, against NumPy."""

import numpy as np

from repnet.solve.equations._slab_newton import ridged


def test_against_lstsq(rng: np.random.Generator) -> None:
    rows = rng.normal(size=(60, 20)) * 10.0 ** rng.uniform(-3, 3, 20)
    right = rng.normal(size=60)
    right_coefficients, squares, *_ = np.linalg.lstsq(rows, right)
    coefficients, residual = ridged(rows, right)
    np.testing.assert_allclose(coefficients, right_coefficients, rtol=1e-8)
    assert abs(residual / np.sqrt(squares[0]) - 1.0) < 1e-12


def test_dependent_columns_give_finite_coefficients(rng: np.random.Generator) -> None:
    column = rng.normal(size=(40, 1))
    rows = np.hstack([column, column, np.zeros((40, 1))])
    coefficients, residual = ridged(rows, 3.0 * column[:, 0])
    np.testing.assert_allclose(coefficients, [1.5, 1.5, 0.0], rtol=1e-2, atol=1e-9)
    assert residual < 1e-10
