"""Noisy records of one input: ours beside smoothers that choose their smoothness from the data.

    python benchmarks/noise.py
    python benchmarks/noise.py --points 20000 100000 --only wave Runge --rivals

Errors are root mean squares at the samples over the noise's standard deviation: 1 leaves the record
as it is, the square root of unknowns over points is the best that few unknowns can do. The noise is
a seventh of the target's standard deviation, as in the source of the first four targets, Donoho and
Johnstone 1994. The spline is SciPy's, by generalized cross-validation; the Gaussian process
scikit-learn's, with a squared exponential and white noise, by their likelihood.
"""

import argparse
import warnings
from collections.abc import Callable, Sequence

import jax.random as jr
import numpy as np
from scipy.interpolate import make_smoothing_spline
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from repnet.problem import regression
from repnet.solve import AbstractSolver, LeastSquares, Windows, solve

_PLACES = np.array([0.1, 0.13, 0.15, 0.23, 0.25, 0.40, 0.44, 0.65, 0.76, 0.78, 0.81])
_JUMPS = np.array([4.0, -5.0, 3.0, -4.0, 5.0, -4.2, 2.1, 4.3, -3.1, 2.1, -4.2])
_HEIGHTS = np.array([4.0, 5.0, 3.0, 4.0, 5.0, 4.2, 2.1, 4.3, 3.1, 5.1, 4.2])
_WIDTHS = 1e-3 * np.array([5, 5, 6, 10, 10, 30, 10, 10, 5, 8, 5])
_MOST = 1024  # points beyond which a Gaussian process takes minutes

TARGETS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "blocks": lambda t: (_JUMPS * (t[:, None] > _PLACES)).sum(axis=1),
    "bumps": lambda t: (_HEIGHTS / (1 + np.abs((t[:, None] - _PLACES) / _WIDTHS)) ** 4).sum(axis=1),
    "heavisine": lambda t: 4 * np.sin(4 * np.pi * t) - np.sign(t - 0.3) - np.sign(0.72 - t),
    "doppler": lambda t: np.sqrt(t * (1 - t)) * np.sin(2.1 * np.pi / (t + 0.05)),
    "Runge": lambda t: 1 / (1 + 100 * (t - 0.5) ** 2),
    "two peaks": lambda t: np.exp(-800 * (t - 0.25) ** 2) + 0.6 * np.exp(-32 * (t - 0.65) ** 2),
    "burst": lambda t: np.sin(80 * t) * np.exp(-160 * (t - 0.4) ** 2),
    "wave": lambda t: np.sin(60 * t),
}
OURS: dict[str, AbstractSolver | None] = {
    "solve": None,
    "LeastSquares": LeastSquares(),
    "Windows": Windows(),
}
RIVALS = ("spline", "Gaussian process")


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Measure every target and number of points, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, nargs="+", default=[256, 1024, 4096])
    parser.add_argument("--only", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--noise", type=float, default=1 / 7, help="over the standard deviation")
    parser.add_argument("--rivals", nargs="*", choices=RIVALS, default=list(RIVALS))
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args(argv)
    methods = [*OURS, *options.rivals]
    print("| target | points | " + " | ".join(methods) + " |")
    print("|---" * (len(methods) + 2) + "|")
    rows = []
    for points in options.points:
        for name in options.only:
            row = _row(name, points, methods, options)
            shown = [f"{row[method]:.3g}" if method in row else "" for method in methods]
            print(f"| {name} | {points:,} | {' | '.join(shown)} |", flush=True)
            rows.append(row)
    for method in methods[1:]:
        ratios = [np.log(row[method] / row["solve"]) for row in rows if method in row]
        mean, least = np.exp(np.mean(ratios)), np.exp(np.min(ratios))
        print(f"{method} ÷ solve: geometric mean {mean:.2f}, least {least:.2f}")
    return rows


def _row(name: str, points: int, methods: Sequence[str], options: argparse.Namespace) -> dict:
    t = np.linspace(0.0, 1.0, points)
    exact = TARGETS[name](t)
    size = options.noise * np.std(exact)
    errors: dict[str, list[float]] = {}
    for seed in range(options.seeds):
        noisy = exact + size * np.random.default_rng(seed).normal(size=points)
        for method in methods:
            if method != "Gaussian process" or points <= _MOST:
                error = np.sqrt(np.mean(np.square(_fitted(method, t, noisy) - exact))) / size
                errors.setdefault(method, []).append(float(error))
    means = {method: float(np.exp(np.mean(np.log(found)))) for method, found in errors.items()}
    return {"target": name, "points": points, **means}


def _fitted(method: str, t: np.ndarray, y: np.ndarray) -> np.ndarray:
    if method in OURS:
        return solve(regression(t, y), None, OURS[method], key=jr.key(0))(t)[:, 0]
    if method == "spline":
        steps = np.arange(len(t), dtype=float)  # its cross-validation needs steps of size 1
        return make_smoothing_spline(steps, y)(steps)
    kernel = ConstantKernel() * RBF(0.05, (1e-3, 10.0)) + WhiteKernel(0.1)
    process = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a bound was met: shown by the error
        return process.fit(t[:, None], y).predict(t[:, None])


if __name__ == "__main__":
    main()
