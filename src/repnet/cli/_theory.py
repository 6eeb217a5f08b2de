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
