"""Evolution along one axis of space, many waves, steep starts and sharp fronts, all defaults.

    python benchmarks/space_time.py
    python benchmarks/space_time.py --only breather steep --solver one-layer

Relative L2 error on a grid that is none of the solver's, against exact solutions; seconds with
compilation, once.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special as special
import numpy as np
import scipy.optimize

from repnet import (
    Box,
    LeastSquares,
    Problem,
    Slabs,
    SpaceTimeElements,
    Term,
    dirichlet,
    initial,
    partial,
    periodic,
    solve,
)

Exact = Callable[[jax.Array], jax.Array]
"""The solution at one point `(x, t)`."""
Case = tuple[Problem, Exact]
SOLVERS = {
    "default": lambda: None,
    "space-time": SpaceTimeElements,
    "one-layer": LeastSquares,
    "slabs": Slabs,
}
GRID = (501, 101)


def posed(
    box: Box, equation: Callable, exact: Exact, *, out: int = 1, rate: bool = False, **terms: Term
) -> Case:
    """A problem with values of the exact solution at the start, and at the sides unless given."""
    terms = terms or {"sides": dirichlet(box.boundary(0), exact)}
    velocity = (lambda x: jax.jacfwd(exact)(x)[..., 1]) if rate else None

    def residual(u: Callable, x: jax.Array, unknowns: Any) -> jax.Array:
        return equation(u, x)

    whole = {"equation": Term(residual), **terms, "start": initial(box, exact, velocity)}
    return Problem(box, whole, out_size=out), exact


def waves() -> Case:
    """A string of ten half waves for a hundred periods."""
    rate = 10 * np.pi
    return posed(
        Box([0.0, 0.0], [1.0, 20.0]),
        lambda u, x: partial(u, 1, 2)(x) - partial(u, 0, 2)(x),
        lambda x: jnp.sin(rate * x[0]) * jnp.cos(rate * x[1]),
        rate=True,
    )


def turns() -> Case:
    """A profile carried twenty times around a ring."""
    box = Box([0.0, 0.0], [1.0, 20.0])
    return posed(
        box,
        lambda u, x: partial(u, 1)(x) + partial(u, 0)(x),
        lambda x: jnp.exp(jnp.sin(2 * jnp.pi * (x[0] - x[1]))),
        ring=periodic(box, 0),
    )


def decay() -> Case:
    """Heat of three wavelengths, the shortest of which is gone after a thousandth of the time."""

    def exact(x: jax.Array) -> jax.Array:
        modes = np.pi * np.array([1.0, 7.0, 40.0])
        return jnp.sum(jnp.sin(modes * x[0]) * jnp.exp(-0.1 * modes**2 * x[1]))

    return posed(
        Box([0.0, 0.0], [1.0, 1.0]),
        lambda u, x: partial(u, 1)(x) - 0.1 * partial(u, 0, 2)(x),
        exact,
    )


def steep() -> Case:
    """Heat from a step that is a hundredth of the axis wide."""
    return posed(
        Box([-1.0, 0.0], [1.0, 1.0]),
        lambda u, x: partial(u, 1)(x) - 0.05 * partial(u, 0, 2)(x),
        lambda x: special.erf(x[0] / jnp.sqrt(0.02**2 + 0.2 * x[1])),
    )


def conductors() -> Case:
    """Heat across the wall between two conductors, whose diffusivity jumps from 1 to 0.1."""
    wall, ratio = 0.3719, np.sqrt(0.1)

    def mismatch(rate: float) -> float:
        return rate / np.tan(rate * wall) + rate / ratio / np.tan(rate / ratio * (1 - wall))

    rate = scipy.optimize.brentq(mismatch, 0.9, 1.2)
    size = np.sin(rate * wall) / np.sin(rate / ratio * (1 - wall))

    def exact(x: jax.Array) -> jax.Array:
        right = size * jnp.sin(rate / ratio * (1.0 - x[0]))
        mode = jnp.where(x[0] < wall, jnp.sin(rate * x[0]), right)
        return mode * jnp.exp(-(rate**2) * x[1])

    return posed(
        Box([0.0, 0.0], [1.0, 1.0]),
        lambda u, x: partial(u, 1)(x) - jnp.where(x[0] < wall, 1.0, ratio**2) * partial(u, 0, 2)(x),
        exact,
    )


def breather() -> Case:
    """A breather of the sine-Gordon equation for two periods."""
    slow = 0.6
    fast = np.sqrt(1.0 - slow**2)
    return posed(
        Box([-10.0, 0.0], [10.0, 20.0]),
        lambda u, x: partial(u, 1, 2)(x) - partial(u, 0, 2)(x) + jnp.sin(u(x)),
        lambda x: 4.0 * jnp.arctan(fast / slow * jnp.sin(slow * x[1]) / jnp.cosh(fast * x[0])),
        rate=True,
    )


def soliton() -> Case:
    """Two solitons of the Korteweg–de Vries equation, the faster one passing the slower."""
    box = Box([-12.0, -1.0], [12.0, 1.0])

    def exact(x: jax.Array) -> jax.Array:  # Gardner, Greene, Kruskal and Miura 1974
        near, far = 2.0 * x[0] - 8.0 * x[1], 4.0 * x[0] - 64.0 * x[1]
        above = 3.0 + 4.0 * jnp.cosh(near) + jnp.cosh(far)
        below = 3.0 * jnp.cosh(x[0] - 28.0 * x[1]) + jnp.cosh(3.0 * x[0] - 36.0 * x[1])
        return 12.0 * above / below**2

    def bend(u: Callable, x: jax.Array, unknowns: Any) -> jax.Array:
        return partial(u, 0)(x) - jax.grad(exact)(x)[0]

    return posed(
        box,
        lambda u, x: partial(u, 1)(x) + 6.0 * u(x) * partial(u, 0)(x) + partial(u, 0, 3)(x),
        exact,
        sides=dirichlet(box.boundary(0), exact),
        bend=Term(bend, box.face(0, "upper")),
    )


def envelope() -> Case:
    """A soliton of the nonlinear Schrödinger equation, real and imaginary part."""

    def equation(u: Callable, x: jax.Array) -> jax.Array:
        (a, b), moved, bent = u(x), partial(u, 1)(x), partial(u, 0, 2)(x)
        size = a * a + b * b
        return jnp.stack(
            [-moved[1] + 0.5 * bent[0] + size * a, moved[0] + 0.5 * bent[1] + size * b]
        )

    def exact(x: jax.Array) -> jax.Array:
        return jnp.stack([jnp.cos(x[0]), jnp.sin(x[0])]) / jnp.cosh(x[0] + 2.0 - x[1])

    return posed(Box([-10.0, 0.0], [10.0, 6.0]), equation, exact, out=2)


def front() -> Case:
    """A travelling front of Burgers' equation, a five-hundredth of the axis wide."""
    viscosity = 1e-3
    return posed(
        Box([-1.0, 0.0], [1.0, 1.0]),
        lambda u, x: partial(u, 1)(x) + u(x) * partial(u, 0)(x) - viscosity * partial(u, 0, 2)(x),
        lambda x: 0.5 - 0.5 * jnp.tanh((x[0] + 0.25 - 0.5 * x[1]) / (4.0 * viscosity)),
    )


