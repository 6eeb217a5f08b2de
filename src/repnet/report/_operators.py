"""What a report holds of an operator that was learnt: arrays, and the figures drawn from them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from repnet.operators import QuakeStudy, band_errors, error_growth, response_spectrum
from repnet.operators._measures import EDGES, PERIODS
from repnet.report._arrays import envelope
from repnet.report._labels import number
from repnet.report._record import Record
from repnet.report._style import GREY, PALETTE, Card, drawing, styled, to_svg

Arrays = Mapping[str, np.ndarray]
SHOWN = ("best", "median", "worst")
LABELS = {
    "relative_l2": "relative L2",
    "peak": "peak",
    "residual": "residual over peak",
    "spectrum": "response spectrum",
}


def response_arrays(
    study: QuakeStudy,
    found: Float[np.ndarray, "records samples"],
    errors: Mapping[str, Float[np.ndarray, " records"]],
) -> dict[str, np.ndarray]:
    """The records of least, median and largest error, the growth of all errors, the errors."""
    order = np.argsort(errors["relative_l2"])
    arrays = {f"error:{name}": value for name, value in errors.items()}
    for name, row in zip(SHOWN, (order[0], order[len(order) // 2], order[-1]), strict=True):
        end, truth = study.ends[row], study.displacement[row]
        arrays[f"time:{name}"] = study.step * np.arange(end)
        arrays[f"truth:{name}"], arrays[f"found:{name}"] = truth[:end], found[row, :end]
        for what, values in (("truth", truth), ("found", found[row])):
            arrays[f"spectrum_{what}:{name}"] = response_spectrum(values[:end], study.step)
        arrays[f"name:{name}"] = np.array(f"{study.names[row]}, {study.earthquakes[row]}")
    period = study.structure.period
    bands = band_errors(found, study.displacement, study.ends, study.step, period)
    arrays["bands"] = np.stack([np.nanpercentile(band, [25, 50, 75]) for band in bands.T
                                if np.isfinite(band).any()])  # fmt: skip
    arrays["edges"] = np.array([edge for edge, band in zip(EDGES, bands.T, strict=False)
                                if np.isfinite(band).any()])  # fmt: skip
    growth = error_growth(found, study.displacement, study.ends)
    arrays["growth"] = np.percentile(growth, [25, 50, 75], axis=0)
    return arrays


def function_arrays(
    points: Float[np.ndarray, " points"],
    truth: Float[np.ndarray, "functions points"],
    found: Float[np.ndarray, "functions points"],
    errors: Float[np.ndarray, " functions"],
) -> dict[str, np.ndarray]:
    """The functions of least, median and largest error, and the errors."""
    order = np.argsort(errors)
    arrays = {"error:relative_l2": errors}
    for name, row in zip(SHOWN, (order[0], order[len(order) // 2], order[-1]), strict=True):
        arrays[f"time:{name}"] = points
        arrays[f"truth:{name}"], arrays[f"found:{name}"] = truth[row], found[row]
        arrays[f"name:{name}"] = np.array(f"function {row + 1}")
    return arrays


def operator_groups(record: Record, arrays: Arrays) -> list[tuple[str, list[Card]]]:
    """The figures of an operator, in the order of the page."""
    if not arrays:
        return []
    about = (record.metrics or {})["operator"]
    curves = [_curves(arrays, name, about) for name in SHOWN]
    spectra = [_spectra(arrays, name) for name in SHOWN if f"spectrum_truth:{name}" in arrays]
    errors = [_distribution(arrays, sample_of(about))]
    if "growth" in arrays:
        errors += [_growth(arrays), _bands(arrays)]
    return [("Predictions", curves), ("Response spectra", spectra), ("Errors", errors)]


def sample_of(about: Mapping[str, Any]) -> str:
    """What the operator was learnt from, one of them: a record, or a function."""
    return about.get("sample", "record")  # records of earlier versions do not say it


def _curves(arrays: Arrays, name: str, about: Mapping[str, Any]) -> Card:
    figure, axes = drawing()
    truth, found = arrays[f"truth:{name}"], arrays[f"found:{name}"]
    with styled():
        for values, ink, width, label in (
            (truth, GREY, 2.0, "reference"),
            (found, PALETTE[0], 0.9, "learnt"),
        ):
            rows = envelope(values)
            axes.plot(arrays[f"time:{name}"][rows], values[rows], color=ink, lw=width, label=label)
        axes.set(xlabel=about["inputs"][0], ylabel=about["targets"][0])
        axes.grid(True)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1)
    size = float(np.linalg.norm(truth))
    error = float(np.linalg.norm(found - truth)) / size if size > 0 else None
    sample = sample_of(about)
    title = f"The {name} {sample}" if name != "median" else f"A {sample} of median error"
    caption = f"{arrays[f'name:{name}']}; held out. Relative L2 error {number(error)}."
    return Card(title, to_svg(figure, title), caption)


def _spectra(arrays: Arrays, name: str) -> Card:
    figure, axes = drawing()
    with styled():
        truth, found = arrays[f"spectrum_truth:{name}"], arrays[f"spectrum_found:{name}"]
        axes.loglog(PERIODS, truth, color=GREY, lw=2.0, label="reference")
        axes.loglog(PERIODS, found, color=PALETTE[0], lw=0.9, label="learnt")
        axes.set(xlabel="period [s]", ylabel="peak displacement [m]")
        axes.grid(True)
        axes.legend()
    title = f"Spectrum, {name}"
    caption = "Oscillators of 5 % damping that stand on the structure."
    return Card(title, to_svg(figure, title), caption)


def _distribution(arrays: Arrays, sample: str) -> Card:
    figure, axes = drawing()
    with styled():
        for index, (key, label) in enumerate(LABELS.items()):
            if f"error:{key}" in arrays:
                values = np.sort(arrays[f"error:{key}"])
                share = (np.arange(len(values)) + 0.5) / len(values)
                floor = np.maximum(values, 1e-12)
                axes.semilogx(floor, share, color=PALETTE[index], label=label)
        axes.set(xlabel="error", ylabel=f"share of held-out {sample}s", ylim=(0, 1))
        axes.grid(True)
        axes.legend()
    title = f"Errors over {sample}s"
    caption = f"Share of the held-out {sample}s whose error is below a value."
    return Card(title, to_svg(figure, title), caption)


def _growth(arrays: Arrays) -> Card:
    figure, axes = drawing()
    lower, median, upper = np.maximum(arrays["growth"], 1e-12)
    place = np.arange(1, len(median) + 1) / len(median)
    with styled():
        axes.fill_between(place, lower, upper, color=PALETTE[0], alpha=0.25, lw=0)
        axes.semilogy(place, median, color=PALETTE[0])
        axes.set(xlabel="share of the record's duration", ylabel="rms error over peak")
        axes.grid(True)
    title = "Growth of the error"
    caption = "Error up to a time, over the peak of the record: median and quartiles over records."
    return Card(title, to_svg(figure, title), caption)


def _bands(arrays: Arrays) -> Card:
    figure, axes = drawing()
    lower, median, upper = np.maximum(arrays["bands"].T, 1e-12)
    place = np.arange(len(median))
    names = [f"{edge:g}" for edge in arrays["edges"]]
    with styled():
        axes.errorbar(place, median, (median - lower, upper - median), fmt="o", capsize=3,
                      color=PALETTE[0])  # fmt: skip
        axes.set_yscale("log")
        axes.set(xlabel="band from, over the structure's frequency", ylabel="relative L2 error")
        axes.set_xticks(place, names)
        axes.grid(True)
    title = "Error per band"
    caption = "Median and quartiles over the records that have energy in the band."
    return Card(title, to_svg(figure, title), caption)
