"""Time of `import repnet` over that of `import jax, equinox, optax`, which it stands on.

    python benchmarks/imports.py --repeats 9

Every import runs in a process of its own, after one that may write bytecode, as an installation
does. The two take turns, so that whatever else the machine does falls on both; medians are
compared.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence

import numpy as np

_CLOCKED = """
import time
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""
STATEMENTS = {"base": "import jax, equinox, optax", "repnet": "import repnet"}


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--out", default=None, help="JSON file for the result")
    options = parser.parse_args(argv)
    for statement in STATEMENTS.values():
        _seconds(statement, PYTHONDONTWRITEBYTECODE="")  # once for the disk and the bytecode
    turns = [
        {name: _seconds(statement) for name, statement in STATEMENTS.items()}
        for _ in range(options.repeats)
    ]
    row = {
        f"{name}_seconds": float(np.median([turn[name] for turn in turns])) for name in STATEMENTS
    }
    row["ratio"] = float(np.median([turn["repnet"] / turn["base"] for turn in turns]))
    print(
        f"import repnet {row['repnet_seconds']:.3f} s, {STATEMENTS['base']} "
        f"{row['base_seconds']:.3f} s: ratio {row['ratio']:.3f} (medians of {options.repeats})"
    )
    if options.out:
        with open(options.out, "w") as file:
            json.dump(row, file, indent=1)
    return row


def _seconds(statement: str, **variables: str) -> float:
    command = [sys.executable, "-c", _CLOCKED.format(statement=statement)]
    environment = {**os.environ, **variables}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout)


if __name__ == "__main__":
    main()
