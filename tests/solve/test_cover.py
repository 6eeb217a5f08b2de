"""Covers: weights that sum to one, windows that hold their points, whatever the layout."""

import numpy as np
import pytest

from repnet.solve._batches import Sampled
from repnet.solve._cover import Neighbours, make_cover
from repnet.spectrum import detect_grid


def layouts(dim, rng):
    count = {1: 90, 2: 18, 3: 8, 4: 5}[dim]
    axes = [np.linspace(-1, 1, count)] * dim
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, dim)
    clustered = np.clip(0.05 * rng.normal(size=(len(grid), dim)), -1, 1)
    clustered[:2] = [[-1.0] * dim, [1.0] * dim]
    return {"grid": grid, "scattered": rng.uniform(-1, 1, grid.shape), "clustered": clustered}


@pytest.mark.parametrize("dim", [1, 2, 3, 4])
@pytest.mark.parametrize("layout", ["grid", "scattered", "clustered"])
def test_weights_sum_to_one_and_windows_hold_points(dim, layout, rng):
    x = layouts(dim, rng)[layout]
    per_window = 4**dim
    cover = make_cover(x, per_window, detect_grid(x), np.ones(dim))
    anywhere = rng.uniform(-1, 1, (50, dim))
    every = np.arange(cover.windows)
    total = cover.weights(every, np.broadcast_to(anywhere, (cover.windows, 50, dim))).sum(axis=0)
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)

    neighbours = Neighbours(x)
    wide, _ = neighbours.widened(cover, per_window)
    assert (wide.radius >= cover.radius).all()
    members = neighbours.members(wide, every, per_window)
    held = members.mask.sum(axis=1)
    assert held.min() >= min(len(x), per_window // 2)
    for window in range(0, cover.windows, max(1, cover.windows // 7)):  # by brute force
        inside = np.all(np.abs(x - wide.centre[window]) <= wide.radius[window] + 1e-8, axis=1)
        mine = members.index[window, members.mask[window]]
        assert inside[mine].all()
        crowded = inside.sum() > 4 * max(per_window, 2 * (dim + 1))
        assert crowded or set(mine) == set(np.flatnonzero(inside))


@pytest.mark.parametrize("holes", [False, True])
def test_batches_on_a_grid_give_every_window_its_data(holes, rng):
    x = layouts(2, rng)["grid"]
    x = rng.permutation(x)[: 250 if holes else len(x)]
    y = np.stack([x[:, 0], x[:, 1] + 3.0 * x[:, 0]], axis=1)  # so that values tell the place
    data = Sampled(x, y, detect_grid(x))
    cut = data.cover(25, np.ones(2))
    windows = np.arange(cut.cover.windows)
    batches = data.batches(cut, windows)
    np.testing.assert_array_equal(np.sort(np.concatenate([b.position for b in batches])), windows)
    for batch in batches:
        for row, window in enumerate(batch.position):
            local = batch.local[row if len(batch.local) > 1 else 0]
            mask = batch.mask[row if len(batch.mask) > 1 else 0]
            place = cut.cover.centre[window] + cut.cover.radius[window] * local[mask]
            expected = np.stack([place[:, 0], place[:, 1] + 3.0 * place[:, 0]], axis=1)
            np.testing.assert_allclose(batch.y[row][mask], expected, atol=1e-12)
            assert (batch.weight[row][mask] > 0).all()
            assert (batch.weight[row][~mask] == 0).all()


def test_several_values_at_a_node_count_as_their_mean():
    x = np.repeat(np.linspace(-1, 1, 40)[:, None], 2, axis=0)
    y = np.tile([[1.0], [5.0]], (40, 1))
    data = Sampled(x, y, detect_grid(x))
    for batch in data.batches(data.cover(8, np.ones(1)), np.arange(3)):
        held = np.broadcast_to(batch.mask, batch.y.shape[:2])
        assert set(batch.y[held].ravel()) <= {3.0, 1.0, 5.0}