CASES = {
    each.__name__: each
    for each in (
        waves,
        turns,
        decay,
        steep,
        conductors,
        breather,
        soliton,
        envelope,
        front,
    )
}


def measured(name: str, solver: str, seed: int) -> dict[str, Any]:
    """One case solved and judged."""
    problem, exact = CASES[name]()
    box = problem.domain
    begin = time.perf_counter()
    solution = solve(problem, None, SOLVERS[solver](), key=jax.random.key(seed))
    seconds = time.perf_counter() - begin
    axes = [np.linspace(*ends, n) for *ends, n in zip(box.lower, box.upper, GRID, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    with jax.enable_x64(True):
        right = np.asarray(jax.jit(jax.vmap(exact))(jnp.asarray(grid))).reshape(len(grid), -1)
    error = np.linalg.norm(solution(grid) - right) / np.linalg.norm(right)
    numbers = solution.plan.numbers
    return {
        "case": name,
        "error": float(error),
        "residual": float(numbers["residual"]),
        "seconds": seconds,
        "compiling": solution.compile_seconds,
        "elements": numbers.get("elements"),
        "result": solution.result.name,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Solve the cases, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--solver", choices=SOLVERS, default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default=None, help="JSON file for the rows")
    options = parser.parse_args(arguments)
    print("| case | relative L2 | residual | seconds | of them compiling | elements | result |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for name in options.only:
        row = measured(name, options.solver, options.seed)
        rows.append(row)
        print(
            f"| `{name}` | {row['error']:.1e} | {row['residual']:.1e} | {row['seconds']:.1f} | "
            f"{row['compiling']:.1f} | {row['elements'] or ''} | {row['result']} |",
            flush=True,
        )
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
