"""The one table that a command prints."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from repnet.report import (
    ERROR_LABELS,
    Record,
    learning_rows,
    number,
    seconds,
    shared_unit,
    target_rows,
    unknown_rows,
    words_left_out,
)

MOST_TARGETS = 8  # of which the table shows the errors


def show_fits(record: Record, target: str) -> None:
    """One row per measure and one column per method, then the plan and where the results are."""
    metrics = record.metrics or {}
    methods: dict[str, dict[str, Any]] = metrics["methods"]
    data = metrics["data"]
    table = Table()
    table.add_column("", no_wrap=True)
    for name in methods:
        table.add_column(escape(name), justify="right")
    for label, entries in _rows(methods, shared_unit(data)):
        table.add_row(escape(label), *entries)
    if len(data["targets"]) > 1 and (rows := _target_rows(metrics)):
        table.add_section()
        table.add_row("RMSE, relative L2 per target")
        for label, entries in rows:
            table.add_row(escape(label), *entries)
    bands = metrics.get("bands")
    if bands:
        table.add_section()
        table.add_row("error per band of frequencies")
        for label, entries in _band_rows(bands, _moving_units(data)):
            table.add_row(escape(label), *entries)
    console = Console()
    _show_data(console, data)
    console.print(table)
    for line in _plan_lines(record):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"\nResults: {target}/report.html", highlight=False, markup=False, soft_wrap=True)


def show_solution(record: Record, target: str) -> None:
    """Errors, times and unknowns of a solved equation, then the plan and where the results are."""
    metrics = record.metrics or {}
    problem = metrics["problem"]
    title = f"{problem['name']}: {problem['summary']}" if problem["summary"] else problem["name"]
    table = Table(title=escape(title), title_justify="left", title_style="bold", show_header=False)
    table.add_column("", no_wrap=True)
    table.add_column("", justify="right")
    for label, value in _solution_rows(record):
        table.add_row(escape(label), value)
    if record.unknowns:
        table.add_section()
        for label, value in _unknown_rows(record):
            table.add_row(escape(label), escape(value))
    console = Console()
    console.print(table)
    for line in _plan_lines(record):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"\nResults: {target}/report.html", highlight=False, markup=False, soft_wrap=True)


def show_operator(record: Record, target: str) -> None:
    """Quartiles of the held-out errors, then the plan and where the results are."""
    metrics = record.metrics or {}
    about = metrics["operator"]
    title = f"{about['name']}: {about['summary']}"
    table = Table(title=escape(title), title_justify="left", title_style="bold")
    for name in ("held-out error", "lower quartile", "median", "upper quartile", "worst"):
        table.add_column(name, justify="left" if name == "held-out error" else "right")
    for name, found in metrics["errors"].items():
        kinds = ("lower", "median", "upper", "worst")
        table.add_row(ERROR_LABELS.get(name, name), *(number(found[kind]) for kind in kinds))
    console = Console()
    console.print(table)
    console.print(about["judged"], highlight=False, markup=False, soft_wrap=True)
    console.print(f"Fit to all: {seconds(record.seconds)}, {seconds(record.compile_seconds)} to "
                  "compile.", highlight=False, markup=False, soft_wrap=True)  # fmt: skip
    for line in _plan_lines(record):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"\nResults: {target}/report.html", highlight=False, markup=False, soft_wrap=True)


def _solution_rows(record: Record) -> list[tuple[str, str]]:
    metrics = record.metrics or {}
    residuals = [
        (f"residual of {name}, rms", number(found["rms"]))
        for name, found in metrics["residuals"].items()
    ]
    return [
        ("relative L2 error", number(record.relative_l2)),
        ("largest error", number(metrics["max_error"])),
        *residuals,
        ("solve", seconds(record.seconds)),
        ("compile", seconds(record.compile_seconds)),
        ("steps", number(record.steps) if record.steps else "direct"),
        ("parameters", number((record.network or {}).get("parameters"))),
    ]


def _unknown_rows(record: Record) -> list[tuple[str, str]]:
    errors = (record.metrics or {}).get("unknowns") or {}
    rows = []
    for name, value, interval, truth, error in unknown_rows(record.unknowns, errors):
        within = "" if interval == "–" else f" (95 %: {interval})"
        rows.append((name, f"{value}{within}"))
        if truth != "–":
            rows.append((f"{name}, truth", truth))
        if error != "–":
            rows.append((f"{name}, relative error", error))
    return rows


def _show_data(console: Console, data: dict[str, Any]) -> None:
    """What is learnt from what, and what is left out, above a table."""
    console.print(_title(data), style="bold", highlight=False, markup=False, soft_wrap=True)
    if told := words_left_out(data):
        console.print(told, highlight=False, markup=False, soft_wrap=True)


def _title(data: dict[str, Any]) -> str:
    held = f", {number(data['heldout_points'])} held out" if data["heldout_points"] else ""
    roles = f"{', '.join(data['targets'])} over {', '.join(data['inputs'])}"
    return f"{data['name']}: {roles}, {number(data['points'])} points{held}"


def _rows(methods: dict[str, dict[str, Any]], unit: str) -> list[tuple[str, list[str]]]:
    def row(name: str, words: Any = number) -> list[str]:
        return [words(entry[name]) for entry in methods.values()]

    return [
        (f"held-out RMSE [{unit}]" if unit else "held-out RMSE", row("rmse")),
        ("relative L2", row("relative_l2")),
        ("PSNR [dB]", row("psnr")),
        ("largest error", row("max_error")),
        ("solve", row("seconds", seconds)),
        ("compile", row("compile_seconds", seconds)),
        ("steps", row("steps", lambda steps: number(steps) if steps else "direct")),
        ("parameters", row("parameters")),
    ]


def _band_rows(bands: dict[str, Any], units: list[str]) -> list[tuple[str, list[str]]]:
    edges = bands["edges"]
    unit = f"rad/{units[0]}" if len(set(units)) == 1 and units[0] else "rad"
    return [
        (
            f"{number(edges[i], 2)}–{number(edges[i + 1], 2)} {unit}",
            [number(errors[i], 2) for errors in bands["error"].values()],
        )
        for i, share in enumerate(bands["share"])
        if share is not None and share > 1e-5
    ]


def _target_rows(metrics: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Both errors in one cell per method; the first targets of many."""
    rows = target_rows(metrics)[1]
    shown = [
        (name, [f"{rmse}, {error}" for rmse, error in zip(cells[::2], cells[1::2], strict=True)])
        for name, *cells in rows[:MOST_TARGETS]
    ]
    more = len(rows) - len(shown)
    return [*shown, (f"and {more} more in the report", [])] if more > 0 else shown


