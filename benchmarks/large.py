"""A million scattered points in two dimensions by least squares: time and memory against points.

    python benchmarks/large.py --points 250000 500000 1000000 --out large.json

Every size runs in a process of its own, whose peak memory is that of the whole process, JAX and
the data included. Seconds of the processor are of all threads, compilation too; they show the
growth with the points where other work shares the cores.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence

import jax
import numpy as np

from repnet.judge import relative_l2
from repnet.problem import regression
from repnet.solve import LeastSquares


def function(x: np.ndarray) -> np.ndarray:
    """Waves of several lengths and directions, and a bell."""
    a, b = x.T
    waves = np.sin(12 * a + 5 * b) + 0.5 * np.cos(17 * b - 3 * a) + 0.3 * np.sin(20 * a * b)
    return waves + np.exp(-4 * (a - 0.3) ** 2 - 9 * b**2)


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Measure every size and print a row each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--points", nargs="+", type=int, default=[250_000, 500_000, 1_000_000])
    parser.add_argument("--width", type=int, default=1000)
    parser.add_argument("--here", action="store_true", help="in this process, as JSON")
    parser.add_argument("--out", default=None, help="JSON file for the rows")
    options = parser.parse_args(argv)
    if options.here:
        rows = [measure(points, options.width) for points in options.points]
        print(json.dumps(rows))
        return rows
    rows = []
    print("| points | seconds | of the processor | peak GB | relative L2 |\n|---|---|---|---|---|")
    for points in options.points:
        rows += _apart(points, options.width)
        row = rows[-1]
        print(
            f"| {points:,} | {row['seconds']:.1f} | {row['cpu_seconds']:.1f} "
            f"| {row['peak_gb']:.2f} | {row['relative_l2']:.1e} |",
            flush=True,
        )
    if options.out:
        with open(options.out, "w") as file:
            json.dump(rows, file, indent=1)
    return rows


def measure(points: int, width: int) -> dict:
    """Solve once in this process; peak memory in GB of 10⁹ bytes, of this process so far."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1.0, 1.0, (points, 2))
    problem, start = regression(x, function(x)), time.process_time()
    solution = LeastSquares(width).run(problem, key=jax.random.key(0))
    cpu = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    test = rng.uniform(-1.0, 1.0, (20_000, 2))
    return {
        "points": points,
        "width": width,
        "seconds": solution.seconds,
        "cpu_seconds": cpu,
        "compile_seconds": solution.compile_seconds,
        "peak_gb": peak * (1 if sys.platform == "darwin" else 1024) / 1e9,
        "relative_l2": relative_l2(solution, test, function(test)),
        "network": solution.plan.network,
    }


def _apart(points: int, width: int) -> list[dict]:
    command = [sys.executable, __file__, "--here", "--points", str(points), "--width", str(width)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


if __name__ == "__main__":
    main()
