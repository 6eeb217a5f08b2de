"""Real data with a tenth held out: ours, trained rivals and SciPy, by held-out RMSE.

    python benchmarks/interpolation.py --out interpolation.json
    python benchmarks/interpolation.py --only ours scipy --data terrain heart
    python benchmarks/interpolation.py --only ours scipy --gaps 12

With `--gaps`, boxes so many nodes wide are held out, at random places, until a tenth is.

Ours is `solve` with nothing chosen. The trained networks have the same sizes (256-64-64) and each
setting of each of them has the whole `--budget` of seconds, the search of RepNet's scale included;
the best setting is taken by the held-out error itself, which favours the rivals that have several
(vanilla: three rates, Fourier features and SIREN: three scales). Rows that the file holds already
are not computed again.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import jax
import jax.random as jr
import numpy as np
from _methods import METHODS, Setting, Shape
from scipy.interpolate import (
    Akima1DInterpolator,
    CloughTocher2DInterpolator,
    CubicSpline,
    NearestNDInterpolator,
    PchipInterpolator,
    RBFInterpolator,
)

import repnet.data
from repnet.data import Dataset, holdout
from repnet.judge import rmse
from repnet.problem import Problem, regression
from repnet.solve import Gradient, solve
from repnet.spectrum import axis_spectra, detect_grid

DATA = ("terrain", "camera", "heart", "sea_surface_temperature", "sea_floor")
TRAINED = ("repnet", "vanilla", "fourier", "siren")
GROUPS = ("ours", "scipy", *TRAINED)
WIDTH = 256
PROBE = 200  # steps that are timed to fill the budget
SEARCH = 2400  # steps that the search of RepNet's scale takes at most
KERNELS = ("linear", "thin_plate_spline", "cubic", "quintic")
Fitted = Callable[[np.ndarray], np.ndarray]


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of a training")
    parser.add_argument("--seed", type=int, default=0, help="of the split and of the networks")
    parser.add_argument("--gaps", type=int, default=0, help="nodes across, instead of points")
    parser.add_argument("--out", default=None, help="JSON file for the rows")
    options = parser.parse_args(argv)
    if options.gaps < 0:
        parser.error(f"--gaps must be at least 0; got {options.gaps}")
    path = Path(options.out) if options.out else None
    rows = json.loads(path.read_text()) if path and path.exists() else []
    for name in options.data:
        data = getattr(repnet.data, name)()
        train, test = _split(data, options)
        for group in options.only:
            asked = {"data": name, "group": group, "seed": options.seed}
            asked |= {"budget": options.budget} if group in TRAINED else {}
            asked |= {"gaps": options.gaps} if options.gaps else {}
            if any(_answers(row, asked) for row in rows):
                continue
            for row in _rows(group, train, test, options):
                rows.append({**asked, **row})
                print(f"{name}: {_words(rows[-1])}", flush=True)
            if path:
                path.write_text(json.dumps(rows, indent=1))
    print(table(rows))
    return rows


def _answers(row: dict, asked: dict) -> bool:
    return asked.items() <= row.items() and row.get("gaps") == asked.get("gaps")


def _split(data: Dataset, options: argparse.Namespace) -> tuple[Dataset, Dataset]:
    """Training and test set: a tenth of the rows, or boxes of nodes, drawn from the seed."""
    grid = detect_grid(data.x)
    if not options.gaps or grid is None:
        return holdout(data, 0.1, options.seed)
    rng = np.random.default_rng(options.seed)
    held = np.zeros(len(data.x), bool)
    while held.mean() < 0.1:
        into = grid.index - rng.integers(0, grid.size)
        held |= np.all((into >= 0) & (into < options.gaps), axis=1)
    return data.take(np.flatnonzero(~held)), data.take(np.flatnonzero(held))


def _words(row: dict) -> str:
    return f"{row['method']} ({row['setting']}) {row['rmse']:.4g} in {row['seconds']:.1f} s"


def _rows(group: str, train: Dataset, test: Dataset, options: argparse.Namespace) -> Iterator[dict]:
    match group:
        case "ours":
            key = jr.key(options.seed)
            solution = solve(regression(train.x, train.y), key=key)
            yield _row("ours", solution.plan.network, solution, test, solution.seconds)
        case "scipy":
            yield from _interpolated(train, test)
        case _:
            yield from _trained(group, train, test, options)


def _row(method: str, setting: str, u: Callable, test: Dataset, seconds: float) -> dict:
    error = rmse(u, test.x, test.y)
    return {"method": method, "setting": setting, "rmse": error, "seconds": seconds}


def _interpolated(train: Dataset, test: Dataset) -> Iterator[dict]:
    """SciPy's interpolators; the seconds are those of building and of the held-out points."""
    x, y = _merged(train)
    span = np.ptp(x, axis=0).max()  # one for all axes, whose units are alike
    for name, build in _builders(x.shape[1]).items():
        start = time.perf_counter()
        fitted = build(x / span, y)
        values = np.asarray(fitted(test.x / span)).reshape(test.y.shape)
        yield _row(name, "", lambda _, v=values: v, test, time.perf_counter() - start)


