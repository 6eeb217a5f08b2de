"""`repnet demo`: real terrain, a vanilla network beside RepNet, within a minute."""

import sys
from functools import partial
from typing import Any

import jax
import jax.random as jr

from repnet.cli._choices import require_positive
from repnet.cli._finish import Fits, finish, finish_interrupted
from repnet.cli._fit import key_of
from repnet.cli._parts import Parts, split
from repnet.cli._progress import progress_for
from repnet.cli._solvers import Choice, solve_with
from repnet.cli._watch import band_watch
from repnet.data import terrain
from repnet.problem import regression
from repnet.report import OutputFolder, data_arrays, describe_data, free_name
from repnet.solve import RESULTS, AbstractProgress, Solution

HELD_OUT = 0.1
DIRECT, TRAINED, VANILLA = "RepNet, direct", "RepNet, trained", "vanilla, trained"


def run_demo(options: dict[str, Any]) -> int:
    """Fit the terrain three ways and report; the exit code.

    Vanilla and the trained RepNet have the same layers of units, steps, batches and rate; the
    direct RepNet is what `solve` does with the data if nothing else is said.
    """
    steps, key = options["steps"], key_of(options["seed"])
    require_positive("--steps", steps)
    choices = {
        VANILLA: Choice(method="vanilla", solver="gradient", steps=steps),
        TRAINED: Choice(method="repnet", solver="gradient", steps=steps),
        DIRECT: Choice(),
    }
    parts = split(terrain(), HELD_OUT, options["seed"])
    with OutputFolder(options["out"] or free_name("repnet-demo")) as folder:
        progress = progress_for(hidden=options["quiet"] or options["json"])
        solutions = _solve_all(choices, parts, key, progress)
        if not solutions:
            about = {"data": describe_data(parts.data, parts.data, None)}
            return finish_interrupted("demo", options, about, data_arrays(parts.data), folder)
        main_first = dict(reversed(solutions.items()))
        code = finish("demo", options, Fits(parts, main_first), folder)
    if len(solutions) < len(choices) and not code:
        print("repnet: interrupted; the methods after were not tried.", file=sys.stderr)
        return 1
    return code


def _solve_all(
    choices: dict[str, Choice],
    parts: Parts,
    key: jax.Array,
    progress: AbstractProgress | None,
) -> dict[str, Solution]:
    """The solutions in turn, until one is interrupted."""
    problem = regression(parts.train.x, parts.train.y, source=parts.data.source)
    make_watch = partial(band_watch, parts.train, parts.data)
    solutions: dict[str, Solution] = {}
    for (name, choice), own in zip(choices.items(), jr.split(key, len(choices)), strict=True):
        try:
            solution = solve_with(
                choice, problem, key=own, progress=progress, make_watch=make_watch
            )
        except KeyboardInterrupt:  # of a direct solve, which has no network until its end
            return solutions
        solutions[name] = solution
        if solution.result is RESULTS.interrupted:
            break
    return solutions
