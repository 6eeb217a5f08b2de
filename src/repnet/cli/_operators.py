"""`repnet solve` of a named operator: learnt, judged on held-out records, reported."""

import difflib
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from repnet.cli._finish import asked, drawn, finish_interrupted
from repnet.cli._fit import key_of
from repnet.cli._operator_fits import fit_antiderivative, fit_quakes
from repnet.cli._problems import read_setting
from repnet.cli._table import show_operator
from repnet.operators import OPERATORS, OperatorCase
from repnet.operators._structures import usual_strength
from repnet.report import OutputFolder, Run, free_name, record_of, write_run

__all__ = ["OPERATORS", "run_operator"]


def run_operator(options: dict[str, Any]) -> int:
    """Learn an operator as the options say, write the run, show it; the exit code."""
    case = OPERATORS[options["problem"]]
    parameters = read_parameters(case, options)
    key = key_of(options["seed"])
    fit = fit_antiderivative if case.name == "antiderivative" else fit_quakes
    with OutputFolder(options["out"] or free_name(f"repnet-{case.name}")) as folder:
        about = {
            "name": case.name,
            "summary": case.summary,
            "parameters": parameters,
            "source": case.source,
            "judged": "",
        }
        tell = _silent if options["quiet"] or options["json"] else _say
        try:
            learnt = fit(case.name, parameters, key, tell)
        except KeyboardInterrupt:
            return finish_interrupted("solve", options, {"operator": about}, {}, folder)
        record = record_of(
            "solve",
            asked(options),
            seed=options["seed"],
            solution=learnt.solution,
            relative_l2=learnt.errors["relative_l2"]["median"],
            metrics={
                "operator": {**about, **learnt.about},
                "errors": learnt.errors,
                "fits": learnt.fits,
            },
        )
        write_run(folder.path, Run(record, learnt.arrays), learnt.solution)
        target = drawn(folder)
    if options["json"]:
        print(record.to_json())
    elif not options["quiet"]:
        show_operator(record, target)
    return 0


def read_parameters(case: OperatorCase, options: Mapping[str, Any]) -> dict[str, Any]:
    """The operator's parameters, with those of `--set` and `--width`.

    **Raises:** `ValueError` for an unknown one, or an option that operators do not take.
    """
    for name in ("solver", "features", "steps", "noise"):
        if options[name] not in (None, "auto"):
            raise ValueError(f"`--{name}` is for differential equations; {case.name} is none.")
    given = dict(map(read_setting, options["set"]))
    unknown = [name for name in given if name not in case.parameters]
    if unknown:
        close = difflib.get_close_matches(unknown[0], case.parameters, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"{case.name} has no parameter {unknown[0]!r}; it has {', '.join(case.parameters)}."
            f"{hint}"
        )
    for name, value in given.items():
        _require_like(case, name, value)
        if not isinstance(case.parameters[name], int):  # nor a truth value, which is one
            given[name] = float(value)
    if options["width"] is not None:
        given["units"] = options["width"]
    found = {**case.parameters, **given}
    if found.get("strength", 0.0) is None:  # said as the number that it stands for
        found["strength"] = usual_strength(found["period"])
    return found


def _require_like(case: OperatorCase, name: str, value: Any) -> None:
    default = case.parameters[name]
    whole = isinstance(default, int) and not isinstance(default, bool)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    good = (
        isinstance(value, bool)
        if isinstance(default, bool)
        else number and (isinstance(value, int) if whole else np.isfinite(value))
    )
    if not good or (number and value <= 0):
        kind = "True or False" if isinstance(default, bool) else "a positive number"
        kind = "a positive whole number" if whole else kind
        raise ValueError(f"`--set {name}=...` of {case.name} must be {kind}; got {value!r}.")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _silent(text: str) -> None:
    del text
