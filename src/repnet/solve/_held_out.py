"""Which points a training holds out."""

import numpy as np

_GOLDEN = (5.0**0.5 - 1.0) / 2.0


def held_out_rows(points: np.ndarray, share: float) -> np.ndarray:
    """Which rows to hold out: evenly spread over the rows in their order along the first axis.

    Row $i$ of that order is held out where the fractional part of $i\\varphi + 1/2$ is below the
    share, with the golden ratio $\\varphi$: neighbours never go together, and no column of a grid
    goes as a whole. The first and the last row stay.

    >>> held_out_rows(np.arange(12.0)[:, None], 0.25).nonzero()[0].tolist()
    [1, 6, 9]
    """
    count = len(points)
    turns = (np.arange(count) * _GOLDEN + 0.5) % 1.0
    chosen = turns < share
    chosen[[0, -1]] = False
    if share and not 1 <= chosen.sum() <= count - 2:
        raise ValueError(
            f"`Gradient(hold_out=...)` must leave points on both sides; {share} of {count} "
            f"points is {int(chosen.sum())}."
        )
    return _in_order(points, chosen)


def held_out_folds(points: np.ndarray, count: int) -> list[np.ndarray]:
    """Several such choices, which share no row and together hold out all but the first and last.

    The first of them is `held_out_rows` with a share of `1 / count`; those without a row are left
    out.

    >>> folds = held_out_folds(np.arange(12.0)[:, None], 4)
    >>> [fold.nonzero()[0].tolist() for fold in folds]
    [[1, 6, 9], [3, 8], [2, 5, 10], [4, 7]]
    """
    turns = (np.arange(len(points)) * _GOLDEN + 0.5) % 1.0
    part = np.floor(turns * count)
    part[[0, -1]] = -1
    return [_in_order(points, part == each) for each in range(count) if np.any(part == each)]


def rows_without(held: np.ndarray) -> np.ndarray:
    """Rows in which copies of the first others take the places of those held out.

    Arrays keep their length so, and what was compiled for all rows serves without some.

    >>> rows_without(np.array([False, True, False, True, False]))
    array([0, 0, 2, 2, 4])
    """
    rows = np.arange(len(held))
    rows[held] = np.flatnonzero(~held)[: held.sum()]
    return rows


def _in_order(points: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The rows chosen by their places in the order along the first axis, then the next."""
    held = np.zeros(len(points), bool)
    held[np.lexsort(points.T[::-1])[chosen]] = True
    return held
