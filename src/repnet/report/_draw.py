"""Reports from a record and its arrays alone: a page, a text, a picture."""

import functools
from collections.abc import Mapping
from typing import Any

import jinja2
import numpy as np

from repnet.report._clouds import cloud_cards
from repnet.report._curves import line_cards
from repnet.report._equations_cards import equation_groups
from repnet.report._equations_maps import picture_of_planes
from repnet.report._labels import (
    DataLabels,
    command_line,
    data_labels,
    number,
    seconds,
    unknown_rows,
    words_left_out,
)
from repnet.report._learning import learning_cards, learning_rows
from repnet.report._maps import map_cards, picture_of_map, scatter_cards
from repnet.report._operators import LABELS, operator_groups
from repnet.report._panels import band_card, density_cards, history_cards, spectrum_cards
from repnet.report._record import Record
from repnet.report._style import Card
from repnet.report._targets import MOST_TARGETS, arrays_of_target, shared_unit, target_rows
from repnet.report._theory import theory_groups
from repnet.solve import RESULTS

Arrays = Mapping[str, np.ndarray]


def draw_html(record: Record, arrays: Arrays) -> str:
    """A page that needs nothing else: figures inside, no network."""
    groups = [(title, cards) for title, cards in _groups(record, arrays) if cards]
    return _template("report.html").render(**_words(record), groups=groups)


def draw_markdown(record: Record, has_picture: bool) -> str:
    """The numbers, the plan and the command as Markdown."""
    return _template("report.md").render(**_words(record), has_picture=has_picture)


def draw_picture(record: Record, arrays: Arrays) -> bytes | None:
    """Truth beside the fits and their errors as a PNG; `None` where the data are no map."""
    labels = data_labels(record)
    if _problem(record) is not None:
        return picture_of_planes(arrays, _problem(record)) if "x:1" in arrays else None
    if labels is None or labels.layout != "map" or not methods_of(record):
        return None
    names = methods_of(record)[::-1]  # the main method last, beside its rivals
    headlines = {name: _headline(name, record, labels) for name in names}
    return picture_of_map(arrays, labels.drawn(), names, headlines)


def methods_of(record: Record) -> list[str]:
    """Names of the methods that were fitted, in the order of the record."""
    return list((record.metrics or {}).get("methods") or {})


def _problem(record: Record) -> Any:
    """What the record says of a differential equation, or `None`."""
    return (record.metrics or {}).get("problem")


def _operator(record: Record) -> Any:
    """What the record says of an operator, or `None`."""
    return (record.metrics or {}).get("operator")


def _groups(record: Record, arrays: Arrays) -> list[tuple[str, list[Card]]]:
    if _problem(record) is not None:
        return equation_groups(record, arrays)
    if "theory" in (record.metrics or {}):
        return theory_groups(record, arrays)
    if _operator(record) is not None:
        return operator_groups(record, arrays)
    labels = data_labels(record)
    if labels is None or not arrays:
        return []
    metrics, methods = record.metrics or {}, methods_of(record)
    bands = _bands(metrics)
    errors = [] if bands is None else [band_card(bands, _band_unit(labels))]
    inside = [
        *spectrum_cards(arrays, metrics.get("spectrum") or [], labels),
        *errors,
        *history_cards(_histories(record)),
        *density_cards(arrays, labels, methods),
    ]
    fits = _fit_groups(record, arrays, "Data and fit" if methods else "Data")
    if not methods:
        learnt = learning_cards(metrics.get("learning"))
        return [*fits, ("Frequencies", inside), ("What training will do", learnt)]
    return [*fits, ("How it was learnt", inside)]


def _fit_groups(record: Record, arrays: Arrays, title: str) -> list[tuple[str, list[Card]]]:
    """The figures of every target that is drawn."""
    names, methods = (record.metrics or {})["data"]["targets"], methods_of(record)
    groups = []
    for target, name in enumerate(names):
        labels, found = data_labels(record, target), arrays_of_target(arrays, target)
        if labels is not None and found:
            heading = title if len(names) == 1 else f"{title}: {name}"
            groups.append((heading, _fit_cards(found, labels, methods)))
    return groups


def _fit_cards(arrays: Arrays, labels: DataLabels, methods: list[str]) -> list[Card]:
    match labels.layout:
        case "line":
            return line_cards(arrays, labels.drawn(), methods)
        case "map":
            return map_cards(arrays, labels.drawn(), methods)
        case "scatter":
            return scatter_cards(arrays, labels.drawn(), methods)
        case _:
            return cloud_cards(arrays, labels, methods)


