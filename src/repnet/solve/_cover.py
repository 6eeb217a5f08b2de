"""A cover of the data by overlapping windows, and the points that each of them is fitted to."""

import dataclasses
from typing import Any

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Bool, Float, Int

from repnet.spectrum import Grid

_SLACK = 1e-9  # keeps points on a window's edge inside despite rounding
_CROWD = 4  # a window takes at most this many times the points it was made for


@dataclasses.dataclass(frozen=True)
class Cover:
    """Windows on a tensor grid over $[-1, 1]^d$.

    - `start`, `spacing`, shape `(dim,)`, and `counts`: where the windows' weights stand.
    - `centre`, `radius`, shape `(windows, dim)`: the boxes that they are fitted on, which lie
      inside the domain and are widened where data are scarce.
    - `node`, shape `(windows, dim)`: the windows' places on the tensor grid.
    """

    start: Float[np.ndarray, " dim"]
    spacing: Float[np.ndarray, " dim"]
    counts: tuple[int, ...]
    node: Int[np.ndarray, "windows dim"]
    centre: Float[np.ndarray, "windows dim"]
    radius: Float[np.ndarray, "windows dim"]

    @property
    def windows(self) -> int:
        """Number of windows."""
        return len(self.node)

    def weights(
        self, windows: Int[np.ndarray, " some"], points: Float[np.ndarray, "some points dim"]
    ) -> Float[np.ndarray, "some points"]:
        """Blending weights of the given windows at points of their own."""
        place = (points - self.start) / self.spacing - self.node[windows][:, None, :]
        place = np.where(np.asarray(self.counts) > 1, place, 0.0)
        t = np.minimum(np.abs(place), 1.0)
        return np.prod(1.0 - t**4 * (35.0 - t * (84.0 - t * (70.0 - 20.0 * t))), axis=-1)


@dataclasses.dataclass(frozen=True)
class Members:
    """The points of some windows, padded to one length: `index` and `mask`, `(windows, points)`."""

    index: Int[np.ndarray, "windows points"]
    mask: Bool[np.ndarray, "windows points"]


def make_cover(
    x: Float[np.ndarray, "points dim"],
    per_window: int,
    grid: Grid | None,
    stretch: Float[np.ndarray, " dim"],
) -> Cover:
    """A cover whose windows hold about `per_window` points each.

    **Arguments:**

    - `x`: points in standard units.
    - `grid`: their grid in standard units, or `None` if they are scattered.
    - `stretch`: relative widths of the windows per axis where points are scattered.
    """
    step = _steps(x, grid, stretch)
    extent = np.where(step > 0, 2.0 / np.maximum(step, 1e-300), 0.0)  # steps along each axis
    radius = 0.5 * step * _per_axis(per_window, extent + 1)
    whole = (radius >= 0.75) | (step == 0)  # two windows of more than 3/4 each would be one twice
    spacing = np.where(whole, 1.0, radius)
    if grid is not None:  # on the grid's own nodes, so that windows see equal geometries
        on_nodes = np.maximum(1, np.round(radius / np.maximum(step, 1e-300))) * step
        spacing = np.where(whole, 1.0, on_nodes)
    counts = np.where(whole, 1, np.ceil(2.0 / spacing - 1e-6).astype(int) + 1)
    node = np.stack(np.meshgrid(*map(np.arange, counts), indexing="ij"), -1).reshape(
        -1, len(counts)
    )
    start = np.where(whole, 0.0, -1.0)
    radius = np.minimum(spacing, 1.0)
    centre = np.clip(start + spacing * node, -1.0 + radius, 1.0 - radius)
    return Cover(
        start,
        spacing,
        tuple(int(c) for c in counts),
        node,
        centre,
        np.broadcast_to(radius, centre.shape),
    )


def _steps(
    x: Float[np.ndarray, "points dim"], grid: Grid | None, stretch: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, " dim"]:
    """The typical distance of neighbours along every axis."""
    if grid is not None:
        return np.asarray(grid.step)
    moves = np.ptp(x, axis=0) > 0.0
    if not moves.any():
        return np.zeros(x.shape[1])
    stretch = stretch / np.exp(np.mean(np.log(stretch[moves])))
    return np.where(moves, 2.0 * stretch / len(x) ** (1.0 / moves.sum()), 0.0)


def _per_axis(per_window: int, extent: Float[np.ndarray, " dim"]) -> Float[np.ndarray, " dim"]:
    """Steps across a window per axis; axes shorter than that leave more to the others."""
    across = np.zeros(len(extent))
    free = np.ones(len(extent), bool)
    for _ in range(len(extent)):
        rest = per_window / np.prod(across[~free]) if (~free).any() else per_window
        even = max(rest, 1.0) ** (1.0 / max(free.sum(), 1))
        short = free & (extent <= even)
        across[free] = even
        if not short.any():
            break
        across[short] = np.maximum(extent[short], 1.0)
        free &= ~short
    return across


class Neighbours:
    """Finds the points of windows; built once for all covers of the same data."""

    def __init__(self, x: Float[np.ndarray, "points dim"]):
        self.x = x
        self._trees: dict[bytes, Any] = {}  # of scipy's cKDTree

    def widened(self, cover: Cover, per_window: int) -> tuple[Cover, Bool[np.ndarray, " windows"]]:
        """The cover with scarce windows widened until they hold half of `per_window` points.

        **Returns:** the cover, and which windows were widened.
        """
        tree, unit = self._tree(cover)
        least = int(min(len(self.x), max(2 * (self.x.shape[1] + 1), per_window // 2)))
        count = tree.query_ball_point(
            cover.centre / unit, 1.0 + _SLACK, p=np.inf, return_length=True
        )
        scarce = np.flatnonzero(count < least)
        radius = np.array(cover.radius)
        if len(scarce):
            distance, _ = tree.query(cover.centre[scarce] / unit, k=[least], p=np.inf)
            radius[scarce] *= np.maximum(1.0, distance * (1.0 + _SLACK))
        return dataclasses.replace(cover, radius=radius), count < least

    def members(self, cover: Cover, windows: Int[np.ndarray, " some"], per_window: int) -> Members:
        """The points in the given windows' boxes, padded."""
        tree, unit = self._tree(cover)
        reach = np.max(cover.radius[windows] / unit, axis=1) + _SLACK
        lists = tree.query_ball_point(cover.centre[windows] / unit, reach, p=np.inf)
        most = _CROWD * max(per_window, 2 * (self.x.shape[1] + 1))
        rows = [_thinned(np.sort(np.asarray(members, int)), most) for members in lists]
        length = max(len(row) for row in rows)
        index = np.zeros((len(rows), length), int)
        mask = np.zeros((len(rows), length), bool)
        for position, row in enumerate(rows):
            index[position, : len(row)] = row
            mask[position, : len(row)] = True
        return Members(index, mask)

    def _tree(self, cover: Cover) -> tuple[Any, Float[np.ndarray, " dim"]]:
        unit = np.minimum(cover.spacing, 1.0)
        key = unit.tobytes()
        if key not in self._trees:
            self._trees[key] = scipy.spatial.cKDTree(self.x / unit)
        return self._trees[key], unit


def _thinned(members: Int[np.ndarray, " all"], most: int) -> Int[np.ndarray, " some"]:
    """Every so many-th member, where a cluster holds far more than a window is made for."""
    if len(members) <= most:
        return members
    return members[np.linspace(0, len(members) - 1, most).astype(int)]
