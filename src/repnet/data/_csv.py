"""Tables of text: comma, semicolon, tab, bar or space separated, with a header or without."""

import csv
import gzip
import re
import zlib
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from repnet.data._cells import is_date, is_number, read_cells
from repnet.data._dataset import Dataset, check_values
from repnet.data._path import as_names, existing, pick, reason

SNIFFED_LINES = 50
DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+([eE][+-]?\d+)?\s*")
Wanted = tuple[list[str] | None, list[str] | None]  # inputs and targets; `None`: left out


def read_csv(
    path: str | PathLike[str],
    inputs: str | Sequence[str] | None = None,
    target: str | Sequence[str] | None = None,
    *,
    fewest: int = 2,
    origins: Mapping[str, str] | None = None,
) -> Dataset:
    """Read a table of text, compressed with gzip or not.

    The separator is found from the first lines. The first row is a header if no cell of it is a
    number or a date; without one the columns are called `column1`, `column2`, … A unit in brackets
    at the end of a name is taken as the column's unit. A column of ISO 8601 dates becomes seconds
    since its earliest, which `Dataset.origins` keeps; those without a zone are UTC. Where the
    separator is no comma, a comma may stand for the decimal point: `1,234` is then 1.234.

    ```python
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "tide.csv"
    >>> _ = path.write_text("hour,place,height (m)\\n0,pier,1.5\\n1,pier,1.7\\n")
    >>> data = read_csv(path)
    >>> data.input_names, data.target_names, data.units, data.y.tolist()
    (('hour',), ('height (m)',), ('', 'm'), [[1.5], [1.7]])

    ```

    **Arguments:**

    - `path`: the file.
    - `inputs`: names of the input columns; left out, every numeric column that is no target. A
      table of targets alone is a signal, and its rows' numbers from 0 are the input; of a table
      with other columns they are where `inputs` is an empty list.
    - `target`: name or names of the target columns, or an empty list for points alone; left out,
      the last column that is no input.
    - `fewest`: rows that there must be.
    - `origins`: ISO 8601 dates by the names of columns: dates there become seconds since these. A
      column of numbers stays as it is.

    **Returns:** a scattered `Dataset` in the order of the rows; its `left_out` names what was not
    asked for: columns of words, and as `index` a first column without a name that counts the rows
    from 0, as pandas writes it. A column with neither name nor cells, behind a separator at the end
    of every line, is none.

    **Raises:** `ValueError`, in one line, for a file that is missing, empty, not text in UTF-8 or
    ragged, for too few rows, for a column that is not there (with the names that are), is needed
    and not numeric (with its first bad row) or holds missing or infinite values (with first row and
    count), and where the only columns beside the targets hold words, such as dates of another form.

    **Source:** this project.
    """
    path = existing(path)
    cells = _columns(path, fewest)
    wanted = as_names(inputs), as_names(target)
    origins = origins or {}
    _require_known(path, cells, wanted, origins)
    left_out = _take_index(cells, wanted)
    table, dates = _numbers(path, cells, wanted, origins)
    words = [name for name in cells if name not in table] if None in wanted else []
    _require_target(path, cells, words, *wanted)
    chosen_inputs, chosen_target = _roles(path, list(table), *wanted)
    rows = len(next(iter(table.values())))
    if not chosen_inputs:
        if wanted[0] is None:
            _refuse_words(path, cells, words, chosen_target)
        number = next(name for name in ("row", "row number", "number") if name not in table)
        table[number] = np.arange(rows, dtype=np.float64)
        chosen_inputs = [number]
    used = chosen_inputs + chosen_target
    return Dataset(
        name=path.name.split(".")[0],
        x=_side_by_side(table, chosen_inputs, rows),
        y=_side_by_side(table, chosen_target, rows),
        input_names=tuple(chosen_inputs),
        target_names=tuple(chosen_target),
        units=tuple("s" if name in dates else _unit(name) for name in used),
        source=path.name,
        left_out=tuple(left_out + words),
        origins={name: dates[name] for name in used if name in dates},
    )


def _named(wanted: Wanted) -> set[str]:
    return {name for names in wanted for name in names or ()}


def _side_by_side(table: dict[str, np.ndarray], names: list[str], rows: int) -> np.ndarray:
    return np.stack([table[name] for name in names], axis=1) if names else np.zeros((rows, 0))


def _columns(path: Path, fewest: int) -> dict[str, tuple[str, ...]]:
    """The cells of every column by its name, without those that have neither."""
    rows = _rows(path)
    if not rows:
        raise ValueError(f"`{path}` must hold rows of numbers; it is empty.")
    header = not any(is_number(cell) or is_date(cell) for cell in rows[0])
    cells = rows[1:] if header else rows
    _require_rows(path, cells, len(rows[0]), fewest)
    columns = list(zip(*cells, strict=True))
    named = [name.strip() if header else "" for name in rows[0]]
    kept = [i for i, name in enumerate(named) if name or any(map(str.strip, columns[i]))]
    if not kept:
        raise ValueError(f"`{path}` must hold rows of numbers; its cells are empty.")
    names = [named[i] if header else f"column{i + 1}" for i in kept]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise ValueError(f"`{path}` must name each column once; {repeated!r} stands twice.")
    return dict(zip(names, (columns[i] for i in kept), strict=True))


def _require_rows(path: Path, cells: list[list[str]], width: int, fewest: int) -> None:
    if len(cells) < fewest:
        rows = "1 row" if fewest == 1 else f"{fewest} rows"
        raise ValueError(f"`{path}` must hold at least {rows} of numbers; it has {len(cells)}.")
    for number, row in enumerate(cells, 1):
        if len(row) != width:
            raise ValueError(
                f"`{path}` must have {width} cells in every row; row {number} has {len(row)}."
            )


