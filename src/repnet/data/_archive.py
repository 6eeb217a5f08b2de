"""NumPy's archives of arrays: points and values, or a field on a grid."""

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np
from jaxtyping import Float

from repnet.data._dataset import Dataset, on_grid
from repnet.data._path import as_names, existing, pick, reason

NPY, ZIP = b"\x93NUMPY", b"PK"  # what the two forms of NumPy's files begin with
REAL = "buif"  # NumPy's kinds of real numbers
_UNEVEN = 1e-3  # of the step: what rounding to float32 may make it vary by
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
    >>> np.savez(path, x=np.linspace(0, 1, 5), t=np.linspace(0, 9, 4), z=np.ones((5, 4)))
    >>> data = read_npz(path)
    >>> data.input_names, data.grid_shape
    (('x', 't'), (5, 4))

    ```

    **Arguments:**

    - `path`: the file.
    - `inputs`: key or keys of the points, shape `(points,)` or `(points, dim)`, set side by side;
      or of the axes of a grid, one shape `(nodes,)` per axis of the target, in its order.
    - `target`: key of the values, shape `(points,)` or `(points, out)`, or the axes' lengths.

    Left out, they are `x` and `y`. Where those are no points and values, an array of 2 or 3 axes
    (the target, or the only one) is a field on the archive's 1-D arrays if these have the lengths
    of its axes, in order; and where there are no inputs, the target (or the only array that is no
    single number) is a field of 1 to 3 axes on the grid of its indices.

    **Returns:** a `Dataset`, scattered or on a grid. The nodes of axes at unequal steps are
    scattered: what uses a grid takes its steps to be equal.

    **Raises:** `ValueError`, in one line, for a file that is missing or corrupt, an unknown key
    (with those there are), arrays that are not real numbers, do not fit each other or fit in two
    ways, a value that is not finite, one row.

    **Source:** this project.
    """
    path = existing(path)
    arrays = _arrays(path)
    keys, key = as_names(inputs), target or "y"
    if not keys:
        keys, key = _default_keys(path, arrays, target)
    if not keys:
        return _field(path, key, _array(path, "target", key, arrays))
    if key in keys:
        raise ValueError(f"`{path}`: an array is an input or a target; {key!r} is named as both.")
    given = {name: _array(path, "inputs", name, arrays) for name in keys}
    values = _array(path, "target", key, arrays)
    if _are_axes(list(given.values()), values):
        return _on_axes(path, given, key, values)
    return _row_by_row(path, given, key, values)


def _default_keys(
    path: Path, arrays: dict[str, np.ndarray], target: str | None
) -> tuple[list[str], str]:
    """The keys of inputs and target if no inputs are named; none for a field on its indices."""
    values = target or "y"
    points = "x" in arrays and target != "x" and (target is not None or "y" in arrays)
    axes, field = _axes_and_field(arrays, target)
    if not axes:
        return (["x"], values) if points else ([], target or _only_field(path, arrays))
    if not (points and _have_equal_rows(arrays["x"], arrays[values])):
        return axes, field
    if field in ("x", "y"):
        return ["x"], values
    names = ", ".join(map(repr, axes))
    raise ValueError(
        f"`{path}` can be read in two ways, so `inputs` and `target` must be named: 'x' and "
        f"{values!r} as points and values, or {names} and {field!r} as axes and field."
    )


def _axes_and_field(arrays: dict[str, np.ndarray], target: str | None) -> tuple[list[str], str]:
    """The 1-D arrays if they are the axes of the target or of the only field; else none."""
    fields = [target] if target else [key for key, array in arrays.items() if array.ndim in (2, 3)]
    axes = [key for key, array in arrays.items() if array.ndim == 1 and array.dtype.kind in REAL]
    if len(fields) != 1 or fields[0] not in arrays:
        return [], ""
    found = _are_axes([arrays[key] for key in axes], arrays[fields[0]])
    return (axes, fields[0]) if found else ([], "")


def _are_axes(axes: Sequence[np.ndarray], field: np.ndarray) -> bool:
    """Whether 1-D arrays, two or more, have the lengths of the field's axes, in order."""
    return len(axes) > 1 and [axis.shape for axis in axes] == [(size,) for size in field.shape]


def _have_equal_rows(x: np.ndarray, y: np.ndarray) -> bool:
    return x.ndim in (1, 2) and y.ndim in (1, 2) and len(x) == len(y)


def _on_axes(path: Path, axes: dict[str, np.ndarray], key: str, values: np.ndarray) -> Dataset:
    if not values.size:
        raise ValueError(f"`{path}` must hold at least 2 rows of numbers; array {key!r} has none.")
    units = ("",) * (len(axes) + 1)
    nodes = on_grid(path.stem, values, list(axes.values()), tuple(axes), key, units, path.name)
    if not all(map(_has_equal_steps, axes.values())):
        nodes = replace(nodes, grid_shape=None)
    return at_least_two_rows(path, nodes)


def _has_equal_steps(axis: Float[np.ndarray, " nodes"]) -> bool:
    step = (axis[-1] - axis[0]) / max(1, len(axis) - 1)
    off = np.abs(axis - axis[0] - step * np.arange(len(axis)))
    return bool(step != 0 and np.all(off <= _UNEVEN * abs(step)))


def _row_by_row(path: Path, given: dict[str, np.ndarray], key: str, values: np.ndarray) -> Dataset:
    """Points side by side, and their values."""
    points = [_as_columns(path, name, array) for name, array in given.items()]
    y = _as_columns(path, key, values)
    if any(len(columns) != len(y) for columns in points):
        shapes = ", ".join(
            f"{name} {array.shape}" for name, array in [*given.items(), (key, values)]
        )
        raise ValueError(
            f"`{path}`: arrays must have equally many rows, or be the axes of a field and the "
            f"field, as x (40,), y (50,), z (40, 50) are; they are {shapes}."
        )
    names = [n for k, p in zip(given, points, strict=True) for n in numbered(k, p.shape[1])]
    targets = numbered(key, y.shape[1])
    dataset = Dataset(path.stem, np.hstack(points), y, tuple(names), targets, source=path.name)
    return at_least_two_rows(path, dataset)


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
            f"`{path}` must hold `x` and `y`, or one array, or a field and its axes (as x (40,), "
            f"y (50,), z (40, 50)), or be read with `inputs` and `target` named; it holds "
            f"{', '.join(f'{key} {array.shape}' for key, array in arrays.items()) or 'nothing'}."
        )
    return fields[0]


def _array(path: Path, argument: str, key: str, arrays: dict[str, np.ndarray]) -> np.ndarray:
    array = arrays[pick(str(path), argument, key, arrays)]
    if array.dtype.kind not in REAL:
        raise ValueError(f"`{path}`: array {key!r} must hold real numbers; it holds {array.dtype}.")
    return array.astype(np.float64)


def _as_columns(path: Path, key: str, array: np.ndarray) -> np.ndarray:
    if array.ndim not in (1, 2):
        raise ValueError(
            f"`{path}`: array {key!r} must have the shape (points,) or (points, columns); "
            f"it has {array.shape}. A field needs a 1-D array per axis, of its length, as `inputs`."
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
