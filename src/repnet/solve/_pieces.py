"""Cubic pieces between the samples of one input, as a candidate in every window."""

import dataclasses

import jax
import numpy as np
from jaxtyping import Bool, Float, Int

from repnet._threads import one_blas_thread
from repnet.nn import PiecewiseCubic
from repnet.solve._cover import Cover
from repnet.solve._missing import FilledGaps, fill_missing
from repnet.spectrum import detect_grid

_REACH = 3  # samples on either side that a piece depends on
_DIGITS = 12  # of standardized inputs: closer ones count as the same, lest their slopes overflow
_LEAST = 8  # samples below which nothing is left to leave out


@dataclasses.dataclass(frozen=True)
class Pieces:
    """Akima's cubics through the samples, whose values count as their mean where inputs repeat.

    Where the samples lie on a grid with holes, the cubics also go through values there that are
    learnt from the rest of the record.

    - `function`: through all of them.
    - `x`: the data's inputs, shape `(points,)`.
    - `missed`: leave-one-out errors at the data, target less value, shape `(points, out)`.
    - `holes`: inputs whose values are learnt, shape `(holes,)`.
    - `learnt`: as `missed`, with the left-out value learnt as those of the holes are.
    - `gaps`: the frequent kinds of gaps, by nodes of the grid.
    """

    function: PiecewiseCubic
    x: Float[np.ndarray, " points"]
    missed: Float[np.ndarray, "points out"]
    holes: Float[np.ndarray, " holes"]
    learnt: Float[np.ndarray, "points out"]
    gaps: tuple[FilledGaps, ...] = ()

    @staticmethod
    def of(
        x: Float[np.ndarray, "points dim"], y: Float[np.ndarray, "points out"]
    ) -> "Pieces | None":
        """The cubics; `None` for several inputs or too few samples."""
        if x.shape[1] > 1:
            return None
        knots, place = np.unique(np.round(x[:, 0], _DIGITS), return_inverse=True)
        if len(knots) < _LEAST:
            return None
        values = np.zeros((len(knots), y.shape[1]))
        np.add.at(values, place, y)
        values /= np.bincount(place)[:, None]
        with jax.enable_x64(True), one_blas_thread():
            left_out = _left_out(knots, values)
            missed = y - left_out[place]
            grid = detect_grid(knots[:, None])
            filled = grid and fill_missing(grid.index[:, 0], values, left_out)
            if grid is None or filled is None:
                through = PiecewiseCubic.akima(knots, values)
                return Pieces(through, x[:, 0], missed, np.zeros(0), missed)
            holes = grid.origin[0] + grid.step[0] * filled.nodes
            order = np.argsort(np.concatenate([knots, holes]))
            through = PiecewiseCubic.akima(
                np.concatenate([knots, holes])[order],
                np.concatenate([values, filled.values])[order],
            )
            learnt = y - filled.left_out[place]
            return Pieces(through, x[:, 0], missed, holes, learnt, filled.gaps)

    def errors(
        self, cover: Cover, windows: Int[np.ndarray, " some"]
    ) -> Float[np.ndarray, "some out"]:
        """Mean of the squared leave-one-out errors by each window's blending weights.

        Errors are those of learnt values in windows that hold such values. A window whose weights
        meet no sample has the mean of all.
        """
        learns = self.learns(cover)[windows, None]
        missed, learnt = (
            self.mean_by_window(cover, self.x, np.square(each))[windows]
            for each in (self.missed, self.learnt)
        )
        return np.where(learns, learnt, missed)

    def mean_by_window(
        self,
        cover: Cover,
        at: Float[np.ndarray, " places"],
        values: Float[np.ndarray, "places out"],
    ) -> Float[np.ndarray, "windows out"]:
        """Means of values at places by each window's weights; of all, where these meet no place."""
        window, weight = _weights(cover, at)
        total = _sums(cover, window, weight)
        empty = total <= 0.0
        means = []
        for column in values.T:
            mean = _sums(cover, window, weight * column) / np.where(empty, 1.0, total)
            means.append(np.where(empty, np.mean(column), mean))
        return np.stack(means, axis=1)

    def learns(self, cover: Cover) -> Bool[np.ndarray, " windows"]:
        """In which windows learnt values have a weight."""
        return _sums(cover, *_weights(cover, self.holes)) > 0.0

    def nearest(self, cover: Cover) -> Int[np.ndarray, " points"]:
        """The window with the largest weight at every data point."""
        window, weight = _weights(cover, self.x)
        return np.where(weight[1] > weight[0], window[1], window[0])

    def share(
        self,
        cover: Cover,
        share: Float[np.ndarray, "windows out"],
        at: Float[np.ndarray, " places"],
    ) -> Float[np.ndarray, "places out"]:
        """What the windows' shares come to at some places."""
        window, weight = _weights(cover, at)
        return (weight[..., None] * share[window]).sum(axis=0) / weight.sum(axis=0)[:, None]


def _weights(
    cover: Cover, x: Float[np.ndarray, " points"]
) -> tuple[Int[np.ndarray, "2 points"], Float[np.ndarray, "2 points"]]:
    """The two windows about every point, and their blending weights there."""
    last = cover.windows - 1
    place = (x - cover.start[0]) / cover.spacing[0]
    first = np.clip(np.floor(place).astype(int), 0, max(last - 1, 0))
    window = np.stack([first, np.minimum(first + 1, last)])  # no others have weights there
    weight = np.stack([cover.weights(side, x[:, None, None])[:, 0] for side in window])
    return window, np.maximum(weight, 0.0)  # not a rounding's -1e-17 at a window's edge


def _sums(
    cover: Cover, window: Int[np.ndarray, "2 points"], weight: Float[np.ndarray, "2 points"]
) -> Float[np.ndarray, " windows"]:
    return np.bincount(window.ravel(), weight.ravel(), cover.windows).astype(float)


def _left_out(
    x: Float[np.ndarray, " knots"], y: Float[np.ndarray, "knots out"]
) -> Float[np.ndarray, "knots out"]:
    """What the cubics are at every sample without it: exact, since each leaves its pieces' reach.

    Every seventh sample is left out at once.
    """
    values = np.empty_like(y)
    for first in range(min(2 * _REACH + 1, len(x))):
        out = np.zeros(len(x), bool)
        out[first :: 2 * _REACH + 1] = True
        values[out] = PiecewiseCubic.akima(x[~out], y[~out]).many(x[out, None])
    return values
