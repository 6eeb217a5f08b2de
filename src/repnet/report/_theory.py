"""Cards of the runs of `repnet theory`, by command."""

from collections.abc import Callable
from typing import Any

import numpy as np

from repnet.report._labels import number
from repnet.report._record import Record
from repnet.report._style import GREY, Card, colour, drawing, styled, to_svg
from repnet.report._theory_diffusion import diffusion_groups
from repnet.report._theory_frame import Arrays, Groups, finish
from repnet.report._theory_kernel import kernel_groups
from repnet.report._theory_partition import partition_groups


def theory_groups(record: Record, arrays: Arrays) -> Groups:
    """The figures of a run of the theory; none for a command that has none."""
    draw = _DRAWN.get(record.command)
    return draw(record, arrays) if draw is not None and arrays else []


def magnitude_groups(record: Record, arrays: Arrays) -> Groups:
    """Slope, output and their deviations, by scale and depth."""
    about = (
        "Curves: estimated. Dots: root mean squares of random networks, with twice their standard "
        "error."
    )
    slope = f"{about} Dashed: the vanilla network of the same depth."
    frequency = (
        "Slope over output, as estimated: the angular frequency that the network starts with, in "
        "radians per half-width. Dashed: vanilla. Grey: the slope scale itself."
    )
    return [
        (
            "By slope scale",
            [
                _by_scale("Slope", arrays, "slope", slope),
                _by_scale("Output", arrays, "output", f"{about} The read-out is drawn for 1."),
                _frequency(arrays, frequency),
                _deviation(arrays),
            ],
        )
    ]


_PLACES = {"output": (0, 2, 4), "slope": (1, 3, 5)}  # predicted, measured, error


def _by_scale(title: str, arrays: Arrays, what: str, caption: str) -> Card:
    figure, axes = drawing()
    predicted, measured, error = _PLACES[what]
    with styled():
        for index, depth in enumerate(arrays["depths"]):
            found, scales = arrays[f"repnet:{depth}"], arrays["scales"]
            ink = colour(index)
            axes.plot(scales, found[:, predicted], color=ink, lw=1.2, label=f"depth {depth}")
            spread = 2.0 * found[:, error] * found[:, measured]
            axes.errorbar(scales, found[:, measured], spread, fmt="o", ms=3.5, color=ink, lw=1.0)
            if what == "slope":
                axes.axhline(arrays[f"vanilla:{depth}"][predicted], color=ink, lw=0.9, ls="--")
        if what == "slope":
            axes.set_yscale("log")
        else:
            axes.set_ylim(0.0, 1.5 * max(1.0, *(arrays[f"repnet:{d}"][:, measured].max()
                                               for d in arrays["depths"])))  # fmt: skip
        _scale_axis(axes, arrays["scales"])
        finish(axes, "slope scale", f"{what}, rms")
    return Card(title, to_svg(figure, title), caption)


def _frequency(arrays: Arrays, caption: str) -> Card:
    figure, axes = drawing()
    title = "Starting frequency"
    with styled():
        scales = arrays["scales"]
        for index, depth in enumerate(arrays["depths"]):
            found, plain = arrays[f"repnet:{depth}"], arrays[f"vanilla:{depth}"]
            ink = colour(index)
            axes.plot(scales, found[:, 1] / found[:, 0], color=ink, lw=1.2, label=f"depth {depth}")
            axes.axhline(plain[1] / plain[0], color=ink, lw=0.9, ls="--")
        axes.plot(scales, scales, color=GREY, lw=0.9)
        axes.set_yscale("log")
        _scale_axis(axes, scales)
        finish(axes, "slope scale", "slope / output")
    return Card(title, to_svg(figure, title), caption)


def _deviation(arrays: Arrays) -> Card:
    figure, axes = drawing()
    title = "Estimate against random networks"
    error = 100.0 * max(float(arrays[f"repnet:{depth}"][:, 4:].max()) for depth in arrays["depths"])
    with styled():
        for index, depth in enumerate(arrays["depths"]):
            found = arrays[f"repnet:{depth}"]
            for what, line in (("slope", "-"), ("output", ":")):
                predicted, measured, _ = _PLACES[what]
                share = 100.0 * (found[:, predicted] / found[:, measured] - 1.0)
                label = f"depth {depth}" if what == "slope" else None
                axes.plot(arrays["scales"], share, line, marker="o", ms=3, lw=1.0,
                          color=colour(index), label=label)  # fmt: skip
        axes.axhline(0.0, color=GREY, lw=0.6)
        _scale_axis(axes, arrays["scales"])
        finish(axes, "slope scale", "deviation [%]")
    caption = (
        "Estimate over measurement, less 1; slope solid, output dotted. The standard error of what "
        f"is measured is at most {number(error, 2)} %."
    )
    return Card(title, to_svg(figure, title), caption)


def _scale_axis(axes: Any, scales: np.ndarray) -> None:
    """A logarithmic axis whose ticks are the scales, as many as there is room for."""
    axes.set_xscale("log")
    shown = scales[:: -(-len(scales) // 7)]
    axes.set_xticks(shown, [f"{scale:g}" for scale in shown])
    axes.minorticks_off()


_DRAWN: dict[str, Callable[[Record, Arrays], Groups]] = {
    "theory magnitude": magnitude_groups,
    "theory partition": partition_groups,
    "theory diffusion": diffusion_groups,
    "theory kernel": kernel_groups,
}
