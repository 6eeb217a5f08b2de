"""Named equations solved with every choice left to `solve`: error, seconds, and what was chosen.

    python benchmarks/equations.py --out equations.json
    python benchmarks/equations.py --only burgers1d kdv1d
    python benchmarks/equations.py --features tanh --only wave1d

Errors are relative L2 norms at the problem's test points, against its reference. Seconds leave out
compilation, which is given beside them. Rows that the file holds already are not computed again.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import jax
import jax.numpy as jnp

from repnet.judge import relative_l2
from repnet.problem import zoo
from repnet.solve import LeastSquares, solve

CASES: tuple[tuple[str, dict], ...] = (
    ("poisson1d_ms", {}),
    ("oscillator", {"omega0": 80}),
    ("oscillator", {"omega0": 400}),
    ("helmholtz2d", {"a1": 1, "a2": 4}),
    ("helmholtz2d", {"a1": 6, "a2": 6}),
    ("helmholtz2d", {"a1": 10, "a2": 10}),
    ("wave1d", {}),
    ("wave1d_ms", {}),
    ("convection1d", {"beta": 30}),
    ("convection1d", {"beta": 50}),
    ("convection1d", {"beta": 80}),
    ("heat1d_ms", {}),
    ("heat2d_ms", {}),
    ("plane_wave2d", {}),
    ("advection_diffusion2d", {}),
    ("nonlinear_helmholtz1d", {}),
    ("klein_gordon1d", {}),
    ("burgers1d", {}),
    ("allen_cahn1d", {}),
    ("kdv1d", {}),
)


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Solve what is missing, a row each, and print the table."""
    parser = argparse.ArgumentParser(description="Named equations solved by default.")
    names = sorted({name for name, _ in CASES})
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--features", choices=["auto", "tanh"], default="auto")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default=None, help="JSON file for the rows")
    options = parser.parse_args(argv)
    path = Path(options.out) if options.out else None
    rows = json.loads(path.read_text()) if path and path.exists() else []
    print("| problem | relative L2 | seconds | compiling | network |\n|---|---|---|---|---|")
    for name, parameters in CASES:
        asked = {
            "problem": name,
            "parameters": parameters,
            "features": options.features,
            "seed": options.seed,
        }
        if name not in options.only:
            continue
        row = next((row for row in rows if asked.items() <= row.items()), None)
        if row is None:
            row = {**asked, **measure(**asked)}
            rows.append(row)
            if path:
                path.write_text(json.dumps(rows, indent=1))
        values = ", ".join(f"{key}={value:g}" for key, value in parameters.items())
        print(
            f"| `{name}` {values} | {row['relative_l2']:.1e} | {row['seconds']:.1f} "
            f"| {row['compile_seconds']:.1f} | {row['network']} |",
            flush=True,
        )
    return rows


def measure(problem: str, parameters: dict, features: str, seed: int) -> dict:
    """Solve one problem and judge it at its test points."""
    stated = zoo.make(problem, **parameters)
    solver = LeastSquares(activation=jnp.tanh) if features == "tanh" else None
    solution = solve(stated, solver=solver, key=jax.random.key(seed))
    points = zoo.entry(problem).test_points(stated)
    assert stated.exact is not None
    return {
        "relative_l2": relative_l2(solution, points, stated.exact(points)),
        "seconds": solution.seconds,
        "compile_seconds": solution.compile_seconds,
        "network": solution.plan.network,
        "result": solution.result.name,
    }


if __name__ == "__main__":
    main()