def _require_known(
    path: Path, columns: dict[str, tuple[str, ...]], wanted: Wanted, origins: Mapping[str, str]
) -> None:
    for argument, chosen in zip(("inputs", "target"), wanted, strict=True):
        for name in chosen or ():
            pick(str(path), argument, name, columns)
    for name, origin in origins.items():
        if not is_date(origin):
            raise ValueError(f"`origins` must be ISO 8601 dates; {name!r} has {origin!r}.")


def _take_index(columns: dict[str, tuple[str, ...]], wanted: Wanted) -> list[str]:
    """Remove a first column that has no name, counts the rows from 0 and is not asked for."""
    name, cells = next(iter(columns.items()))
    counts = all(cell == str(row) for row, cell in enumerate(cells))
    if name or not counts or None not in wanted or "" in _named(wanted):
        return []
    del columns[""]
    return ["index"]


def _rows(path: Path) -> list[list[str]]:
    """The cells of every line that is neither blank nor a comment."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
            lines = [line for line in file if line.strip() and not line.startswith("#")]
        return _split(lines, _separator(lines))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"`{path}` must be a table of text in UTF-8; it holds other bytes, such as "
            f"0x{error.object[error.start]:02x}."
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error, csv.Error) as error:
        raise ValueError(
            f"`{path}` must be a table of text; reading it failed: {reason(error)}."
        ) from None


def _separator(lines: list[str]) -> str | None:
    """The separator that cuts all of the first lines into the same number of cells; `None`: blanks.

    The comma comes after those that a comma may stand beside, as a decimal mark or in a text.
    """
    first = lines[:SNIFFED_LINES]
    ragged = None
    for separator in ("\t", ";", "|", ","):
        widths = {len(row) for row in csv.reader(first, delimiter=separator)}
        if separator == "," and _only_decimal_commas(first[1:]):
            return None
        if len(widths) == 1 and widths != {1}:
            return separator
        if len(widths) > 1:
            ragged = separator
    return ragged


def _only_decimal_commas(lines: list[str]) -> bool:
    """Whether blanks cut lines with commas into two numbers or more."""
    rows = [line.split() for line in lines]
    return (
        any("," in line for line in lines)
        and {len(row) for row in rows}.isdisjoint({0, 1})
        and all(is_number(_with_point(cell)) for row in rows for cell in row)
    )


def _split(lines: list[str], separator: str | None) -> list[list[str]]:
    if separator is not None:
        rows = list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
    elif lines[1:] and all(len(line.split()) == 1 for line in lines[1:]):
        rows = [[line.strip()] for line in lines]  # one column, whose name may hold blanks
    else:
        rows = [line.split() for line in lines]
    if separator == "," or not any("," in line for line in lines):
        return rows
    return [[_with_point(cell) for cell in row] for row in rows]


def _with_point(cell: str) -> str:
    """A number with a decimal comma as one with a point; any other cell as it is."""
    return cell.replace(",", ".") if "," in cell and DECIMAL_COMMA.fullmatch(cell) else cell


def _numbers(
    path: Path, columns: dict[str, tuple[str, ...]], wanted: Wanted, origins: Mapping[str, str]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The numeric columns, and the origins of those that were dates; unwanted text is left out."""
    named = _named(wanted)
    table, dates = {}, {}
    for name, cells in columns.items():
        if None not in wanted and name not in named:
            continue
        values, origin = read_cells(
            path, name, cells, needed=name in named, origin=origins.get(name)
        )
        if values is not None:
            check_values(str(path), name, values)
            table[name] = values
        if origin is not None:
            dates[name] = origin
    return table, dates


def _require_target(
    path: Path,
    columns: dict[str, tuple[str, ...]],
    words: list[str],
    inputs: list[str] | None,
    target: list[str] | None,
) -> None:
    """Refuse words where the target is expected: the column before them may be no target."""
    free = [name for name in columns if name not in (inputs or ())]
    if target is None and free and free[-1] in words and len(words) < len(columns):
        raise ValueError(
            f"`{path}`: column {free[-1]!r}, the last and so the target while `target` is left "
            f"out, must be numeric; row 1 has {columns[free[-1]][0]!r}."
        )


def _refuse_words(
    path: Path, columns: dict[str, tuple[str, ...]], words: list[str], target: list[str]
) -> None:
    """Refuse words where the input is expected: the rows' numbers would silently stand for it."""
    if words:
        raise ValueError(
            f"`{path}` must have a numeric column beside the target {target[0]!r}; column "
            f"{words[0]!r} holds words, the first {columns[words[0]][0]!r}. Dates must be "
            "ISO 8601, such as 2023-01-31T12:00."
        )


def _roles(
    path: Path, numeric: list[str], inputs: list[str] | None, target: list[str] | None
) -> tuple[list[str], list[str]]:
    """Which columns are inputs and which are targets."""
    if not numeric:
        raise ValueError(f"`{path}` must have a numeric column; it has none.")
    if target is None:
        free = [name for name in numeric if name not in (inputs or ())]
        if not free:
            raise ValueError(
                f"`{path}`: `inputs` must leave a numeric column for the target; got {inputs}."
            )
        target = free[-1:]
    if inputs is None:
        inputs = [name for name in numeric if name not in target]
    shared = [name for name in inputs if name in target]
    if shared:
        raise ValueError(
            f"`{path}`: a column is an input or a target; {shared[0]!r} is named as both."
        )
    return inputs, target


def _unit(name: str) -> str:
    found = re.search(r"[\[(]([^\[\]()]*)[\])]\s*$", name)
    return found.group(1) if found else ""
