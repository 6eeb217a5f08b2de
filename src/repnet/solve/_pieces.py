"""Cubic pieces between the samples of one input, as a candidate in every window."""

import dataclasses

import jax
import numpy as np
from jaxtyping import Float, Int

from repnet.nn import PiecewiseCubic
from repnet.solve._cover import Cover

_REACH = 3  # samples on either side that a piece depends on
_DIGITS = 12  # of standardized inputs: closer ones count as the same, lest their slopes overflow
_LEAST = 8  # samples below which nothing is left to leave out


@dataclasses.dataclass(frozen=True)
class Pieces:
    """Akima's cubics through the samples, whose values count as their mean where inputs repeat.

    - `function`: through all of them.
    - `x`: the data's inputs, shape `(points,)`.
    - `squares`: squared leave-one-out errors at the data, summed over the outputs.
    """

    function: PiecewiseCubic
    x: Float[np.ndarray, " points"]
    squares: Float[np.ndarray, " points"]

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
        with jax.enable_x64(True):
            squares = np.square(_left_out(knots, values)[place] - y).sum(axis=1)
            return Pieces(PiecewiseCubic.akima(knots, values), x[:, 0], squares)

    def errors(self, cover: Cover, windows: Int[np.ndarray, " some"]) -> Float[np.ndarray, " some"]:
        """Mean of the squared leave-one-out errors by each window's blending weights.

        A window whose weights meet no sample has the mean of all.
        """
        last = cover.windows - 1
        place = (self.x - cover.start[0]) / cover.spacing[0]
        first = np.clip(np.floor(place).astype(int), 0, max(last - 1, 0))
        total, weighted = np.zeros((2, cover.windows))
        for window in (first, np.minimum(first + 1, last)):  # no others have weights there
            weight = cover.weights(window, self.x[:, None, None])[:, 0]
            total += np.bincount(window, weight, cover.windows)
            weighted += np.bincount(window, weight * self.squares, cover.windows)
        empty = total <= 0.0
        mean = np.where(empty, self.squares.mean(), weighted / np.where(empty, 1.0, total))
        return mean[windows]


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
