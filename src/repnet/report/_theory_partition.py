"""Cards of shallow ReLU networks: what slope scale and partition points do to the error."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from repnet.report._record import Record
from repnet.report._style import GREY, Card, colour, drawing, styled, to_svg

Arrays = Mapping[str, np.ndarray]
NAMES = ("vanilla", "RepNet")
_BINS = 30
_SHOWN = 3  # frequencies in one figure


def partition_groups(record: Record, arrays: Arrays) -> list[tuple[str, list[Card]]]:
    """Errors by frequency, slope scale and spread; then slopes and points over training."""
    middle = 2 + len(arrays["scales"])
    scales = _sweep(
        "Slope scale alone",
        arrays,
        arrays["scales"],
        slice(2, middle),
        "slope scale",
        "Partition points are even over the interval; only the slope scale of the start differs. "
        "Dashed: the best read-out for these points, which no slope changes.",
    )
    spreads = _sweep(
        "Partition points alone",
        arrays,
        arrays["spreads"],
        slice(middle, None),
        "half-width of the partition points",
        "The slope scale is that of RepNet; only where the units turn differs. Narrow: no "
        "turns near the ends; wide: most lie outside. Dashed: the best read-out.",
    )
    inside = [_slopes(arrays), *(_points(arrays, row) for row in range(2))]
    return [
        ("Error after training", [_by_frequency(arrays), scales, spreads]),
        ("Slopes and partition points over training", inside),
    ]


def _by_frequency(arrays: Arrays) -> Card:
    figure, axes = drawing()
    title = "Vanilla and RepNet"
    with styled():
        for row, name in enumerate(NAMES):
            ink = colour(row)
            axes.plot(arrays["frequencies"], arrays["error"][row], "o-", ms=3.5, color=ink,
                      label=name)  # fmt: skip
            axes.plot(arrays["frequencies"], arrays["attainable"][row], "--", lw=0.9, color=ink)
        _log(axes, arrays["frequencies"])
        _finish(axes, "k", "relative L2 error")
    caption = (
        "After training on sin(kx). Dashed: the best read-out for the partition points of the "
        "start. What lies between is what training did not reach."
    )
    return Card(title, to_svg(figure, title), caption)


def _sweep(
    title: str, arrays: Arrays, values: np.ndarray, rows: slice, across: str, caption: str
) -> Card:
    figure, axes = drawing()
    with styled():
        for index, turn in enumerate(_around(int(arrays["shown"]), len(arrays["frequencies"]))):
            ink = colour(index)
            label = f"k = {arrays['frequencies'][turn]:g}"
            axes.plot(values, arrays["error"][rows, turn], "o-", ms=3.5, color=ink, label=label)
            axes.plot(values, arrays["attainable"][rows, turn], "--", lw=0.9, color=ink)
        _log(axes, values)
        _finish(axes, across, "relative L2 error")
    return Card(title, to_svg(figure, title), caption)


def _around(place: int, count: int) -> range:
    """A few neighbouring frequencies, the telling one in the middle where there is room."""
    first = min(max(place - 1, 0), max(count - _SHOWN, 0))
    return range(first, min(first + _SHOWN, count))


def _slopes(arrays: Arrays) -> Card:
    figure, axes = drawing()
    title = "Slope scales"
    k = arrays["frequencies"][int(arrays["shown"])]
    with styled():
        found = np.maximum(arrays["slopes"], 1e-3)
        edges = np.geomspace(found.min() / 1.05, found.max() * 1.05, _BINS + 1)
        for row, name in enumerate(NAMES):
            after = np.histogram(found[row, -1], edges)[0]
            before = np.histogram(found[row, 0], edges)[0]
            axes.stairs(after, edges, color=colour(row), lw=1.2, label=name)
            axes.stairs(before, edges, color=colour(row), lw=1.0, ls=":")
        axes.set_xscale("log")
        axes.set_yscale("symlog", linthresh=10)
        _finish(axes, "slope |w|", "units")
    caption = f"Units by slope, fit of k = {k:g}. Dotted: before the training."
    return Card(title, to_svg(figure, title), caption)


def _points(arrays: Arrays, row: int) -> Card:
    figure, axes = drawing()
    title = f"Partition points, {NAMES[row]}"
    points = arrays["points"][row]
    with styled():
        edges = np.linspace(-1.5, 1.5, _BINS + 1)
        last = len(arrays["steps"]) - 1
        for time, line in ((0, ":"), (last, "-")):
            label = f"step {arrays['steps'][time]:,}"
            density = np.histogram(points[time], edges)[0] / np.diff(edges)
            axes.stairs(density, edges, color=colour(row), lw=1.2, ls=line, label=label)
        axes.axvspan(-1.0, 1.0, color=GREY, alpha=0.12, lw=0)
        _finish(axes, "x", "units per length")
    outside = int(np.sum(np.abs(points[-1]) > 1.0))
    caption = (
        f"Where the units turn; grey: the interval. After training {outside} of "
        f"{points.shape[1]} turn outside it."
    )
    return Card(title, to_svg(figure, title), caption)


def _log(axes: Any, values: np.ndarray) -> None:
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.minorticks_off()


def _finish(axes: Any, across: str, up: str) -> None:
    axes.set(xlabel=across, ylabel=up)
    axes.grid(True)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.1)
