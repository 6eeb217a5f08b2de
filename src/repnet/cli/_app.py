"""The commands and their options; what they do is in a file of its own each."""

from pathlib import Path
from typing import Annotated

import typer

from repnet.cli._options import (
    Data,
    Holdout,
    Inputs,
    Json,
    Out,
    Quiet,
    Seed,
    Target,
    end,
    given,
)
from repnet.cli._theory import theory_app

app = typer.Typer(
    name="repnet",
    help="Networks that learn multiscale functions.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(theory_app, name="theory")


@app.callback(invoke_without_command=True)
def repnet(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Networks that learn multiscale functions."""
    if version:
        from repnet import __version__

        print(f"repnet {__version__}")
        raise typer.Exit


@app.command()
def demo(
    out: Out = None,
    seed: Seed = 0,
    steps: Annotated[int, typer.Option(help="Training steps of the gradient methods.")] = 1200,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit real terrain with a vanilla network and with RepNet, side by side."""
    from repnet.cli._demo import run_demo

    end(run_demo(given(locals())))


@app.command()
def fit(
    data: Data,
    inputs: Inputs = None,
    target: Target = None,
    method: Annotated[str, typer.Option(help="auto, repnet, vanilla, fourier or siren.")] = "auto",
    solver: Annotated[
        str, typer.Option(help="auto, least-squares, windows, radial or gradient.")
    ] = "auto",
    scale: Annotated[
        str,
        typer.Option(
            help="auto, or the slope scale in radians per half-width of the data; with --solver "
            "windows, per half-width of a window."
        ),
    ] = "auto",
    activation: Annotated[str, typer.Option(help="tanh, relu, sin, ...; auto: the best.")] = "auto",
    width: Annotated[int | None, typer.Option(help="Units of the first layer.")] = None,
    depth: Annotated[int | None, typer.Option(help="Layers of units, the first included.")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps (gradient).")] = None,
    batch: Annotated[int | None, typer.Option(help="Points per training step (gradient).")] = None,
    holdout: Holdout = 0.1,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit a data set, judge the fit on held-out points, and report."""
    from repnet.cli._fit import run_fit

    end(run_fit(given(locals())))


@app.command()
def solve(
    problem: Annotated[
        str,
        typer.Argument(
            help="A name that `repnet zoo` lists, file.py:name, a Problem in it, or an operator: "
            "quake_response, quake_frame, antiderivative."
        ),
    ],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter, such as --set a1=3; repeated.")
    ] = None,
    solver: Annotated[
        str,
        typer.Option(
            help="auto, least-squares, elements, space-time, slabs, gauss-newton or gradient."
        ),
    ] = "auto",
    features: Annotated[
        str, typer.Option(help="sine, tanh, gelu, softplus, ...; auto: the solver's own.")
    ] = "auto",
    width: Annotated[int | None, typer.Option(help="Units of the first layer.")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps (gradient).")] = None,
    stages: Annotated[
        int | None,
        typer.Option(help="Networks, each on what those before leave (least-squares, gradient)."),
    ] = None,
    noise: Annotated[
        float | None, typer.Option(help="Of an inverse problem's data, relative to their rms.")
    ] = None,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Solve a differential equation, judge it where a reference exists, and report."""
    from repnet.cli._solve import run_solve

    options = {name.rstrip("_"): value for name, value in given(locals()).items()}
    end(run_solve({**options, "set": set_ or []}))


@app.command()
def zoo(
    name: Annotated[str | None, typer.Argument(help="Of a problem to describe.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the named differential equations, or describe one."""
    from repnet.cli._zoo import run_zoo

    end(run_zoo(given(locals())))


@app.command()
def predict(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a fit or a solve.")],
    points: Annotated[
        Path, typer.Argument(help="Table with the input columns; of an operator, an accelerogram.")
    ],
    output: Annotated[
        Path | None, typer.Option(help="File to write; left out: standard output.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Of an accelerogram: g, m/s2, cm/s2 or gal.")
    ] = None,
    step: Annotated[
        float | None, typer.Option(help="Of an accelerogram without times, in seconds.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Evaluate a saved fit or solution at the points of a table, or an operator on a record."""
    from repnet.cli._predict import run_predict

    end(run_predict(given(locals())))


@app.command()
def diagnose(
    data: Data,
    inputs: Inputs = None,
    target: Target = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Train for a moment: predicted beside measured steps.")
    ] = False,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure spectrum, noise and sampling of a data set; suggest scale and solver; say how many
    steps of training each band of frequencies needs."""
    from repnet.cli._diagnose import run_diagnose

    end(run_diagnose(given(locals())))


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw report.html and report.md again from the record and arrays of a run."""
    from repnet.cli._report import run_report

    end(run_report(given(locals())))