def _merged(train: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Points in order and without duplicates, whose values are averaged: what SciPy asks for."""
    x, inverse = np.unique(train.x, axis=0, return_inverse=True)
    y = np.zeros((len(x), train.y.shape[1]))
    np.add.at(y, inverse.ravel(), train.y)
    return x, y / np.bincount(inverse.ravel())[:, None]


def _builders(dim: int) -> dict[str, Callable[[np.ndarray, np.ndarray], Fitted]]:
    def rbf(kernel: str) -> Callable[[np.ndarray, np.ndarray], Fitted]:
        return lambda x, y: RBFInterpolator(x, y, neighbors=50, kernel=kernel)

    found: dict = {f"RBF {kernel.replace('_', ' ')}": rbf(kernel) for kernel in KERNELS}
    if dim == 1:
        found["PCHIP"] = lambda x, y: PchipInterpolator(x[:, 0], y)
        found["cubic spline"] = lambda x, y: CubicSpline(x[:, 0], y)
        found["Akima"] = lambda x, y: Akima1DInterpolator(x[:, 0], y, extrapolate=True)
    else:
        found["Clough-Tocher"] = _clough_tocher
    return found


def _clough_tocher(x: np.ndarray, y: np.ndarray) -> Fitted:
    """Clough–Tocher, and the nearest value outside the hull of the points."""
    inside, outside = CloughTocher2DInterpolator(x, y), NearestNDInterpolator(x, y)

    def fitted(points: np.ndarray) -> np.ndarray:
        values = inside(points)
        return np.where(np.isnan(values), outside(points), values)

    return fitted


def _trained(
    method: str, train: Dataset, test: Dataset, options: argparse.Namespace
) -> Iterator[dict]:
    """One row per setting, each trained for the whole budget."""
    problem, dim = regression(train.x, train.y), train.x.shape[1]
    half = np.ptp(train.x, axis=0) / 2
    spectra = axis_spectra(train.x, train.y)
    omega = max(float(s.omega_max * h) for s, h in zip(spectra, half, strict=True))
    batch = 2048 if len(train.x) > 4096 else None
    shape, key = Shape(dim, WIDTH, omega), jr.key(options.seed)
    if method == "repnet":
        pace = _pace(problem, Gradient(steps=PROBE, batch=batch, scale=10.0), None, key)
        steps = max(PROBE, int(options.budget / pace) - SEARCH)
        solution = Gradient(steps=steps, batch=batch).run(problem, key=key)
        setting = f"{steps} steps, scale {' '.join(f'{s:.3g}' for s in solution.plan.scale or ())}"
        yield _row("RepNet, trained", setting, solution, test, solution.seconds)
        return
    for setting in METHODS[method](shape, "tanh", {}):
        network_key, run_key = jr.split(key)
        network = setting.make(network_key)
        solver = _solver(setting, PROBE, batch)
        steps = max(PROBE, int(options.budget / _pace(problem, solver, network, run_key)))
        solution = _solver(setting, steps, batch).run(problem, network, key=run_key)
        label = f"{setting.label}, {steps} steps"
        yield _row(f"{method}, trained", label, solution, test, solution.seconds)


def _solver(setting: Setting, steps: int, batch: int | None) -> Gradient:
    return Gradient(steps=steps, rate=setting.rate, batch=batch)


def _pace(problem: Problem, solver: Gradient, network: Callable | None, key: jax.Array) -> float:
    """Seconds per step of a short training without compilation."""
    return solver.run(problem, network, key=key).seconds / solver.steps


def table(rows: Sequence[dict]) -> str:
    """Markdown: held-out RMSE of the best setting of every method, over the best of all."""
    best: dict[tuple[str, str], float] = {}
    for row in rows:
        name = row["data"], row["method"]
        best[name] = min(row["rmse"], best.get(name, np.inf))
    data = list(dict.fromkeys(d for d, _ in best))
    lines = [f"\n| held-out RMSE | {' | '.join(data)} |", "|---" * (len(data) + 1) + "|"]
    for method in dict.fromkeys(m for _, m in best):
        cells = [f"{best[d, method]:.4g}" if (d, method) in best else "" for d in data]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    least = {d: min(error for (name, _), error in best.items() if name == d) for d in data}
    ours = [f"{best[d, 'ours'] / least[d]:.3f}" if (d, "ours") in best else "" for d in data]
    return "\n".join([*lines, f"| ours ÷ best of all | {' | '.join(ours)} |"])


if __name__ == "__main__":
    main()
