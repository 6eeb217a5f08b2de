"""Ordinary differential equations that vary on several scales, solved with all defaults.

    python benchmarks/elements.py
    python benchmarks/elements.py --only layer van_der_pol --solver one-layer

Relative L2 error on points all over the axis, against exact solutions, or against SciPy's `DOP853`
or `Radau` at tolerances of 1e-11 and less where there are none; seconds with compilation, once.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.integrate
import scipy.special

from repnet import Box, Elements, LeastSquares, Problem, Term, dirichlet, initial, partial, solve

Case = tuple[Problem, np.ndarray, np.ndarray]
SOLVERS = {"default": lambda: None, "elements": Elements, "one-layer": LeastSquares}


def oscillator(cycles: int) -> Case:
    """A forced undamped oscillation of so many cycles."""
    rate, box = 2 * np.pi * cycles, Box(0.0, 1.0)

    def equation(u: Callable, t: jax.Array, unknowns: Any) -> jax.Array:
        return partial(u, 0, 2)(t) + rate**2 * (u(t) - jnp.cos(3.0 * t))

    terms = {"equation": Term(equation), "start": initial(box, 0.0, velocity=0.0)}
    t = np.linspace(0.0, 1.0, 20_001)[:, None]
    exact = rate**2 / (rate**2 - 9.0) * (np.cos(3.0 * t) - np.cos(rate * t))
    return Problem(box, terms), t, exact


def helmholtz() -> Case:
    """A thousand wavelengths between two given values."""
    number, box = 2 * np.pi * 1000.13, Box(0.0, 1.0)
    mean = 100.0 / number

    def equation(u: Callable, x: jax.Array, unknowns: Any) -> jax.Array:
        return partial(u, 0, 2)(x) + number**2 * u(x) - 100.0 * number

    terms = {"equation": Term(equation), "ends": dirichlet(box.boundary(), lambda x: x[0])}
    x = np.linspace(0.0, 1.0, 20_001)[:, None]
    sine = (1.0 - mean + mean * np.cos(number)) / np.sin(number)
    return Problem(box, terms), x, mean * (1 - np.cos(number * x)) + sine * np.sin(number * x)


def airy() -> Case:
    """Airy's equation from oscillations to decay."""
    box = Box(-60.0, 5.0)
    first, last = (float(scipy.special.airy(x)[0]) for x in (-60.0, 5.0))

    def equation(u: Callable, x: jax.Array, unknowns: Any) -> jax.Array:
        return partial(u, 0, 2)(x) - x * u(x)

    ends = dirichlet(box.boundary(), lambda x: jnp.where(x[0] < 0, first, last))
    x = np.linspace(-60.0, 5.0, 3000)[:, None]
    return Problem(box, {"equation": Term(equation), "ends": ends}), x, scipy.special.airy(x)[0]


def layer() -> Case:
    """Advection against little diffusion: a boundary layer a ten-thousandth wide."""
    thin, box = 1e-4, Box(0.0, 1.0)

    def equation(u: Callable, x: jax.Array, unknowns: Any) -> jax.Array:
        return -thin * partial(u, 0, 2)(x) + partial(u, 0)(x) - 1.0

    terms = {"equation": Term(equation), "ends": dirichlet(box.boundary())}
    x = np.sort(np.append(np.linspace(0, 1, 2000), 1 - np.logspace(-6, -2, 400)))[:, None]
    return Problem(box, terms), x, x - np.exp((x - 1) / thin)


def turning_point() -> Case:
    """A layer inside the domain, where the velocity changes its sign."""
    thin, box = 1e-5, Box(-1.0, 1.0)

    def equation(u: Callable, x: jax.Array, unknowns: Any) -> jax.Array:
        force = thin * jnp.pi**2 * jnp.cos(jnp.pi * x) + jnp.pi * x * jnp.sin(jnp.pi * x)
        return thin * partial(u, 0, 2)(x) + x * partial(u, 0)(x) + force

    ends = dirichlet(box.boundary(), lambda x: x[0] - 1.0)
    x = np.sort(np.append(np.linspace(-1, 1, 2000), np.linspace(-0.03, 0.03, 500)))[:, None]
    step = scipy.special.erf(x / np.sqrt(2 * thin)) / scipy.special.erf(1 / np.sqrt(2 * thin))
    return Problem(box, {"equation": Term(equation), "ends": ends}), x, np.cos(np.pi * x) + step


