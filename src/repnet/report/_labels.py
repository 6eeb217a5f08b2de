"""Words and numbers for people: names with units, rounded numbers, the data of a record."""

import dataclasses
import math
import shlex
from collections.abc import Mapping
from typing import Any

from repnet.report._record import Record
from repnet.report._style import with_unit


@dataclasses.dataclass(frozen=True)
class DataLabels:
    """What the axes of a record's figures are called."""

    layout: str
    inputs: tuple[str, ...]  # with units
    names: tuple[str, ...]  # without
    target: str  # with unit
    unit: str  # of the target
    input_units: tuple[str, ...]
    moving: tuple[int, ...]  # the inputs that are not constant

    def drawn(self) -> "DataLabels":
        """Labels of the inputs that curves and maps are drawn over."""
        wanted = {"line": 1, "map": 2, "scatter": 2}.get(self.layout)
        # Earlier versions drew constant inputs as well.
        axes = self.moving if len(self.moving) == wanted else tuple(range(len(self.inputs)))
        columns = ("inputs", "names", "input_units")
        kept = {name: tuple(getattr(self, name)[axis] for axis in axes) for name in columns}
        return dataclasses.replace(self, **kept, moving=tuple(range(len(axes))))


def data_labels(record: Record, target: int = 0) -> DataLabels | None:
    """Labels of a target from the record's `metrics`; `None` where it holds no data."""
    data = (record.metrics or {}).get("data")
    if not data:
        return None
    units = data["units"]
    names = tuple(data["inputs"])
    return DataLabels(
        data["layout"],
        tuple(with_unit(name, unit) for name, unit in zip(names, units, strict=False)),
        names,
        with_unit(data["targets"][target], units[len(names) + target]),
        units[len(names) + target],
        tuple(units[: len(names)]),
        tuple(axis for axis in range(len(names)) if data["lower"][axis] < data["upper"][axis]),
    )


def words_left_out(data: Mapping[str, Any]) -> str:
    """The columns that are no part of the data, of words or an index, as a sentence; or nothing.

    >>> words_left_out({"left_out": ["place", "remark"]}), words_left_out({})
    ('Columns left out: place, remark.', '')
    """
    names = data.get("left_out") or ()
    plural = "" if len(names) == 1 else "s"
    return f"Column{plural} left out: {', '.join(names)}." if names else ""


def number(value: Any, digits: int = 3) -> str:
    """A number as people write it, and a dash for none.

    >>> number(0.012345), number(161.8), number(1.2e-9), number(None), number(13863)
    ('0.0123', '162', '1.2e-9', '–', '13,863')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, int):
        return f"{value:,}"
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
        text = f"{value:,.{decimals}f}"
        return text
    mantissa, exponent = f"{value:.{digits - 2}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def seconds(value: float | None) -> str:
    """A time as people write it.

    >>> seconds(0.0123), seconds(5.26), seconds(83.0)
    ('12 ms', '5.3 s', '83 s')
    """
    if value is None:
        return "–"
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 10 else f"{value:.0f} s"


def command_line(record: Record) -> str:
    """The command that makes this run again, without what is chosen by itself.

    >>> from repnet.report import record_of
    >>> command_line(record_of("fit", {"data": "my tide.csv", "holdout": 0.2, "out": None}))
    "repnet fit 'my tide.csv' --holdout 0.2"
    """
    words = ["repnet", *record.command.split()]
    for argument, value in record.arguments.items():
        name = argument.replace("_", "-")
        if name in ("data", "folder", "points", "problem"):
            words.append(str(value))
        elif isinstance(value, list):
            words += [word for item in value for word in (f"--{name}", str(item))]
        elif value is True:
            words.append(f"--{name}")
        elif value is not None and value is not False and value != "auto":
            words += [f"--{name}", str(value)]
    return shlex.join(words)


def unknown_rows(
    unknowns: Mapping[str, Any] | None, errors: Mapping[str, Any] | None
) -> list[tuple[str, str, str, str, str]]:
    """Name, value, interval, truth and relative error of every unknown of a record.

    >>> unknown_rows({"k": {"value": 40.00001, "interval": [39.9, 40.1]}}, {"k": {"truth": 40.0}})
    [('k', '40', '39.9 to 40.1', '40', '–')]
    """
    rows = []
    for name, found in (unknowns or {}).items():
        error = (errors or {}).get(name) or {}
        interval = found["interval"]
        within = "–" if interval is None else " to ".join(map(_value, interval))
        wrong = number(error.get("relative_error"))
        rows.append((name, _value(found["value"]), within, _value(error.get("truth")), wrong))
    return rows


def _value(value: Any) -> str:
    """A number with six digits; of many the count."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return f"{len(value)} values" if len(value) > 3 else ", ".join(map(_value, value))
    return f"{value:.6g}"
