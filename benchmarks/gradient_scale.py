"""The automatic scale of gradient training beside the best of a scan of 25 scales.

    python benchmarks/gradient_scale.py --out gradient_scale.json

Twelve functions of 1, 2 and 4 variables that are in no other benchmark, at the default features.
The ratio is the test error at the automatic scale over the least of the scan's, which is an
oracle's: it is judged by the test error itself. Directions are those that the search found.
"""

import argparse
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from _cases import Case
from _methods import ACTIVATIONS

from repnet.judge import relative_l2
from repnet.nn import MLP, RepNet
from repnet.nn._draw import DIRECTIONS
from repnet.problem import Problem, regression
from repnet.solve import Gradient, find_scale


def _waves(x: np.ndarray, low: float, high: float, seed: int) -> np.ndarray:
    """Eight plane waves of random directions with wave numbers from `low` to `high`."""
    rng = np.random.default_rng(seed)
    n = rng.normal(size=(8, x.shape[1]))
    n *= np.geomspace(low, high, 8)[:, None] / np.linalg.norm(n, axis=1, keepdims=True)
    return np.sin(x @ n.T + rng.uniform(0, 6.28, 8)) @ rng.uniform(0.3, 1.0, 8)


FUNCTIONS = (
    Case("waves1d", lambda x: _waves(x, 3, 120, 1), -1.0, 1.0, 1, 513),
    Case("runge1d", lambda x: 1 / (1 + 100 * x[:, 0] ** 2), -1.0, 1.0, 1, 257),
    Case("corner1d", lambda x: np.abs(np.sin(7 * x[:, 0])), 0.0, 2.0, 1, 401),
    Case("beat1d", lambda x: np.sin(60 * x[:, 0]) * np.sin(7 * x[:, 0]), -2.0, 1.0, 1, 701),
    Case("slow1d", lambda x: np.exp(np.sin(3 * x[:, 0])), -1.0, 1.0, 1, 65),
    Case("noisy1d", lambda x: np.cos(20 * x[:, 0] ** 2), -1.0, 1.0, 1, 301, noise=0.1),
    Case("waves2d", lambda x: _waves(x, 2, 25, 2), -1.0, 1.0, 2, 6000, batch=512),
    Case("rings2d", lambda x: np.cos(18 * np.hypot(*x.T)), -1.0, 1.0, 2, 6000, batch=512),
    Case(
        "ridge2d", lambda x: np.tanh(20 * (x[:, 0] - x[:, 1] ** 2)), -1.0, 1.0, 2, 4000, batch=512
    ),
    Case("waves4d", lambda x: _waves(x, 1, 9, 3), -1.0, 1.0, 4, 10_000, batch=512),
    Case(
        "axes4d",
        lambda x: np.sin(8 * x).sum(axis=1) + x[:, 0] * x[:, 1],
        0.0,
        1.5,
        4,
        8000,
        batch=512,
    ),
    Case("bell4d", lambda x: np.exp(-4 * np.sum(x**2, axis=1)), -1.0, 1.0, 4, 8000, batch=512),
)


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Scan every function, print ratios, their geometric mean and the worst."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", default="gradient_scale.json")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--scales", type=int, default=25)
    parser.add_argument("--activation", default="tanh", choices=list(ACTIVATIONS))
    parser.add_argument("--features", default="local")
    options = parser.parse_args(argv)
    rows = []
    for case in FUNCTIONS:
        rows.append(_row(case, options))
        Path(options.out).write_text(json.dumps(rows, indent=1))
    ratios = [row["ratio"] for row in rows]
    print(f"geometric mean {np.exp(np.mean(np.log(ratios))):.2f}, worst {max(ratios):.2f}")
    return rows


def _row(case: Case, options: argparse.Namespace) -> dict:
    x, y = case.train()
    problem, phi = regression(x, y), ACTIVATIONS[options.activation]

    def make(directions: str, key: jnp.ndarray, scale: jnp.ndarray) -> MLP:
        return RepNet(
            case.dim,
            scale=scale,
            activation=phi,
            features=options.features,
            directions=directions,
            key=key,
        )

    variants = {n: partial(make, n) for n in (DIRECTIONS if case.dim > 1 else DIRECTIONS[:1])}
    directions, choice = find_scale(
        problem,
        variants,
        activation=phi,
        features=options.features,
        steps=3000,
        batch=case.batch,
        key=jr.key(1),
    )
    auto = _error(case, problem, variants[directions], np.asarray(choice.scale), options.steps)
    shape = np.asarray(choice.scale) / np.exp(np.mean(np.log(choice.scale)))
    scales = np.geomspace(0.5, 256.0 if case.dim == 1 else 64.0, options.scales)
    errors = [_error(case, problem, variants[directions], s * shape, options.steps) for s in scales]
    ratio = auto / min(errors)
    best = scales[int(np.argmin(errors))]
    middle = float(np.exp(np.mean(np.log(choice.scale))))
    print(
        f"{case.name:9} auto {middle:6.3g} ({directions}): {auto:.2e}   best {best:6.3g}:"
        f" {min(errors):.2e}   ratio {ratio:.2f}",
        flush=True,
    )
    return {
        "case": case.name,
        "activation": options.activation,
        "features": options.features,
        "steps": options.steps,
        "directions": directions,
        "scale": list(choice.scale),
        "error": auto,
        "scales": scales.tolist(),
        "errors": errors,
        "ratio": ratio,
    }


def _error(case: Case, problem: Problem, make, scale: np.ndarray, steps: int) -> float:
    network = make(jr.key(0), jnp.asarray(scale, jnp.float32))
    solution = Gradient(steps=steps, batch=case.batch).run(problem, network, key=jr.key(2))
    points, values = case.test()
    return float(np.nan_to_num(relative_l2(solution, points, values), nan=10.0))


if __name__ == "__main__":
    main()
