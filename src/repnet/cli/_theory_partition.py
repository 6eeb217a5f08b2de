"""`repnet theory partition`: slope scale and partition points of shallow ReLU networks."""

import math
from typing import Any

import jax
import numpy as np

from repnet.cli._choices import read_numbers, require_positive
from repnet.cli._fit import key_of
from repnet.cli._theory_end import Findings, run_theory
from repnet.report import number
from repnet.theory import ShallowFits, Start, fit_shallow

VANILLA, REPNET = "vanilla", "RepNet"
EVEN = 1.02  # half-width of even partition points: a little beyond the interval
_PER_WAVELENGTH = 12  # training points
_FEWEST = 257


def run_partition(options: dict[str, Any]) -> int:
    """Train the networks, write the run, show it; the exit code."""
    frequencies = read_numbers("--frequencies", options["frequencies"])
    scales = read_numbers("--scales", options["scales"])
    spreads = read_numbers("--spreads", options["spreads"])
    rates = read_numbers("--rates", options["rates"])
    for name in ("units", "steps"):
        require_positive(f"--{name}", options[name])
        if options[name] < 2:
            raise ValueError(f"`--{name}` must be at least 2; got {options[name]}.")
    key = key_of(options["seed"])
    return run_theory(
        "partition", options, lambda: _findings(options, frequencies, scales, spreads, rates, key)
    )


def _findings(
    options: dict[str, Any],
    frequencies: list[float],
    scales: list[float],
    spreads: list[float],
    rates: list[float],
    key: jax.Array,
) -> Findings:
    usual = 0.25 * options["units"]  # half the units over the interval's length
    starts = [Start(VANILLA), Start(REPNET, usual, EVEN, True)]
    starts += [Start(f"s = {scale:g}", scale, EVEN) for scale in scales]
    starts += [Start(f"±{spread:g}", usual, spread) for spread in spreads]
    points = max(_FEWEST, math.ceil(_PER_WAVELENGTH * max(frequencies) / math.pi))
    found = fit_shallow(
        starts,
        frequencies,
        units=options["units"],
        points=points,
        steps=options["steps"],
        rates=rates,
        key=key,
    )
    return Findings(
        "Why shallow ReLU networks fail",
        f"Networks of {options['units']} ReLU units trained on sin(kx), x from −1 to 1, by "
        f"{options['steps']} steps of Adam at all {points} points.",
        _tables(found, len(scales), usual),
        _sentences(found, scales, spreads),
        _tiles(found),
        {"error": found.error, "attainable": found.attainable, "starts": [s.name for s in starts]},
        _arrays(found, scales, spreads),
    )


def _tables(found: ShallowFits, scales: int, usual: float) -> list[dict[str, Any]]:
    columns = ["start", *(f"k = {k:g}" for k in found.frequencies)]

    def table(title: str, rows: range) -> dict[str, Any]:
        words = [[found.starts[row].name, *map(float, found.error[row])] for row in rows]
        return {"title": title, "columns": columns, "rows": words}

    middle = 2 + scales
    return [
        table(f"Relative L2 error; RepNet starts at s = {usual:g}", range(2)),
        table("Slope scale varied, partition points even", range(2, middle)),
        table(
            f"Half-width of the partition points varied, s = {usual:g}",
            range(middle, len(found.starts)),
        ),
    ]


def _sentences(found: ShallowFits, scales: list[float], spreads: list[float]) -> list[str]:
    turn = _telling(found)
    k = found.frequencies[turn]
    middle = 2 + len(scales)
    by_scale, by_spread = found.error[2:middle, turn], found.error[middle:, turn]
    best, widest = int(np.argmin(by_scale)), int(np.argmin(by_spread))
    return [
        f"At k = {k:g}, where starts differ most: vanilla {number(float(found.error[0, turn]))}, "
        f"RepNet {number(float(found.error[1, turn]))}.",
        f"Slope scale alone: from {number(float(by_scale.max()))} to "
        f"{number(float(by_scale.min()))}, least at s = {scales[best]:g}.",
        f"Partition points alone: from {number(float(by_spread.max()))} to "
        f"{number(float(by_spread.min()))}, least within ±{spreads[widest]:g}.",
    ]


def _telling(found: ShallowFits) -> int:
    """The frequency at which vanilla and RepNet differ by the largest factor."""
    return int(np.argmax(found.error[0] / found.error[1]))


def _tiles(found: ShallowFits) -> list[tuple[str, str]]:
    turn = _telling(found)
    k = found.frequencies[turn]
    names = (VANILLA, REPNET)
    return [
        (number(float(found.error[row, turn])), f"error of {name} at k = {k:g}")
        for row, name in enumerate(names)
    ]


def _arrays(found: ShallowFits, scales: list[float], spreads: list[float]) -> dict[str, np.ndarray]:
    turn = _telling(found)
    return {
        "frequencies": np.array(found.frequencies),
        "scales": np.array(scales),
        "spreads": np.array(spreads),
        "error": found.error,
        "attainable": found.attainable,
        "shown": np.array(turn),
        "slopes": found.slopes[:2, turn],
        "points": found.points[:2, turn],
        "steps": np.array(found.steps),
    }
