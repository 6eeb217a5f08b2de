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


@theory_app.command()
def diffusion(
    scales: Annotated[str, typer.Option(help="Scales of the network.")] = "1,2,4,8",
    shares: Annotated[
        str | None, typer.Option(help="Share of the units at each scale; left out: all alike.")
    ] = None,
    units: Annotated[int, typer.Option(help="Units of the trained network, even.")] = 16384,
    draw: Annotated[str, typer.Option(help="sobol or random.")] = "sobol",
    amplitude: Annotated[str, typer.Option(help="signs or normal: the law of the read-out.")] = (
        "signs"
    ),
    bias: Annotated[
        str, typer.Option(help="uniform, zero, or the deviation of a normal law.")
    ] = "uniform",
    frozen: Annotated[
        str | None, typer.Option(help="Groups that do not train: amplitude, weight, bias.")
    ] = None,
    waves: Annotated[
        str | None,
        typer.Option(help="Frequencies of the target; left out: 1,4,10, in 2-D 1,2,3.5."),
    ] = None,
    window: Annotated[float, typer.Option(help="Width of the target's Gaussian window.")] = 0.8,
    half_width: Annotated[float, typer.Option(help="The domain reaches from minus this to it.")] = (
        4.0
    ),
    time: Annotated[float, typer.Option(help="Learning rate times steps at the end.")] = 4.0,
    dim: Annotated[int, typer.Option(help="Number of inputs, 1 or 2.")] = 1,
    sweep: Annotated[
        bool, typer.Option(help="Also train fewer units and on other domains.")
    ] = True,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """The training error's spectrum over time: the diffusion model beside real descent."""
    from repnet.cli._theory_diffusion import run_diffusion

    end(run_diffusion(given(locals())))


@theory_app.command()
def kernel(
    scales: Annotated[str, typer.Option(help="Scales of the sine network.")] = "1,2,4,8",
    scale: Annotated[float, typer.Option(help="Slope scale of the reparameterized layer.")] = 16.0,
    activation: Annotated[str, typer.Option(help="Of that layer: tanh, relu, gelu, ...")] = "tanh",
    features: Annotated[
        str, typer.Option(help="Of that layer: plain, ramp, bump or hat.")
    ] = "plain",
    waves: Annotated[
        str, typer.Option(help="Frequencies whose initial rates are measured.")
    ] = "4,8,16,32",
    units: Annotated[int, typer.Option(help="Units of the networks.")] = 20000,
    training: Annotated[
        bool, typer.Option(help="Also train: reparameterized against raw, and over scales.")
    ] = True,
    seed: Seed = 0,
    out: Out = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Tangent kernels: formulas beside networks, and what they say about the scale."""
    from repnet.cli._theory_kernel import run_kernel

    end(run_kernel(given(locals())))
