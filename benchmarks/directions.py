"""Least squares on rotated targets: directions as they were fixed before, beside learnt ones.

    python benchmarks/directions.py
    python benchmarks/directions.py --cases ridge8d radial2d

Scattered points, errors on 4,000 new ones against the function itself.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax.random as jr
import numpy as np

from repnet.judge import relative_l2
from repnet.problem import regression
from repnet.solve import LeastSquares

_RNG = np.random.default_rng(4)
_TURN = np.linalg.qr(_RNG.normal(size=(3, 3)))[0]
_LINE = _RNG.normal(size=8)
_CENTRES = _RNG.uniform(-1, 1, (12, 2))
_TILT = np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])


def tilted(x: np.ndarray) -> np.ndarray:
    """Twelve bells, ten times as long as wide, turned by half a radian."""
    apart = (x[:, None] - _CENTRES) @ _TILT / np.array([0.05, 0.5])
    return np.exp(-np.sum(apart**2, axis=-1)).sum(axis=1)


def turned(x: np.ndarray) -> np.ndarray:
    """A wave whose phase varies slowly across it, and a long one."""
    a, b, c = (x @ _TURN).T
    return np.sin(14 * a + np.cos(2 * b)) + 0.3 * np.sin(3 * c)


@dataclass(frozen=True)
class Cloud:
    """A function of scattered points, with noise in units of its standard deviation."""

    function: Callable[[np.ndarray], np.ndarray]
    dim: int
    points: int
    noise: float = 0.0


CASES = {
    "tilted2d": Cloud(tilted, 2, 3000),
    "radial2d": Cloud(lambda x: np.cos(15 * np.linalg.norm(x, axis=1)), 2, 3000),
    "smooth2d": Cloud(lambda x: np.exp(x[:, 0]) * np.sin(2 * x[:, 1]), 2, 500),
    "turned3d": Cloud(turned, 3, 4000),
    "noisy3d": Cloud(lambda x: np.sin(12 * x @ _TURN[:, 0]), 3, 2000, noise=0.2),
    "product3d": Cloud(
        lambda x: np.sin(6 * x[:, 0]) * np.sin(9 * x[:, 1]) * np.cos(3 * x[:, 2]), 3, 4000
    ),
    "ridge8d": Cloud(lambda x: np.sin(6 * x @ _LINE / np.linalg.norm(_LINE)), 8, 4096),
}


def main(argv: Sequence[str] | None = None) -> dict[str, tuple[float, float]]:
    """Print and give the errors with mixed and with learnt directions."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    options = parser.parse_args(argv)
    print("| | mixed | learnt | features |\n|---|---|---|---|")
    found = {}
    for name in options.cases:
        found[name] = _errors(name, CASES[name])
    return found


def _errors(name: str, case: Cloud) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    x, new = (rng.uniform(-1, 1, (count, case.dim)) for count in (case.points, 4000))
    y = case.function(x)
    y = y + case.noise * np.std(y) * rng.normal(size=y.shape)
    solutions = [
        LeastSquares(directions=directions).run(regression(x, y), key=jr.key(0))
        for directions in ("mixed", None)
    ]
    mixed, learnt = (relative_l2(solution, new, case.function(new)) for solution in solutions)
    print(f"| {name} | {mixed:.1e} | {learnt:.1e} | {solutions[1].plan.network} |", flush=True)
    return mixed, learnt


if __name__ == "__main__":
    main()
