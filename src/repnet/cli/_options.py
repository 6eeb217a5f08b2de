"""Options that several commands share, and what each command ends with."""

from pathlib import Path
from typing import Annotated, Any

import typer

Data = Annotated[
    str,
    typer.Argument(
        help="A file (.csv, .npz, .wav), or terrain, sea_floor, camera, heart or "
        "sea_surface_temperature."
    ),
]
Inputs = Annotated[str | None, typer.Option(help="Input columns, separated by commas.")]
Target = Annotated[str | None, typer.Option(help="Target columns, separated by commas.")]
Out = Annotated[
    Path | None, typer.Option(help="Folder for the results, new or empty; left out: a free name.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the record instead of the table.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print no table and no progress.")]
Seed = Annotated[int, typer.Option(help="Of every random draw.")]
Holdout = Annotated[float, typer.Option(help="Share of the points kept for judging; 0: none.")]


def given(arguments: dict[str, Any]) -> dict[str, Any]:
    """A command's arguments without what the function body imported."""
    return {name: value for name, value in arguments.items() if not name.startswith("run_")}


def end(code: int) -> None:
    """End the program with a code, if it is not 0."""
    if code:
        raise typer.Exit(code)
