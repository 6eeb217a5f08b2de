"""Smooth functions at few points: both solvers against an ordinary network.

    python benchmarks/few_points.py
    python benchmarks/few_points.py --noise 0.1 --points 129
    python benchmarks/few_points.py --features plain
    python benchmarks/few_points.py --activation relu

Ten functions, on a grid and at random, all defaults of `Gradient`, with and without the steps that
end it, of `LeastSquares`, and of `solve`; test errors on 4,001 points between the first and the
last one. `worst` is the largest error of all seeds after the last steps over the same seed's error
without them. The ordinary network takes the best of three rates, judged by the test error itself.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import jax.random as jr
import numpy as np
from _methods import ACTIVATIONS, HIDDEN
from jaxtyping import Array

from repnet.judge import relative_l2
from repnet.nn import MLP, Linear
from repnet.problem import regression
from repnet.solve import AbstractSolver, Gradient, LeastSquares, solve

FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "waves": lambda x: np.sin(2 * np.pi * x) + 0.5 * np.cos(3 * np.pi * x),
    "Runge": lambda x: 1 / (1 + 25 * x * x),
    "polynomial": lambda x: x**3 - x + 0.3 * x**5,
    "damped": lambda x: np.sin(5 * x + 0.3) * np.exp(-x),
    "front": lambda x: np.tanh(6 * x) + 0.2 * np.cos(4 * x),
    "two waves": lambda x: np.sin(3 * x) + 0.3 * np.sin(13 * x),
    "exponential": lambda x: np.exp(2 * x),
    "logarithm": lambda x: np.log(1.2 + x),
    "bell": lambda x: np.exp(-30 * (x - 0.1) ** 2),
    "arctangent": lambda x: np.arctan(4 * x) + x**2,
}
RATES = (1e-3, 3e-3, 1e-2)


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Measure every function and layout, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, default=33)
    parser.add_argument("--noise", type=float, default=0.0, help="over the standard deviation")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--features", default="auto", help="of our first layer; plain: steps")
    parser.add_argument("--activation", choices=list(ACTIVATIONS), default="tanh")
    parser.add_argument("--only", nargs="+", choices=list(FUNCTIONS), default=list(FUNCTIONS))
    options = parser.parse_args(argv)
    print("| function | points | ordinary | descent | ended | worst | least squares | solve |")
    print("|---|---|---|---|---|---|---|---|")
    rows = [_row(name, layout, options) for layout in ("grid", "random") for name in options.only]
    ratios = [("descent", "ended"), *(("ordinary", kind) for kind in ("ended", "direct", "solve"))]
    for theirs, ours in ratios:
        found = [row[theirs] / row[ours] for row in rows]
        mean = np.exp(np.mean(np.log(found)))
        print(f"{theirs} ÷ {ours}: geometric mean {mean:.2g}, least {min(found):.2f}")
    return rows


def _row(name: str, layout: str, options: argparse.Namespace) -> dict:
    function, rng = FUNCTIONS[name], np.random.default_rng(3)
    x = np.linspace(-1.0, 1.0, options.points)
    if layout == "random":
        x = np.sort(rng.uniform(-1.0, 1.0, options.points))
    y = function(x)
    problem = regression(x, y + options.noise * np.std(y) * rng.normal(size=len(x)))
    between = np.linspace(x[0], x[-1], 4001)

    def errors(solver: AbstractSolver | None, ordinary: bool = False) -> np.ndarray:
        found = []
        for key in jr.split(jr.key(0), options.seeds):
            solution = solve(problem, draw(key) if ordinary else None, solver, key=key)
            found.append(relative_l2(solution, between, function(between)))
        return np.array(found)

    activation = ACTIVATIONS[options.activation]
    draw = partial(_ordinary, activation)
    ours = Gradient(features=options.features, activation=activation)
    descent, ended = errors(replace(ours, finish=0)), errors(ours)
    ordinary = min(_mean(errors(Gradient(rate=rate), ordinary=True)) for rate in RATES)
    row = {
        "function": name,
        "layout": layout,
        "ordinary": ordinary,
        "descent": _mean(descent),
        "ended": _mean(ended),
        "worst": float(np.max(ended / descent)),
        "direct": _mean(errors(LeastSquares())),
        "solve": _mean(errors(None)),
    }
    shown = ("ordinary", "descent", "ended", "worst", "direct", "solve")
    cells = [f"{row[kind]:.1e}" for kind in shown]
    print(f"| {name} | {layout} | {' | '.join(cells)} |", flush=True)
    return row


def _ordinary(activation: Callable, key: Array) -> MLP:
    first, rest = jr.split(key)
    layer = Linear(1, 256, activation=activation, key=first)
    return MLP(layer, 1, hidden=HIDDEN, activation=activation, key=rest)


def _mean(errors: np.ndarray) -> float:
    return float(np.exp(np.mean(np.log(errors))))


if __name__ == "__main__":
    main()
