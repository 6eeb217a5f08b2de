"""How much of one prediction to add to another, by what both miss where samples are left out."""

import dataclasses
import threading

import numpy as np
from jaxtyping import Bool, Float

from repnet.solve._batches import Batch, Sampled

_SHARES = np.linspace(0.0, 1.0, 41)
_FAR = 16.0  # ratio of squared errors from which on a place decides against the worse of two


def stacked_share(
    first: Float[np.ndarray, " samples"], second: Float[np.ndarray, " samples"]
) -> float:
    r"""The share $a$ of the second in $(1 - a)\,u_1 + a\,u_2$, from both's leave-one-out errors.

    Of the shares whose mean square is within one standard error of the least, the nearest to one
    half: two methods that the data don't tell apart are better together than either.

    **Source:** stacking: Wolpert 1992, Breiman 1996; the one-standard-error rule: Breiman et al.
    1984.

    >>> good, bad = np.full(100, 1e-3), np.ones(100)
    >>> stacked_share(good, bad), stacked_share(bad, bad), stacked_share(bad, good)
    (0.0, 0.5, 1.0)
    """
    squares = np.stack([np.square(first + share * (second - first)) for share in _SHARES])
    best = int(np.argmin(squares.mean(axis=1)))
    above = squares - squares[best]
    error = above.std(axis=1) / np.sqrt(squares.shape[1])
    near = _SHARES[above.mean(axis=1) <= error]
    return float(near[np.argmin(np.abs(near - 0.5))])


def local_shares(
    share: float | Float[np.ndarray, " out"],
    first: Float[np.ndarray, "windows out"],
    second: Float[np.ndarray, "windows out"],
) -> Float[np.ndarray, "windows out"]:
    """The share in every window, moved where its two squared errors are far apart.

    The odds of the second are multiplied by $(1 + e_1/c e_2) / (1 + e_2/c e_1)$ with c = 16, which
    leaves equals as they are and takes out what is worse by orders of magnitude.

    **Arguments:** `first`, `second`: positive mean squared errors of the two, by window and target.
    """
    odds = (1.0 + first / (_FAR * second)) / (1.0 + second / (_FAR * first))
    return share * odds / (share * odds + (1.0 - share))


@dataclasses.dataclass(frozen=True)
class Missed:
    """Leave-one-out errors of windows, blended as the windows are; threads may add to it at once.

    - `judged`: the windows that it is asked of, shape `(windows,)`.
    - `total`, `weight`: sums over these, shape `(sites, out)`.
    """

    judged: Bool[np.ndarray, " windows"]
    total: Float[np.ndarray, "sites out"]
    weight: Float[np.ndarray, "sites out"]
    lock: threading.Lock

    @staticmethod
    def none(data: Sampled, judged: Bool[np.ndarray, " windows"]) -> "Missed":
        """Sums that hold nothing yet."""
        shape = data.site_count, data.y.shape[1]
        return Missed(judged, np.zeros(shape), np.zeros(shape), threading.Lock())

    def add(
        self,
        batch: Batch,
        share: Float[np.ndarray, "windows out"],
        errors: Float[np.ndarray, "windows points out"],
    ) -> None:
        """Add errors that hold their windows' shares already."""
        with self.lock:
            np.add.at(self.total, batch.site, batch.weight[..., None] * errors)
            np.add.at(self.weight, batch.site, batch.weight[..., None] * share[:, None])

    def mean(self, least: float = 0.0) -> Float[np.ndarray, "sites out"]:
        """The blended errors; NaN where the windows' shares come to no more than the least."""
        empty = self.weight <= least
        return np.where(empty, np.nan, self.total / np.where(empty, 1.0, self.weight))
