"""What every fitting command ends with: measure, write, draw, show."""

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from repnet.cli._parts import Parts
from repnet.cli._table import show_fits
from repnet.report import (
    OutputFolder,
    Run,
    arrays_of,
    bands_of,
    describe_data,
    describe_network,
    describe_plan,
    describe_spectra,
    draw_reports,
    measure,
    plain,
    record_of,
    write_run,
)
from repnet.solve import RESULTS, Solution
from repnet.spectrum import axis_spectra

SHOWN_ONLY = ("json", "quiet", "out")  # options that do not change the result


@dataclasses.dataclass(frozen=True)
class Fits:
    """A data set in its two parts, and the solutions by method, the main one first."""

    parts: Parts
    solutions: Mapping[str, Solution]

    @property
    def main(self) -> Solution:
        """The solution that the record is about."""
        return next(iter(self.solutions.values()))


def finish(command: str, options: dict[str, Any], fits: Fits, folder: OutputFolder) -> int:
    """Write record, model, arrays and reports of some fits, and show the table; the exit code."""
    run = _judged(command, options, fits)
    write_run(folder.path, run, fits.main)
    target = drawn(folder)
    if options["json"]:
        print(run.record.to_json())
    elif not options["quiet"]:
        show_fits(run.record, target)
    return _exit_code(fits, target)


def drawn(folder: OutputFolder) -> str:
    """Draw the reports of a written run and let its folder appear; where it is."""
    try:
        draw_reports(folder.path)
    except KeyboardInterrupt:  # the model matters more than the drawing
        print("repnet: interrupted while drawing; `repnet report` draws it.", file=sys.stderr)
    return str(folder.commit())


def finish_interrupted(
    command: str,
    options: dict[str, Any],
    metrics: dict[str, Any],
    arrays: dict[str, np.ndarray],
    folder: OutputFolder,
) -> int:
    """Write the record of a solve that was interrupted before it had a network; the exit code."""
    record = record_of(
        command,
        asked(options),
        seed=options["seed"],
        result=RESULTS.interrupted,
        metrics=metrics,
    )
    write_run(folder.path, Run(record, arrays), None)
    target = drawn(folder)
    if options["json"]:
        print(record.to_json())
    print(
        f"repnet: interrupted before there was a network; the record is in {target}.",
        file=sys.stderr,
    )
    return 1


def asked(options: dict[str, Any]) -> dict[str, Any]:
    """The options that change the result."""
    return {name: value for name, value in options.items() if name not in SHOWN_ONLY}


def _exit_code(fits: Fits, target: str) -> int:
    failed = {n: s.result for n, s in fits.solutions.items() if s.result is not RESULTS.successful}
    for name, result in failed.items():
        print(f"repnet: {name}: {result.name}. {result.value} Saved in {target}.", file=sys.stderr)
    return 1 if failed else 0


def _judged(command: str, options: dict[str, Any], fits: Fits) -> Run:
    parts, data = fits.parts, fits.parts.data
    spectra = axis_spectra(data.x, data.y, data.grid_shape)
    # Evaluated once: a large windowed network takes seconds.
    predicted = {name: np.asarray(s(data.x)) for name, s in fits.solutions.items()}
    methods = {name: _entry(s, predicted[name], parts) for name, s in fits.solutions.items()}
    main = next(iter(methods.values()))
    record = record_of(
        command,
        asked(options),
        seed=options["seed"],
        solution=fits.main,
        relative_l2=main["relative_l2"],
        heldout_rmse=main["rmse"],
        metrics={
            **{name: main[name] for name in ("psnr", "max_error", "rmse_share")},
            "data": describe_data(data, parts.train, parts.test),
            "spectrum": describe_spectra(spectra, data, fits.main),
            "bands": bands_of(predicted, data),
            "methods": _without_first_history(methods),
        },
    )
    arrays = arrays_of(data, parts.train, parts.test, fits.solutions, predicted, spectra)
    return Run(record, arrays)


def _entry(solution: Solution, predicted: np.ndarray, parts: Parts) -> dict[str, Any]:
    plan = describe_plan(solution)
    return {
        **measure(lambda _: predicted[parts.test_rows], parts.test),
        "seconds": solution.seconds,
        "compile_seconds": solution.compile_seconds,
        "steps": solution.steps,
        "result": solution.result.name,
        "parameters": describe_network(solution.network)["parameters"],
        "network": plan["network"],
        "solver": plan["solver"],
        "reasons": plan["reasons"],
        "history": plain(solution.history),
    }


def _without_first_history(methods: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The main method's history is the record's own, and stands there alone."""
    first = next(iter(methods))
    return {
        name: {k: v for k, v in entry.items() if k != "history" or name != first}
        for name, entry in methods.items()
    }
