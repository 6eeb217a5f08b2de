"""Cards of two-dimensional data: truth, fits and errors with common colour limits."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from repnet.report._labels import DataLabels, number
from repnet.report._style import Card, drawing, styled, to_png, to_svg

Arrays = Mapping[str, np.ndarray]
COLOURS, ERROR_COLOURS = "viridis", "RdBu_r"


def map_cards(arrays: Arrays, labels: DataLabels, methods: list[str]) -> list[Card]:
    """The grid of the data, every fit, and every error."""
    limits = value_limits(arrays["truth"])
    cards = [_card("Data", arrays["truth"], arrays, labels, limits, "The data, all grid nodes.")]
    for name in methods:
        caption = f"{name} on the same nodes and with the same colours as the data."
        cards.append(_card(f"Fit: {name}", arrays[f"fit:{name}"], arrays, labels, limits, caption))
    reach = error_limit([arrays[f"error:{name}"] for name in methods]) if methods else 0.0
    for name in methods:
        rms = root_mean_square(arrays[f"error:{name}"])
        caption = (
            "Fit minus data at all nodes, those held out included; root mean square "
            f"{number(rms)} {labels.unit}".rstrip()
            + ". The colours end at "
            f"{'the same value for every method, ' if len(methods) > 1 else ''}"
            "the 99th percentile of the largest errors."
        )
        cards.append(_error_card(name, arrays[f"error:{name}"], arrays, labels, reach, caption))
    return cards


def scatter_cards(arrays: Arrays, labels: DataLabels, methods: list[str]) -> list[Card]:
    """The cloud of points, every fit as a map, and the errors at held-out points."""
    values = arrays["values"]
    limits = value_limits(values)
    figure, axes = drawing(height=3.1)
    with styled():
        dots = axes.scatter(
            *arrays["points"].T, c=values, s=6, lw=0, cmap=COLOURS, vmin=limits[0], vmax=limits[1],
            rasterized=True,
        )  # fmt: skip
        _finish(figure, axes, dots, labels, labels.target)
    which = "training points" if methods else "points"
    caption = f"The {which}, at most 4,000 of them, coloured by their values."
    cards = [Card("Data", to_svg(figure, "Data"), caption)]
    for name in methods:
        caption = f"{name} on a fine grid, left blank where no data are near."
        fit = arrays[f"fit:{name}"]
        cards.append(_card(f"Fit: {name}", fit, arrays, labels, limits, caption))
    if "heldout_true" in arrays:
        cards += _heldout_errors(arrays, labels, methods)
    return cards


def picture_of_map(
    arrays: Arrays, labels: DataLabels, methods: list[str], errors: Mapping[str, str]
) -> bytes:
    """One PNG: truth and fits above, their errors below; `errors` are headlines per method."""
    columns = 1 + len(methods)
    figure = Figure(figsize=(3.3 * columns, 5.6), layout="constrained")
    grid = figure.subplots(2, columns, squeeze=False)
    truth, limits = arrays["truth"], value_limits(arrays["truth"])
    image = _image(grid[0, 0], truth, arrays, labels, COLOURS, limits)
    grid[0, 0].set_title("truth")
    reach = error_limit([arrays[f"error:{name}"] for name in methods])
    error_image = None
    for column, name in enumerate(methods, 1):
        _image(grid[0, column], arrays[f"fit:{name}"], arrays, labels, COLOURS, limits)
        error = arrays[f"error:{name}"]
        error_image = _image(grid[1, column], error, arrays, labels, ERROR_COLOURS, (-reach, reach))
        grid[0, column].set_title(name)
        grid[1, column].set_title(errors[name], fontsize=10)
    for axes in grid.flat:
        axes.set(xticks=[], yticks=[])
    grid[1, 0].axis("off")
    figure.colorbar(image, ax=list(grid[0]), label=labels.target, shrink=0.9, extend="both")
    if error_image is not None:
        unit = f" [{labels.unit}]" if labels.unit else ""
        figure.colorbar(
            error_image, ax=list(grid[1]), label=f"fit − truth{unit}", shrink=0.9, extend="both"
        )
    return to_png(figure)


def value_limits(values: np.ndarray) -> tuple[float, float]:
    """Colour limits that a few outliers don't stretch."""
    shown = finite(values)
    if not shown.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(shown, [0.5, 99.5]))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def error_limit(errors: list[np.ndarray]) -> float:
    """One symmetric limit for all error maps: the largest 99th percentile."""
    sizes = [np.abs(finite(error)) for error in errors]
    reach = max((float(np.percentile(size, 99)) for size in sizes if size.size), default=0.0)
    return reach if reach > 0 else 1.0


