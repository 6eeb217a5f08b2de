"""From words on the command line to data sets, networks and solvers."""

import dataclasses
import difflib
import math
from collections.abc import Iterable
from pathlib import Path

import repnet.data
from repnet.data import Dataset
from repnet.judge._bands import grid_of

BUILT_IN = ("terrain", "sea_floor", "camera", "heart", "sea_surface_temperature")
METHODS = ("auto", "repnet", "vanilla", "fourier", "siren")
SOLVERS = ("auto", "least-squares", "windows", "radial", "gradient")


def pick(option: str, name: str, names: Iterable[str]) -> str:
    """The name, if it is known.

    >>> pick("--solver", "gradiant", SOLVERS)
    Traceback (most recent call last):
    ValueError: `--solver` must be one of auto, least-squares, windows, radial, gradient; got \
'gradiant'. Did you mean 'gradient'?
    """
    names = list(names)
    if name in names:
        return name
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"`{option}` must be one of {', '.join(names)}; got {name!r}.{hint}")


def load(data: str, inputs: str | None = None, target: str | None = None) -> Dataset:
    """A built-in data set by name, or a file.

    **Raises:** `ValueError` for an unknown name and whatever the readers refuse.
    """
    if data in BUILT_IN:
        if inputs or target:
            raise ValueError(
                f"`--inputs` and `--target` are for files; {data!r} is a built-in data set."
            )
        return getattr(repnet.data, data)()
    if not Path(data).suffix and not Path(data).exists():
        names = ", ".join(BUILT_IN)
        close = difflib.get_close_matches(data, BUILT_IN, n=1, cutoff=0.4)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"`DATA` must be a file that exists or one of {names}; got {data!r}.{hint}"
        )
    return _with_grid(_read(data, _names(inputs), _names(target)))


def _read(data: str, inputs: list[str] | None, targets: list[str] | None) -> Dataset:
    if targets is not None and len(targets) > 1:  # which only tables of text have
        return repnet.data.read_csv(data, inputs, targets)
    return repnet.data.read_table(data, inputs, targets[0] if targets else None)


def _with_grid(data: Dataset) -> Dataset:
    """The data set with its grid, if its rows are the nodes of one in order."""
    if data.grid_shape is not None:
        return data
    return dataclasses.replace(data, grid_shape=grid_of(data.x))


def _names(columns: str | None) -> list[str] | None:
    """The names in a list with commas; `None` stays.

    >>> _names("south, east")
    ['south', 'east']
    """
    if columns is None:
        return None
    return [name.strip() for name in columns.split(",") if name.strip()]


def read_scale(text: str) -> float | None:
    """The number of `--scale`, or `None` for `auto`.

    >>> read_scale("auto"), read_scale("12.5")
    (None, 12.5)
    """
    if text == "auto":
        return None
    try:
        scale = float(text)
    except ValueError:
        scale = math.nan
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"`--scale` must be auto or a number above 0; got {text!r}.")
    return scale


def require_positive(option: str, value: int | None) -> None:
    """Refuse a count below 1."""
    if value is not None and value < 1:
        raise ValueError(f"`{option}` must be at least 1; got {value}.")


def read_numbers(option: str, text: str) -> list[float]:
    """Numbers above 0, separated by commas.

    **Raises:** `ValueError` for none, and for one that is no such number.

    >>> read_numbers("--scales", "1,2.5")
    [1.0, 2.5]
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    try:
        found = [float(word) for word in words]
    except ValueError:
        found = []
    if not found or not all(math.isfinite(value) and value > 0 for value in found):
        raise ValueError(f"`{option}` must be numbers above 0, such as 1,2,4; got {text!r}.")
    return found


def read_counts(option: str, text: str) -> list[int]:
    """Whole numbers above 0, separated by commas.

    >>> read_counts("--depths", "1, 2")
    [1, 2]
    """
    found = read_numbers(option, text)
    if not all(value.is_integer() for value in found):
        raise ValueError(f"`{option}` must be whole numbers above 0, such as 1,2; got {text!r}.")
    return [int(value) for value in found]
