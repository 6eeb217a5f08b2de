"""What every command of `repnet theory` ends with: write, draw, show."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from repnet.cli._finish import asked, drawn
from repnet.report import OutputFolder, Record, Run, free_name, number, record_of, write_run
from repnet.solve._clock import Clock


@dataclasses.dataclass(frozen=True)
class Findings:
    """What a command of the theory found.

    - `title`, `summary`: of the report; what was asked, in one sentence.
    - `tables`: each a mapping of `title`, `columns` (words) and `rows` (words and numbers).
    - `sentences`: what the numbers say, in full sentences.
    - `tiles`: the headline numbers, pairs of a value and what it is.
    - `metrics`: numbers for the record, by name.
    - `arrays`: what the figures are drawn from.
    """

    title: str
    summary: str
    tables: Sequence[Mapping[str, Any]]
    sentences: Sequence[str] = ()
    tiles: Sequence[tuple[float | int | str, str]] = ()
    metrics: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    arrays: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)


def run_theory(name: str, options: dict[str, Any], work: Callable[[], Findings]) -> int:
    """Do the work of `repnet theory NAME`, write the run, show it; the exit code."""
    with OutputFolder(options["out"] or free_name(f"repnet-theory-{name}")) as folder:
        with Clock() as clock:
            found = work()
        record = record_of(
            f"theory {name}",
            asked(options),
            seed=options["seed"],
            metrics={
                **found.metrics,
                "theory": {
                    "title": found.title,
                    "summary": found.summary,
                    "tiles": found.tiles,
                    "tables": found.tables,
                    "sentences": found.sentences,
                },
            },
            seconds=clock.seconds,
            compile_seconds=clock.compile_seconds,
        )
        write_run(folder.path, Run(record, found.arrays), None)
        target = drawn(folder)
    if options["json"]:
        print(record.to_json())
    elif not options["quiet"]:
        show_theory(record, target)
    return 0


def show_theory(record: Record, target: str) -> None:
    """The tables of a run of the theory, what they say, and where the results are."""
    about = (record.metrics or {})["theory"]
    console = Console()
    for entry in about["tables"]:
        console.print(_table(entry))
    for line in about["sentences"]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(f"\nResults: {target}/report.html", highlight=False, markup=False, soft_wrap=True)


def _table(entry: Mapping[str, Any]) -> Table:
    table = Table(title=escape(entry["title"]), title_justify="left", title_style="bold")
    for index, name in enumerate(entry["columns"]):
        table.add_column(escape(name), justify="right" if index else "left", no_wrap=index == 0)
    for row in entry["rows"]:
        table.add_row(*(escape(cell) if isinstance(cell, str) else number(cell) for cell in row))
    return table
