"""Cost of one training step: RepNet over a vanilla network of the same sizes.

    python benchmarks/step_cost.py --widths 128 512
    python benchmarks/step_cost.py --equations poisson1d_ms helmholtz2d_1_4

Full batches of 513 points, or the points of an equation with its conditions met by construction,
tanh, first layer 256, then 64 and 64. Adam, float32. The networks take turns, chunk by chunk, so
that whatever else the machine does falls on all of them; medians are compared.
"""

import argparse
import json
from collections.abc import Sequence

import jax.random as jr
import numpy as np
from _cases import CASES
from _hard import CASES as EQUATIONS
from _methods import ACTIVATIONS, HIDDEN
from _turns import ratio_of_turns, stepper, stepper_of

from repnet.nn import MLP, Linear, RepNet


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Measure every width, activation and form, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--widths", nargs="+", type=int, default=[128, 512])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--steps", type=int, default=100, help="steps per turn")
    parser.add_argument("--equations", nargs="*", default=None, choices=list(EQUATIONS))
    parser.add_argument("--out", default=None, help="JSON file for the rows")
    options = parser.parse_args(argv)
    rows = []
    if options.equations is not None:
        rows = [_equation(name, options) for name in options.equations or EQUATIONS]
    for width in options.widths if options.equations is None else ():
        for activation in ACTIVATIONS:
            rows += _rows(width, activation, options)
    if options.out:
        with open(options.out, "w") as file:
            json.dump(rows, file, indent=1)
    return rows


def _equation(name: str, options: argparse.Namespace) -> dict:
    problem = EQUATIONS[name].hard()
    first, rest = jr.split(jr.key(0))
    plain = Linear(problem.dim, 256, key=first)
    networks = {
        "vanilla": MLP(plain, problem.out_size, hidden=HIDDEN, key=rest),
        "plain": RepNet(problem.dim, width=256, scale=8.0, features="plain", key=jr.key(1)),
    }
    runners = {label: stepper_of(problem, network) for label, network in networks.items()}
    times = ratio_of_turns(runners, options.steps, options.repeats)
    ratio = float(np.median(times["plain"] / times["vanilla"]))
    milliseconds = float(np.median(times["plain"])) / options.steps * 1e3
    print(f"{name:22} tanh plain    {milliseconds:7.3f} ms  x {ratio:.3f}", flush=True)
    return {"equation": name, "milliseconds": milliseconds, "ratio": ratio}


def _rows(width: int, activation: str, options: argparse.Namespace) -> list[dict]:
    x, y = CASES["octaves1d"].train()
    phi = ACTIVATIONS[activation]
    first, rest = jr.split(jr.key(0))
    plain = MLP(
        Linear(1, width, activation=phi, key=first), 1, hidden=HIDDEN, activation=phi, key=rest
    )
    networks = {"vanilla": plain}
    for features, paired in (("step", False), ("local", False), ("local", True)):
        networks["paired" if paired else features] = RepNet(
            1,
            width=width,
            scale=32.0,
            activation=phi,
            features=features,
            paired=paired,
            key=jr.key(1),
        )
    runners = {name: stepper(network, x, y) for name, network in networks.items()}
    times = ratio_of_turns(runners, options.steps, options.repeats)
    rows = []
    for name, seconds in times.items():
        ratio = float(np.median(seconds / times["vanilla"]))
        row = {
            "width": width,
            "activation": activation,
            "network": name,
            "milliseconds": float(np.median(seconds)) / options.steps * 1e3,
            "ratio": ratio,
        }
        rows.append(row)
        print(
            f"width {width:4} {activation} {name:8} {row['milliseconds']:7.3f} ms  x {ratio:.3f}",
            flush=True,
        )
    return rows


if __name__ == "__main__":
    main()
