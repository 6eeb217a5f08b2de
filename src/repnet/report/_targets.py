"""Several targets: the errors of each, and the part of the arrays that draws it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from repnet.report._labels import number
from repnet.report._style import with_unit

MOST_TARGETS = 4  # that are drawn


def target_rows(metrics: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows of a table: RMSE and relative L2 error of every target per method.

    ```python
    >>> errors = [{"target": name, "rmse": 0.5, "relative_l2": 0.1} for name in ("left", "right")]
    >>> data = {"inputs": ["t"], "targets": ["left", "right"], "units": ["s", "V", "V"]}
    >>> target_rows({"data": data, "methods": {"RepNet": {"targets": errors}}})[1]
    [['left [V]', '0.500', '0.100'], ['right [V]', '0.500', '0.100']]

    ```

    **Returns:** columns and rows; none of either for one target and without held-out points.
    """
    methods = {name: found.get("targets") for name, found in (metrics.get("methods") or {}).items()}
    if not methods or not all(methods.values()):
        return [], []
    before = "" if len(methods) == 1 else "{}: "
    columns = ["target"]
    for name in methods:
        columns += [f"{before.format(name)}{what}" for what in ("held-out RMSE", "relative L2")]
    data = metrics["data"]
    units = data["units"][len(data["inputs"]) :]
    rows = []
    for index, (target, unit) in enumerate(zip(data["targets"], units, strict=True)):
        found = [errors[index] for errors in methods.values()]
        cells = [number(each[what]) for each in found for what in ("rmse", "relative_l2")]
        rows.append([with_unit(target, unit), *cells])
    return columns, rows


def shared_unit(data: Mapping[str, Any]) -> str:
    """The one unit of all targets, or none.

    >>> shared_unit({"inputs": ["t"], "units": ["s", "m", "m"]})
    'm'
    """
    units = set(data["units"][len(data["inputs"]) :])
    return units.pop() if len(units) == 1 else ""


def name_of(target: int) -> str:
    """What the names of a target's arrays begin with; the first one's are bare."""
    return "" if target == 0 else f"target:{target}:"


def arrays_of_target(arrays: Mapping[str, np.ndarray], target: int) -> dict[str, np.ndarray]:
    """The arrays that draw one target, under the names of the first."""
    start = name_of(target)
    return {name.removeprefix(start): a for name, a in arrays.items() if name.startswith(start)}
