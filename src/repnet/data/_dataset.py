"""A data set: points, values and what they are called, checked once at the door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float, Int

LARGEST = 1e150
"""Largest magnitude accepted: the square of anything beyond 1.3e154 overflows float64."""


@dataclass(frozen=True, eq=False)
class Dataset:
    r"""Points $x_i$ and values $y_i$ with names, units and source.

    ```python
    >>> data = Dataset("line", np.arange(3.0)[:, None], np.ones((3, 1)), ("x",), ("y",))
    >>> data.x.shape, data.grid_shape
    ((3, 1), None)

    ```

    **Arguments:**

    - `name`: what tables and figures call the set.
    - `x`: points, shape `(points, dim)`, float64.
    - `y`: values, shape `(points, out)`, float64.
    - `input_names`, `target_names`: one per column of `x`, of `y`.
    - `units`: one per input, then one per target; `""` where unknown. Left out: all unknown.
    - `source`: where the values come from.
    - `grid_shape`: the sizes of the tensor grid whose nodes, in C order, are the rows; `None` if
      scattered.
    - `left_out`: columns of the source that hold words or number the rows and are therefore no part
      of the set.
    - `origins`: by the name of a column that held dates, the date from which its seconds count.

    **Raises:** `ValueError` that names column, row and count for a value that is NaN, infinite or
    above 1e150, and for shapes and names that do not fit each other.

    **Source:** this project.
    """

    name: str
    x: Float[np.ndarray, "points dim"]
    y: Float[np.ndarray, "points out"]
    input_names: tuple[str, ...]
    target_names: tuple[str, ...]
    units: tuple[str, ...] = ()
    source: str = ""
    grid_shape: tuple[int, ...] | None = None
    left_out: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self):
        names = self.input_names + self.target_names
        if not self.units:
            object.__setattr__(self, "units", ("",) * len(names))
        self._check_shapes()
        for name, values in zip(names, [*self.x.T, *self.y.T], strict=True):
            check_values(self.name, name, values)

    def _check_shapes(self) -> None:
        for name in ("x", "y"):
            if getattr(self, name).ndim != 2:
                raise ValueError(
                    f"`{self.name}`: `{name}` must have the shape (points, columns); "
                    f"got {getattr(self, name).shape}."
                )
        if len(self.x) != len(self.y) or not len(self.x):
            raise ValueError(
                f"`{self.name}` needs one row of values per point, and at least one; "
                f"got {len(self.x)} points and {len(self.y)} rows of values."
            )
        for kind, names, columns in (
            ("input_names", self.input_names, self.x.shape[1]),
            ("target_names", self.target_names, self.y.shape[1]),
            ("units", self.units, self.x.shape[1] + self.y.shape[1]),
        ):
            if len(names) != columns:
                raise ValueError(
                    f"`{self.name}`: `{kind}` needs one entry per column, {columns}; got {names}."
                )
        if self.grid_shape is not None and np.prod(self.grid_shape) != len(self.x):
            raise ValueError(
                f"`{self.name}`: `grid_shape` must hold {len(self.x)} nodes; got {self.grid_shape}."
            )

    def take(self, rows: Int[np.ndarray, " rows"]) -> "Dataset":
        """The given rows, in the given order, no longer a grid."""
        return replace(self, x=self.x[rows], y=self.y[rows], grid_shape=None)


def check_values(owner: str, column: str, values: Float[np.ndarray, " points"]) -> None:
    """Raise `ValueError` where a column holds NaN, infinity or a magnitude above `LARGEST`.

    ```python
    >>> check_values("waves.csv", "height", np.array([1.0, np.nan]))
    Traceback (most recent call last):
    ValueError: `waves.csv`: column 'height' must be finite; row 2 has nan (1 such value).

    ```
    """
    for rule, bad in (
        ("be finite", ~np.isfinite(values)),
        (f"stay below {LARGEST:g} in magnitude", np.abs(values) > LARGEST),
    ):
        count = int(np.count_nonzero(bad))
        if count:
            row = int(np.argmax(bad))
            plural = "" if count == 1 else "s"
            raise ValueError(
                f"`{owner}`: column {column!r} must {rule}; "
                f"row {row + 1} has {values[row]:g} ({count} such value{plural})."
            )


def on_grid(
    name: str,
    values: np.ndarray,
    axes: Sequence[np.ndarray],
    input_names: tuple[str, ...],
    target_name: str,
    units: tuple[str, ...],
    source: str,
) -> Dataset:
    """The data set of an array of values on the tensor grid of its axes, flattened in C order."""
    x = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    y = np.asarray(values, np.float64).reshape(-1, 1)
    return Dataset(
        name, x.astype(np.float64), y, input_names, (target_name,), units, source, values.shape
    )


def holdout(dataset: Dataset, share: float, seed: int) -> tuple[Dataset, Dataset]:
    """Split the rows at random into a training set and a held-out test set.

    The test set holds the share of the rows, rounded; both keep the order the rows had.

    ```python
    >>> data = Dataset("line", np.arange(10.0)[:, None], np.ones((10, 1)), ("x",), ("y",))
    >>> train, test = holdout(data, 0.2, seed=0)
    >>> len(train.x), len(test.x)
    (8, 2)

    ```

    **Arguments:**

    - `dataset`: what to split.
    - `share`: the part that is held out, between 0 and 1.
    - `seed`: of NumPy's generator; the same seed gives the same rows.

    **Returns:** the training set and the test set; neither is a grid any more.

    **Raises:** `ValueError` for a share outside (0, 1), and where fewer than one row would be held
    out or fewer than two would be left.

    **Source:** this project.
    """
    if not 0 < share < 1:
        raise ValueError(f"`holdout(share=...)` must lie between 0 and 1; got {share}.")
    rows = len(dataset.x)
    held = round(share * rows)
    if held < 1 or rows - held < 2:
        raise ValueError(
            f"`holdout(share=...)` must hold out at least 1 row and leave at least 2; "
            f"{share:g} of the {rows} rows of {dataset.name!r} holds out {held}."
        )
    order = np.random.default_rng(seed).permutation(rows)
    return dataset.take(np.sort(order[held:])), dataset.take(np.sort(order[:held]))
