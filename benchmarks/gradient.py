"""Gradient training: RepNet beside the vanilla network, its own controls, and swept rivals.

    python benchmarks/gradient.py --out gradient.json
    python benchmarks/gradient.py --quick --out quick.json

Every method trains the same sizes (256-64-64; 512-64-64 for `multiscale1d`) with Adam for the same
number of steps from the same seeds, all seeds as one batch. The vanilla network takes the best of
three learning rates, Fourier features and SIREN the best of three scales, judged by the test error
itself, which favours them. RepNet takes its automatic scale. Rows that the file holds already are
not computed again.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import jax
import jax.random as jr
import numpy as np
from _cases import CASES, Case
from _methods import ACTIVATIONS, METHODS, Setting, Shape, repnet_network

from repnet.judge import relative_l2
from repnet.nn import MLP
from repnet.problem import Problem, regression
from repnet.solve import Gradient, find_scale, train_many
from repnet.solve._directions import Directions, direction_choices
from repnet.spectrum import axis_spectra

# ReLU plays no part in the rivals' first layers; they are compared with tanh behind them.
TANH_ONLY = ("fourier", "siren")


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Run what is missing, and print the table of geometric means over the seeds."""
    options = _options(argv)
    path = Path(options.out)
    rows = json.loads(path.read_text()) if path.exists() else []
    done = {_name(row) for row in rows}
    for name in options.cases:
        for activation in options.activations:
            for row in _case_rows(CASES[name], activation, options, done):
                rows.append(row)
                path.write_text(json.dumps(rows, indent=1))
    print(table(rows))
    return rows


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", default="gradient.json")
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--activations", nargs="+", default=list(ACTIVATIONS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--quick", action="store_true", help="one seed, 300 steps, two cases")
    options = parser.parse_args(argv)
    if options.quick:
        options.seeds, options.steps = 1, 300
        options.cases = ["octaves1d", "noisy1d"]
    return options


def _case_rows(
    case: Case, activation: str, options: argparse.Namespace, done: set[tuple]
) -> Iterator[dict]:
    x, y = case.train()
    width = 512 if case.name == "multiscale1d" else 256
    omega = max(s.omega_max * (case.upper - case.lower) / 2 for s in axis_spectra(x, y))
    shape = Shape(case.dim, width, omega)
    problem, scales = regression(x, y), Scales(case, x, y, width, activation, options)
    for method in options.methods:
        if method in TANH_ONLY and activation != "tanh":
            continue
        for setting in METHODS[method](shape, activation, scales):
            row = {
                "case": case.name,
                "activation": activation,
                "method": method,
                "setting": setting.label,
                "steps": options.steps,
                "seeds": options.seeds,
            }
            if _name(row) not in done:
                yield {**row, **_measure(case, problem, setting, options)}


class Scales(dict):
    """Automatic scales by features and pairing, found when they are first asked for."""

    def __init__(
        self,
        case: Case,
        x: np.ndarray,
        y: np.ndarray,
        width: int,
        activation: str,
        options: argparse.Namespace,
    ):
        self.problem = regression(x, y)
        self.case, self.width, self.options = case, width, options
        self.activation = ACTIVATIONS[activation]

    def __missing__(self, key: tuple[str, bool]) -> tuple[str, Directions, tuple[float, ...]]:
        features, paired = key

        def make(directions: Directions, key: jax.Array, scale: jax.Array) -> MLP:
            return repnet_network(
                self.case.dim, self.width, self.activation, features, paired, directions, scale, key
            )

        choices = direction_choices(
            self.problem,
            "auto",
            self.width,
            activation=self.activation,
            features=features,
            key=jr.key(2),
        )
        variants = {name: partial(make, each) for name, each in choices.directions.items()}
        name, choice = find_scale(
            self.problem,
            variants,
            activation=self.activation,
            features=features,
            steps=self.options.steps,
            batch=self.case.batch,
            guesses=choices.guesses,
            key=jr.key(1),
        )
        self[key] = name, choices.directions[name], choice.scale
        return self[key]


def _name(row: dict) -> tuple:
    return tuple(row[k] for k in ("case", "activation", "method", "setting", "steps", "seeds"))


