"""The response to a Gaussian source: refinement, and another way to compute it."""

import jax
import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from repnet.problem.zoo._resonance import resonant_modes
from repnet.problem.zoo._sine_series import gaussian_response


def values(field, points):
    with jax.enable_x64(True):
        return np.asarray(jax.vmap(field)(points))[:, 0]


@pytest.mark.parametrize(("k", "width"), [(10 * np.pi, 0.05), (7.3, 0.07), (60.0, 0.01)])
@pytest.mark.slow
def test_it_converges_with_the_modes(k, width, rng):
    points = rng.random((300, 2))
    enough = int(np.ceil(9.0 / (np.pi * width)))
    few, usual, many = (
        values(gaussian_response(k, width, modes), points)
        for modes in (enough // 2, None, 3 * enough // 2)
    )
    size = np.abs(many).max()
    assert np.abs(usual - many).max() < 1e-12 * size
    assert np.abs(few - many).max() > 1e-9 * size


@pytest.mark.slow
def test_finite_differences_agree_and_better_so_on_a_finer_grid():
    k, width = 17.0, 0.07
    errors = []
    for n in (80, 160):
        h = 1.0 / n
        x = h * np.arange(1, n)
        second = sp.diags_array([1.0, -2.0, 1.0], offsets=[-1, 0, 1], shape=(n - 1, n - 1)) / h**2
        one = sp.eye_array(n - 1)
        operator = sp.kron(second, one) + sp.kron(one, second) + k**2 * sp.kron(one, one)
        bump = np.exp(-((x - 0.5) ** 2) / (2 * width**2))
        solution = spsolve(sp.csc_array(operator), np.kron(bump, bump))
        grid = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
        expected = values(gaussian_response(k, width), grid)
        errors.append(np.linalg.norm(solution - expected) / np.linalg.norm(expected))
    assert errors[1] < 0.05
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)  # of second order


def test_resonances_are_the_sums_of_two_squares():
    by_hand = {m * m + n * n for m in range(1, 15) for n in range(1, 15)}
    for ratio in range(200):
        modes = resonant_modes(float(ratio))
        assert bool(modes) == (ratio in by_hand)
        assert all(m * m + n * n == ratio for m, n in modes)
    assert resonant_modes(50.0 + 1e-6) == []
