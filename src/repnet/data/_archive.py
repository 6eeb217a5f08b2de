"""NumPy's archives of arrays: points and values, or a field on a grid."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from repnet.data._dataset import Dataset, on_grid
from repnet.data._path import as_names, existing, pick, reason

NPY, ZIP = b"\x93NUMPY", b"PK"  # what the two forms of NumPy's files begin with
AXES = (("time",), ("row", "column"), ("layer", "row", "column"))


def read_npz(
    path: str | PathLike[str],
    inputs: str | Sequence[str] | None = None,
    target: str | None = None,
) -> Dataset:
    """Read points and values from NumPy's archive of arrays.

    ```python
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "wave.npz"
    >>> np.savez(path, x=np.linspace(0, 1, 5), y=np.ones((5, 2)))
    >>> read_npz(path).y.shape
    (5, 2)

    ```

    **Arguments:**

    - `path`: the file.
    - `inputs`: key or keys of the points, shape `(points,)` or `(points, dim)`, set side by side;
      left out, `x`.
    - `target`: key of the values, shape `(points,)` or `(points, out)`; left out, `y`. Where there
      are no inputs, the target (or the only array that is no single number) is a field of 1 to 3
      axes on the grid of its indices.

    **Returns:** a `Dataset`, scattered or on the grid of indices.

    **Raises:** `ValueError`, in one line, for a file that is missing or corrupt, an unknown key
    (with those there are), arrays that are not real numbers or do not fit each other, a value
    that is not finite, one row.

    **Source:** this project.
    """
    path = existing(path)
    arrays = _arrays(path)
    keys = as_names(inputs) or (["x"] if _holds_points(arrays, target) else None)
    if keys is None:
        key = target or _only_field(path, arrays)
        return _field(path, key, _array(path, "target", key, arrays))
    if (target or "y") in keys:
        raise ValueError(
            f"`{path}`: an array is an input or a target; {target or 'y'!r} is named as both."
        )
    points = [_as_columns(path, key, _array(path, "inputs", key, arrays)) for key in keys]
    key = target or "y"
    y = _as_columns(path, key, _array(path, "target", key, arrays))
    counts = {name: len(values) for name, values in zip([*keys, key], [*points, y], strict=True)}
    if len(set(counts.values())) > 1:
        raise ValueError(f"`{path}`: arrays must have equally many rows; they have {counts}.")
    names = [n for k, p in zip(keys, points, strict=True) for n in numbered(k, p.shape[1])]
    return at_least_two_rows(
        path,
        Dataset(
            path.stem,
            np.hstack(points),
            y,
            tuple(names),
            numbered(key, y.shape[1]),
            source=path.name,
        ),
    )


def _holds_points(arrays: dict[str, np.ndarray], target: str | None) -> bool:
    """Whether `x` are the points of the target."""
    return "x" in arrays and target != "x" and (target is not None or "y" in arrays)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Every array of the archive. Pickled objects are refused: they can run code."""
    try:
        with open(path, "rb") as file:
            if not file.peek(len(NPY)).startswith((NPY, ZIP)):
                raise ValueError("it begins as neither .npz nor .npy does")
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {path.stem: loaded}
            return {key: loaded[key] for key in loaded.files}
    except Exception as error:  # a damaged header makes numpy raise almost anything
        # NumPy's advice to allow pickles would run code of the file's author.
        why = "it holds Python objects" if "allow_pickle" in str(error) else reason(error)
        raise ValueError(
            f"`{path}` must be an archive of arrays; reading it failed: {why}."
        ) from None


def _only_field(path: Path, arrays: dict[str, np.ndarray]) -> str:
    fields = [key for key, array in arrays.items() if array.ndim]
    if len(fields) != 1:
        raise ValueError(
            f"`{path}` must hold `x` and `y`, or one array, or be read with `target` named; "
            f"it holds {', '.join(map(repr, arrays)) or 'nothing'}."
        )
    return fields[0]


def _array(path: Path, argument: str, key: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
    array = arrays[pick(str(path), argument, key, arrays)]
    if array.dtype.kind not in "buif":
        raise ValueError(f"`{path}`: array {key!r} must hold real numbers; it holds {array.dtype}.")
    return array.astype(np.float64)


def _as_columns(path: Path, key: str, array: np.ndarray) -> np.ndarray:
    if array.ndim not in (1, 2):
        raise ValueError(
            f"`{path}`: array {key!r} must have the shape (points,) or (points, columns); "
            f"it has {array.shape}."
        )
    if not array.size:
        raise ValueError(f"`{path}` must hold at least 2 rows of numbers; array {key!r} has none.")
    return array.reshape(len(array), -1)


def _field(path: Path, key: str, array: np.ndarray) -> Dataset:
    """The values of one array on the grid of its indices."""
    if array.ndim not in (1, 2, 3):
        raise ValueError(
            f"`{path}`: array {key!r} must have 1 to 3 axes; its shape is {array.shape}."
        )
    if array.size < 2:
        raise ValueError(f"`{path}` must hold at least 2 rows of numbers; it has {array.size}.")
    names = AXES[array.ndim - 1]
    axes = [np.arange(size) for size in array.shape]
    units = ("indices",) * array.ndim + ("",)
    return on_grid(path.stem, array, axes, names, key, units, path.name)


def numbered(key: str, count: int) -> tuple[str, ...]:
    return (key,) if count == 1 else tuple(f"{key}{i + 1}" for i in range(count))


def at_least_two_rows(path: Path, dataset: Dataset) -> Dataset:
    if len(dataset.x) < 2:
        raise ValueError(f"`{path}` must hold at least 2 rows of numbers; it has {len(dataset.x)}.")
    return dataset
