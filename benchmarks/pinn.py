"""Equations by gradient training: a RepNet beside a plain network, with hard or soft conditions.

    python benchmarks/pinn.py --cases poisson1d_ms helmholtz2d_1_4 --seeds 3 --out pinn.json

Both are tanh, first layer 256, then 64 and 64, with the same points and steps, in float32. The
plain network has the better of two rates, 1e-3 and 3e-3, per seed and judged by its error; the
RepNet has one rate and the scale that the solver finds by itself from the equation, once per case,
before any training. Each is judged after Adam alone and after the Gauss–Newton steps that follow.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from _hard import CASES, Case

from repnet.nn import MLP, Linear, RepNet, Standardized
from repnet.problem import Problem, Transformed
from repnet.solve import Gradient, Solution, train_many
from repnet.solve._equation_scale import equation_scale

RATES = (1e-3, 3e-3)
RATE = 3e-3


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Train, print one line per case, and return the rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", nargs="*", default=list(CASES), choices=list(CASES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--finish", type=int, default=20, help="Gauss–Newton steps after Adam")
    parser.add_argument("--points", type=int, default=None, help="inside; 512 or 1,024")
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
    scale = jnp.asarray(equation_scale(problem, features="plain", key=jr.key(99)).scale)
    keys = jr.split(jr.key(0), options.seeds)

    def plain(key):
        first, rest = jr.split(key)
        network = Linear(problem.dim, 256, key=first)
        return MLP(network, problem.out_size, hidden=(64, 64), key=rest)

    def repnet(key):
        sizes = {"width": 256, "hidden": (64, 64)}
        return RepNet(problem.dim, scale=scale, features="plain", key=key, **sizes)

    row: dict = {"case": name, "soft": options.soft, "steps": options.steps}
    row["scale"] = [float(s) for s in scale]
    runs = [_errors(problem, plain, keys, rate, options) for rate in RATES]
    for kind in ("adam", "finish"):
        row[f"plain_{kind}"] = np.min([run[kind] for run in runs], axis=0).tolist()
    row["plain_seconds"] = runs[0]["seconds"]
    ours = _errors(problem, repnet, keys, RATE, options)
    row |= {"repnet_adam": ours["adam"].tolist(), "repnet_finish": ours["finish"].tolist()}
    row["repnet_seconds"] = ours["seconds"]
    for kind in ("adam", "finish"):
        row[f"gain_{kind}"] = (np.array(row["plain_adam"]) / row[f"repnet_{kind}"]).tolist()
    shown = "  ".join(
        f"{label} {np.exp(np.mean(np.log(row[label]))):.2e}"
        for label in ("plain_adam", "plain_finish", "repnet_adam", "repnet_finish")
    )
    print(f"{name:24} {shown}  {row['repnet_seconds']:.0f} s", flush=True)
    return row


def _errors(
    problem: Problem, make: Callable, keys: jnp.ndarray, rate: float, options: argparse.Namespace
) -> dict:
    """Relative L2 errors after Adam and after the finish, one per seed, and all seconds."""
    points = options.points or (512 if problem.dim == 1 else 1024)
    start = time.perf_counter()
    adam = Gradient(options.steps, rate=rate, points=points, finish=0)
    trained = train_many(problem, make, adam, keys=keys)
    # One step of no length goes before: the finish starts where Adam ended.
    last = Gradient(1, rate=1e-30, points=points, finish=options.finish)
    ended = [
        last.run(problem, inner(solution.network), key=key)
        for solution, key in zip(trained, keys, strict=True)
    ]
    return {
        "adam": np.array([relative_error(problem, each) for each in trained]),
        "finish": np.array([relative_error(problem, each) for each in ended]),
        "seconds": time.perf_counter() - start,
    }


def inner(field: Callable) -> Callable:
    """The network inside of its units and its transform."""
    if isinstance(field, Transformed):
        field = field.u
    assert isinstance(field, Standardized)
    return field.network


def relative_error(problem: Problem, solution: Solution) -> float:
    """Relative L2 error at 5,000 points of the domain drawn evenly at random."""
    assert problem.exact is not None
    low, high = problem.domain.lower, problem.domain.upper
    x = low + (high - low) * np.random.default_rng(0).random((5000, problem.dim))
    truth = problem.exact(x)
    return float(np.linalg.norm(solution(x) - truth) / np.linalg.norm(truth))


if __name__ == "__main__":
    main()
