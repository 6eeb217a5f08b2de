"""When a training is recorded, and what its records become."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import ArrayLike

from repnet.solve._loop import Record

Watch = Callable[[Callable], Mapping[str, ArrayLike]]
"""`watch(network) -> {name: array}`: what to measure on a network in the user's units."""

_WATCHED = 24  # times that a training is watched, evenly in the logarithm of the step


def record_steps(steps: int, chunk: int, watched: bool) -> list[int]:
    """Ends of the chunks of a training, ascending, the last of them `steps`.

    >>> record_steps(250, 100, watched=False)
    [100, 200, 250]
    """
    ends = {*range(chunk, steps, chunk), steps}
    return sorted(ends | set(watch_steps(steps)) if watched else ends)


def watch_steps(steps: int) -> list[int]:
    """Steps at which a network is watched, the start not among them.

    >>> watch_steps(8)
    [1, 2, 3, 4, 5, 6, 7, 8]
    """
    return sorted({int(n) for n in np.rint(np.geomspace(1, steps, _WATCHED))})


def history_of(
    steps: Sequence[int], records: Sequence[Record], watched: Mapping[int, Mapping[str, ArrayLike]]
) -> dict[str, np.ndarray]:
    """One array per name, one entry per record; seeds, if any, along the second axis.

    What was watched has a step of its own, `watch_step`, that starts at 0.
    """
    history = {
        "step": np.asarray(steps, np.int64)[: len(records)],
        "loss": np.asarray([np.asarray(record.loss) for record in records], np.float64),
    }
    if records and records[0].held is not None:
        history["heldout"] = np.asarray([np.asarray(r.held) for r in records], np.float64)
    if watched:
        history["watch_step"] = np.asarray(list(watched), np.int64)
        for name in next(iter(watched.values())):
            history[name] = np.asarray([np.asarray(seen[name]) for seen in watched.values()])
    return history


def of_seed(history: Mapping[str, np.ndarray], index: int) -> dict[str, np.ndarray]:
    """The history of one of several networks that were trained together."""
    return {name: _column(name, array, index) for name, array in history.items()}


def _column(name: str, array: np.ndarray, index: int) -> Any:
    return array if name == "step" else array[:, index]
