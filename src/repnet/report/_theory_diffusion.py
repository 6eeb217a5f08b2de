"""Cards of `repnet theory diffusion`: coefficients, spectra over time, and discrepancies."""

from typing import Any

import numpy as np
from matplotlib.colors import LogNorm

from repnet.report._record import Record
from repnet.report._style import GREY, Card, colour, drawing, styled, to_svg
from repnet.report._theory_frame import Arrays, Groups, finish

_FLOOR = 1e-3  # of the largest magnitude: below, the maps show one colour


def diffusion_groups(record: Record, arrays: Arrays) -> Groups:
    """The figures, in three groups."""
    groups = [
        ("Model beside training", [_snapshots(arrays), _bands(arrays)]),
        (
            "The error's spectrum over time",
            [
                _map(arrays, "model", "Model", "Magnitude of the error's spectrum, predicted."),
                _map(arrays, "measured", "Training", "The same, measured on the trained network."),
            ],
        ),
        ("What decides", [_coefficients(arrays), *_sweeps(arrays)]),
    ]
    return groups


def _snapshots(arrays: Arrays) -> Card:
    figure, axes = drawing()
    xi, times = arrays["frequency"], arrays["times"]
    shown = xi <= 1.25 * arrays["waves"].max() + 4.0
    with styled():
        for index, record in enumerate(np.array([0, 0.1, 0.35, 1.0]) * (len(times) - 1)):
            row, ink = round(record), colour(index)
            axes.plot(xi[shown], arrays["model"][row][shown], color=ink, lw=1.2,
                      label=f"t = {times[row]:.2g}")  # fmt: skip
            few = np.flatnonzero(shown)[:: max(1, shown.sum() // 30)]
            axes.plot(xi[few], arrays["measured"][row][few], "o", ms=2.4, color=ink)
        finish(axes, "angular frequency", "magnitude")
    caption = "Curves: the model. Dots: the trained network. Each colour is one time."
    return Card("Spectrum of the error", to_svg(figure, "Spectrum of the error"), caption)


def _bands(arrays: Arrays) -> Card:
    figure, axes = drawing()
    times = arrays["times"]
    with styled():
        for index, wave in enumerate(arrays["waves"]):
            ink = colour(index)
            first = arrays["bands_model"][0, index]
            axes.plot(times, arrays["bands_model"][:, index] / first, color=ink, label=f"{wave:g}")
            first = arrays["bands_measured"][0, index]
            axes.plot(times[::2], arrays["bands_measured"][::2, index] / first, "o", ms=2.4,
                      color=ink)  # fmt: skip
        axes.set_yscale("log")
        finish(axes, "learning rate × steps", "error of the band")
    caption = (
        "Error in the band of each wave over its first value. Curves: the model. Dots: the trained "
        "network."
    )
    return Card("Error per band", to_svg(figure, "Error per band"), caption)


def _map(arrays: Arrays, name: str, title: str, caption: str) -> Card:
    figure, axes = drawing()
    xi, times = arrays["frequency"], arrays["times"]
    top = max(float(arrays["model"].max()), 1e-300)
    kept = xi <= 1.25 * arrays["waves"].max() + 4.0
    with styled():
        norm = LogNorm(_FLOOR * top, top)
        values = np.clip(arrays[name][:, kept], _FLOOR * top, None)
        image = axes.pcolormesh(
            xi[kept], times, values, norm=norm, cmap="viridis", shading="nearest", rasterized=True
        )
        figure.colorbar(image, ax=axes, pad=0.02)
        axes.set(xlabel="angular frequency", ylabel="learning rate × steps")
    return Card(title, to_svg(figure, title), caption)


def _coefficients(arrays: Arrays) -> Card:
    figure, axes = drawing()
    with styled():
        for index, name in enumerate(arrays["set_names"]):
            reaction, diffusion = arrays["coefficients"][index]
            ink = colour(index)
            axes.plot(arrays["xi"], diffusion, color=ink, label=str(name))
            axes.plot(arrays["xi"], reaction, color=ink, ls=":")
        axes.set_yscale("log")
        peak = float(arrays["coefficients"].max())
        axes.set_ylim(1e-4 * peak, 2.0 * peak)
        finish(axes, "angular frequency", "R, D")
    caption = (
        "Solid: the diffusion coefficient D. Dotted: the reaction coefficient R. A higher scale "
        "carries both further; several scales share the units."
    )
    return Card("Coefficients", to_svg(figure, "Coefficients"), caption)


def _sweeps(arrays: Arrays) -> list[Card]:
    cards = []
    if "by_width" in arrays:
        caption = "Grey: the slope −1/2 of independent units."
        cards.append(_sweep(arrays["by_width"], "Against width", "units", caption, half=True))
    if "by_domain" in arrays:
        caption = "The model's domain is infinite: on a narrow one training differs."
        cards.append(_sweep(arrays["by_domain"], "Against the domain", "half-width", caption))
    return cards


def _sweep(values: np.ndarray, title: str, across: str, caption: str, half: bool = False) -> Card:
    figure, axes = drawing()
    x, y = values.T
    with styled():
        if half:
            axes.plot(x, y[0] * (x / x[0]) ** -0.5, color=GREY, lw=0.9)
        axes.plot(x, y, "o-", color=colour(0), ms=3.5)
        axes.set_yscale("log")
        if half:
            axes.set_xscale("log")
        _ticks(axes, x)
        finish(axes, across, "discrepancy")
    return Card(title, to_svg(figure, title), caption)


def _ticks(axes: Any, values: np.ndarray) -> None:
    axes.set_xticks(values, [f"{value:,g}" for value in values])
    axes.xaxis.minorticks_off()
