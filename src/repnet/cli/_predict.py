"""`repnet predict`: a saved fit or solution at the points of a table."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from repnet.cli._predict_operator import run_predict_operator
from repnet.cli._text import as_csv, hand_over, require_free, unwritten
from repnet.data import read_csv
from repnet.report import MODEL, read_run, record_of
from repnet.solve import RESULTS, Solution

_SLACK = 1e-9  # of the range: coordinates that went through text may be rounded


def run_predict(options: dict[str, Any]) -> int:
    """Read a model and a table of points, write inputs and predictions as CSV; the exit code."""
    folder, output = options["folder"], options["output"]
    if output is not None:
        require_free(output)
    asked = read_run(folder).record
    metrics = asked.metrics or {}
    if "operator" in metrics:
        return run_predict_operator(options, metrics["operator"])
    if options["unit"] is not None or options["step"] is not None:
        raise ValueError("`--unit` and `--step` are for accelerograms; DIR holds no such operator.")
    data = metrics.get("data") or metrics.get("problem")
    if not data:
        raise ValueError(f"`DIR` must be the folder of a fit or a solve; {folder} holds none.")
    if asked.result == RESULTS.interrupted.name and not (folder / MODEL).exists():
        raise ValueError(
            f"`DIR` must hold a network; the run in {folder} was interrupted before there was one."
        )
    solution = Solution.load(folder / MODEL)
    points = read_points(options["points"], data)
    _require_fit(folder, solution, points)
    outside = outside_of(data, points)
    if outside is not None and outside.any() and not options["quiet"]:
        print(f"repnet: warning: {_told(outside, data)}", file=sys.stderr)
    table = np.hstack([points, solution(points)])
    names = [*data["inputs"], *data["targets"]]
    text = as_csv(names, table)
    record = record_of(
        "predict",
        {"folder": folder, "points": options["points"], "output": output},
        metrics={
            "points": len(points),
            "outside": None if outside is None else int(outside.any(axis=1).sum()),
            "predictions": unwritten(names, table, output),
        },
    )
    hand_over(text, len(points), record, options)
    return 0


def _require_fit(folder: Path, solution: Solution, points: Float[np.ndarray, "points dim"]) -> None:
    """Refuse points of another number of columns than the network has inputs."""
    centre = getattr(solution.network, "centre", points[0])
    if len(centre) != points.shape[1]:
        raise ValueError(
            f"`DIR` must hold a record and the network it is about; that of {folder} names "
            f"{points.shape[1]} inputs, the network has {len(centre)}."
        )


def read_points(path: Path, data: dict[str, Any]) -> Float[np.ndarray, "points dim"]:
    """The input columns of a table, in the order of the fit; dates as seconds since its origin.

    **Raises:** `ValueError` where one is missing, or holds dates and the record of the fit has no
    origin for it.
    """
    names, origins = list(data["inputs"]), data.get("origins") or {}
    table = read_csv(path, inputs=names, target=[], fewest=1, origins=origins)
    for name in table.origins:
        if name not in origins:
            wanted = (
                "numbers, as in the data that were fitted"
                if "origins" in data
                else "a number of seconds since the first date of the data that were fitted"
            )
            raise ValueError(f"`{path}`: column {name!r} must be {wanted}; it holds dates.")
    return table.x


def outside_of(
    data: dict[str, Any], points: Float[np.ndarray, "points dim"]
) -> Bool[np.ndarray, "points dim"] | None:
    """Which coordinates the data that were fitted don't reach; `None` of a fit without data.

    >>> outside_of({"lower": [0.0], "upper": [2.0]}, np.array([[-0.1], [2.0]])).tolist()
    [[True], [False]]
    """
    if "lower" not in data or "upper" not in data:
        return None
    lower, upper = np.array(data["lower"]), np.array(data["upper"])
    slack = _SLACK * (upper - lower)
    return (points < lower - slack) | (points > upper + slack)


def _told(outside: Bool[np.ndarray, "points dim"], data: dict[str, Any]) -> str:
    """How many points lie outside of the data, and how far those reach on the axes concerned."""
    count = int(outside.any(axis=1).sum())
    reach = " and ".join(
        f"from {data['lower'][axis]:g} to {data['upper'][axis]:g} in {data['inputs'][axis]!r}"
        for axis in np.flatnonzero(outside.any(axis=0))
    )
    verb = "lies" if count == 1 else "lie"
    return f"{count} of {len(outside)} points {verb} outside of the data, which reach {reach}."
