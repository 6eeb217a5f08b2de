"""Numbers in ordinary differential equations from data, everything left to `solve`.

    python benchmarks/from_data.py
    python benchmarks/from_data.py --only fitzhugh_nagumo --seeds 20
    python benchmarks/from_data.py --rival

Per case: the largest relative error of an unknown, in the geometric mean over the seeds of the
noise; how many of the 95 % intervals hold the truth; what the data miss over their size; seconds
with compilation. With `--rival`, SciPy's `least_squares` on `solve_ivp` starts from the same
guess; where the state at the begin is not given, it is found as well, from the first values seen
and zeros elsewhere. It ends after 200 steps.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.integrate
import scipy.optimize

from repnet import Box, Problem, Term, initial, observed, partial, solve

_TIGHT = (1e-11, 1e-13)  # relative and absolute tolerance of data, and of the rival
_RIVAL = (1e-8, 1e-10)


@dataclasses.dataclass(frozen=True)
class Case:
    """A system, what is unknown in it, and what is seen of it.

    - `rates`: of the state and the unknowns, with `numpy` or `jax.numpy`.
    - `seen`: outputs with data; `told`: whether the state at the begin is given.
    - `noise`: normal, relative to the root mean square of each output.
    """

    rates: Callable[[Any, dict[str, Any], Any], list]
    start: tuple[float, ...]
    end: float
    count: int
    truth: dict[str, float]
    guess: dict[str, float]
    seen: tuple[int, ...]
    noise: float = 0.0
    told: bool = True
    method: str = "DOP853"

    def states(self, unknowns: dict[str, Any], start: Any, rtol: float, atol: float) -> Any:
        """States at the times of the data by SciPy."""
        t = np.linspace(0.0, self.end, self.count)
        found = scipy.integrate.solve_ivp(
            lambda _, y: self.rates(y, unknowns, np),
            (0.0, self.end),
            start,
            self.method,
            t,
            rtol=rtol,
            atol=atol,
        )
        return found.y.T

    def data(self, seed: int) -> np.ndarray:
        """Values seen."""
        exact = self.states(self.truth, self.start, *_TIGHT)[:, list(self.seen)]
        size = np.sqrt(np.mean(np.square(exact), axis=0))
        return exact + self.noise * size * np.random.default_rng(seed).normal(size=exact.shape)

    def problem(self, seed: int) -> Problem:
        """The same as a problem."""
        box = Box(0.0, self.end)

        def equation(u: Callable, t: jax.Array, unknowns: Any) -> jax.Array:
            return partial(u, 0)(t) - jnp.stack(self.rates(u(t), unknowns, jnp))

        t = np.linspace(0.0, self.end, self.count)[:, None]
        data = observed(t, self.data(seed), component=self.seen)
        terms = {"equation": Term(equation), "data": data}
        if self.told:
            terms["start"] = initial(box, list(self.start))
        return Problem(box, terms, dict(self.guess), out_size=len(self.start))

    def rival(self, seed: int) -> dict[str, float]:
        """Unknowns by least squares on solutions of an integrator."""
        values, names = self.data(seed), list(self.truth)
        first = [self.guess[name] for name in names]
        if not self.told:
            begin = np.zeros(len(self.start))
            begin[list(self.seen)] = values[0]
            first = [*first, *begin]

        def left(row: np.ndarray) -> np.ndarray:
            start = self.start if self.told else row[len(names) :]
            unknowns = dict(zip(names, row[: len(names)], strict=True))
            with np.errstate(all="ignore"):
                states = self.states(unknowns, start, *_RIVAL)
            if states.shape != (self.count, len(self.start)) or not np.isfinite(states).all():
                return np.full(values.size, 1e6)
            return (states[:, list(self.seen)] - values).ravel()

        found = scipy.optimize.least_squares(
            left, first, x_scale="jac", diff_step=1e-6, max_nfev=200
        )
        return dict(zip(names, found.x[: len(names)], strict=True))


def _lorenz(y: Any, p: dict[str, Any], xp: Any) -> list:
    return [p["a"] * (y[1] - y[0]), y[0] * (p["r"] - y[2]) - y[1], y[0] * y[1] - p["b"] * y[2]]


def _van_der_pol(y: Any, p: dict[str, Any], xp: Any) -> list:
    return [y[1], p["stiffness"] * (1.0 - y[0] ** 2) * y[1] - y[0]]


def _fitzhugh_nagumo(y: Any, p: dict[str, Any], xp: Any) -> list:
    fast = p["c"] * (y[0] - y[0] ** 3 / 3.0 + y[1])
    return [fast, -(y[0] - p["a"] + p["b"] * y[1]) / p["c"]]


def _lotka_volterra(y: Any, p: dict[str, Any], xp: Any) -> list:
    met = y[0] * y[1]
    return [p["births"] * y[0] - p["eaten"] * met, p["fed"] * met - p["deaths"] * y[1]]


def _pendulum(y: Any, p: dict[str, Any], xp: Any) -> list:
    return [y[1], -p["gravity"] * xp.sin(y[0]) - p["drag"] * y[1]]


def _oscillator(y: Any, p: dict[str, Any], xp: Any) -> list:
    return [y[1], -p["spring"] * y[0] - p["drag"] * y[1]]


def _epidemic(y: Any, p: dict[str, Any], xp: Any) -> list:
    ill = p["contact"] * y[0] * y[1]
    return [-ill, ill - p["recovery"] * y[1]]


def _robertson(y: Any, p: dict[str, Any], xp: Any) -> list:
    a, b, c = p["slow"] * y[0], 1e4 * p["back"] * y[1] * y[2], 3e7 * p["fast"] * y[1] ** 2
    return [b - a, a - b - c, c]


_CHAOS = {"a": 10.0, "r": 28.0, "b": 8.0 / 3.0}
_FHN = {"a": 0.2, "b": 0.2, "c": 3.0}
_PREY = {"births": 1.1, "eaten": 0.4, "deaths": 0.4, "fed": 0.1}

CASES: dict[str, Case] = {
    "lorenz": Case(
        _lorenz,
        (-8.0, 7.0, 27.0),
        3.0,
        25,
        {"a": 10.0, "r": 15.0, "b": 8.0 / 3.0},
        {"a": 1.0, "r": 1.0, "b": 1.0},
        (0, 1, 2),
    ),
    "lorenz_noisy": Case(
        _lorenz,
        (-8.0, 7.0, 27.0),
        8.0,
        120,
        _CHAOS,
        {"a": 5.0, "r": 20.0, "b": 1.0},
        (0, 1, 2),
        noise=0.02,
        told=False,
    ),
    "lorenz_one_seen": Case(
        _lorenz,
        (-8.0, 7.0, 27.0),
        5.0,
        80,
        _CHAOS,
        {"a": 8.0, "r": 22.0, "b": 2.0},
        (0,),
        told=False,
    ),
    "van_der_pol": Case(
        _van_der_pol,
        (2.0, 0.0),
        20.0,
        80,
        {"stiffness": 5.0},
        {"stiffness": 2.0},
        (0,),
        noise=0.02,
        told=False,
        method="LSODA",
    ),
    "fitzhugh_nagumo": Case(
        _fitzhugh_nagumo,
        (-1.0, 1.0),
        20.0,
        41,
        _FHN,
        {"a": 1.0, "b": 1.0, "c": 1.0},
        (0, 1),
        noise=0.1,
        told=False,
    ),
    "lotka_volterra": Case(
        _lotka_volterra,
        (10.0, 5.0),
        40.0,
        60,
        _PREY,
        dict.fromkeys(_PREY, 1.0),
        (0, 1),
        noise=0.05,
        told=False,
    ),
    "pendulum": Case(
        _pendulum,
        (2.5, 0.0),
        60.0,
        200,
        {"gravity": 4.0, "drag": 0.02},
        {"gravity": 2.0, "drag": 0.1},
        (0,),
        noise=0.02,
    ),
    "oscillator": Case(
        _oscillator,
        (1.0, 0.0),
        100.0,
        1500,
        {"spring": 158.0, "drag": 0.02},
        {"spring": 150.0, "drag": 0.05},
        (0,),
        noise=0.05,
        told=False,
    ),
    "epidemic": Case(
        _epidemic,
        (0.99, 0.01),
        60.0,
        30,
        {"contact": 0.6, "recovery": 0.15},
        {"contact": 1.0, "recovery": 1.0},
        (1,),
        noise=0.03,
    ),
    "robertson": Case(
        _robertson,
        (1.0, 0.0, 0.0),
        40.0,
        30,
        {"slow": 0.04, "fast": 1.0, "back": 1.0},
        {"slow": 0.1, "fast": 0.5, "back": 2.0},
        (0, 1, 2),
        method="LSODA",
    ),
}


def main(argv: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Solve, and print a table."""
    parser = argparse.ArgumentParser(description="Numbers in equations from data.")
    usual = [name for name in CASES if name != "robertson"]  # which goes wrong in many minutes
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=usual)
    parser.add_argument("--seeds", type=int, default=1, help="draws of the noise")
    parser.add_argument("--rival", action="store_true", help="SciPy beside")
    parser.add_argument("--out", default=None, help="JSON file for the rows")
    options = parser.parse_args(argv)
    head = ["case", "noise", "error", "intervals that hold", "misfit", "seconds"]
    head += ["error of SciPy", "seconds of SciPy"] if options.rival else []
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    rows = []
    for name in options.only:
        case = CASES[name]
        tried = [
            _one(case, seed, options.rival) for seed in range(options.seeds if case.noise else 1)
        ]
        row = {"case": name, "noise": case.noise} | _over_seeds(tried)
        rows.append(row)
        shown = [name, f"{100 * case.noise:g} %", f"{row['error']:.1e}"]
        shown += [f"{row['held']} of {row['intervals']}" if case.noise else ""]
        shown += [f"{row['misfit']:.1e}", f"{row['seconds']:.1f}"]
        if options.rival:
            shown += [f"{row['rival_error']:.1e}", f"{row['rival_seconds']:.1f}"]
        print("| " + " | ".join(shown) + " |", flush=True)
    if options.out:
        with open(options.out, "w") as file:
            json.dump(rows, file, indent=1)
    return rows


def _one(case: Case, seed: int, rival: bool) -> dict[str, float]:
    begin = time.perf_counter()
    solution = solve(case.problem(seed), key=jax.random.key(0))
    row = {"seconds": time.perf_counter() - begin, "error": _error(case, solution.unknowns)}
    intervals = solution.plan.numbers["intervals"]
    held = [intervals[name][0] <= value <= intervals[name][1] for name, value in case.truth.items()]
    row |= {"held": sum(held), "intervals": len(held), "misfit": solution.plan.numbers["misfit"]}
    if rival:
        begin = time.perf_counter()
        row["rival_error"] = _error(case, case.rival(seed))
        row["rival_seconds"] = time.perf_counter() - begin
    return row


def _error(case: Case, found: dict[str, Any]) -> float:
    return max(abs(float(found[name]) / value - 1.0) for name, value in case.truth.items())


def _over_seeds(rows: list[dict[str, float]]) -> dict[str, float]:
    """Sums of counts, geometric means of the rest."""
    found = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        whole = name in ("held", "intervals")
        found[name] = sum(values) if whole else float(np.exp(np.mean(np.log(values))))
    return found


if __name__ == "__main__":
    main()
