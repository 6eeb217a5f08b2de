"""Cards of a solved equation: curves, spectra, trials, unknowns."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from repnet.report._arrays import envelope
from repnet.report._equations_maps import plane_cards
from repnet.report._labels import number
from repnet.report._record import Record
from repnet.report._style import GREY, INK, PALETTE, Card, colour, drawing, styled, to_svg

Arrays = Mapping[str, np.ndarray]
FLOOR = 1e-34  # of energies that are drawn: the square of float64's round-off


def equation_groups(record: Record, arrays: Arrays) -> list[tuple[str, list[Card]]]:
    """The figures of a solved equation, in the order of the page."""
    about = (record.metrics or {})["problem"]
    if not arrays:
        return []
    solution = _line_cards(arrays, about) if "x:1" not in arrays else plane_cards(arrays, about)
    return [
        ("Solution", solution),
        ("Unknowns", unknown_cards(record, arrays)),
        ("Frequencies", spectrum_cards(record, arrays)),
        ("Convergence", [*_stage_cards(record), *trial_cards(record), *_history_cards(record)]),
    ]


def _line_cards(arrays: Arrays, about: Mapping[str, Any]) -> list[Card]:
    cards = [_curve_card(arrays, about, output) for output in range(len(about["targets"]))]
    if "error:0" in arrays:
        caption = "Network minus reference."
        cards.append(_signed("Error", arrays["error:0"], arrays, about, "error", caption))
    for name in [key.split(":", 2)[2] for key in arrays if key.startswith("residual:0:")]:
        caption = f"The term {name!r}, zero for an exact solution."
        residual = arrays[f"residual:0:{name}"]
        title = f"Residual of {name}"
        cards.append(_signed(title, residual, arrays, about, "residual", caption))
    return cards


def _curve_card(arrays: Arrays, about: Mapping[str, Any], output: int) -> Card:
    x, values = arrays["x:0"], arrays["value:0"][:, output]
    target = about["targets"][output]
    figure, axes = drawing()
    with styled():
        points = [key for key in arrays if key.startswith("data_points:")]
        for key in points:
            data = arrays[key.replace("points", "values")]
            if data.shape[1] == len(about["targets"]):
                axes.plot(arrays[key][:, 0], data[:, output], ".", ms=3, color=GREY, label="data")
        if "exact:0" in arrays:
            axes.plot(x, arrays["exact:0"][:, output], color=GREY, lw=2.2, label="reference")
        rows = envelope(values)
        axes.plot(x[rows], values[rows], color=PALETTE[0], lw=0.9, label="network")
        _finish(axes, about["inputs"][0], target)
    title = f"Solution {target}"
    caption = "The network" + (" over the reference." if "exact:0" in arrays else ".")
    return Card(title, to_svg(figure, title), caption)


def _signed(
    title: str, values: np.ndarray, arrays: Arrays, about: Mapping[str, Any], label: str, text: str
) -> Card:
    """One curve per column over the axis."""
    figure, axes = drawing()
    with styled():
        for column in range(values.shape[1]):
            rows = envelope(values[:, column])
            name = f"{column + 1}" if values.shape[1] > 1 else None
            axes.plot(arrays["x:0"][rows], values[rows, column], color=colour(column), lw=0.8,
                      label=name)  # fmt: skip
        axes.axhline(0.0, color=GREY, lw=0.6)
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-3, 4))
        _finish(axes, about["inputs"][0], label)
    rms = number(float(np.sqrt(np.mean(np.square(values)))))
    largest = number(float(np.abs(values).max()))
    return Card(title, to_svg(figure, title), f"{text} Root mean square {rms}, largest {largest}.")


def _finish(axes: Any, across: str, up: str) -> None:
    axes.set(xlabel=across, ylabel=up)
    axes.grid(True)
    axes.locator_params(axis="x", nbins=6)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.1)


def spectrum_cards(record: Record, arrays: Arrays) -> list[Card]:
    """Energy of solution, reference and error over frequency, along every axis drawn."""
    about = (record.metrics or {})["problem"]
    cards = []
    for axis in range(2):
        if f"omega:{axis}" not in arrays:
            continue
        title = (
            "Spectrum" if len(about["inputs"]) == 1 else f"Spectrum along {about['inputs'][axis]}"
        )
        figure, axes = drawing()
        with styled():
            omega = arrays[f"omega:{axis}"]
            looks = {"exact": (GREY, 2.2, "reference"), "value": (PALETTE[0], 0.9, "network"),
                     "error": (PALETTE[1], 0.9, "error")}  # fmt: skip
            for what, (ink, width, label) in looks.items():
                energy = arrays.get(f"energy_{what}:{axis}")
                if energy is not None:
                    axes.plot(omega, np.maximum(energy, FLOOR), color=ink, lw=width, label=label)
            axes.set_yscale("log")
            axes.set_xlim(0.0, _reach(omega, arrays[f"energy_value:{axis}"]))
            _mark_scale(axes, record, about, axis)
            _finish(axes, "angular frequency", "energy")
        caption = (
            "Energy per bin, each line multiplied by a Kaiser window. Where the error's curve "
            "meets the solution's, that frequency is not resolved."
        )
        cards.append(Card(title, to_svg(figure, title), caption))
    return cards


def _reach(omega: np.ndarray, energy: np.ndarray) -> float:
    """Three times the frequency below which all but a billionth of the energy lies."""
    total = np.cumsum(energy)
    if total[-1] <= 0:
        return float(omega[-1])
    top = omega[np.searchsorted(total, (1.0 - 1e-9) * total[-1])]
    return float(np.clip(3.0 * top, omega[min(20, len(omega) - 1)], omega[-1]))


def _mark_scale(axes: Any, record: Record, about: Mapping[str, Any], axis: int) -> None:
    scale = (record.plan or {}).get("scale")
    if not scale or len(scale) != len(about["inputs"]):
        return
    half_width = 0.5 * (about["upper"][axis] - about["lower"][axis])
    place = scale[axis] / half_width
    if place < axes.get_xlim()[1]:
        axes.axvline(place, color=INK, lw=0.9, ls="--")
        axes.annotate("scale", (place, 0.93), xycoords=("data", "axes fraction"), xytext=(3, 0),
                      textcoords="offset points", fontsize=8.5).set_in_layout(False)  # fmt: skip


def trial_cards(record: Record) -> list[Card]:
    """The residual of every fit that the solver tried, in turn."""
    tried = ((record.plan or {}).get("numbers") or {}).get("tried")
    if not isinstance(tried, Mapping) or len(tried) < 2:
        return []
    errors = np.array([np.nan if error is None else error for error in tried.values()], float)
    turns = np.arange(1, len(errors) + 1)
    figure, axes = drawing()
    with styled():
        axes.plot(turns, errors, "o", ms=4, color=PALETTE[0], label="fits")
        axes.plot(turns, np.fmin.accumulate(errors), color=PALETTE[1], lw=1.0, label="best so far")
        axes.set_yscale("log")
        _finish(axes, "fit", "relative residual")
    best = list(tried)[int(np.nanargmin(errors))] if np.isfinite(errors).any() else "none"
    caption = (
        "Residual at points that were not fitted, for every choice of frequencies and units that "
        f"was tried. The best: {best} radians per half-width."
    )
    return [Card("Trials", to_svg(figure, "Trials"), caption)]


def _stage_cards(record: Record) -> list[Card]:
    """The residual after every stage of a solve in stages."""
    history = record.history or {}
    stages, residual = history.get("stage"), history.get("residual")
    if not stages or not residual or len(stages) < 2:
        return []
    figure, axes = drawing()
    with styled():
        shown = np.array(residual, float)
        axes.plot(stages, np.where(shown > 0, shown, np.nan), "o-", ms=4, color=PALETTE[0])
        axes.set_yscale("log")
        axes.set_xticks(stages)
        _finish(axes, "stage", "relative residual")
    caption = (
        "Residual of the sum of networks at points that were not fitted, after each stage; a last "
        "stage that did not lower it is not part of the solution."
    )
    return [Card("Stages", to_svg(figure, "Stages"), caption)]


def _history_cards(record: Record) -> list[Card]:
    history = record.history or {}
    steps = history.get("step")
    if not steps:
        return []
    curves = {
        name: values
        for name, values in history.items()
        if name != "step" and np.shape(values) == (len(steps),)
    }
    figure, axes = drawing()
    with styled():
        for index, (name, values) in enumerate(curves.items()):
            shown = np.array(values, float)
            axes.plot(steps, np.where(shown > 0, shown, np.nan), color=colour(index), label=name)
        axes.set_yscale("log")
        _finish(axes, "step", "loss")
    return [Card("Training", to_svg(figure, "Training"), "What the steps reduced.")]


def unknown_cards(record: Record, arrays: Arrays) -> list[Card]:
    """Unknown functions, found and true."""
    about = (record.metrics or {})["problem"]
    cards = []
    for name in [key.removeprefix("field_x:") for key in arrays if key.startswith("field_x:")]:
        figure, axes = drawing()
        with styled():
            x = arrays[f"field_x:{name}"]
            if f"field_exact:{name}" in arrays:
                axes.plot(x, arrays[f"field_exact:{name}"], color=GREY, lw=2.2, label="truth")
            axes.plot(x, arrays[f"field:{name}"], color=PALETTE[0], lw=1.0, label="found")
            _finish(axes, about["inputs"][0], name)
        caption = "The unknown function" + (
            " on the line through the middle." if len(about["inputs"]) > 1 else "."
        )
        cards.append(Card(f"Unknown {name}", to_svg(figure, f"Unknown {name}"), caption))
    return cards
