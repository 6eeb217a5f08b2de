"""Equations by gradient training: a RepNet beside a plain network, with hard or soft conditions.

    python benchmarks/pinn.py --cases poisson1d_ms helmholtz2d_1_4 --seeds 3 --out pinn.json

Both are tanh, first layer 256, then 64 and 64, with the same points and steps, in float32. The
plain network has the better of two rates, 1e-3 and 3e-3, by its error after Adam with the first
seed; the RepNet has one rate and the scale that the solver finds by itself from the equation, once
per case, before any training. The number of points follows from the frequencies found there. Each
is judged after Adam alone and after the Gauss–Newton steps that follow by default.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from time import perf_counter

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from _hard import CASES, Case

from repnet.nn import MLP, Linear, RepNet
from repnet.problem import Problem
from repnet.solve import Gradient, Solution
from repnet.solve._collocation import default_count
from repnet.solve._equation_scale import equation_scale

RATES = (1e-3, 3e-3)
RATE = 3e-3


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Train, print one line per case, and return the rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--finish", type=int, default=None, help="Gauss–Newton steps after Adam")
    parser.add_argument("--points", type=int, default=None, help="inside; by the frequencies")
    parser.add_argument("--rates", nargs="*", type=float, default=RATES, help="plain network's")
    parser.add_argument("--soft", action="store_true", help="conditions as terms of the loss")
    parser.add_argument("--out", default=None, help="JSON file for the rows")
    options = parser.parse_args(argv)
    rows = []
    for name in options.cases:
        rows.append(_row(name, CASES[name], options))
        if options.out:
            with open(options.out, "w") as file:
                json.dump(rows, file, indent=1)
    if len(rows) > 1:
        for kind in ("adam", "finish"):
            gains = [gain for row in rows for gain in row[f"gain_{kind}"]]
            mean, least = float(np.exp(np.mean(np.log(gains)))), min(gains)
            print(f"{kind:7} geometric mean of the gains {mean:.3g}, least {least:.3g}", flush=True)
    return rows


def _row(name: str, case: Case, options: argparse.Namespace) -> dict:
    problem = case.soft() if options.soft else case.hard()
    choice = equation_scale(problem, features="plain", key=jr.key(99))
    omega = np.asarray(choice.numbers["omega"])
    points = options.points or default_count(problem, omega, jr.key(99))

    def plain(key):
        first, rest = jr.split(key)
        network = Linear(problem.dim, 256, key=first)
        return MLP(network, problem.out_size, hidden=(64, 64), key=rest)

    def repnet(key):
        sizes = {"width": 256, "hidden": (64, 64)}
        return RepNet(
            problem.dim, scale=jnp.asarray(choice.scale), features="plain", key=key, **sizes
        )

    row: dict = {"case": name, "soft": options.soft, "steps": options.steps, "points": points}
    row |= {"scale": list(choice.scale), "seeds": []}
    rate = None
    for key in jr.split(jr.key(0), options.seeds):
        rate = rate or _better(problem, plain, key, points, options)
        seed = _errors("plain", problem, plain, key, rate, points, options)
        seed |= _errors("repnet", problem, repnet, key, RATE, points, options)
        row["seeds"].append(seed)
        print(name, {label: float(f"{value:.3g}") for label, value in seed.items()}, flush=True)
    for kind in ("adam", "finish"):
        row[f"gain_{kind}"] = [
            seed[f"plain_{kind}"] / seed[f"repnet_{kind}"] for seed in row["seeds"]
        ]
    shown = "  ".join(
        f"{label} {np.exp(np.mean([np.log(seed[label]) for seed in row['seeds']])):.2e}"
        for label in ("plain_adam", "plain_finish", "repnet_adam", "repnet_finish")
    )
    print(f"{name:24} {points:5} points  {shown}", flush=True)
    return row


def _better(
    problem: Problem, make: Callable, key: jax.Array, points: int, options: argparse.Namespace
) -> float:
    """The rate whose network is nearer to the solution after Adam."""
    found = {}
    for rate in options.rates if len(options.rates) > 1 else ():
        solver = Gradient(options.steps, rate=rate, points=points, finish=0)
        solution = solver.run(problem, make(jr.split(key)[0]), key=key)
        found[rate] = relative_error(problem, solution)
    return min(found, key=lambda each: found[each]) if found else options.rates[0]


def _errors(
    label: str,
    problem: Problem,
    make: Callable,
    key: jax.Array,
    rate: float,
    points: int,
    options: argparse.Namespace,
) -> dict[str, float]:
    """Relative L2 errors after Adam and after the finish, and seconds."""

    def watch(field: Callable) -> dict[str, np.ndarray]:
        return {
            "error": np.asarray(field_error(problem, field)),
            "time": np.asarray(perf_counter()),
        }

    solver = Gradient(options.steps, rate=rate, points=points, finish=options.finish, watch=watch)
    begin = perf_counter()
    solution = solver.run(problem, make(jr.split(key)[0]), key=key)
    seconds = float(solution.history["time"][-1]) - begin
    return {
        f"{label}_rate": rate,
        f"{label}_adam": float(solution.history["error"][-1]),
        f"{label}_finish": relative_error(problem, solution),
        f"{label}_adam_seconds": seconds,
        f"{label}_finish_seconds": solution.seconds - seconds,
    }


def relative_error(problem: Problem, solution: Solution) -> float:
    """Relative L2 error at 5,000 points of the domain drawn evenly at random."""
    return _error(problem, solution)


def field_error(problem: Problem, field: Callable) -> float:
    """The same of a network in the user's units."""
    dtype = jnp.zeros(()).dtype
    return _error(problem, lambda x: jax.jit(jax.vmap(field))(jnp.asarray(x, dtype)))


def _error(problem: Problem, u: Callable) -> float:
    assert problem.exact is not None
    low, high = problem.domain.lower, problem.domain.upper
    x = low + (high - low) * np.random.default_rng(0).random((5000, problem.dim))
    truth = problem.exact(x)
    return float(np.linalg.norm(u(x) - truth) / np.linalg.norm(truth))


if __name__ == "__main__":
    main()
