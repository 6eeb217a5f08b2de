"""The record of a run: one JSON object that says what was asked, what came out, and on what."""

import dataclasses
import importlib.metadata
import json
import math
import os
import platform
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np

from repnet import __version__
from repnet.nn import FlowMap, Standardized
from repnet.problem import Transformed
from repnet.solve import RESULTS, Solution

TABLES = ("arguments", "metrics", "network", "plan", "unknowns", "history")  # of a record
PACKAGES = ("jax", "equinox", "optax", "numpy")


@dataclasses.dataclass(frozen=True)
class Record:
    """What `run.json` holds. Every key is always present, `None` where it does not apply.

    ```python
    >>> record = record_of("fit", {"data": "tide.csv"}, seed=0)
    >>> record.command, record.result, len(record.as_dict())
    ('fit', None, 18)

    ```

    - `command`, `arguments`, `seed`: what was asked.
    - `precision`: `"float32"` or `"float64"`, of the network.
    - `versions`, `machine`: what it ran on.
    - `network`: kind, first layer, sizes and number of parameters.
    - `plan`: what was chosen and why.
    - `result`: a member of `RESULTS` by name.
    - `relative_l2`, `heldout_rmse`: errors on held-out points.
    - `metrics`: a table of the rest.
    - `unknowns`: name to `value` and `interval`, which are `None` of a function.
    - `seconds`, `compile_seconds`: of the solve without and of the compilation.
    - `peak_memory_mb`: of the process, in MB of 10⁶ bytes.
    - `steps`, `history`: of the training.
    """

    command: str
    arguments: dict[str, Any]
    seed: int | None
    precision: str | None
    versions: dict[str, str]
    machine: dict[str, Any]
    network: dict[str, Any] | None
    plan: dict[str, Any] | None
    result: str | None
    relative_l2: float | None
    heldout_rmse: float | None
    metrics: dict[str, Any] | None
    unknowns: dict[str, Any] | None
    seconds: float | None
    compile_seconds: float | None
    peak_memory_mb: float | None
    steps: int | None
    history: dict[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """The record as plain JSON values, in the order of the fields."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def to_json(self) -> str:
        """The record as JSON text that every reader takes: no NaN, no infinity."""
        return json.dumps(self.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)


def record_of(
    command: str,
    arguments: Mapping[str, Any],
    *,
    seed: int | None = None,
    solution: Solution | None = None,
    result: RESULTS | None = None,
    relative_l2: float | None = None,
    heldout_rmse: float | None = None,
    metrics: Mapping[str, Any] | None = None,
    seconds: float | None = None,
    compile_seconds: float | None = None,
) -> Record:
    """The record of a command.

    **Arguments:**

    - `command`, `arguments`: as given to the command line.
    - `solution`: what was solved; fills network, plan, times, steps and history.
    - `result`: how it ended, where there is no solution.
    - `relative_l2`, `heldout_rmse`, `metrics`: what was measured; NaN and infinity become `None`.
    - `seconds`, `compile_seconds`: of the work, where there is no solution.

    **Returns:** a `Record` of plain JSON values.

    **Source:** this project.

    >>> record_of("diagnose", {}, metrics={"noise": float("nan")}).metrics
    {'noise': None}
    """
    ended = result if solution is None else solution.result
    return Record(
        command=command,
        arguments=plain(dict(arguments)),
        seed=seed,
        precision=None if solution is None else _precision(solution.network),
        versions=_versions(),
        machine=_machine(),
        network=None if solution is None else describe_network(solution.network),
        plan=None if solution is None else describe_plan(solution),
        result=None if ended is None else ended.name,
        relative_l2=plain(relative_l2),
        heldout_rmse=plain(heldout_rmse),
        metrics=plain(metrics),
        unknowns=None if solution is None else _unknowns(solution),
        seconds=plain(seconds if solution is None else solution.seconds),
        compile_seconds=plain(compile_seconds if solution is None else solution.compile_seconds),
        peak_memory_mb=_peak_memory_mb(),
        steps=None if solution is None else solution.steps,
        history=None if solution is None else plain(solution.history),
    )


def read_record(path: Path) -> Record:
    """Read a record that `Record.to_json` wrote.

    **Raises:** `ValueError` for a file that is missing, no JSON, or lacks keys.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"`{path}` must be the record of a run; {error.strerror}.") from None
    except ValueError as error:
        raise ValueError(f"`{path}` must be the record of a run; it is no JSON: {error}.") from None
    names = [field.name for field in dataclasses.fields(Record)]
    missing = [name for name in names if not isinstance(content, dict) or name not in content]
    if missing:
        raise ValueError(f"`{path}` must be the record of a run; it lacks {', '.join(missing)}.")
    for name in TABLES:
        if not isinstance(content[name], dict | None):
            raise ValueError(
                f"`{path}` must be the record of a run; its {name} must be a table, and are "
                f"{content[name]!r}."
            )
    return Record(**{name: content[name] for name in names})


def plain(value: Any) -> Any:
    """JSON values from arrays, numbers, paths and their containers; not finite becomes `None`.

    >>> plain({"error": np.array([0.5, np.inf]), "rows": (np.int64(3),)})
    {'error': [0.5, None], 'rows': [3]}
    """
    match value:
        case None | bool() | str() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case np.ndarray() | np.generic() | jax.Array():
            return plain(np.asarray(value).tolist())
    return str(value)


def describe_network(network: Any) -> dict[str, Any]:
    """Kind, first layer, sizes and number of parameters of a network."""
    inner = network.u if isinstance(network, Transformed) else network
    inner = inner.network if isinstance(inner, FlowMap) else inner
    inner = inner.network if isinstance(inner, Standardized) else inner
    first = getattr(inner, "first", None)
    hidden = getattr(inner, "hidden", ())
    leaves = jax.tree.leaves(eqx.filter(inner, eqx.is_inexact_array))
    return {
        "kind": type(inner).__name__,
        "first": None if first is None else type(first).__name__,
        "first_width": None if first is None else first.width,
        "hidden": [layer.weight.shape[0] for layer in hidden],
        "parameters": int(sum(leaf.size for leaf in leaves)),
    }


def describe_plan(solution: Solution) -> dict[str, Any]:
    """What was chosen and why, as JSON values."""
    plan = solution.plan
    return plain(
        {
            "network": plan.network,
            "solver": plan.solver,
            "scale": plan.scale,
            "reasons": plan.reasons,
            "numbers": plan.numbers,
        }
    )


def _precision(network: Any) -> str | None:
    leaves = jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array))
    return max((str(leaf.dtype) for leaf in leaves), default=None)


def _versions() -> dict[str, str]:
    installed = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "repnet": __version__, **installed}


def _machine() -> dict[str, Any]:
    return {
        "cpus": os.cpu_count(),
        "platform": platform.platform(),
        "device": jax.devices()[0].device_kind,
    }


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB on Linux
    return round(peak * unit / 1e6, 1)


def _unknowns(solution: Solution) -> dict[str, Any] | None:
    """Value and interval per unknown; functions have neither, their values are in the arrays."""
    if solution.unknowns is None:
        return None
    intervals = solution.plan.numbers.get("intervals") or {}
    found = jax.tree_util.tree_flatten_with_path(solution.unknowns, is_leaf=callable)[0]
    named = {
        jax.tree_util.keystr(path, simple=True, separator=".") or "value": leaf
        for path, leaf in found
        if callable(leaf) or eqx.is_array_like(leaf)
    }
    return {
        name: {
            "value": None if callable(leaf) else plain(np.asarray(leaf)),
            "interval": plain(intervals.get(name)),
        }
        for name, leaf in named.items()
    }
