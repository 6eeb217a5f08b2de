"""`repnet solve`: a differential equation in, a judged and reported solution out."""

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import repnet
from repnet.cli._choices import pick, require_positive
from repnet.cli._finish import asked, drawn, finish_interrupted
from repnet.cli._fit import key_of
from repnet.cli._operators import OPERATORS, run_operator
from repnet.cli._problems import line_of, load_problem, raised
from repnet.cli._progress import progress_for
from repnet.cli._table import show_solution
from repnet.nn._activation import ACTIVATIONS
from repnet.report import (
    OutputFolder,
    Run,
    Stated,
    describe_problem,
    equation_arrays,
    free_name,
    measure_solution,
    record_of,
    residual_table,
    unknown_errors,
    write_run,
)
from repnet.solve import RESULTS, Gradient, LeastSquares, MultiStage, Solution, solve

SOLVERS = {"least-squares": "LeastSquares", "elements": "Elements", "slabs": "Slabs",
           "space-time": "SpaceTimeElements",
           "gauss-newton": "GaussNewton", "gradient": "Gradient"}  # fmt: skip
FEATURES = ("auto", "sine", *(name for name in ACTIVATIONS if name != "sin"))
REMEDIES = {
    "stalled": "Try more units (`--width`), `--solver slabs` for a sharp front that moves, other "
    "`--features`, or look for conditions that contradict each other.",
    "nonfinite": "Try `--features sine` or another solver.",
    "interrupted": "Run it longer.",
}


def run_solve(options: dict[str, Any]) -> int:
    """Solve a problem as the options say, write the run, show it; the exit code."""
    if options["problem"] in OPERATORS:
        return run_operator(options)
    make = read_solver(options)
    key = key_of(options["seed"])
    noise = options["noise"]
    if noise is not None and not (math.isfinite(noise) and noise >= 0):
        raise ValueError(f"`--noise` must be 0 or above; got {noise:g}.")
    stated = load_problem(options["problem"], options["set"], noise=noise, seed=options["seed"])
    with OutputFolder(options["out"] or free_name(f"repnet-{stated.name}")) as folder:
        progress = progress_for(hidden=options["quiet"] or options["json"])
        try:
            solution = solve(stated.problem, None, make(), key=key, progress=progress)
        except KeyboardInterrupt:  # of a direct solve, which has no network until its end
            about = {"problem": describe_problem(stated)}
            return finish_interrupted("solve", options, about, {}, folder)
        except Exception as error:
            raise fault_of(error, options["problem"]) from error
        return _finish(options, stated, solution, folder)


def read_solver(options: dict[str, Any]) -> Callable[[], Any]:
    """How to make the solver that the options ask for; it makes `None` where all is left open.

    **Raises:** `ValueError` for names that are unknown and options that exclude each other.
    """
    solver = pick("--solver", options["solver"], ("auto", *SOLVERS))
    features = pick("--features", options["features"], FEATURES)
    stages = options.get("stages")
    for name in ("width", "steps", "stages"):
        require_positive(f"--{name}", options.get(name))
    if options["steps"] is not None and solver != "gradient":
        raise ValueError(
            f"`--steps` is for `--solver gradient`; got {options['steps']} with {solver}."
        )
    given: dict[str, Any] = {} if options["width"] is None else {"width": options["width"]}
    if features not in ("auto", "sine"):
        given["activation"] = ACTIVATIONS[features]
    match solver:
        case "auto" if not given and features == "auto" and stages is None:
            return lambda: None
        case "auto" | "least-squares":
            return lambda: _staged(LeastSquares(**given), stages)
        case "gradient":
            if features == "sine":
                given["activation"] = ACTIVATIONS["sin"]
            steps = {} if options["steps"] is None else {"steps": options["steps"]}
            return lambda: _staged(Gradient(**steps, **given), stages)
    if given or features != "auto" or stages is not None:
        raise ValueError(f"`--features`, `--width` and `--stages` are not for `--solver {solver}`.")
    return getattr(repnet, SOLVERS[solver])


def _staged(solver: LeastSquares | Gradient, stages: int | None) -> Any:
    return solver if stages is None else MultiStage(solver, stages=stages)


def fault_of(error: Exception, text: str) -> Exception:
    """The error to show: a fault of the user's own file is bad input, with its line."""
    path = Path(text.rpartition(":")[0])
    if path.name and not isinstance(error, ValueError) and line_of(error, path) is not None:
        return ValueError(f"{text} raised {raised(error, path)}")
    if isinstance(error, TypeError):  # of an argument that a region or a solver does not take
        return ValueError(str(error))
    return error


def _finish(
    options: dict[str, Any], stated: Stated, solution: Solution, folder: OutputFolder
) -> int:
    """Write record, model, arrays and reports, and show the table; the exit code."""
    run = _judged(options, stated, solution)
    try:
        write_run(folder.path, run, solution)
    except ValueError as error:  # hard conditions written in the user's file have no name to load
        write_run(folder.path, run, None)
        print(f"repnet: warning: the network is not saved. {error}", file=sys.stderr)
    target = drawn(folder)
    if options["json"]:
        print(run.record.to_json())
    elif not options["quiet"]:
        show_solution(run.record, target)
    if solution.result is RESULTS.successful:
        return 0
    name, words = solution.result.name, solution.result.value
    remedy = REMEDIES.get(name, "")
    print(f"repnet: {name}: {words} The best solution is in {target}. {remedy}", file=sys.stderr)
    return 1


def _judged(options: dict[str, Any], stated: Stated, solution: Solution) -> Run:
    errors = measure_solution(solution, stated)
    record = record_of(
        "solve",
        asked(options),
        seed=options["seed"],
        solution=solution,
        relative_l2=errors["relative_l2"],
        metrics={
            "rmse": errors["rmse"],
            "max_error": errors["max_error"],
            "problem": describe_problem(stated),
            "residuals": residual_table(solution, stated.problem),
            "unknowns": unknown_errors(solution, stated.problem),
        },
    )
    return Run(record, equation_arrays(solution, stated.problem))
