"""A data set in two parts: one to learn from, one to judge by."""

import dataclasses

import numpy as np
from jaxtyping import Int

from repnet.data import Dataset, holdout


@dataclasses.dataclass(frozen=True, eq=False)
class Parts:
    """A data set, its training and held-out sets, and the rows of the latter.

    Without a held-out set, `test` is `None` and there are no rows.
    """

    data: Dataset
    train: Dataset
    test: Dataset | None
    test_rows: Int[np.ndarray, " rows"]


def split(data: Dataset, share: float, seed: int) -> Parts:
    """Hold out a share of the rows at random; 0 holds out none.

    **Raises:** `ValueError` for a share outside [0, 1) or with too few rows on either side.
    """
    if share == 0:
        return Parts(data, data, None, np.zeros(0, np.int64))
    if not 0 < share < 1:
        raise ValueError(f"`--holdout` must be 0 or lie between 0 and 1; got {share:g}.")
    rows, held = len(data.x), round(share * len(data.x))
    if held < 1 or rows - held < 2:
        raise ValueError(
            "`--holdout` must hold out at least 1 row and leave at least 2; "
            f"{share:g} of the {rows} rows of {data.name!r} holds out {held}."
        )
    train, test = holdout(data, share, seed)
    return Parts(data, train, test, _held_rows(data, share, seed))


def _held_rows(data: Dataset, share: float, seed: int) -> Int[np.ndarray, " rows"]:
    """The rows that `holdout` holds out, found by splitting their numbers."""
    numbers = np.arange(len(data.x), dtype=np.float64)[:, None]
    numbered = dataclasses.replace(data, y=numbers, target_names=("row",), units=())
    return holdout(numbered, share, seed)[1].y[:, 0].astype(np.int64)
