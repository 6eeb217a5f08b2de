"""Responses of a structure to real earthquakes, and what a map learnt from some says of others."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Bool, Float, Int, PRNGKeyArray

from repnet.data import Accelerogram
from repnet.nn import FlowMap
from repnet.operators._data import group_folds, require_apart
from repnet.operators._flow import FlowSolver, roll_out
from repnet.operators._structures import AbstractStructure, padded, respond
from repnet.solve import Solution

STEP = 0.01  # seconds, to which all records are resampled
REST = 10.0  # periods of free vibration behind every record
SHORTEST, LONGEST = 5, 20.0  # periods, in steps and in seconds


@dataclass(frozen=True, eq=False)
class QuakeStudy:
    """Records on a common step and the states of a structure under them.

    - `ground`: m/s², shape `(records, samples)`, zeros behind each record.
    - `ends`: samples of each record with its free vibration.
    - `states`: of the structure, as `respond` integrates them.
    """

    structure: AbstractStructure
    names: tuple[str, ...]
    earthquakes: tuple[str, ...]
    ground: Float[np.ndarray, "records samples"]
    ends: tuple[int, ...]
    states: Float[np.ndarray, "records samples state"]
    step: float

    @property
    def displacement(self) -> Float[np.ndarray, "records samples"]:
        """What is judged, metres."""
        return np.asarray(self.structure.displacement(self.states))

    def folds(self, count: int = 5) -> Int[np.ndarray, " records"]:
        """The fold of each record; earthquakes stay whole."""
        return group_folds(self.earthquakes, count)

    def fit(
        self, train: Bool[np.ndarray, " records"], solver: FlowSolver, *, key: PRNGKeyArray
    ) -> tuple[FlowMap, Solution]:
        """Fit a flow map to some records.

        **Raises:** `ValueError` where an earthquake has records inside and outside of `train`, and
        where no record is inside.
        """
        if not train.any():
            raise ValueError("`QuakeStudy.fit(train=...)` must choose at least one record; got 0.")
        inside = [name for name, chosen in zip(self.earthquakes, train, strict=True) if chosen]
        outside = [name for name, chosen in zip(self.earthquakes, train, strict=True) if not chosen]
        require_apart(inside, outside)
        ends = [end for end, chosen in zip(self.ends, train, strict=True) if chosen]
        blocks = self.structure.blocks
        return solver.fit(self.states[train], self.ground[train], ends, blocks, key=key)

    def predict(
        self, flow: FlowMap, chosen: Bool[np.ndarray, " records"]
    ) -> Float[np.ndarray, "chosen samples"]:
        """Displacements of some records by a flow map, each from rest."""
        ground = self.ground[chosen]
        longest = max(end for end, inside in zip(self.ends, chosen, strict=True) if inside)
        start = np.zeros((len(ground), flow.state_size))
        states = roll_out(flow, start, ground[:, :longest])
        found = np.zeros(ground.shape)
        found[:, : states.shape[1]] = np.asarray(self.structure.displacement(states))
        return found


def quake_study(
    structure: AbstractStructure,
    records: Sequence[Accelerogram],
    *,
    step: float = STEP,
    tolerance: float = 1e-4,
) -> QuakeStudy:
    """Resample records, add free vibration of ten periods, and integrate the structure's response.

    **Arguments:** `tolerance`: of the integration, see `respond`.

    **Raises:** `ValueError` for a period of fewer than five steps or more than 20 s, and for no
    records.
    """
    if not records:
        raise ValueError("`quake_study(records=...)` must hold at least one record; got 0.")
    if not SHORTEST * step <= structure.period <= LONGEST:
        raise ValueError(
            f"`quake_study(structure=...)` must have a period between {SHORTEST * step:g} and "
            f"{LONGEST:g} s; got {structure.period:g}."
        )
    rest = round(REST * structure.period / step)
    ground, ends = padded([record.resampled(step).acceleration for record in records], rest)
    states = respond(structure, ground, step, tolerance=tolerance)
    names = tuple(record.name for record in records)
    earthquakes = tuple(record.earthquake for record in records)
    return QuakeStudy(structure, names, earthquakes, ground, ends, states, step)


def predict_by_folds(
    study: QuakeStudy, solver: FlowSolver, *, folds: int = 5, key: PRNGKeyArray
) -> tuple[Float[np.ndarray, "records samples"], list[Solution]]:
    """Displacements of every record by a map that was fitted without its earthquake."""
    fold = study.folds(folds)
    found, solutions = np.zeros(study.ground.shape), []
    for number, each in enumerate(jax.random.split(key, folds)):
        held = fold == number
        flow, solution = study.fit(~held, solver, key=each)
        found[held] = study.predict(flow, held)
        solutions.append(solution)
    return found, solutions