def root_mean_square(values: np.ndarray) -> float:
    """Of the finite values; NaN without any."""
    shown = finite(values).astype(np.float64)
    return float(np.sqrt(np.mean(np.square(shown)))) if shown.size else float("nan")


def finite(values: np.ndarray) -> np.ndarray:
    """The finite values as one row: a network that ran away has none."""
    return values[np.isfinite(values)]


def _card(
    title: str,
    field: np.ndarray,
    arrays: Arrays,
    labels: DataLabels,
    limits: tuple[float, float],
    caption: str,
) -> Card:
    figure, axes = drawing(height=3.1)
    with styled():
        image = _image(axes, field, arrays, labels, COLOURS, limits)
        _finish(figure, axes, image, labels, labels.target)
    return Card(title, to_svg(figure, title), caption)


def _error_card(
    name: str,
    error: np.ndarray,
    arrays: Arrays,
    labels: DataLabels,
    reach: float,
    caption: str,
) -> Card:
    figure, axes = drawing(height=3.1)
    with styled():
        image = _image(axes, error, arrays, labels, ERROR_COLOURS, (-reach, reach))
        _finish(figure, axes, image, labels, _error_label(labels))
    return Card(f"Error: {name}", to_svg(figure, f"Error of {name}"), caption)


def _heldout_errors(arrays: Arrays, labels: DataLabels, methods: list[str]) -> list[Card]:
    errors = {name: arrays[f"heldout_fit:{name}"] - arrays["heldout_true"] for name in methods}
    reach = error_limit(list(errors.values())) if errors else 1.0
    cards = []
    for name, error in errors.items():
        figure, axes = drawing(height=3.1)
        with styled():
            dots = axes.scatter(
                *arrays["heldout_points"].T, c=error, s=9, lw=0, cmap=ERROR_COLOURS, vmin=-reach,
                vmax=reach, rasterized=True,
            )  # fmt: skip
            _finish(figure, axes, dots, labels, _error_label(labels))
        caption = "Fit minus data at the held-out points."
        cards.append(Card(f"Error: {name}", to_svg(figure, f"Error of {name}"), caption))
    return cards


def _error_label(labels: DataLabels) -> str:
    return f"fit − data [{labels.unit}]" if labels.unit else "fit − data"


def _image(
    axes: Axes,
    field: np.ndarray,
    arrays: Arrays,
    labels: DataLabels,
    colours: str,
    limits: tuple[float, float],
):
    """A field as pixels; see `_upright` for which axis goes where."""
    (start, end), (left, right) = (_apart(*arrays[f"extent:{axis}"].tolist()) for axis in range(2))
    upright = _upright(labels)
    return axes.imshow(
        field.T if upright else field,
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        origin="lower" if upright else "upper",
        extent=(start, end, left, right) if upright else (left, right, end, start),
        aspect=_aspect(arrays),
        interpolation="none",
    )


def _apart(start: float, end: float) -> tuple[float, float]:
    """The ends of an axis; some room around them where all points have one coordinate."""
    room = 0.0 if start != end else 0.5 * max(abs(start), 1.0)
    return start - room, end + room


def _upright(labels: DataLabels) -> bool:
    """Whether the first input runs to the right and the second upwards, as x and y do.

    Images and maps whose first input counts rows run downwards instead.
    """
    return labels.names[0] not in ("row", "south")


def _aspect(arrays: Arrays) -> Literal["equal", "auto"]:
    """True proportions, unless they would leave a sliver."""
    height, width = (abs(float(np.diff(arrays[f"extent:{axis}"])[0])) for axis in range(2))
    return "equal" if 0.25 <= height / max(width, 1e-300) <= 4 else "auto"


def _finish(figure: Figure, axes: Axes, mappable, labels: DataLabels, label: str) -> None:
    across, up = (0, 1) if _upright(labels) else (1, 0)
    axes.set(xlabel=labels.inputs[across], ylabel=labels.inputs[up])
    axes.tick_params(labelsize=8)
    axes.locator_params(nbins=5)
    bar = figure.colorbar(mappable, ax=axes, label=label, shrink=0.92, pad=0.02)
    bar.outline.set_visible(False)
