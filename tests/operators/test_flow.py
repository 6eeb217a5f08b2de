"""Flow maps of structures: exact where the structure is linear, close where it yields."""

import dataclasses

import jax
import numpy as np
import pytest

from repnet.data import Accelerogram
from repnet.operators import (
    BoucWen,
    FlowSolver,
    LinearOscillator,
    QuakeStudy,
    ShearFrame,
    generated_motions,
    predict_by_folds,
    quake_study,
    quartiles,
    response_errors,
)


def _records(count: int, samples: int) -> list[Accelerogram]:
    motions = generated_motions(count, samples, 0.01, key=jax.random.key(0))
    return [
        Accelerogram(f"record {i}", motion, 0.01, earthquake=f"event {i // 2}")
        for i, motion in enumerate(motions)
    ]


def _medians(study, found) -> dict[str, float]:
    errors = response_errors(found, study.displacement, study.ends, study.step)
    return {name: value["median"] for name, value in quartiles(errors).items()}


@pytest.mark.slow
def test_the_map_of_a_linear_structure_is_exact():
    study = quake_study(LinearOscillator(0.5), _records(4, 600), tolerance=1e-8)
    found, _ = predict_by_folds(study, FlowSolver(rows=500), folds=2, key=jax.random.key(1))
    assert _medians(study, found)["relative_l2"] < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("structure", "local", "bound"),
    [
        (BoucWen(0.5), True, 0.05),
        (BoucWen(0.5), False, 0.15),
        pytest.param(ShearFrame(3), True, 0.15, marks=pytest.mark.long),
    ],
)
def test_maps_of_yielding_structures_roll_out_over_unseen_events(structure, local, bound):
    study = quake_study(structure, _records(18, 1200), tolerance=1e-3)
    solver = FlowSolver(units=500, rows=12_000, scale=10.0, local=local)
    fold = study.folds(3)
    flow, solution = study.fit(fold != 0, solver, key=jax.random.key(2))
    found = study.predict(flow, fold == 0)
    ends = [end for end, f in zip(study.ends, fold, strict=True) if f == 0]
    errors = response_errors(found, study.displacement[fold == 0], ends, study.step)
    assert np.median(errors["relative_l2"]) < bound
    assert solution.plan.numbers["heldout"] < 0.1


@pytest.mark.slow
def test_the_scale_is_the_best_of_those_tried():
    study = quake_study(BoucWen(0.5), _records(4, 400), tolerance=1e-2)
    solver = FlowSolver(units=60, rows=1500)
    _, solution = study.fit(study.folds(2) != 0, solver, key=jax.random.key(3))
    tried = solution.plan.numbers["scales"]
    assert set(tried) == {"5", "10", "20", "40"}
    assert f"Slope scale {min(tried, key=lambda s: tried[s])}, the" in solution.plan.reasons[-1]


def test_an_earthquake_on_both_sides_is_refused():
    names = ("event 0", "event 0", "event 1", "event 2")
    ground, states = np.zeros((4, 9)), np.zeros((4, 9, 2))
    study = QuakeStudy(LinearOscillator(), names, names, ground, (9,) * 4, states, 0.01)
    with pytest.raises(ValueError, match="'event 0' is on both sides"):
        study.fit(np.array([True, False, True, True]), FlowSolver(), key=jax.random.key(0))


def test_an_ablation_is_a_replaced_field():
    assert dataclasses.replace(FlowSolver(), local=False).units == FlowSolver().units


@pytest.mark.parametrize("given", [{"units": 0}, {"rows": 0}, {"steps": -1}, {"ridge": 0.0}])
def test_faults_name_the_argument(given):
    (name,) = given
    with pytest.raises(ValueError, match=rf"FlowSolver\({name}="):
        FlowSolver(**given)


def test_a_window_longer_than_every_record_is_refused():
    ground, states = np.zeros((2, 9)), np.zeros((2, 9, 2))
    with pytest.raises(ValueError, match="below the longest record's 9 samples; got 20"):
        FlowSolver(steps=20).fit(states, ground, [9, 9], (), key=jax.random.key(0))
