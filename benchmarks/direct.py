"""Direct solves of named functions: everything left to `solve`, and one tanh layer.

    python benchmarks/direct.py --out direct.json
    python benchmarks/direct.py --only multiscale1d chirp1d

Errors are relative L2 on dense test grids that are not the training points. Each solve runs twice,
and the seconds are those of the second, whose programs are compiled.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from _cases import chirp, multiscale, steps

from repnet.judge import relative_l2
from repnet.problem import regression
from repnet.solve import LeastSquares, solve


@dataclass(frozen=True)
class Case:
    """A function, its training points and noise, and how many test points resolve it.

    `solver` is `None` where everything is left to the library. `noise` is in units of the
    function's own standard deviation; points are a grid unless `scattered`.
    """

    function: Callable[[np.ndarray], np.ndarray]
    points: int
    test: int = 8001
    lower: float = -1.0
    solver: LeastSquares | None = None
    noise: float = 0.0
    scattered: bool = False

    def train(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        x = np.linspace(self.lower, 1.0, self.points)[:, None]
        if self.scattered:
            x = np.sort(rng.uniform(self.lower, 1.0, (self.points, 1)), axis=0)
        y = self.function(x)
        return x, y + self.noise * np.std(y) * rng.normal(size=y.shape)


def octaves(x: np.ndarray) -> np.ndarray:
    """Eight octaves of equal weight, 1 to 128 cycles per unit length."""
    return sum(np.sin(2**j * 2 * np.pi * x[:, 0] + j) for j in range(8))


def broadband(periods: int) -> Callable[[np.ndarray], np.ndarray]:
    """Two waves, the faster with so many periods on [-1, 1], and a bell."""
    omega = np.pi * periods

    def function(x: np.ndarray) -> np.ndarray:
        t = x[:, 0]
        return np.sin(omega * t + 0.3) + 0.5 * np.sin(0.37 * omega * t) + np.exp(-(t**2))

    return function


CASES = {
    "multiscale1d": Case(multiscale, 2001),
    "multiscale1d, tanh 512": Case(multiscale, 2001, solver=LeastSquares(512, activation=jnp.tanh)),
    "octaves1d": Case(octaves, 4001, test=16001),
    "chirp1d": Case(chirp, 2001, lower=0.0),
    "steps1d": Case(steps, 2001),
    "broadband1d, 1,000 periods": Case(broadband(1000), 14_000, test=40_001),
    "broadband1d, 10,000 periods": Case(broadband(10_000), 140_000, test=400_001),
    "broadband1d, scattered, 1 % noise": Case(
        broadband(1000), 20_000, test=40_001, noise=0.01, scattered=True
    ),
}


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Solve the cases, print a row each, and give the rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=[*CASES], default=[*CASES], metavar="CASE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default=None, help="JSON file for the rows")
    options = parser.parse_args(argv)
    rows = []
    print("| case | points | relative L2 | seconds | network |\n|---|---|---|---|---|", flush=True)
    for name in options.only:
        rows.append(_row(name, CASES[name], options.seed))
        row = rows[-1]
        print(
            f"| {name} | {row['points']:,} | {row['relative_l2']:.1e} | {row['seconds']:.2f} "
            f"| {row['network']} |",
            flush=True,
        )
    if options.out:
        with open(options.out, "w") as file:
            json.dump(rows, file, indent=1)
    return rows


def _row(name: str, case: Case, seed: int) -> dict:
    problem = regression(*case.train(seed))
    key = jax.random.key(seed)
    solve(problem, solver=case.solver, key=key)
    solution = solve(problem, solver=case.solver, key=key)
    x = np.linspace(case.lower, 1.0, case.test)[:, None]
    return {
        "case": name,
        "points": case.points,
        "seed": seed,
        "relative_l2": relative_l2(solution, x, case.function(x)),
        "seconds": solution.seconds,
        "compile_seconds": solution.compile_seconds,
        "network": solution.plan.network,
        "solver": solution.plan.solver,
        "reasons": solution.plan.reasons,
    }


if __name__ == "__main__":
    main()