def _measure(case: Case, problem: Problem, setting: Setting, options: argparse.Namespace) -> dict:
    solver = Gradient(
        steps=options.steps, rate=setting.rate, batch=case.batch, chunk=min(500, options.steps)
    )
    keys = jr.split(jr.key(0), options.seeds)
    start = time.perf_counter()
    solutions = train_many(problem, setting.make, solver, keys=keys)
    wall = time.perf_counter() - start
    points, values = case.test()
    errors = [relative_l2(solution, points, values) for solution in solutions]
    print(f"{case.name:13} {setting.label:20} {_mean(errors):.2e}  {wall:.0f} s", file=sys.stderr)
    return {
        "relative_l2": errors,
        "loss": [float(s.history["loss"][-1]) for s in solutions],
        "result": [s.result.name for s in solutions],
        "seconds": sum(s.seconds for s in solutions),
        "compile_seconds": sum(s.compile_seconds for s in solutions),
        "device": jax.devices()[0].device_kind,
    }


def _mean(errors: Sequence[float]) -> float:
    """Geometric mean; a run that diverged counts as an error of 10."""
    return float(np.exp(np.mean(np.log(np.nan_to_num(errors, nan=10.0, posinf=10.0)))))


def best_settings(rows: Sequence[dict]) -> dict[tuple[str, str, str], dict]:
    """The row of the best setting of every case, activation and method."""
    best: dict[tuple[str, str, str], dict] = {}
    for row in rows:
        name = row["case"], row["activation"], row["method"]
        if name not in best or _mean(row["relative_l2"]) < _mean(best[name]["relative_l2"]):
            best[name] = row
    return best


def table(rows: Sequence[dict]) -> str:
    """Markdown: geometric mean of the relative L2 error over the seeds, per case and method."""
    best = best_settings(rows)
    lines = []
    for activation in dict.fromkeys(name[1] for name in best):
        cases = list(dict.fromkeys(c for c, a, _ in best if a == activation))
        lines += [f"\n{activation}: relative L2 error (vanilla's over it)\n"]
        lines += [f"| | {' | '.join(cases)} |", "|---" * (len(cases) + 1) + "|"]
        for method in (m for m in METHODS if any(n[1:] == (activation, m) for n in best)):
            cells = [_cell(best, case, activation, method) for case in cases]
            lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", summary(rows)])


def _cell(best: dict, case: str, activation: str, method: str) -> str:
    row = best.get((case, activation, method))
    if row is None:
        return ""
    error = _mean(row["relative_l2"])
    plain = best.get((case, activation, "vanilla"))
    ratio = f" ({_mean(plain['relative_l2']) / error:.3g})" if plain else ""
    return f"{error:.2g}{ratio}"


GROUPS = {
    "1-D, smooth": ("octaves1d", "chirp1d", "multiscale1d", "packets1d", "rough1d"),
    "steps": ("steps1d",),
    "4-D additive": ("additive4d",),
    "4-D coupled": ("coupled4d",),
    "4-D oblique": ("oblique4d",),
    "4-D ridges": ("ridges4d",),
    "sparse": ("sparse1d",),
    "noisy": ("noisy1d",),
}


def summary(rows: Sequence[dict]) -> str:
    """Vanilla error over the method's, as a geometric mean over a group of cases."""
    best = best_settings(rows)
    names = list(dict.fromkeys((a, m) for _, a, m in best if m != "vanilla"))
    lines = ["vanilla error / error, geometric mean", ""]
    lines += [f"| | {' | '.join(GROUPS)} |", "|---" * (len(GROUPS) + 1) + "|"]
    for activation, method in names:
        cells = [_ratio(best, cases, activation, method) for cases in GROUPS.values()]
        lines.append(f"| {activation} {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _ratio(best: dict, cases: Sequence[str], activation: str, method: str) -> str:
    pairs = [
        (best.get((c, activation, "vanilla")), best.get((c, activation, method))) for c in cases
    ]
    if any(plain is None or row is None for plain, row in pairs):
        return ""
    ratios = [_mean(plain["relative_l2"]) / _mean(row["relative_l2"]) for plain, row in pairs]
    return f"{_mean(ratios):.3g}"


if __name__ == "__main__":
    main()
