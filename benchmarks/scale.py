"""The automatic scale against a scan of 25 scales, over functions of 1, 2 and 4 variables.

    python benchmarks/scale.py --solver least-squares --out scale.json
    python benchmarks/scale.py --solver gradient

The scan covers two decades around the automatic scale, all axes multiplied alike, and is judged by
the test error itself: it knows what the automatic choice has to guess. A ratio of 1 is as good as
the best scale of the scan; below 1, better.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from repnet.judge import relative_l2
from repnet.nn import MLP, RepNet
from repnet.problem import Problem, regression
from repnet.solve import Gradient, LeastSquares, find_scale, train_many

FACTORS = np.logspace(-1.0, 1.0, 25)
WIDTHS = {1: 256, 2: 512, 4: 768}  # of the least-squares layer


@dataclass(frozen=True)
class Case:
    """A function on $[-1, 1]^d$ and the number of its training points."""

    function: Callable[[np.ndarray], np.ndarray]
    dim: int
    points: int

    def train(self) -> Problem:
        x = np.linspace(-1.0, 1.0, self.points)[:, None]
        if self.dim > 1:
            x = np.random.default_rng(0).uniform(-1.0, 1.0, (self.points, self.dim))
        return regression(x, self.function(x))

    def error(self, u: Callable) -> float:
        x = np.random.default_rng(1).uniform(-1.0, 1.0, (5000, self.dim))
        return relative_l2(u, x, self.function(x))


def _packet(x: np.ndarray) -> np.ndarray:
    return np.exp(-30 * (x[:, 0] - 0.2) ** 2) * np.sin(70 * x[:, 0])


def _two_bands(x: np.ndarray) -> np.ndarray:
    return np.sin(5 * x[:, 0] + 1) + 0.2 * np.cos(90 * x[:, 0])


def _sweep(x: np.ndarray) -> np.ndarray:
    return np.cos(15 * (x[:, 0] + 1.3) ** 2)


def _layer(x: np.ndarray) -> np.ndarray:
    return np.tanh(25 * (x[:, 0] - 0.1)) + 0.3 * np.sin(6 * x[:, 0])


def _runge(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + 25 * x[:, 0] ** 2) + x[:, 0] ** 3


def _ring(x: np.ndarray) -> np.ndarray:
    return np.cos(14 * np.hypot(x[:, 0] - 0.1, x[:, 1]))


def _plaid(x: np.ndarray) -> np.ndarray:
    return np.sin(17 * x[:, 0]) + 0.5 * np.cos(4 * x[:, 1]) * np.sin(3 * x[:, 0])


def _oblique(x: np.ndarray) -> np.ndarray:
    return np.sin(9 * x[:, 0] + 7 * x[:, 1]) + np.exp(-6 * (x**2).sum(axis=1))


def _bumps(x: np.ndarray) -> np.ndarray:
    centres = np.random.default_rng(3).uniform(-0.8, 0.8, (8, 2))
    square = ((x[:, None, :] - centres) ** 2).sum(axis=2)
    return np.exp(-40 * square) @ np.array([1, -1, 0.5, 1, -0.7, 1, 0.4, -1.0])


def _sum4(x: np.ndarray) -> np.ndarray:
    return np.sin(x @ np.array([5.0, 3.0, 1.0, 2.0])) + 0.3 * x[:, 2] * x[:, 3]


def _additive4(x: np.ndarray) -> np.ndarray:
    return np.sin(6 * x[:, 0]) + np.cos(4 * x[:, 1]) + x[:, 2] ** 2 + 0.5 * np.sin(5 * x[:, 3])


def _radial4(x: np.ndarray) -> np.ndarray:
    return np.cos(3 * (x**2).sum(axis=1)) + 0.2 * x[:, 0]


def _ridge4(x: np.ndarray) -> np.ndarray:
    return np.tanh(5 * (x[:, 0] - x[:, 3] + 0.2)) + np.sin(3 * x[:, 1] * x[:, 2])


CASES = {
    "packet": Case(_packet, 1, 1001),
    "two bands": Case(_two_bands, 1, 801),
    "sweep": Case(_sweep, 1, 1001),
    "layer": Case(_layer, 1, 601),
    "runge": Case(_runge, 1, 301),
    "ring": Case(_ring, 2, 3000),
    "plaid": Case(_plaid, 2, 3000),
    "oblique": Case(_oblique, 2, 3000),
    "bumps": Case(_bumps, 2, 3000),
    "sum, 4-D": Case(_sum4, 4, 5000),
    "additive, 4-D": Case(_additive4, 4, 5000),
    "radial, 4-D": Case(_radial4, 4, 5000),
    "ridge, 4-D": Case(_ridge4, 4, 5000),
}


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Scan every case, print a row each and the summary."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--solver", choices=("least-squares", "gradient"), default="least-squares")
    parser.add_argument("--only", nargs="+", choices=[*CASES], default=[*CASES], metavar="CASE")
    parser.add_argument("--steps", type=int, default=1200, help="of a gradient training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default=None, help="JSON file for the rows")
    options = parser.parse_args(argv)
    rows = []
    print("| function | automatic scale | error | best of scan | its factor | ratio |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in options.only:
        if options.solver == "gradient":
            row = by_gradient(CASES[name], options.steps, options.seed)
        else:
            row = by_least_squares(CASES[name], options.seed)
        rows.append({"case": name, "solver": options.solver, "seed": options.seed, **row})
        scale = " ".join(f"{s:.3g}" for s in row["scale"])
        print(
            f"| {name} | {scale} | {row['error']:.1e} | {row['best']:.1e} "
            f"| {row['factor']:.2g} | {row['ratio']:.2f} |",
            flush=True,
        )
    ratios = np.array([row["ratio"] for row in rows])
    print(f"\ngeometric mean {np.exp(np.log(ratios).mean()):.2f}, worst {ratios.max():.2f}")
    if options.out:
        with open(options.out, "w") as file:
            json.dump(rows, file, indent=1)
    return rows


def by_least_squares(case: Case, seed: int) -> dict:
    """One tanh layer: scale and ridge chosen by the solver, beside every scale of the scan."""
    problem, key, width = case.train(), jr.key(seed), WIDTHS[case.dim]
    automatic = LeastSquares(width, activation=jnp.tanh).run(problem, key=key)
    scale = np.asarray(automatic.plan.scale)
    errors = []
    for factor in FACTORS:
        solver = LeastSquares(width, activation=jnp.tanh, scale=factor * scale)
        errors.append(case.error(solver.run(problem, key=key)))
    return _compared(scale, case.error(automatic), errors)


def by_gradient(case: Case, steps: int, seed: int) -> dict:
    """The default RepNet: scale and directions found, beside every scale of the scan.

    All trainings, the one at the automatic scale too, run side by side from one seed.
    """
    problem = case.train()
    solver = Gradient(steps=steps, batch=512 if case.dim > 1 else None, chunk=min(300, steps))

    def maker(directions: str) -> Callable[..., MLP]:
        def make(key: jax.Array, scale: jax.Array) -> MLP:
            return RepNet(case.dim, width=256, scale=scale, directions=directions, key=key)

        return make

    names = ("mixed", "axis", "isotropic") if case.dim > 1 else ("mixed",)
    variants = {name: maker(name) for name in names}
    directions, choice = find_scale(
        problem, variants, steps=steps, batch=solver.batch, key=jr.key(seed)
    )
    scale = np.asarray(choice.scale)
    scales = jnp.asarray(np.concatenate([[1.0], FACTORS])[:, None] * scale, jnp.float32)
    keys = jnp.stack([jr.key(seed)] * len(scales))
    trained = train_many(problem, variants[directions], solver, scales, keys=keys)
    errors = [case.error(solution) for solution in trained]
    return {**_compared(scale, errors[0], errors[1:]), "directions": directions}


def _compared(scale: np.ndarray, error: float, errors: Sequence[float]) -> dict:
    finite = np.nan_to_num(np.asarray(errors), nan=np.inf)
    best = int(np.argmin(finite))
    return {
        "scale": scale.tolist(),
        "error": error,
        "best": float(finite[best]),
        "factor": float(FACTORS[best]),
        "ratio": float(error / finite[best]),
        "scan": [float(e) for e in errors],
    }


if __name__ == "__main__":
    main()
