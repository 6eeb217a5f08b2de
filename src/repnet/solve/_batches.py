"""Windows gathered into batches of one shape, sharing one geometry where points lie on a grid."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from repnet.solve._cover import Cover, Neighbours, make_cover
from repnet.solve._local import misses_few
from repnet.spectrum import Grid

_BATCH_BYTES = 96e6  # working memory of one batch
_COLUMNS = 600  # typical columns of a design, for that estimate


@dataclasses.dataclass(frozen=True)
class Batch:
    """Some windows and their points, padded to one length.

    - `position`: which of the windows asked for, shape `(windows,)`.
    - `local`: points in local coordinates, `(windows, points, dim)`, or `(1, points, dim)` where
      all windows see the same ones.
    - `mask`: which of them hold data, `(windows, points)`, or `(1, points)` where all do.
    - `weight`: blending weights, zero beyond the mask; `y`: targets there, zero beyond the mask.
    - `site`: the flat node of every point on a grid, or its row in scattered data.
    """

    position: Int[np.ndarray, " windows"]
    local: Float[np.ndarray, "geometries points dim"]
    mask: Bool[np.ndarray, "masks points"]
    weight: Float[np.ndarray, "windows points"]
    y: Float[np.ndarray, "windows points out"]
    site: Int[np.ndarray, "windows points"]

    def take(self, rows: Int[np.ndarray, " some"]) -> "Batch":
        """Some of the windows, by their rows in the batch."""
        shared = (array if len(array) == 1 else array[rows] for array in (self.local, self.mask))
        own = (array[rows] for array in (self.weight, self.y, self.site))
        return Batch(self.position[rows], *shared, *own)


class Sampled:
    """Data in standard units, ready to be cut into windows.

    **Arguments:** `x`, `(points, dim)`; `y`, `(points, out)`; `grid`: the grid of `x`, if any.
    """

    def __init__(
        self,
        x: Float[np.ndarray, "points dim"],
        y: Float[np.ndarray, "points out"],
        grid: Grid | None,
    ):
        self.x, self.y, self.grid = x, y, grid
        self._neighbours = Neighbours(x)
        if grid is not None:
            self._nodes = np.zeros((*grid.size, y.shape[1]))
            held = np.bincount(grid.rows, minlength=int(np.prod(grid.size)))
            flat = self._nodes.reshape(-1, y.shape[1])
            for out in range(y.shape[1]):  # several values at one node count as their mean
                flat[:, out] = np.bincount(grid.rows, y[:, out], len(flat)) / np.maximum(held, 1)
            self._held = (held > 0).reshape(grid.size)

    @cached_property
    def sites(self) -> Int[np.ndarray, " points"]:
        """The flat node of every data row on the grid; without one, its own number."""
        return np.arange(len(self.x)) if self.grid is None else self.grid.rows

    @property
    def site_count(self) -> int:
        """How many nodes the grid has, with a sample or without; without one, how many rows."""
        return len(self.x) if self.grid is None else int(np.prod(self.grid.size))

    def at_sites(self, values: Float[np.ndarray, "points out"]) -> Float[np.ndarray, "sites out"]:
        """Means of the data rows' values by site; zero where there are none."""
        sites, least = self.sites, self.site_count
        count = np.maximum(np.bincount(sites, minlength=least), 1)
        sums = [np.bincount(sites, column, least) for column in values.T]
        return np.stack(sums, axis=1) / count[:, None]

    @property
    def nodes(self) -> tuple[Float[np.ndarray, "*size out"], Bool[np.ndarray, "*size"]]:
        """Values at the nodes of the grid, zero without a sample, and which hold one."""
        return self._nodes, self._held

    def cover(self, per_window: int, stretch: Float[np.ndarray, " dim"]) -> "Cut":
        """A cover of the data by windows of about `per_window` points."""
        cover = make_cover(self.x, per_window, self.grid, stretch)
        return Cut(*self._neighbours.widened(cover, per_window), per_window)

    def batches(self, cut: "Cut", windows: Int[np.ndarray, " some"]) -> list[Batch]:
        """All batches of the given windows."""
        alone = np.ones(len(windows), bool) if self.grid is None else cut.widened[windows]
        found = self._scattered(cut, windows, np.flatnonzero(alone)) if alone.any() else []
        if not alone.all():
            found = self._on_grid(cut.cover, windows, np.flatnonzero(~alone)) + found
        return found

    def _on_grid(
        self, cover: Cover, windows: Int[np.ndarray, " some"], regular: Int[np.ndarray, " regular"]
    ) -> list[Batch]:
        assert self.grid is not None
        step = np.where(np.asarray(self.grid.step) > 0, self.grid.step, 1.0)
        last = np.asarray(self.grid.size) - 1
        centre, radius = cover.centre[windows[regular]], cover.radius[windows[regular]]
        low = np.ceil((centre - radius - self.grid.origin) / step - 1e-6)
        high = np.floor((centre + radius - self.grid.origin) / step + 1e-6)
        low, high = (np.clip(end, 0, last).astype(int) for end in (low, high))
        corner = (self.grid.origin + low * step - centre) / radius
        shapes = high - low + 1
        groups: dict[tuple, list[int]] = defaultdict(list)
        for row, key in enumerate(np.hstack([shapes, np.round(corner * 1e6).astype(int)])):
            groups[tuple(key)].append(row)
        return [
            batch
            for rows in groups.values()
            for batch in self._group(cover, windows, regular[rows], low[rows], shapes[rows[0]])
        ]

    def _group(
        self,
        cover: Cover,
        windows: Int[np.ndarray, " some"],
        position: Int[np.ndarray, " group"],
        low: Int[np.ndarray, "group dim"],
        shape: Int[np.ndarray, " dim"],
    ) -> Iterator[Batch]:
        """Batches of windows that see the same local nodes: `shape` of them from `low` on.

        Windows that hold data at all nodes, at most and at few of them are kept apart.
        """
        assert self.grid is not None
        inside = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
        inside = inside.reshape(-1, len(shape))
        origin, step = np.asarray(self.grid.origin), np.asarray(self.grid.step)
        for rows in self._alike(low, inside):
            for part in _parts(len(rows), len(inside)):
                own = rows[part]
                chosen = windows[position[own]]
                node = low[own][:, None, :] + inside
                at = tuple(np.moveaxis(node, -1, 0))
                points, held = origin + node * step, self._held[at]
                local = (points[:1] - cover.centre[chosen[0]]) / cover.radius[chosen[0]]
                weight = np.where(held, cover.weights(chosen, points) + 1e-6, 0.0)
                y = np.where(held[..., None], self._nodes[at], 0.0)
                mask = held[:1] if held.all() else held
                site = np.ravel_multi_index(at, self.grid.size)
                yield Batch(position[own], local, mask, weight, y, np.asarray(site))

    def _alike(
        self, low: Int[np.ndarray, "group dim"], inside: Int[np.ndarray, "nodes dim"]
    ) -> list[Int[np.ndarray, " some"]]:
        """Rows of a group whose windows hold data at all nodes, at most, or at few of them."""
        if self._held.all():
            return [np.arange(len(low))]
        assert self.grid is not None
        at = tuple(np.moveaxis(low[:, None, :] + inside, -1, 0))
        held = self._held[at]
        every, most = held.all(axis=1), misses_few(held)
        kinds = (every, most & ~every, ~most)
        return [np.flatnonzero(kind) for kind in kinds if kind.any()]

    def _scattered(
        self, cut: "Cut", windows: Int[np.ndarray, " some"], alone: Int[np.ndarray, " alone"]
    ) -> list[Batch]:
        cover = cut.cover
        members = self._neighbours.members(cover, windows[alone], cut.per_window)
        lengths = _padded_lengths(members.mask.sum(axis=1))
        batches = []
        for length in np.unique(lengths):
            same = np.flatnonzero(lengths == length)
            for part in _parts(len(same), int(length)):
                rows = same[part]
                chosen = windows[alone[rows]]
                index, mask = members.index[rows, :length], members.mask[rows, :length]
                points = self.x[index]
                local = (points - cover.centre[chosen][:, None]) / cover.radius[chosen][:, None]
                local = np.where(mask[..., None], local, 0.0)
                weight = np.where(mask, cover.weights(chosen, points) + 1e-6, 0.0)
                y = np.where(mask[..., None], self.y[index], 0.0)
                batches.append(Batch(alone[rows], local, mask, weight, y, self.sites[index]))
        return batches


@dataclasses.dataclass(frozen=True)
class Cut:
    """A cover, which of its windows were widened, and the points each was made for."""

    cover: Cover
    widened: Bool[np.ndarray, " windows"]
    per_window: int


def _parts(count: int, points: int) -> Iterator[slice]:
    size = max(1, int(_BATCH_BYTES / (8 * points * (2 * points + _COLUMNS))))
    for first in range(0, count, size):
        yield slice(first, first + size)


def _padded_lengths(sizes: Int[np.ndarray, " windows"]) -> Int[np.ndarray, " windows"]:
    """A few distinct lengths, each a quarter above the one before."""
    ladder = [int(sizes.max())]
    while ladder[-1] > sizes.min():
        ladder.append(min(int(ladder[-1] / 1.25), ladder[-1] - 1))
    steps = np.array(ladder[::-1])
    return steps[np.minimum(np.searchsorted(steps, sizes), len(steps) - 1)]
