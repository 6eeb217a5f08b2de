"""The fits behind the named operators: folds of earthquakes, random functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PRNGKeyArray

from repnet.data import quakes
from repnet.nn import MLP, DeepONet, Linear, RepNet
from repnet.operators import (
    FlowSolver,
    OperatorData,
    OperatorLeastSquares,
    QuakeStudy,
    antiderivative,
    group_folds,
    operator_problem,
    quake_study,
    quartiles,
    response_errors,
    seen_range,
    structure_of,
)
from repnet.report import function_arrays, response_arrays
from repnet.solve import Solution, solve

_TESTED = 500  # random functions that judge


@dataclass(frozen=True)
class Learnt:
    """A learnt operator: its solution on all data, and its errors on what was held out."""

    solution: Solution
    errors: dict[str, dict[str, float]]
    arrays: dict[str, np.ndarray]
    about: dict[str, Any]
    fits: list[dict[str, Any]]


def fit_quakes(
    name: str, parameters: Mapping[str, Any], key: PRNGKeyArray, tell: Callable[[str], None]
) -> Learnt:
    """Fit a flow map per fold of earthquakes, judge it on the fold, then fit one to all records."""
    structure = structure_of(name, parameters)
    records = quakes()
    group_folds([record.earthquake for record in records], parameters["folds"])  # or a clear error
    study = quake_study(structure, records)
    tell(f"{len(study.names)} records of {len(set(study.earthquakes))} earthquakes, integrated.")
    solver = FlowSolver(
        units=parameters["units"],
        rows=parameters["rows"],
        steps=parameters["window"],
        local=parameters["local"],
    )
    found, fits = np.zeros(study.ground.shape), []
    fold = study.folds(parameters["folds"])
    *keys, last = jax.random.split(key, parameters["folds"] + 1)
    for number, each in enumerate(keys):
        held = fold == number
        flow, solution = study.fit(~held, solver, key=each)
        found[held] = study.predict(flow, held)
        fits.append(_fold_of(study, held, found, solution))
        tell(f"Fold {number + 1}: median relative L2 error {fits[-1]['relative_l2']:.2g}.")
    ends = list(study.ends)
    flow, solution = solver.fit(study.states, study.ground, ends, structure.blocks, key=last)
    errors = response_errors(found, study.displacement, study.ends, study.step)
    about = {
        "judged": f"{len(study.names)} records, each predicted by a map that was fitted without "
        "its earthquake.",
        "inputs": ["time [s]"],
        "targets": ["displacement [m]"],
        "sample": "record",
        "step": study.step,
        "seen": seen_range(study.ground, study.states, study.step),
    }
    return Learnt(
        replace(solution, network=flow),
        quartiles(errors),
        response_arrays(study, found, errors),
        about,
        fits,
    )


def _fold_of(
    study: QuakeStudy, held: np.ndarray, found: np.ndarray, solution: Solution
) -> dict[str, Any]:
    ends = [end for end, inside in zip(study.ends, held, strict=True) if inside]
    errors = response_errors(found[held], study.displacement[held], ends, study.step)
    names = sorted({name for name, h in zip(study.earthquakes, held, strict=True) if h})
    return {
        "held_out": names,
        **{name: float(np.median(value)) for name, value in errors.items()},
        "seconds": solution.seconds,
        "compile_seconds": solution.compile_seconds,
    }


def fit_antiderivative(
    name: str, parameters: Mapping[str, Any], key: PRNGKeyArray, tell: Callable[[str], None]
) -> Learnt:
    """Solve for the read-out of a DeepONet on random functions, and judge it on others."""
    del name
    train_key, test_key, net_key, solve_key = jax.random.split(key, 4)
    sizes = {each: parameters[each] for each in ("length", "sensors", "points")}
    train = antiderivative(parameters["functions"], key=train_key, **sizes)
    test = antiderivative(_TESTED, key=test_key, **sizes)
    operator = linear_operator(train, parameters["units"], parameters["length"], key=net_key)
    solution = solve(operator_problem(train), operator, OperatorLeastSquares(), key=solve_key)
    network: Any = solution.network
    found = network.many(test.inputs[0], test.queries)[:, :, 0]
    truth = test.outputs[:, :, 0]
    errors = np.linalg.norm(found - truth, axis=1) / np.linalg.norm(truth, axis=1)
    tell(f"Median relative L2 error {np.median(errors):.2g}.")
    about = {
        "judged": f"{train.size} functions to learn from, {test.size} others to judge by.",
        "inputs": ["x"],
        "targets": ["integral"],
        "sample": "function",
        "sensors": train.sensors[0],
        "queries": test.queries[:, 0],
        "seen": {"function": float(np.abs(train.inputs[0]).max())},
    }
    points = test.queries[:, 0]
    arrays = function_arrays(points, truth, np.asarray(found, np.float64), errors)
    return Learnt(solution, quartiles({"relative_l2": errors}), arrays, about, [])


def linear_operator(
    data: OperatorData, basis: int, length: float, *, key: PRNGKeyArray
) -> DeepONet:
    """A DeepONet whose trunk is a layer of steps and whose branch is linear.

    The slope scale is 2 over the functions' length, in the units of the queries' half-width.
    """
    trunk_key, branch_key = jax.random.split(key)
    sensors, scale = data.sensors[0], 1.0 / length
    trunk = RepNet(1, basis, width=basis, hidden=(), scale=scale, features="step", key=trunk_key)
    first = Linear(sensors, sensors, activation=same, initialization=_unit, key=branch_key)
    branch = MLP(first, basis, hidden=(), key=branch_key)
    return DeepONet([branch], trunk, basis=basis)


def same(z: Array) -> Array:
    """The identity, as an activation."""
    return z


def _unit(key: PRNGKeyArray, shape: tuple[int, int]) -> Array:
    del key
    return jnp.eye(*shape)