def _histories(record: Record) -> dict[str, dict[str, Any]]:
    """History per method; the main method's is the record's own."""
    methods = (record.metrics or {}).get("methods") or {}
    return {
        name: (record.history if index == 0 else entry.get("history")) or {}
        for index, (name, entry) in enumerate(methods.items())
    }


def _band_unit(labels: DataLabels) -> str:
    """The one unit of all inputs that move, or none."""
    units = {labels.input_units[axis] for axis in labels.moving}
    return units.pop() if len(units) == 1 else ""


def _headline(name: str, record: Record, labels: DataLabels) -> str:
    """The error of the target in the picture, which is the first."""
    found = (record.metrics or {})["methods"][name]
    rmse = (found.get("targets") or [found])[0]["rmse"]
    if rmse is None:
        return "error"
    return f"held-out RMSE {number(rmse)} {labels.unit}".rstrip()


def _words(record: Record) -> dict[str, Any]:
    """What both templates are filled with."""
    metrics = record.metrics or {}
    return {
        "record": record,
        "metrics": metrics,
        "data": metrics.get("data"),
        "left_out": words_left_out(metrics.get("data") or {}),
        "problem": _problem(record),
        "theory": metrics.get("theory"),
        "cell": lambda value: value if isinstance(value, str) else number(value),
        "operator": _operator(record),
        "errors": _error_rows(metrics.get("errors")),
        "residuals": metrics.get("residuals") or {},
        "unknowns": unknown_rows(record.unknowns, metrics.get("unknowns")),
        "sampling": metrics.get("sampling"),
        "suggestion": metrics.get("suggestion"),
        "learning": metrics.get("learning"),
        "learning_rows": learning_rows,
        "target_rows": target_rows(metrics),
        "drawn_targets": MOST_TARGETS,
        "unit": _unit(metrics),
        "methods": metrics.get("methods") or {},
        "tiles": _tiles(record),
        "ended": None if record.result is None else RESULTS[record.result].value,
        "command": command_line(record),
        "number": number,
        "seconds": seconds,
        "bands": _band_rows(_bands(metrics)),
    }


def _unit(metrics: Mapping[str, Any]) -> str:
    """Of errors over all targets."""
    return shared_unit(metrics["data"]) if metrics.get("data") else ""


def _tiles(record: Record) -> list[tuple[str, str]]:
    """The headline numbers: value and what it is."""
    metrics = record.metrics or {}
    unit = _unit(metrics)
    found = metrics.get("theory", {}).get("tiles", [])
    tiles = [(each if isinstance(each, str) else number(each), name) for each, name in found]
    if record.heldout_rmse is not None:
        tiles.append((f"{number(record.heldout_rmse)} {unit}".rstrip(), "held-out RMSE"))
    if record.relative_l2 is not None:
        middle = "median " if "operator" in metrics else ""
        tiles.append((number(record.relative_l2), f"{middle}relative L2 error"))
    if metrics.get("psnr") is not None:
        tiles.append((f"{number(metrics['psnr'])} dB", "PSNR"))
    if record.seconds is not None:
        tiles.append((seconds(record.seconds), "compute" if "theory" in metrics else "solve"))
    if record.network is not None:
        tiles.append((number(record.network["parameters"]), "parameters"))
    return tiles


def _error_rows(errors: dict[str, Any] | None) -> list[tuple[str, ...]]:
    """What is measured, and its quartiles over what was held out."""
    kinds = ("lower", "median", "upper", "worst")
    return [
        (LABELS.get(name, name), *(number(found[kind]) for kind in kinds))
        for name, found in (errors or {}).items()
    ]


def _bands(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """The errors per band; `None` where no band has energy, as of a target of zeros."""
    bands = metrics.get("bands")
    return bands if bands and any(bands["share"]) else None


def _band_rows(bands: dict[str, Any] | None) -> list[tuple[str, str, list[str]]]:
    """Band, share of the energy, error per method."""
    if not bands:
        return []
    rows = []
    for index, share in enumerate(bands["share"]):
        band = f"{number(bands['edges'][index])} – {number(bands['edges'][index + 1])}"
        errors = [number(errors[index]) for errors in bands["error"].values()]
        rows.append((band, f"{number(100.0 * share)} %", errors))
    return rows


@functools.cache
def _template(name: str) -> jinja2.Template:
    # Of the page, everything but figures is escaped: names come from the user's files.
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("repnet.report"),
        autoescape=name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template(f"{name}.j2")
