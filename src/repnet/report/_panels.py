"""Cards that every run has: spectrum and scale, error per band, training, partition points."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from repnet.report._labels import DataLabels, number
from repnet.report._style import GREY, INK, PALETTE, Card, colour, drawing, styled, to_svg

Arrays = Mapping[str, np.ndarray]
MOST_AXES = 4
EMPTY = 1e-5  # share of the target's energy below which a band is left out


def spectrum_cards(arrays: Arrays, spectra: list[dict[str, Any]], labels: DataLabels) -> list[Card]:
    """Energy over frequency per axis that moves, with ω_max and the chosen scale marked."""
    cards = []
    for axis in labels.moving[:MOST_AXES] if spectra else ():
        if f"power:{axis}" not in arrays or not np.any(arrays[f"power:{axis}"] > 0):
            continue
        found = spectra[axis]
        title = "Spectrum" if len(spectra) == 1 else f"Spectrum along {labels.names[axis]}"
        figure, axes = drawing()
        with styled():
            _spectrum(axes, arrays[f"frequencies:{axis}"], arrays[f"power:{axis}"], found)
            unit = labels.input_units[axis]
            axes.set(xlabel=f"angular frequency [rad/{unit}]" if unit else "angular frequency",
                     ylabel="share of the energy")  # fmt: skip
        caption = _spectrum_caption(found)
        cards.append(Card(title, to_svg(figure, title), caption))
    return cards


def _spectrum(
    axes: Axes, frequencies: np.ndarray, power: np.ndarray, found: dict[str, Any]
) -> None:
    share = np.maximum(power / power.sum(), 1e-12)
    axes.plot(frequencies, share, color=PALETTE[0], lw=0.9)
    axes.fill_between(frequencies, 1e-12, share, color=PALETTE[0], alpha=0.2, lw=0)
    axes.set_yscale("log")
    axes.set_ylim(max(float(share.max()) * 1e-9, 1e-12), float(share.max()) * 12)
    shown = min(max(3.0 * found["omega_max"], float(frequencies[1])), float(frequencies[-1]))
    axes.set_xlim(0.0, 1.15 * max(shown, *(found["scale"] or [0.0])))
    axes.axvline(found["omega_max"], color=INK, lw=1.0, ls="--")
    _mark(axes, "ω_max", found["omega_max"], 0.93, INK)
    for index, scale in enumerate(found["scale"] or []):
        axes.axvline(scale, color=PALETTE[1], lw=1.3)
        if index == 0:
            _mark(axes, "scale", scale, 0.82, PALETTE[1])
    axes.grid(True)


def _mark(axes: Axes, text: str, place: float, height: float, ink: str) -> None:
    note = axes.annotate(
        text,
        (place, height),
        xycoords=("data", "axes fraction"),
        xytext=(3, 0),
        textcoords="offset points",
        fontsize=8.5,
        color=ink,
    )
    note.set_in_layout(False)


def _spectrum_caption(found: dict[str, Any]) -> str:
    density = (
        f" {number(2 * np.pi / (found['omega_max'] * found['spacing']))} points per shortest "
        "wavelength."
        if found["omega_max"]
        else ""
    )
    scales = found["scale"] or []
    chosen = ""
    if len(scales) == 1:
        chosen = f" The slope scale of the fit is {number(scales[0])}."
    elif scales:
        chosen = (
            f" The slope scales of the fit's layers lie between {number(min(scales))} and "
            f"{number(max(scales))}."
        )
    return (
        f"99.9 % of the energy above the noise lies below ω_max = {number(found['omega_max'])}; "
        f"noise is {number(100 * (found['noise'] or 0.0), 2)} % of the spread.{density}{chosen}"
    )


def band_card(bands: dict[str, Any], unit: str) -> Card:
    """The error of every method in every octave of frequencies."""
    edges, share = bands["edges"], np.array(bands["share"], float)
    kept = np.flatnonzero(share > EMPTY)
    figure, axes = drawing()
    with styled():
        names = list(bands["error"])
        thick = 0.8 / len(names)
        values = [np.array(bands["error"][name], float)[kept] for name in names]
        low = min((float(np.nanmin(v)) for v in values if np.any(v > 0)), default=1e-3)
        floor = 10.0 ** np.floor(np.log10(max(low, 1e-17)) - 0.3)
        for index, (name, value) in enumerate(zip(names, values, strict=True)):
            place = np.arange(len(kept)) + thick * (index - (len(names) - 1) / 2)
            axes.bar(place, np.maximum(value, floor) - floor, thick, floor, color=colour(index),
                     label=name)  # fmt: skip
        axes.axhline(1.0, color=GREY, lw=0.8)
        axes.set_yscale("log")
        largest = max((float(np.nanmax(v)) for v in values if np.isfinite(v).any()), default=1.0)
        axes.set_ylim(floor, 3.0 * max(1.0, largest))
        words = [f"{number(edges[b], 2)}–{number(edges[b + 1], 2)}" for b in kept]
        axes.set_xticks(np.arange(len(kept)), words, rotation=35, ha="right", fontsize=7.5)
        axes.set(xlabel=f"angular frequency [rad/{unit}]" if unit else "angular frequency",
                 ylabel="relative error in the band")  # fmt: skip
        axes.grid(True, axis="y")
        if len(names) > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1)
    caption = (
        "Error over the data's energy in each octave: at 1 nothing is learnt. All points count, "
        f"those held out included. Bands with less than {100 * EMPTY:g} % of the energy are left "
        "out."
    )
    return Card("Error per band", to_svg(figure, "Error per band"), caption)


def history_cards(histories: Mapping[str, dict[str, Any]]) -> list[Card]:
    """The loss over training, and the error per band over training."""
    trained = {name: history for name, history in histories.items() if history.get("loss")}
    if not trained:
        return []
    shades = {name: colour(index) for index, name in enumerate(histories)}
    return [_loss(trained, shades), *_bands_over_training(trained)]


def _loss(histories: Mapping[str, dict[str, Any]], shades: Mapping[str, str]) -> Card:
    figure, axes = drawing()
    with styled():
        for name, history in histories.items():
            steps, loss = history["step"], _above_zero(history["loss"])
            axes.plot(steps, loss, color=shades[name], label=name)
            if history.get("heldout"):
                held = _above_zero(history["heldout"])
                axes.plot(steps, held, color=shades[name], ls=":", label=f"{name}, held out")
        axes.set_yscale("log")
        axes.set(xlabel="step", ylabel="loss (1: a constant)")
        axes.grid(True)
        if len(histories) > 1 or any("heldout" in history for history in histories.values()):
            axes.legend()
    caption = "Mean squared error of the standardized targets, training points of the step."
    return Card("Training", to_svg(figure, "Training"), caption)


def _above_zero(values: list[Any]) -> np.ndarray:
    """What a logarithmic axis can show: an exact fit has a loss of zero."""
    shown = np.array(values, float)
    return np.where(shown > 0, shown, np.nan)


def _bands_over_training(histories: Mapping[str, dict[str, Any]]) -> list[Card]:
    cards = []
    for name, history in histories.items():
        errors = _above_zero(history.get("band_error", []))
        if not np.isfinite(errors).any():  # not watched, or a target without energy
            continue
        steps = np.array(history["watch_step"], float)
        edges = history["band_edges"][0]
        figure, axes = drawing()
        with styled():
            _band_lines(axes, steps, errors, edges)
        caption = (
            f"{name}: relative error in each octave of frequencies while it trains, low "
            "frequencies dark, high ones light. Measured on a part of the training points."
        )
        title = "Bands over training" if len(histories) == 1 else f"Bands over training: {name}"
        cards.append(Card(title, to_svg(figure, title), caption))
    return cards


def _band_lines(axes: Axes, steps: np.ndarray, errors: np.ndarray, edges: list[float]) -> None:
    from matplotlib import colormaps

    shades = colormaps["plasma"](np.linspace(0.05, 0.85, errors.shape[1]))
    for band, shade in enumerate(shades):
        if np.isfinite(errors[:, band]).any():
            label = f"{number(edges[band], 2)}–{number(edges[band + 1], 2)}"
            axes.plot(np.maximum(steps, 0.8), errors[:, band], color=shade, label=label)
    axes.set(xscale="log", yscale="log", xlabel="step", ylabel="relative error in the band")
    axes.set_ylim(top=3.0)
    axes.grid(True)
    axes.legend(fontsize=7, ncols=1, loc="center left", bbox_to_anchor=(1.0, 0.5))


def density_cards(arrays: Arrays, labels: DataLabels, methods: list[str]) -> list[Card]:
    """How densely partition points lie along axes that move, before and after the training."""
    cards = []
    for axis in labels.moving[:MOST_AXES]:
        found = [name for name in methods if f"density_after:{axis}:{name}" in arrays]
        if found:
            cards.append(_density(arrays, labels, methods, found, axis))
    return cards


def _density(
    arrays: Arrays, labels: DataLabels, methods: list[str], found: list[str], axis: int
) -> Card:
    figure, axes = drawing(height=2.6)
    trained = False
    with styled():
        for name in found:
            shade = colour(methods.index(name))
            after = arrays[f"density_after:{axis}:{name}"]
            edges = np.linspace(-1.0, 1.0, len(after) + 1)
            axes.stairs(after, edges, color=shade, lw=1.2, label=name)
            before = arrays.get(f"density_before:{axis}:{name}")
            if before is not None:
                trained = True
                axes.stairs(before, edges, color=shade, lw=1.0, ls=":")
        axes.set(xlabel=f"{labels.names[axis]}, from −1 to 1", ylabel="per unit length")
        tops = [float(arrays[f"density_after:{axis}:{name}"].max()) for name in found]
        if max(tops) > 20 * min(tops):
            axes.set_yscale("symlog", linthresh=10)
        axes.set_ylim(0.0, 1.15 * axes.get_ylim()[1])
        axes.grid(True)
        if len(found) > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1)
    when = (
        "Dotted: before the training."
        if trained
        else "A direct solve places them once and moves none: before and after agree."
    )
    what = "Partition points" if len(labels.inputs) == 1 else "Crossings of partition planes"
    where = "" if len(labels.inputs) == 1 else " on the line through the middle of the box"
    title = "Partition points" if len(labels.inputs) == 1 else f"{what}, {labels.names[axis]}"
    return Card(
        title, to_svg(figure, title), f"{what} per unit of standardized length{where}. {when}"
    )
