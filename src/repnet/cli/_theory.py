"""`repnet theory`: what a network will do before it is trained, beside what it does."""

from typing import Annotated

import typer

from repnet.cli._options import Json, Out, Quiet, Seed, end, given

theory_app = typer.Typer(
    help="What a network will do before it is trained, beside what it does.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@theory_app.command()
def magnitude(
    depths: Annotated[str, typer.Option(help="Layers of units, the first included.")] = "1,2,4",
    scales: Annotated[
        str, typer.Option(help="Slope scales, in radians per half-width.")
    ] = "4,16,64,256",
    activation: Annotated[str, typer.Option(help="tanh, relu, sin, ...")] = "tanh",
    features: Annotated[str, typer.Option(help="step, local, plain, ramp, bump or hat.")] = "local",
    dim: Annotated[int, typer.Option(help="Number of inputs.")] = 1,
    width: Annotated[int, typer.Option(help="Units of every layer.")] = 256,
    networks: Annotated[int, typer.Option(help="Random networks to measure.")] = 100,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Output and slope of networks at initialization: estimated, and of random networks."""
    from repnet.cli._theory_magnitude import run_magnitude

    end(run_magnitude(given(locals())))


@theory_app.command()
def partition(
    frequencies: Annotated[
        str, typer.Option(help="k of the targets sin(kx), x from -1 to 1.")
    ] = "1,2,4,8,16,32,64",
    scales: Annotated[
        str, typer.Option(help="Slope scales to try at even partition points.")
    ] = "1,4,16,64,256",
    spreads: Annotated[
        str, typer.Option(help="Half-widths of the partition points to try at one slope scale.")
    ] = "0.25,0.5,1,2,4",
    rates: Annotated[
        str, typer.Option(help="Learning rates; of several, the best for each network.")
    ] = "0.001",
    units: Annotated[int, typer.Option(help="Units of each network.")] = 128,
    steps: Annotated[int, typer.Option(help="Training steps.")] = 1500,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Why shallow ReLU networks fail: slope scale and partition points, each varied alone."""
    from repnet.cli._theory_partition import run_partition

    end(run_partition(given(locals())))
