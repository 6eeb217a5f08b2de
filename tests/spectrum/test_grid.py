import time

import numpy as np
import pytest

from repnet.spectrum import detect_grid
from repnet.spectrum._grid import fill_holes, grid_of_shape, on_grid


def tensor(*axes):
    return np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")], axis=1)


def shares(rng, x, share):
    return x[rng.permutation(len(x))[: int(share * len(x))]]


@pytest.mark.parametrize("share", [1.0, 0.9, 0.7])
@pytest.mark.parametrize("sizes", [(1001,), (40, 31), (12, 7, 9)])
def test_finds_shuffled_grids_with_holes_and_rounding(sizes, share):
    rng = np.random.default_rng(0)
    axes = [np.linspace(-3.0, 5.0 + k, m) for k, m in enumerate(sizes)]
    x = shares(rng, tensor(*axes), share)
    step = np.array([a[1] - a[0] for a in axes])
    grid = detect_grid(x + 1e-6 * step * rng.uniform(-1, 1, x.shape))
    assert grid is not None
    assert grid.full == (share == 1.0)
    np.testing.assert_allclose(grid.step, step, rtol=1e-4)
    rebuilt = np.asarray(grid.origin) + grid.index * np.asarray(grid.step)
    np.testing.assert_allclose(rebuilt, x, atol=1e-4 * step.max())


def test_keeps_count_of_a_million_nodes():
    x = np.linspace(0, 1, 1_000_000)[np.random.default_rng(0).permutation(1_000_000)[:800_000]]
    grid = detect_grid(x[:, None])
    assert grid is not None
    assert grid.size[0] in (1_000_000, 999_999, 999_998)
    assert np.array_equal(np.sort(grid.index[:, 0]), np.unique(grid.index[:, 0]))


def test_float32_coordinates_and_duplicates_are_a_grid():
    x = np.linspace(-1, 1, 2001, dtype=np.float32)
    grid = detect_grid(np.concatenate([x, x[:7]])[:, None])
    assert grid is not None
    assert grid.size == (2001,)


def test_constant_axis_has_size_one():
    grid = detect_grid(tensor(np.linspace(0, 1, 9), np.array([2.5])))
    assert grid is not None
    assert grid.size == (9, 1)
    assert grid.step[1] == 0.0


@pytest.mark.parametrize("dim", [1, 2, 4])
def test_scattered_points_are_no_grid(dim):
    rng = np.random.default_rng(1)
    assert detect_grid(rng.uniform(size=(500, dim))) is None
    assert detect_grid(np.round(rng.uniform(size=(500, max(dim, 2))), 3)) is None


def test_jittered_and_geometric_axes_are_no_grid():
    x = np.linspace(0, 1, 200)
    jitter = np.random.default_rng(0).uniform(-0.1, 0.1, 200) / 199
    assert detect_grid((x + jitter)[:, None]) is None
    assert detect_grid(np.geomspace(1, 100, 50)[:, None]) is None


def test_a_million_rows_are_cheap():
    x = tensor(np.linspace(0, 1, 1000), np.linspace(0, 1, 1000))
    x = np.random.default_rng(0).permutation(x)[:900_000]
    begin = time.perf_counter()
    assert detect_grid(x) is not None
    assert time.perf_counter() - begin < 3.0  # 0.11 s on a quiet core


def test_given_shape_must_match():
    x = tensor(np.linspace(0, 1, 4), np.linspace(0, 1, 5))
    assert grid_of_shape(x, (4, 5)).step == pytest.approx((1 / 3, 1 / 4))
    with pytest.raises(ValueError, match=r"`grid_shape` must have one size per axis.*\(4, 4\)"):
        grid_of_shape(x, (4, 4))
    with pytest.raises(ValueError, match="last axis fastest"):
        grid_of_shape(x, (5, 4))


def test_duplicates_are_averaged():
    x = np.array([[0.0], [1.0], [2.0], [1.0]])
    values, counts = on_grid(detect_grid(x), np.array([[1.0], [2.0], [3.0], [6.0]]))
    assert values[:, 0].tolist() == [1.0, 4.0, 3.0]
    assert counts.tolist() == [1, 2, 1]


@pytest.mark.parametrize("sizes", [(401,), (41, 37)])
def test_holes_in_a_cubic_are_filled_exactly(sizes):
    """Away from the border the polynomials have degree five (three where holes are close)."""
    rng = np.random.default_rng(2)
    axes = [np.linspace(-1, 1, m) for m in sizes]
    x = tensor(*axes)
    y = (x[:, 0] ** 3 - x[:, -1] + 2).reshape(*sizes, 1)
    counts = (rng.uniform(size=sizes) > 0.1).astype(int)
    inside = (slice(6, -6),) * len(sizes)
    filled = fill_holes(np.where(counts[..., None] > 0, y, 0.0), counts)
    np.testing.assert_allclose(filled[inside], y[inside], atol=2e-5)
    np.testing.assert_allclose(filled, y, atol=0.1)  # lines alone at a border


def test_an_isolated_hole_in_eight_points_per_wavelength():
    y = np.cos(2 * np.pi * np.arange(65) / 8)[:, None]
    counts = np.ones(65, int)
    counts[32] = 0
    filled = fill_holes(np.where(counts[:, None] > 0, y, 0.0), counts)
    assert abs(filled[32, 0] - y[32, 0]) < 0.02


def test_waves_beyond_the_nyquist_frequency_agree_with_slower_ones():
    a, b = np.meshgrid(np.linspace(0, 1, 9), [3.0], indexing="ij")
    grid = detect_grid(np.stack([a.ravel(), b.ravel()], axis=1))
    assert grid is not None
    assert grid.nyquist.tolist() == pytest.approx([8 * np.pi, np.inf])
    slow = grid.nyquist[0] - 1.0
    beyond = 2 * grid.nyquist[0] - slow
    np.testing.assert_allclose(np.cos(beyond * a), np.cos(slow * a), atol=1e-12)
