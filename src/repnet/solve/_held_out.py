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
    held = np.zeros(count, bool)
    held[np.lexsort(points.T[::-1])[chosen]] = True
    return held
