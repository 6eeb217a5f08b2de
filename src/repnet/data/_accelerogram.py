"""Accelerograms: a ground acceleration at equal steps, checked once at the door."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from os import PathLike
from pathlib import Path

import numpy as np
import scipy  # its parts load at their first use
from jaxtyping import Float

from repnet.data._csv import read_csv
from repnet.data._dataset import check_values
from repnet.data._path import existing, pick

GRAVITY = 9.80665  # m/s²
UNITS = {"g": GRAVITY, "m/s2": 1.0, "m/s^2": 1.0, "m/s²": 1.0, "cm/s2": 0.01, "cm/s^2": 0.01,
         "cm/s²": 0.01, "gal": 0.01}  # fmt: skip
PEAKS = (0.01, 40.0)  # m/s²: felt by nobody, and twice the strongest recorded
STEPS = (2e-4, 0.1)  # seconds
_FEWEST = 64
_UNEVEN = 0.02  # of the step: what rounding of the times may make it vary by
_ORDER = 2_000  # largest denominator of a ratio of steps


@dataclass(frozen=True, eq=False)
class Accelerogram:
    """A ground acceleration at equal steps from time 0.

    ```python
    >>> record = Accelerogram("pulse", np.sin(np.arange(200) / 9.0), 0.01)
    >>> record.duration, record.peak > 0.99
    (1.99, True)

    ```

    **Arguments:**

    - `name`: of the record.
    - `acceleration`: m/s², shape `(samples,)`.
    - `step`: seconds.
    - `earthquake`, `station`: where it was recorded; records of one earthquake belong together.
    - `source`: where the values come from.

    **Raises:** `ValueError` for fewer than 64 samples, values that are not finite, a step outside
    0.0002 to 0.1 s, and a peak outside 0.01 to 40 m/s², which another unit explains.

    **Source:** this project.
    """

    name: str
    acceleration: Float[np.ndarray, " samples"]
    step: float
    earthquake: str = ""
    station: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        check_values(self.name, "acceleration", self.acceleration)
        if len(self.acceleration) < _FEWEST:
            raise ValueError(
                f"`{self.name}` must hold at least {_FEWEST} samples; it has "
                f"{len(self.acceleration)}."
            )
        if not STEPS[0] <= self.step <= STEPS[1]:
            raise ValueError(
                f"`{self.name}`: the step must lie between {STEPS[0]:g} and {STEPS[1]:g} s; "
                f"got {self.step:g}."
            )
        if not PEAKS[0] <= self.peak <= PEAKS[1]:
            raise ValueError(
                f"`{self.name}`: the peak must lie between {PEAKS[0]:g} and {PEAKS[1]:g} m/s²; "
                f"got {self.peak:.4g}. Is the unit right? It is one of g, m/s2, cm/s2 (gal)."
            )

    @property
    def peak(self) -> float:
        """Largest acceleration, m/s²."""
        return float(np.abs(self.acceleration).max())

    @property
    def duration(self) -> float:
        """Time of the last sample, seconds."""
        return (len(self.acceleration) - 1) * self.step

    @property
    def drift(self) -> float:
        """The integral of the acceleration over its largest value on the way: 0 of a baseline.

        Above about one half, the record's baseline is off: the ground would still move at the end.
        """
        velocity = self.step * np.cumsum(self.acceleration)
        return float(np.abs(velocity[-1]) / np.abs(velocity).max())

    def resampled(self, step: float) -> "Accelerogram":
        """The record at another step, without what the coarser of the two can't show.

        A polyphase filter with a Kaiser window removes what lies above the lower of the two
        Nyquist frequencies; the ratio of steps is rounded to a fraction of at most 2,000ths.

        **Source:** `scipy.signal.resample_poly`.
        """
        ratio = Fraction(self.step / step).limit_denominator(_ORDER)
        if ratio == 1:
            return self
        values = scipy.signal.resample_poly(self.acceleration, ratio.numerator, ratio.denominator)
        return replace(self, acceleration=values, step=step)


def read_accelerogram(
    path: str | PathLike[str], *, unit: str | None = None, step: float | None = None
) -> Accelerogram:
    """Read an accelerogram: PEER's AT2, or a table of times and accelerations.

    A table has two columns, times in seconds and accelerations, or one, with `step` given. The
    unit is `unit`, or stands in brackets behind the column's name.

    ```python
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "quake.csv"
    >>> rows = [f"{0.02 * k:.2f},{0.1 * np.sin(k / 5.0):.6f}" for k in range(100)]
    >>> _ = path.write_text("time (s),acceleration (g)\\n" + "\\n".join(rows))
    >>> record = read_accelerogram(path)
    >>> round(record.step, 9), round(record.peak, 3)
    (0.02, 0.981)

    ```

    **Arguments:** `unit`: g, m/s2, cm/s2 or gal. An AT2 file is in g and knows its step: what is
    given must agree.

    **Returns:** the `Accelerogram` in m/s².

    **Raises:** `ValueError` for what is not such a file, uneven or missing steps, a missing or
    unknown unit, and whatever `Accelerogram` refuses.

    **Source:** the AT2 form: PEER NGA ground-motion database.
    """
    path = existing(path)
    if path.suffix.lower() == ".at2":
        values, own = _at2(path)
        if unit and _factor(path, unit) != GRAVITY:
            raise ValueError(f"`unit` must be g for `{path}`, an AT2 file; got {unit!r}.")
        _require_step(path, step, own, "DT")
        return Accelerogram(path.stem, values * GRAVITY, own, source=path.name)
    table = read_csv(path)
    values, named = table.y[:, -1], table.units[-1]
    if table.x.shape[1] != 1 or table.y.shape[1] != 1:
        count = table.x.shape[1] + table.y.shape[1]
        raise ValueError(f"`{path}` must have a column of times and one of values; it has {count}.")
    if table.input_names == ("row",):
        if step is None:
            raise ValueError(f"`{path}` holds no times, so `step` must be given, in seconds.")
    else:
        step = _step_of(path, table.x[:, 0], step)
    return Accelerogram(path.stem, values * _factor(path, unit or named), step, source=path.name)


def _factor(path: Path, unit: str) -> float:
    if not unit:
        raise ValueError(
            f"`{path}` names no unit, so `unit` must be given: one of {', '.join(UNITS)}."
        )
    return UNITS[pick(str(path), "unit", unit.lower().replace(" ", ""), UNITS)]


def _step_of(path: Path, times: np.ndarray, given: float | None) -> float:
    steps = np.diff(times)
    step = float((times[-1] - times[0]) / (len(times) - 1))
    bad = np.abs(steps - step) > _UNEVEN * abs(step) + 1e-6
    if step <= 0:
        raise ValueError(
            f"`{path}` must have times that grow; they run from {times[0]:g} to {times[-1]:g}."
        )
    if bad.any():
        row = int(bad.argmax()) + 1
        raise ValueError(
            f"`{path}` must have times at equal steps; between rows {row} and {row + 1} the step "
            f"is {steps[row - 1]:.6g} s, {step:.6g} s on average."
        )
    _require_step(path, given, step, "times")
    return step


def _require_step(path: Path, given: float | None, own: float, what: str) -> None:
    if given is not None and not abs(given - own) <= _UNEVEN * own:
        raise ValueError(
            f"`step` must agree with the {what} of `{path}`: {own:.6g} s, not {given}."
        )


def _at2(path: Path) -> tuple[np.ndarray, float]:
    """Values and step of PEER's form: four lines of header, then numbers."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        head = " ".join(lines[:4])
        number = r"([0-9]*\.?[0-9]+(?:[eE][-+]?\d+)?)"
        count = re.search(r"NPTS\s*=\s*(\d+)", head, re.IGNORECASE)
        step = re.search(rf"DT\s*=\s*{number}", head, re.IGNORECASE)
        if count is None or step is None:  # the older header: numbers before their names
            both = re.search(rf"(\d+)\s+{number}\s+NPTS\s*,?\s*DT", head, re.IGNORECASE)
            if both is None:
                raise ValueError("its fourth line gives no NPTS and DT")
            points, seconds = int(both.group(1)), float(both.group(2))
        else:
            points, seconds = int(count.group(1)), float(step.group(1))
        values = np.array(" ".join(lines[4:]).split(), np.float64)
        if len(values) != points:
            raise ValueError(f"it announces {points} values and holds {len(values)}")
    except ValueError as error:
        raise ValueError(f"`{path}` must be an AT2 file; {error}.") from None
    return values, seconds