def _system(
    rates: Callable[[Any, Any], Any], start: Sequence[float], end: float, method: str
) -> Case:
    box = Box(0.0, end)

    def equation(u: Callable, t: jax.Array, unknowns: Any) -> jax.Array:
        return partial(u, 0)(t) - rates(u(t), jnp)

    terms = {"equation": Term(equation), "start": initial(box, list(start))}
    t = np.linspace(0.0, end, 2000)
    exact = scipy.integrate.solve_ivp(
        lambda t, y: rates(y, np), (0, end), start, method, t, rtol=1e-12, atol=1e-15
    )
    return Problem(box, terms, out_size=len(start)), t[:, None], exact.y.T


def lorenz() -> Case:
    """Lorenz's system."""

    def rates(y: Any, xp: Any) -> Any:
        a, b, c = y
        return xp.stack([10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c])

    return _system(rates, [1.0, 1.0, 1.0], 12.0, "DOP853")


def robertson() -> Case:
    """Robertson's reaction: rates from 0.04 to 3e7."""

    def rates(y: Any, xp: Any) -> Any:
        a, b, c = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
        return xp.stack([b - a, a - b - c, c])

    return _system(rates, [1.0, 0.0, 0.0], 100.0, "Radau")


def three_bodies() -> Case:
    """Arenstorf's orbit about two bodies (Hairer, Nørsett and Wanner 1993, II.0), one period."""
    small = 0.012277471

    def rates(y: Any, xp: Any) -> Any:
        a, b, c, d = y
        far = ((a + small) ** 2 + b**2) ** 1.5
        near = ((a - 1 + small) ** 2 + b**2) ** 1.5
        along = a + 2 * d - (1 - small) * (a + small) / far - small * (a - 1 + small) / near
        across = b - 2 * c - (1 - small) * b / far - small * b / near
        return xp.stack([c, d, along, across])

    start = [0.994, 0.0, 0.0, -2.00158510637908252]
    return _system(rates, start, 17.0652165601579625, "DOP853")


def van_der_pol(stiffness: float, end: float, method: str) -> Case:
    """Van der Pol's oscillator."""
    box = Box(0.0, end)

    def equation(u: Callable, t: jax.Array, unknowns: Any) -> jax.Array:
        return partial(u, 0, 2)(t) - stiffness * (1.0 - u(t) ** 2) * partial(u, 0)(t) + u(t)

    terms = {"equation": Term(equation), "start": initial(box, 2.0, velocity=0.0)}
    t = np.linspace(0.0, end, 3000)
    exact = scipy.integrate.solve_ivp(
        lambda t, y: [y[1], stiffness * (1 - y[0] ** 2) * y[1] - y[0]],
        (0, end),
        [2.0, 0.0],
        method,
        t,
        rtol=1e-11,
        atol=1e-13,
    )
    return Problem(box, terms), t[:, None], exact.y[:1].T


CASES: dict[str, Callable[[], Case]] = {
    "oscillator_1000": lambda: oscillator(1_000),
    "oscillator_20000": lambda: oscillator(20_000),
    "helmholtz": helmholtz,
    "airy": airy,
    "layer": layer,
    "turning_point": turning_point,
    "lorenz": lorenz,
    "three_bodies": three_bodies,
    "robertson": robertson,
    "van_der_pol": lambda: van_der_pol(5.0, 30.0, "DOP853"),
    "van_der_pol_stiff": lambda: van_der_pol(1000.0, 2000.0, "Radau"),
}


def main(argv: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Solve, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--solver", choices=list(SOLVERS), default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default=None, help="JSON file for the rows")
    options = parser.parse_args(argv)
    print("| case | relative L2 | residual told | seconds | network |\n|---|---|---|---|---|")
    rows = []
    for name in options.only:
        problem, x, exact = CASES[name]()
        start = time.perf_counter()
        solver = SOLVERS[options.solver]()
        solution = solve(problem, solver=solver, key=jax.random.key(options.seed))
        seconds = time.perf_counter() - start
        error = float(np.linalg.norm(np.asarray(solution(x)) - exact) / np.linalg.norm(exact))
        told = float(solution.plan.numbers["residual"])
        network = solution.plan.network
        print(f"| {name} | {error:.1e} | {told:.1e} | {seconds:.1f} | {network} |", flush=True)
        rows.append(
            {"case": name, "error": error, "residual": told, "seconds": seconds, "network": network}
        )
    if options.out:
        with open(options.out, "w") as file:
            json.dump(rows, file, indent=1)
    return rows


if __name__ == "__main__":
    main()
