"""Solves in stages beside one stage: error against the exact solution after every stage.

    python benchmarks/stages.py
    python benchmarks/stages.py --only poisson1d_ms bumpy1d

Errors are relative L2 errors at 4,000 random points of the domain. Trained stages take as many
steps in all as the one training beside them.
"""

import argparse
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from repnet import Gradient, LeastSquares, MultiStage, Problem, regression, relative_l2, solve
from repnet.problem import zoo
from repnet.solve import AbstractSolver

TANH = LeastSquares(activation=jnp.tanh)
LOCAL = {"width": 128, "hidden": (48,)}


def bumpy(x: np.ndarray) -> np.ndarray:
    """A wave of 40 radians per unit length under a positive envelope, on a slope."""
    return np.exp(np.sin(9.0 * x)) * np.cos(40.0 * x) + 0.3 * x


def multiscale(x: np.ndarray) -> np.ndarray:
    """Three waves of 1, 10 and 50 cycles per unit length."""
    return np.sin(2 * np.pi * x) + 0.5 * np.sin(20 * np.pi * x) + 0.3 * np.sin(100 * np.pi * x)


def data(function: Callable) -> Problem:
    """1,001 values on [-1, 1]."""
    x = np.linspace(-1.0, 1.0, 1001)[:, None]
    return regression(x, function(x), exact=function)


Case = tuple[Callable[[], Problem], AbstractSolver, AbstractSolver]
CASES: dict[str, Case] = {
    "poisson1d_ms": (lambda: zoo.make("poisson1d_ms"), TANH, MultiStage(TANH)),
    "poisson1d_ms 90": (lambda: zoo.make("poisson1d_ms", frequency=90), TANH, MultiStage(TANH)),
    "helmholtz2d": (
        lambda: zoo.make("helmholtz2d"),
        LeastSquares(800, activation=jnp.tanh),
        MultiStage(LeastSquares(800, activation=jnp.tanh), LeastSquares(), stages=2),
    ),
    "wave1d": (
        lambda: zoo.make("wave1d"),
        LeastSquares(2400, activation=jnp.tanh),
        MultiStage(LeastSquares(600, activation=jnp.tanh)),
    ),
    "bumpy1d": (
        lambda: data(bumpy),
        Gradient(steps=3000, **LOCAL),
        MultiStage(Gradient(steps=1000, **LOCAL)),
    ),
    "multiscale1d": (
        lambda: data(multiscale),
        Gradient(steps=4500, width=256, hidden=(64,)),
        MultiStage(Gradient(steps=1500, width=256, hidden=(64,))),
    ),
}


def measure(name: str, seed: int) -> None:
    """Solve in one stage and in several, and print both."""
    make, one, several = CASES[name]
    problem = make()
    x = np.asarray(problem.domain.sample(4000, key=jax.random.key(9)))
    truth = np.asarray(problem.exact(x))
    for label, solver in (("one stage", one), ("stages", several)):
        start = time.perf_counter()
        solution = solve(problem, solver=solver, key=jax.random.key(seed))
        error = float(relative_l2(solution, x, truth))
        residuals = [f"{r:.1e}" for r in solution.history.get("residual", [])]
        seconds = time.perf_counter() - start
        print(f"{name:18} {label:10} error {error:.1e}, {seconds:4.0f} s {' > '.join(residuals)}")


def main(names: list[str], seed: int) -> None:
    """Measure the named cases."""
    for name in names:
        measure(name, seed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    main(options.only, options.seed)
