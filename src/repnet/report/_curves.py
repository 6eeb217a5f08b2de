"""Cards of one-dimensional data: the curve, a close-up, the error."""

from collections.abc import Mapping

import numpy as np

from repnet.report._labels import DataLabels
from repnet.report._style import GREY, Card, colour, drawing, styled, to_svg

Arrays = Mapping[str, np.ndarray]


def line_cards(arrays: Arrays, labels: DataLabels, methods: list[str]) -> list[Card]:
    """Data with fits, a close-up of some wavelengths, and the errors over the axis."""
    cards = [_whole(arrays, labels, methods)]
    if methods:
        cards += [_close_up(arrays, labels, methods), _errors(arrays, labels, methods)]
    return cards


def _whole(arrays: Arrays, labels: DataLabels, methods: list[str]) -> Card:
    figure, axes = drawing()
    with styled():
        axes.plot(arrays["data_x"], arrays["data_y"], color=GREY, lw=1.0, label="data")
        for index, name in enumerate(methods):
            x, y = arrays[f"fit_x:{name}"], arrays[f"fit_y:{name}"]
            axes.plot(x, y, color=colour(index), lw=0.9, alpha=0.85, label=name)
        axes.set(xlabel=labels.inputs[0], ylabel=labels.target)
        _legend(axes)
    caption = "All data. Long curves are drawn by their outline, highest and lowest points kept."
    title = "Data and fit" if methods else "Data"
    return Card(title, to_svg(figure, title), caption)


def _close_up(arrays: Arrays, labels: DataLabels, methods: list[str]) -> Card:
    figure, axes = drawing()
    with styled():
        x, y = arrays["zoom_data_x"], arrays["zoom_data_y"]
        size = 2.5 if len(x) > 200 else 4.0
        axes.plot(x, y, "o", ms=size, mew=0, color=GREY, label="data")
        for index, name in enumerate(methods):
            fit = arrays[f"zoom_fit:{name}"]
            axes.plot(arrays["zoom_x"], fit, color=colour(index), lw=1.1, label=name)
        axes.set(xlabel=labels.inputs[0], ylabel=labels.target)
        _limit(axes, y)
        _legend(axes)
    caption = (
        "Close-up of the part where the data vary most. Dots are data, held-out ones included; "
        "the curve is the fit on 1,001 points, between the data too."
    )
    return Card("Close-up", to_svg(figure, "Close-up"), caption)


def _errors(arrays: Arrays, labels: DataLabels, methods: list[str]) -> Card:
    figure, axes = drawing()
    with styled():
        for index, name in enumerate(methods):
            x, y = arrays[f"error_x:{name}"], arrays[f"error_y:{name}"]
            axes.plot(x, y, color=colour(index), lw=0.8, label=name)
        unit = f" [{labels.unit}]" if labels.unit else ""
        axes.axhline(0.0, color=GREY, lw=0.6)
        axes.set(xlabel=labels.inputs[0], ylabel=f"fit − data{unit}")
        _legend(axes)
    caption = "Fit minus data at every point, held-out points included."
    return Card("Error", to_svg(figure, "Error"), caption)


def _limit(axes, y: np.ndarray) -> None:
    """Keep the data in view where a fit runs away between them."""
    if len(y):
        low, high = float(np.min(y)), float(np.max(y))
        room = 0.3 * (high - low) or 1.0
        axes.set_ylim(low - room, high + room)


def _legend(axes) -> None:
    axes.grid(True)
    axes.locator_params(axis="x", nbins=6)
    handles, names = axes.get_legend_handles_labels()
    if len(names) > 1:
        axes.legend(
            handles, names, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.1
        )
