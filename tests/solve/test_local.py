"""Ridge regression in windows, against brute force: refits without each point, dense solves."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.nn import RepLinear
from repnet.solve._local import (
    AFFINE,
    Blocks,
    blocks_left_out,
    factorize,
    leave_one_out,
    left_out,
    make_design,
    readouts,
)

RIDGES = np.array([1e-6, 1e-3, 1e-1])


@pytest.fixture
def windows(rng):
    """Three windows of 9 points, in the second one of which two places are empty."""
    local = rng.uniform(-1, 1, (3, 9, 2))
    mask = np.ones((3, 9), bool)
    mask[1, 7:] = False
    y = rng.normal(size=(3, 9, 2)) * mask[..., None]
    weight = rng.uniform(0.1, 1, (3, 9)) * mask
    with jax.enable_x64(True):
        layer = RepLinear(2, 30, scale=2.0, features="plain", key=jax.random.key(0))
        values = np.asarray(jax.vmap(jax.vmap(layer))(jnp.asarray(local)))
    return layer, local, mask, y, weight, values


def rows(values, local, window, mask):
    """The design of one window, built by hand: features, then the affine columns at their level."""
    level = AFFINE * np.sqrt(np.square(values[window]).sum(axis=1).mean())
    affine = level * np.concatenate([np.ones((9, 1)), local[window]], axis=1)
    matrix = np.concatenate([values[window], affine], axis=1)
    return matrix[mask[window]], np.square(matrix).sum(axis=1).mean(), level


def ridge_fit(matrix, y, shift):
    return matrix.T @ np.linalg.solve(matrix @ matrix.T + shift * np.eye(len(matrix)), y)


@pytest.mark.parametrize("precise", [False, True])
@pytest.mark.slow
def test_leave_one_out_equals_refits(windows, precise):
    layer, local, mask, y, weight, values = windows
    with jax.enable_x64(True):
        design = make_design(layer, local)
    found = leave_one_out(design, factorize(design, mask, precise), RIDGES, weight, y)
    for window in range(3):
        matrix, unit, _ = rows(values, local, window, mask)
        target, w = y[window, mask[window]], weight[window, mask[window]]
        for r, ridge in enumerate(RIDGES):
            total = np.zeros(2)
            for i in range(len(matrix)):
                rest = np.arange(len(matrix)) != i
                fit = ridge_fit(matrix[rest], target[rest], ridge * unit)
                total += w[i] * np.square(matrix[i] @ fit - target[i])
            np.testing.assert_allclose(found[window, r], total, rtol=2e-6)


@pytest.mark.parametrize("precise", [False, True])
def test_readouts_average_the_ridges(windows, precise):
    layer, local, mask, y, _, values = windows
    share = np.array([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5], [0.0, 0.5, 0.5]])
    share = np.stack([share, share[::-1]], axis=2)  # every target has shares of its own
    with jax.enable_x64(True):
        design = make_design(layer, local)
    factors = factorize(design, mask, precise)
    weight, affine = readouts(design, factors, mask, RIDGES, share, y)
    for window in range(3):
        matrix, unit, level = rows(values, local, window, mask)
        target = y[window, mask[window]]
        mean = sum(
            ridge_fit(matrix, target, ridge * unit) * s
            for s, ridge in zip(share[window], RIDGES, strict=True)
        )
        np.testing.assert_allclose(weight[window], mean[:30].T, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(affine[window], level * mean[30:].T, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("precise", [False, True])
def test_left_out_errors_average_the_ridges(windows, precise):
    layer, local, mask, y, weight, _ = windows
    with jax.enable_x64(True):
        design = make_design(layer, local)
    factors = factorize(design, mask, precise)
    squares = leave_one_out(design, factors, RIDGES, weight, y)
    total = np.zeros_like(y)
    share = np.array([[0.2, 0.6], [0.3, 0.4], [0.5, 0.0]])
    for r in range(3):
        alone = np.tile(np.eye(3)[r][:, None], (3, 1, 2))
        one = left_out(design, factors, RIDGES, alone, y)
        expected = np.einsum("wp,wpo->wo", weight, np.square(one))
        np.testing.assert_allclose(expected, squares[:, r], rtol=1e-9)
        total += share[r] * one
    mixed = left_out(design, factors, RIDGES, np.tile(share, (3, 1, 1)), y)
    np.testing.assert_allclose(mixed[mask], total[mask], rtol=1e-9)


@pytest.mark.parametrize("shared", [False, True])
def test_errors_without_blocks_equal_refits_without_them(shared, windows, rng):
    layer, local, mask, y, _, values = windows
    if shared:  # one geometry for all windows, of which the second misses points
        local, values = np.repeat(local[:1], 3, axis=0), np.repeat(values[:1], 3, axis=0)
    with jax.enable_x64(True):
        design = make_design(layer, local[:1] if shared else local)
    share = rng.uniform(0.1, 1, (3, 3, 2))
    point = np.array([0, 4, 2, 6, 8])
    window = np.array([1, 0, 1, 2, 0])
    out = (rng.random((5, 9)) < 0.3) & mask[window]
    out[np.arange(5), point] = True
    found = blocks_left_out(design, mask, RIDGES, share, y, Blocks(window, point, out))
    for row in range(5):
        at = window[row]
        matrix, unit, _ = rows(values, local, at, np.ones_like(mask))
        rest = mask[at] & ~out[row]
        expected = np.zeros(2)
        for ridge, part in zip(RIDGES, share[at], strict=True):
            fit = ridge_fit(matrix[rest], y[at, rest], ridge * unit)
            expected += part * (y[at, point[row]] - matrix[point[row]] @ fit)
        np.testing.assert_allclose(found[row], expected, rtol=1e-5, atol=1e-8)


def test_windows_of_one_geometry_share_a_factor(windows):
    layer, local, _, y, weight, _ = windows
    every = np.ones((3, 9), bool)
    with jax.enable_x64(True):
        alone = make_design(layer, np.repeat(local[:1], 3, axis=0))
        shared = make_design(layer, local[:1])
    one = leave_one_out(alone, factorize(alone, every, True), RIDGES, weight, y)
    two = leave_one_out(shared, factorize(shared, every[:1], True), RIDGES, weight, y)
    np.testing.assert_allclose(one, two, rtol=1e-9)


@pytest.mark.parametrize(("kernels", "missing"), [(1, [0, 5, 8]), (3, [0, 3, 4, 5, 8])])
def test_windows_that_miss_points_take_the_factors_of_their_geometry(
    windows, kernels, missing, rng
):
    layer, local, _, y, weight, _ = windows
    mask = np.ones((3, 9), bool)
    mask[0, 2] = mask[1, missing] = False
    y, weight = y * mask[..., None], weight * mask
    share = rng.dirichlet(np.ones(3), (3, 2)).swapaxes(1, 2)
    with jax.enable_x64(True):
        alone = make_design(layer, np.repeat(local[:1], 3, axis=0))
        shared = make_design(layer, local[:1])
    found = []
    for design in (alone, shared):
        factors = factorize(design, mask, False)
        found.append(
            (
                leave_one_out(design, factors, RIDGES, weight, y),
                left_out(design, factors, RIDGES, share, y)[mask],
                *readouts(design, factors, mask, RIDGES, share, y),
            )
        )
    assert len(factors.vectors) == kernels
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-7, atol=1e-9)
    some = np.array([2, 1])
    taken = leave_one_out(shared, factors.take(some), RIDGES, weight[some], y[some])
    np.testing.assert_allclose(taken, found[1][0][some], rtol=1e-7)


@pytest.mark.parametrize("missing", [0.2, 1 / 3])
def test_readouts_stay_precise_where_windows_share_a_geometry(missing, rng):
    nodes = np.linspace(-1.0, 1.0, 9)
    local = np.stack(np.meshgrid(nodes, nodes, indexing="ij"), -1).reshape(1, -1, 2)
    mask = np.ones((3, 81), bool)
    for window in range(3):
        mask[window, rng.choice(81, round(81 * missing), replace=False)] = False
    y = (np.sin(2.0 * local[..., 0]) * np.cos(local[..., 1]))[..., None] * mask[..., None]
    share = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])[..., None]
    ridges = np.array([1e-11, 1e-9, 1e-7])
    values = []
    for places in (local, np.repeat(local, 3, axis=0)):  # shared by the windows, and their own
        with jax.enable_x64(True):
            layer = RepLinear(2, 64, scale=3.0, features="plain", key=jax.random.key(0))
            design = make_design(layer, places)  # fewer features than points: not of full rank
        weight, affine = readouts(design, factorize(design, mask, False), mask, ridges, share, y)
        found = np.concatenate([weight, affine / design.level[0]], axis=2)
        values.append((found @ design.matrix[0].T).swapaxes(1, 2) * mask[..., None])
    # Round-off of a kernel over a ridge of 1e-11; differences of inverses were off by 0.1 to 10.
    np.testing.assert_allclose(values[0], values[1], atol=1e-4)
