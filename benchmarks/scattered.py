"""Scattered points of several inputs: ours, all defaults, beside radial functions and processes.

    python benchmarks/scattered.py
    python benchmarks/scattered.py --points 500 --dim 3
    python benchmarks/scattered.py --noise 0.1
    python benchmarks/scattered.py --dim 10 --only friedman additive front kink

Points are uniform in the box, errors are relative to the target's standard deviation at 4,000 new
points. SciPy's are the best of four kernels by that error itself; with noise, which none of them
estimates, at the best of four smoothings. scikit-learn's Gaussian process has a width for every
input and estimates the noise; it takes part at up to a thousand points.
"""

import argparse
import warnings
from collections.abc import Callable, Sequence

import jax.random as jr
import numpy as np
from scipy.interpolate import RBFInterpolator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from repnet.problem import regression
from repnet.solve import solve

NEW = 4000
KERNELS = ("linear", "thin_plate_spline", "cubic", "quintic")
SMOOTHINGS = (1e-3, 1e-2, 1e-1, 1.0)
PROCESS = 1000  # points up to which the Gaussian process takes part


def _hills(x: np.ndarray) -> np.ndarray:
    z = 4.5 * (x + 1.0)
    far, near = np.square(z - 2.0).sum(axis=1), np.square(z - 7.0).sum(axis=1)
    return 0.75 * np.exp(-far / 4) + 0.5 * np.exp(-near / 4)


def _friedman(x: np.ndarray) -> np.ndarray:
    """Friedman's first function: of five inputs; more say nothing."""
    z = (x + 1.0) / 2.0
    curved = 10.0 * np.sin(np.pi * z[:, 0] * z[:, 1]) + 20.0 * np.square(z[:, 2] - 0.5)
    return curved + 10.0 * z[:, 3] + 5.0 * z[:, 4]


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "hills": _hills,
    "peak": lambda x: 1.0 / (1.0 + 25.0 * np.square(x).sum(axis=1)),
    "product": lambda x: np.prod(np.cos(2.5 * x + 0.3), axis=1),
    "ridge": lambda x: np.exp(-8.0 * np.square(x.mean(axis=1))),
    "plane wave": lambda x: np.sin(x @ np.linspace(3.0, 7.0, x.shape[1])),
    "additive": lambda x: np.sin(8.0 * x[:, 0]) + np.cos(5.0 * x[:, 1]) ** 2 + np.abs(x[:, -1]),
    "front": lambda x: np.tanh(4.0 * x[:, 0]) * np.cos(3.0 * x[:, 1]),
    "friedman": _friedman,
    "kink": lambda x: np.abs(x[:, 0] - 0.3 * x[:, 1]) + np.maximum(0.0, x.sum(axis=1)),
}


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Measure every function, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", type=int, default=200)
    parser.add_argument("--dim", type=int, default=2, help="at least 2")
    parser.add_argument("--noise", type=float, default=0.0, help="over the standard deviation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=list(FUNCTIONS), default=None)
    options = parser.parse_args(argv)
    if options.dim < 2:
        parser.error(f"--dim must be at least 2; got {options.dim}")
    names = [name for name in FUNCTIONS if name != "friedman" or options.dim >= 5]
    if options.only:
        if "friedman" in options.only and options.dim < 5:
            parser.error(f"friedman has five inputs at least; got --dim {options.dim}")
        names = options.only
    print("| function | ours | best of SciPy | ratio | process | ratio | network |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for name in names:
        rows.append(row := _row(name, options))
        errors = f"{row['ours']:.1e} | {row['scipy']:.1e} ({row['kernel']}) | {row['ratio']:.2g}"
        beside = f"{row['process']:.1e} | {row['ours'] / row['process']:.2g}"
        print(f"| {name} | {errors} | {beside} | {row['network']} |", flush=True)
    for rival, name in (("scipy", "best of SciPy"), ("process", "Gaussian process")):
        ratios = np.array([row["ours"] / row[rival] for row in rows])
        if np.isnan(ratios).all():
            continue
        mean = np.exp(np.mean(np.log(ratios)))
        print(f"ours ÷ {name}: {mean:.2g} in geometric mean, {ratios.max():.2g} at most")
    return rows


def _row(name: str, options: argparse.Namespace) -> dict:
    function, rng = FUNCTIONS[name], np.random.default_rng(options.seed)
    x, new = (rng.uniform(-1.0, 1.0, (count, options.dim)) for count in (options.points, NEW))
    true = function(new)
    noise = options.noise * true.std()
    y = function(x) + noise * rng.normal(size=len(x))

    def error(values: np.ndarray) -> float:
        return float(np.sqrt(np.mean(np.square(values - true))) / true.std())

    solution = solve(regression(x, y), key=jr.key(options.seed))
    ours = error(solution(new)[:, 0])
    theirs = {}
    for kernel in KERNELS:
        for smoothing in SMOOTHINGS if noise else (0.0,):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of systems near singular, which show in the error
                fit = RBFInterpolator(x, y, kernel=kernel, smoothing=smoothing)
            theirs[error(fit(new))] = kernel
    least = min(theirs)
    process = error(_process(x, y).predict(new)) if len(x) <= PROCESS else np.nan
    return {
        "function": name,
        "ours": ours,
        "scipy": least,
        "kernel": theirs[least].replace("_", " "),
        "ratio": ours / least,
        "process": process,
        "network": solution.plan.network,
    }


def _process(x: np.ndarray, y: np.ndarray) -> GaussianProcessRegressor:
    """A Gaussian process with a width for every input, at the best of two searches."""
    widths = RBF(np.ones(x.shape[1]), (1e-2, 1e3))
    kernel = ConstantKernel() * widths + WhiteKernel(1e-2, (1e-10, 10.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of searches that end at a bound
        return GaussianProcessRegressor(
            kernel, normalize_y=True, n_restarts_optimizer=1, random_state=0
        ).fit(x, y)


if __name__ == "__main__":
    main()