def _moving_units(data: dict[str, Any]) -> list[str]:
    """Units of the inputs that are not constant."""
    sides = zip(data["units"], data["lower"], data["upper"], strict=False)
    return [unit for unit, lower, upper in sides if lower < upper]


def _plan_lines(record: Record) -> list[str]:
    plan = record.plan
    if plan is None:
        return []
    return [f"Plan: {plan['solver']}. {plan['network']}.", *(f"  {r}" for r in plan["reasons"])]


def show_diagnosis(record: Record, target: str) -> None:
    """One column per axis, then what the sampling doctor found and what is advised."""
    metrics = record.metrics or {}
    data, spectra = metrics["data"], metrics["spectrum"]
    table = Table()
    table.add_column("", no_wrap=True)
    for name, unit in zip(data["inputs"], data["units"], strict=False):
        table.add_column(escape(f"{name} [{unit}]" if unit else name), justify="right")
    for label, key in (
        ("highest angular frequency", "omega_max"),
        ("its root mean square", "omega_rms"),
        ("distance of samples", "spacing"),
        ("noise, share of the spread", "noise"),
    ):
        table.add_row(label, *(number(spectrum[key]) for spectrum in spectra))
    density = metrics["sampling"]["points_per_wavelength"]
    table.add_row("points per shortest wavelength", *map(number, density))
    table.add_row("suggested scale", *map(number, metrics["suggestion"]["scale"]))
    console = Console()
    _show_data(console, data)
    console.print(table)
    console.print(f"Sampling: {metrics['sampling']['level']}", highlight=False)
    for line in [*metrics["sampling"]["findings"], *metrics["suggestion"]["reasons"]]:
        console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    learning = metrics["learning"]
    if learning:
        console.print(_learning_table(learning))
        for line in learning["reasons"]:
            console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
    else:
        console.print(f"  {metrics['learning_left_out']}", highlight=False, markup=False)
    console.print(f"\nResults: {target}/report.html", highlight=False, markup=False, soft_wrap=True)


def _learning_table(learning: dict[str, Any]) -> Table:
    """Steps of descent per band, predicted and, where it was verified, measured."""
    title = f"Steps of descent to bring each band's error down to {learning['fraction']:.0%}"
    table = Table(title=title, title_justify="left", title_style="bold")
    columns, rows = learning_rows(learning)
    for index, name in enumerate(columns):
        table.add_column(name, justify="right" if index else "left")
    for row in rows:
        table.add_row(*row)
    return table
