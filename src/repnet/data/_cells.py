"""What the cells of a column say: numbers, dates, that there is no value, or words."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

MISSING = {"", "na", "n/a", "null", "none", "nan"}


def read_cells(
    path: Path, name: str, cells: tuple[str, ...], *, needed: bool, origin: str | None = None
) -> tuple[np.ndarray | None, str | None]:
    """The values of a column, `None` for words, and the origin that dates are counted from.

    **Arguments:**

    - `needed`: words are a fault.
    - `origin`: of dates; left out, their earliest.

    **Raises:** `ValueError` that names the first row which breaks the rule.

    >>> read_cells(Path("tide.csv"), "hour", ("0", "1.5"), needed=True)
    (array([0. , 1.5]), None)
    >>> read_cells(Path("tide.csv"), "when", ("2023-01-31", "2023-01-31T12:00"), needed=True)
    (array([    0., 43200.]), '2023-01-31T00:00:00+00:00')
    """
    try:
        if any("_" in cell for cell in cells):
            raise ValueError
        return np.fromiter(map(float, cells), np.float64, len(cells)), None
    except ValueError:
        cells = tuple(cell.strip() for cell in cells)
    if _mostly(is_date, cells):
        return _seconds(path, name, cells, origin)
    if needed or _mostly(is_number, cells):
        return _with_gaps(path, name, cells), None
    return None, None


def _with_gaps(path: Path, name: str, cells: tuple[str, ...]) -> np.ndarray:
    """Numbers, with NaN where the cell says that there is none."""
    for row, cell in enumerate(cells, 1):
        if not is_number(cell) and cell.lower() not in MISSING:
            raise ValueError(f"`{path}`: column {name!r} must be numeric; row {row} has {cell!r}.")
    return np.array([float(cell) if is_number(cell) else np.nan for cell in cells])


def _seconds(
    path: Path, name: str, cells: tuple[str, ...], origin: str | None
) -> tuple[np.ndarray, str]:
    """Seconds since the origin, and the origin with its zone."""
    for row, cell in enumerate(cells, 1):
        if not is_date(cell):
            raise ValueError(
                f"`{path}`: column {name!r} must be all dates; row {row} has {cell!r}."
            )
    stamps = [_stamp(cell) for cell in cells]
    start = min(stamps) if origin is None else _stamp(origin)
    return np.array([(stamp - start).total_seconds() for stamp in stamps]), start.isoformat()


def _stamp(date: str) -> datetime:
    stamp = datetime.fromisoformat(date)
    return stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)


def _mostly(test: Callable[[str], bool], cells: tuple[str, ...]) -> bool:
    """Whether a column is meant as numbers or dates: then a word in it is a fault, no label."""
    present = [cell for cell in cells if cell.lower() not in MISSING]
    return bool(present) and 2 * sum(map(test, present)) >= len(present)


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # which Python takes for a separator of digits


def is_date(cell: str) -> bool:
    try:
        datetime.fromisoformat(cell)
    except ValueError:
        return False
    return True
