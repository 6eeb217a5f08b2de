"""The one table that a command prints."""

from typing import Any

from rich.console import Console
from rich.table import Table

from repnet.report import Record, number, seconds


def show_fits(record: Record, target: str) -> None:
    """One row per measure and one column per method, then the plan and where the results are."""
    metrics = record.metrics or {}
    methods: dict[str, dict[str, Any]] = metrics["methods"]
    unit = metrics["data"]["units"][len(metrics["data"]["inputs"])]
    table = Table(title=_title(metrics["data"]), title_justify="left", title_style="bold")
    table.add_column("")
    for name in methods:
        table.add_column(name, justify="right")
    for label, entries in _rows(methods, unit):
        table.add_row(label, *entries)
    bands = metrics.get("bands")
    if bands:
        table.add_section()
        for label, entries in _band_rows(bands):
            table.add_row(label, *entries)
    console = Console()
    console.print(table)
    for line in _plan_lines(record):
        console.print(line, highlight=False, markup=False)
    console.print(f"\nResults: {target}/report.html", highlight=False, markup=False)


def _title(data: dict[str, Any]) -> str:
    held = f", {number(data['heldout_points'])} held out" if data["heldout_points"] else ""
    return f"{data['name']}: {number(data['points'])} points{held}"


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


def _band_rows(bands: dict[str, Any]) -> list[tuple[str, list[str]]]:
    edges = bands["edges"]
    return [
        (
            f"error in {number(edges[i], 2)}–{number(edges[i + 1], 2)} rad",
            [number(errors[i], 2) for errors in bands["error"].values()],
        )
        for i, share in enumerate(bands["share"])
        if share is not None and share > 1e-5
    ]


def _plan_lines(record: Record) -> list[str]:
    plan = record.plan
    if plan is None:
        return []
    return [f"Plan: {plan['solver']}. {plan['network']}.", *(f"  {r}" for r in plan["reasons"])]
