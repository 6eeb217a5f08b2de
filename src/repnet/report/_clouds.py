"""Cards of data in many dimensions: predicted against true, and slices of the fit."""

from collections.abc import Mapping

import numpy as np

from repnet.report._labels import DataLabels
from repnet.report._style import GREY, Card, colour, drawing, styled, to_svg

Arrays = Mapping[str, np.ndarray]


def cloud_cards(arrays: Arrays, labels: DataLabels, methods: list[str]) -> list[Card]:
    """Predicted against true at held-out points, and the fits through the middle of the box."""
    cards = []
    if "heldout_true" in arrays:
        cards = [against_truth(arrays, labels, methods), _residuals(arrays, labels, methods)]
    axes = [axis for axis in range(len(labels.inputs)) if f"slice_x:{axis}" in arrays]
    return cards + [_slice(arrays, labels, methods, axis) for axis in axes[:6]]


def against_truth(arrays: Arrays, labels: DataLabels, methods: list[str]) -> Card:
    """A cloud that hugs its diagonal where the fit is right."""
    true = arrays["heldout_true"]
    figure, axes = drawing(height=3.1)
    with styled():
        ends = [float(true.min()), float(true.max())]
        axes.plot(ends, ends, color=GREY, lw=1.0)
        for index, name in enumerate(methods):
            fit = arrays[f"heldout_fit:{name}"]
            axes.plot(true, fit, ".", ms=3.5, mew=0, color=colour(index), alpha=0.7, label=name,
                      rasterized=True)  # fmt: skip
        axes.set(xlabel=f"data: {labels.target}", ylabel=f"fit: {labels.target}")
        axes.grid(True)
        if len(methods) > 1:
            axes.legend(markerscale=4)
    caption = "Fit against data at held-out points, at most 4,000 of them; the line is equality."
    return Card("Predicted and true", to_svg(figure, "Predicted and true"), caption)


def _residuals(arrays: Arrays, labels: DataLabels, methods: list[str]) -> Card:
    errors = [arrays[f"heldout_fit:{name}"] - arrays["heldout_true"] for name in methods]
    shown = [error[np.isfinite(error)] for error in errors]
    reach = max((np.percentile(np.abs(e), 99.5) for e in shown if e.size), default=0.0) or 1.0
    figure, axes = drawing()
    with styled():
        for index, (name, error) in enumerate(zip(methods, shown, strict=True)):
            counts, edges = np.histogram(error, 60, (-reach, reach))
            axes.stairs(counts, edges, color=colour(index), label=name, lw=1.3)
        unit = f" [{labels.unit}]" if labels.unit else ""
        axes.set(xlabel=f"fit − data{unit}", ylabel="held-out points")
        axes.grid(True)
        if len(methods) > 1:
            axes.legend()
    caption = "How the errors at held-out points are spread."
    return Card("Residuals", to_svg(figure, "Residuals"), caption)


def _slice(arrays: Arrays, labels: DataLabels, methods: list[str], axis: int) -> Card:
    figure, axes = drawing(height=2.6)
    with styled():
        for index, name in enumerate(methods):
            fit = arrays[f"slice_fit:{axis}:{name}"]
            axes.plot(arrays[f"slice_x:{axis}"], fit, color=colour(index), label=name)
        axes.set(xlabel=labels.inputs[axis], ylabel=labels.target)
        axes.grid(True)
    title = f"Slice along {labels.names[axis]}"
    caption = "The fit on a line through the middle of the other inputs."
    return Card(title, to_svg(figure, title), caption)
