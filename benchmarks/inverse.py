"""Named inverse problems with every choice left to `solve`: errors of the unknowns, and seconds.

    python benchmarks/inverse.py
    python benchmarks/inverse.py --only wave1d_speed --noise 0.01 --seed 3
    python benchmarks/inverse.py --bound

Errors are relative: of numbers, and of functions in the L2 norm over the domain. Noise is normal,
relative to the data's root mean square; its seed is `--seed`. Seconds leave out compilation.
`--bound` prints the least standard deviation that any unbiased estimate of the coefficients of the
Allen–Cahn equation has (Cramér and Rao), by differences of the independent reference.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from repnet.problem import Problem, zoo
from repnet.solve import solve

CASES: dict[str, tuple[float, ...]] = {
    "helmholtz1d_wavenumber": (0.0, 0.01, 0.05),
    "wave1d_speed": (0.0, 0.01),
    "diffusion1d_field": (0.0, 0.001, 0.01),
    "allen_cahn1d_coefficients": (0.0, 0.01),
}


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Solve, print one line per unknown, and return the rows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    levels = sorted({noise for each in CASES.values() for noise in each})
    parser.add_argument("--noise", nargs="+", type=float, choices=levels, default=levels)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bound", action="store_true", help="what the data tell at best")
    options = parser.parse_args(argv)
    if options.bound:
        for noise in CASES["allen_cahn1d_coefficients"][1:]:
            bound = allen_cahn_bound(noise, options.seed)
            print(f"{noise:.0%} noise: diffusion {bound[0]:.2e}, reaction {bound[1]:.2e}")
        return []
    rows = []
    print("| problem | noise | unknown | relative error | 95 % interval | seconds |")
    print("|---|---|---|---|---|---|")
    for name in options.only:
        for noise in (level for level in CASES[name] if level in options.noise):
            problem = zoo.make(name, noise=noise, seed=options.seed)
            solution = solve(problem, key=jax.random.key(options.seed))
            for unknown, truth in problem.exact_unknowns.items():
                found = solution.unknowns[unknown]
                error = relative_error(problem, found, truth)
                interval = solution.plan.numbers["intervals"].get(unknown)
                shown = "" if interval is None else "{:.6g} to {:.6g}".format(*interval)
                row = {"problem": name, "noise": noise, "unknown": unknown, "error": error}
                rows.append(row | {"interval": interval, "seconds": solution.seconds})
                print(
                    f"| `{name}` | {100 * noise:g} % | {unknown} | {error:.1e} | {shown} "
                    f"| {solution.seconds:.1f} |",
                    flush=True,
                )
    return rows


def allen_cahn_bound(noise: float, seed: int) -> np.ndarray:
    r"""Relative standard deviations $\sigma\sqrt{\operatorname{diag}(J^\top J)^{-1}}$."""
    x = zoo.make("allen_cahn1d_coefficients", noise=noise, seed=seed).terms["data"].points
    truth = {"diffusion": 1e-4, "reaction": 5.0}

    def values(name: str, share: float) -> np.ndarray:
        known = zoo.make("allen_cahn1d", **{name: (1.0 + share) * truth[name]})
        return np.asarray(known.exact(x)).ravel()

    shares = {"diffusion": 0.1, "reaction": 0.01}
    columns = [(values(name, h) - values(name, -h)) / (2.0 * h) for name, h in shares.items()]
    slopes = np.stack(columns, axis=1)
    level = noise * np.sqrt(np.mean(np.square(values("reaction", 0.0))))
    return level * np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes)))


def relative_error(problem: Problem, found: Any, truth: Any) -> float:
    """Relative error of a number, or of a function in the L2 norm."""
    if not isinstance(truth, Callable):
        return float(abs(found - truth) / abs(truth))
    low, high = problem.domain.lower, problem.domain.upper
    x = jnp.asarray(np.linspace(low, high, 2001))
    with jax.enable_x64(True):
        values = np.asarray(jax.vmap(found)(x)).reshape(len(x), -1)
        exact = np.asarray(jax.vmap(truth)(x)).reshape(len(x), -1)
    return float(np.linalg.norm(values - exact) / np.linalg.norm(exact))


if __name__ == "__main__":
    main()
