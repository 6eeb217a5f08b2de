"""`repnet fit`: data in, a judged and reported fit out."""

from functools import partial
from typing import Any

import jax
import numpy as np

from repnet.cli._choices import load
from repnet.cli._finish import Fits, finish, finish_interrupted
from repnet.cli._parts import split
from repnet.cli._progress import progress_for
from repnet.cli._solvers import read_choice, solve_with
from repnet.cli._watch import band_watch
from repnet.problem import regression
from repnet.report import OutputFolder, data_arrays, describe_data, free_name

METHOD_NAMES = {
    "auto": "RepNet",
    "repnet": "RepNet",
    "vanilla": "vanilla",
    "fourier": "Fourier features",
    "siren": "SIREN",
}


def run_fit(options: dict[str, Any]) -> int:
    """Fit a data set as the options say, write the run, show it; the exit code."""
    choice = read_choice(options)
    key = key_of(options["seed"])
    data = load(options["data"], options["inputs"], options["target"])
    parts = split(data, options["holdout"], options["seed"])
    with OutputFolder(options["out"] or free_name(f"repnet-{data.name}")) as folder:
        hidden = options["quiet"] or options["json"]
        try:
            solution = solve_with(
                choice,
                regression(parts.train.x, parts.train.y, source=data.source),
                key=key,
                progress=progress_for(hidden=hidden),
                make_watch=partial(band_watch, parts.train, data),
            )
        except KeyboardInterrupt:  # of a direct solve, which has no network until its end
            about = {"data": describe_data(data, data, None)}
            return finish_interrupted("fit", options, about, data_arrays(data), folder)
        fits = Fits(parts, {METHOD_NAMES[choice.method]: solution})
        return finish("fit", options, fits, folder)


def key_of(seed: int) -> jax.Array:
    """The random key of a seed."""
    if not 0 <= seed < 2**32:
        raise ValueError(f"`--seed` must lie between 0 and 2**32 - 1; got {seed}.")
    return jax.random.key(np.uint32(seed))
