"""`repnet predict` with a learnt operator: the response to a user's own record."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from repnet.cli._text import as_csv, hand_over, require_free, unwritten
from repnet.data import read_accelerogram, read_csv
from repnet.operators import outside, roll_out, structure_of
from repnet.operators._study import REST
from repnet.report import MODEL, record_of
from repnet.solve import Solution

_FINEST = 0.02  # seconds: the coarsest step of the records that are learnt from


def run_predict_operator(options: dict[str, Any], about: dict[str, Any]) -> int:
    """Read a record, predict, write a table, warn where the record is unlike training."""
    output = options["output"]
    if output is not None:
        require_free(output)
    solution = Solution.load(options["folder"] / MODEL)
    if about["name"] == "antiderivative":
        names, columns, warnings = _functions(solution, about, options)
    else:
        names, columns, warnings = _response(solution, about, options)
    for warning in warnings:
        print(f"repnet: warning: {warning}", file=sys.stderr)
    record = record_of(
        "predict",
        {name: options[name] for name in ("folder", "points", "output", "unit", "step")},
        metrics={
            "points": len(columns),
            "warnings": warnings,
            "peak": float(np.abs(columns[:, -1]).max()),
            "predictions": unwritten(names, columns, output),
        },
    )
    hand_over(as_csv(names, columns), len(columns), record, options)
    return 0


def _response(
    solution: Solution, about: dict[str, Any], options: dict[str, Any]
) -> tuple[list[str], Float[np.ndarray, "times columns"], list[str]]:
    record = read_accelerogram(options["points"], unit=options["unit"], step=options["step"])
    warnings = []
    if record.drift > 0.5:
        warnings.append(
            f"The record's velocity ends at {record.drift:.0%} of its peak: its baseline is off."
        )
    if record.step > _FINEST:
        warnings.append(
            f"The record's step, {record.step:g} s, is coarser than any in training, {_FINEST:g} s."
        )
    step = about["step"]
    ground = record.resampled(step).acceleration
    structure = structure_of(about["name"], about["parameters"])
    flow: Any = solution.network
    ground = np.append(ground, np.zeros(round(REST * structure.period / step)))
    states = roll_out(flow, np.zeros((1, flow.state_size)), ground[None])[0]
    ground = ground[: len(states)]
    warnings += outside(about["seen"], ground, states, step)
    response = np.asarray(structure.displacement(states))
    time = np.round(step * np.arange(len(states)), 9)
    names = ["time (s)", "ground acceleration (m/s2)", "displacement (m)"]
    return names, np.column_stack([time, ground, response]), warnings


def _functions(
    solution: Solution, about: dict[str, Any], options: dict[str, Any]
) -> tuple[list[str], Float[np.ndarray, "functions points"], list[str]]:
    """Images of the functions in the rows of a table, one column per sensor."""
    if options["unit"] is not None or options["step"] is not None:
        raise ValueError("`--unit` and `--step` are for accelerograms; DIR holds no such operator.")
    values = read_functions(options["points"], about["sensors"])
    network: Any = solution.network
    queries = np.asarray(about["queries"])[:, None]
    found = np.asarray(network.many(values, queries), np.float64)[:, :, 0]
    most = about["seen"]["function"]
    warnings = []
    if np.abs(values).max() > 1.05 * most:
        warnings.append(
            f"The largest value, {np.abs(values).max():.3g}, lies above the largest in training, "
            f"{most:.3g}."
        )
    return [f"x = {query:g}" for query in queries[:, 0]], found, warnings


def read_functions(path: Path, sensors: int) -> Float[np.ndarray, "functions sensors"]:
    """Functions in the rows of a table.

    **Raises:** `ValueError` where the columns are not one per sensor of the model.
    """
    table = read_csv(path, fewest=1)
    values = np.hstack([table.x, table.y])
    if values.shape[1] != sensors:
        raise ValueError(
            f"`{path}` must have one column per sensor of the model, {sensors}; it has "
            f"{values.shape[1]}."
        )
    return values
