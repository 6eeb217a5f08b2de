"""Maps of a solved equation: solution, error and residual on planes, and one picture of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from repnet.report._labels import number
from repnet.report._maps import (
    COLOURS,
    ERROR_COLOURS,
    error_limit,
    finite,
    root_mean_square,
    value_limits,
)
from repnet.report._style import Card, drawing, styled, to_png, to_svg

Arrays = Mapping[str, np.ndarray]
MOST_OUTPUTS = 3
RESIDUAL_COLOURS = "magma"
DECADES = 1e-5  # the darkest residual over the brightest


def plane_cards(arrays: Arrays, about: Mapping[str, Any]) -> list[Card]:
    """Solution, error and residuals on every plane."""
    planes = [name.split(":")[1] for name in arrays if name.startswith("value:")]
    cards = []
    for output, target in enumerate(about["targets"][:MOST_OUTPUTS]):
        values = [arrays[f"value:{plane}"][..., output] for plane in planes]
        limits = value_limits(np.stack(values))
        for plane, value in zip(planes, values, strict=True):
            title = f"Solution {target}{place_of(arrays, about, plane)}"
            norm = Normalize(*limits)
            cards.append(_card(title, value, arrays, about, (COLOURS, norm), target, "The network"))
        cards += _errors(arrays, about, planes, output)
    return cards + _residuals(arrays, about, planes)


def place_of(arrays: Arrays, about: Mapping[str, Any], plane: str) -> str:
    """Where a plane lies in the axes that it does not span, such as `, t = 0.5`."""
    fixed = np.atleast_1d(arrays[f"place:{plane}"])
    names = about["inputs"][2:]
    return "".join(f", {name} = {number(float(at))}" for name, at in zip(names, fixed, strict=True))


def picture_of_planes(arrays: Arrays, about: Mapping[str, Any]) -> bytes:
    """One PNG: the first output, its error where there is a reference, and the residual."""
    plane = sorted(name.split(":")[1] for name in arrays if name.startswith("value:"))[-1]
    value = arrays[f"value:{plane}"][..., 0]
    place = place_of(arrays, about, plane)
    shown = [(f"solution{place}", value, COLOURS, Normalize(*value_limits(value)))]
    if f"error:{plane}" in arrays:
        error = arrays[f"error:{plane}"][..., 0]
        reach = error_limit([error])
        shown.append(("error", error, ERROR_COLOURS, Normalize(-reach, reach)))
    for name in _residual_names(arrays, plane):
        size = _size(arrays[f"residual:{plane}:{name}"])
        shown.append((f"residual: {name}", size, RESIDUAL_COLOURS, _decades(size)))
    figure = Figure(figsize=(3.6 * len(shown), 3.1), layout="constrained")
    for axes, (title, field, colours, norm) in zip(
        figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True
    ):
        image = _image(axes, field, arrays, about, (colours, norm))
        axes.set(title=title, xlabel=about["inputs"][0], ylabel=about["inputs"][1])
        figure.colorbar(image, ax=axes, shrink=0.9)
    return to_png(figure, dpi=110)


def _errors(arrays: Arrays, about: Mapping[str, Any], planes: list[str], output: int) -> list[Card]:
    if f"error:{planes[0]}" not in arrays:
        return []
    errors = {plane: arrays[f"error:{plane}"][..., output] for plane in planes}
    reach = error_limit(list(errors.values()))
    target = about["targets"][output]
    cards = []
    for plane, error in errors.items():
        title = f"Error of {target}{place_of(arrays, about, plane)}"
        caption = (
            "Network minus reference; largest "
            f"{number(float(np.max(np.abs(error))))}. The colours end at the 99th percentile"
        )
        style = ERROR_COLOURS, Normalize(-reach, reach)
        cards.append(_card(title, error, arrays, about, style, "error", caption))
    return cards


def _residuals(arrays: Arrays, about: Mapping[str, Any], planes: list[str]) -> list[Card]:
    cards = []
    for name in _residual_names(arrays, planes[0]):
        sizes = {plane: _size(arrays[f"residual:{plane}:{name}"]) for plane in planes}
        norm = _decades(np.stack(list(sizes.values())))
        for plane, size in sizes.items():
            title = f"Residual of {name}{place_of(arrays, about, plane)}"
            caption = (
                f"Size of the term {name!r}, zero for an exact solution; root mean square "
                f"{number(root_mean_square(size))}"
            )
            style = RESIDUAL_COLOURS, norm
            cards.append(_card(title, size, arrays, about, style, "|residual|", caption))
    return cards


def _residual_names(arrays: Arrays, plane: str) -> list[str]:
    start = f"residual:{plane}:"
    return [name.removeprefix(start) for name in arrays if name.startswith(start)]


def _size(residual: np.ndarray) -> np.ndarray:
    """Length of the vector of a term's equations."""
    return np.sqrt(np.sum(np.square(residual, dtype=np.float64), axis=-1))


def _decades(size: np.ndarray) -> LogNorm:
    """Five decades below the 99.5th percentile."""
    shown = finite(size)
    low, top = np.percentile(shown, [1.0, 99.5]).tolist() if shown.size else (0.0, 0.0)
    top = top if top > 0 else 1.0
    low = max(low, DECADES * top)
    return LogNorm(min(low, 0.5 * top), top, clip=True)


def _card(
    title: str,
    field: np.ndarray,
    arrays: Arrays,
    about: Mapping[str, Any],
    style: tuple[str, Normalize],
    label: str,
    caption: str,
) -> Card:
    figure, axes = drawing(height=3.1)
    with styled():
        image = _image(axes, field, arrays, about, style)
        axes.set(xlabel=about["inputs"][0], ylabel=about["inputs"][1])
        axes.tick_params(labelsize=8)
        axes.locator_params(nbins=5)
        bar = figure.colorbar(image, ax=axes, label=label, shrink=0.92, pad=0.02)
        bar.outline.set_visible(False)
    return Card(title, to_svg(figure, title), f"{caption}.")


def _image(
    axes: Axes,
    field: np.ndarray,
    arrays: Arrays,
    about: Mapping[str, Any],
    style: tuple[str, Normalize],
):
    """The field in true proportions, unless an axis is time or they would leave a sliver."""
    (left, right), (low, high) = arrays["x:0"][[0, -1]], arrays["x:1"][[0, -1]]
    alike = "t" not in about["inputs"] and 0.25 <= (right - left) / (high - low) <= 4
    colours, norm = style
    return axes.imshow(
        field.T,
        cmap=colours,
        norm=norm,
        origin="lower",
        extent=(float(left), float(right), float(low), float(high)),
        aspect="equal" if alike else "auto",
        interpolation="none",
    )
