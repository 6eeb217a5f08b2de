"""Operators: flow maps and whole-record networks on real earthquakes, vanilla beside RepNet.

    python benchmarks/operators.py --out operators.json
    python benchmarks/operators.py --only antiderivative flow --seeds 1 --out some.json

Real records are predicted by five folds of earthquakes: each by a fit without its event. Vanilla
and reparameterized networks of one table share sizes, steps, batches and seeds. Flow maps other
than the default are fitted with one seed. Rows that the file holds already are not computed again.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from repnet.cli._operator_fits import linear_operator, same
from repnet.data import Accelerogram, quakes
from repnet.nn import (
    FROZEN,
    MLP,
    CausalConvolutions,
    DeepONet,
    DelayOperator,
    FlowMap,
    Linear,
    RepLinear,
    RepNet,
    SineLinear,
)
from repnet.operators import (
    BoucWen,
    FlowSolver,
    LinearOscillator,
    OperatorData,
    OperatorGradient,
    OperatorLeastSquares,
    QuakeStudy,
    ShearFrame,
    antiderivative,
    flow_problem,
    generated_motions,
    group_folds,
    operator_problem,
    predict_by_folds,
    quake_study,
    respond,
    response_errors,
    roll_out,
)
from repnet.operators._structures import AbstractStructure, _integrated
from repnet.solve import Solution, solve
from repnet.spectrum import suggest_scale

STEP, SAMPLES = 0.02, 1501  # of whole records: 30 s from the first ten-thousandth of the energy
SCALE = 128.0  # of trunks on generated motions: half a radian per unit
STRUCTURES: dict[str, Callable[[], AbstractStructure]] = {
    "linear 0.5 s": lambda: LinearOscillator(0.5),
    "yielding 0.3 s": lambda: BoucWen(0.3),
    "yielding 0.5 s": lambda: BoucWen(0.5),
    "yielding 1.0 s": lambda: BoucWen(1.0),
    "frame": lambda: ShearFrame(6),
}
FLOWS = {
    "local": FlowSolver(),
    "all states": FlowSolver(local=False),
    "all states, 5 samples a window": FlowSolver(local=False, steps=5, scale=5.0),
    "vanilla features": FlowSolver(vanilla=True),
}
ACTIVATIONS = {"tanh": jnp.tanh, "relu": jax.nn.relu}
TRUNKS = {  # what each is tried with
    "reparameterized": ("tanh", "relu"),
    "vanilla": ("tanh", "relu"),
    "scaled": ("tanh", "relu"),
    "steep": ("tanh", "relu"),
    "steps": ("tanh",),
    "frozen": ("tanh",),
    "sine": ("tanh",),
}


def main(argv: Sequence[str] | None = None) -> list[dict]:
    """Run what is missing, and print all rows."""
    options = _options(argv)
    path = Path(options.out)
    rows = json.loads(path.read_text()) if path.exists() else []
    done = {_name(row) for row in rows}
    for part in options.only:
        for row in PARTS[part](options, done):
            rows.append(row)
            path.write_text(json.dumps(rows, indent=1))
            print(_line(row), flush=True)
    print(table(rows))
    return rows


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", default="operators.json")
    parser.add_argument("--only", nargs="+", default=list(PARTS), choices=list(PARTS))
    parser.add_argument("--cases", nargs="+", default=list(STRUCTURES), choices=list(STRUCTURES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=2000, help="of gradient training")
    parser.add_argument("--trunks", nargs="+", default=list(TRUNKS), choices=list(TRUNKS))
    parser.add_argument("--rate", type=float, default=3e-3, help="of delay operators")
    parser.add_argument("--motions", type=int, default=4000, help="generated, to learn from")
    parser.add_argument("--quick", action="store_true", help="few records, motions and steps")
    options = parser.parse_args(argv)
    if options.quick:
        options.seeds, options.folds, options.steps, options.motions = 1, 2, 40, 40
    return options


def _name(row: dict) -> tuple:
    return row["part"], row["case"], row["method"], row["seed"]


def _line(row: dict) -> str:
    numbers = {k: f"{v:.3g}" for k, v in row.items() if isinstance(v, float)}
    return (
        f"{row['part']:>16} | {row['case']:>22} | {row['method']:>32} | {row['seed']} | {numbers}"
    )


def table(rows: Sequence[dict]) -> str:
    """Medians over the seeds."""
    lines = ["part | case | method | seeds | median of each number"]
    names = dict.fromkeys(_name(row)[:3] for row in rows)
    for name in names:
        same_name = [row for row in rows if _name(row)[:3] == name]
        keys = [key for key, value in same_name[0].items() if isinstance(value, float)]
        medians = {key: f"{np.median([row[key] for row in same_name]):.3g}" for key in keys}
        lines.append(" | ".join((*name, str(len(same_name)), str(medians))))
    return "\n".join(lines)


@cache
def _records(quick: bool) -> tuple[Accelerogram, ...]:
    records = quakes()
    return tuple(records[::9]) if quick else tuple(records)


@cache
def _study(name: str, quick: bool) -> QuakeStudy:
    return quake_study(STRUCTURES[name](), _records(quick), tolerance=1e-3)


def _missing(done: set, part: str, case: str, method: str, options: Any) -> Iterator[int]:
    return (seed for seed in range(options.seeds) if (part, case, method, seed) not in done)


def _chosen(options: argparse.Namespace, *cases: str) -> list[str]:
    return [case for case in cases if case in options.cases]


def flow_rows(options: argparse.Namespace, done: set) -> Iterator[dict]:
    """Flow maps over all folds."""
    for case in options.cases:
        for method, solver in FLOWS.items():
            if method != "local" and case != "yielding 0.5 s":
                continue
            for seed in _missing(done, "flow", case, method, options):
                if seed and method != "local":
                    continue
                study = _study(case, options.quick)
                start = time.perf_counter()
                solver = replace(solver, units=40, rows=500) if options.quick else solver
                found, fits = predict_by_folds(study, solver, folds=options.folds, key=jr.key(seed))
                errors = response_errors(found, study.displacement, study.ends, study.step)
                yield {
                    "part": "flow",
                    "case": case,
                    "method": method,
                    "seed": seed,
                    **{name: float(np.median(value)) for name, value in errors.items()},
                    "upper quartile": float(np.percentile(errors["relative_l2"], 75)),
                    "fit seconds": float(np.median([f.seconds + f.compile_seconds for f in fits])),
                    "seconds": time.perf_counter() - start,
                }


def curve_rows(options: argparse.Namespace, done: set) -> Iterator[dict]:
    """Error of flow maps over the number of training earthquakes, on the first fold."""
    for case in _chosen(options, "yielding 0.5 s", "frame"):
        for events in (1, 2, 4, 8, 15):
            for seed in _missing(done, "curve", case, f"{events} earthquakes", options):
                study = _study(case, options.quick)
                held = study.folds(options.folds) == 0
                names = sorted({n for n, h in zip(study.earthquakes, held, strict=True) if not h})
                rng = np.random.default_rng(seed)
                chosen = set(rng.permutation(names)[:events])
                train = np.array([name in chosen for name in study.earthquakes])
                flow, _ = study.fit(train, FlowSolver(), key=jr.key(seed))
                found = study.predict(flow, held)
                ends = [end for end, h in zip(study.ends, held, strict=True) if h]
                errors = response_errors(found, study.displacement[held], ends, study.step)
                yield {
                    "part": "curve",
                    "case": case,
                    "method": f"{events} earthquakes",
                    "seed": seed,
                    **{name: float(np.median(value)) for name, value in errors.items()},
                }


def whole_rows(options: argparse.Namespace, done: set) -> Iterator[dict]:
    """Training error of whole-record DeepONets on the records of four folds."""
    for case in _chosen(options, "linear 0.5 s", "yielding 0.5 s"):
        data = _whole(case, options.quick)
        held = group_folds(data.groups, options.folds) == 0
        train, test = data.rows(~held), data.rows(held)
        for activation in ACTIVATIONS:
            for kind in ("vanilla", "reparameterized"):
                method = f"{kind} {activation}"
                for seed in _missing(done, "whole", case, method, options):
                    scale = _suggested(train, ACTIVATIONS[activation])
                    network = _whole_network(kind, activation, data, jr.key(seed), scale=scale)
                    solver = OperatorGradient(options.steps, relative=True)
                    solution = solve(
                        operator_problem(train), network, solver, key=jr.key(100 + seed)
                    )
                    yield {
                        "part": "whole",
                        "case": case,
                        "method": method,
                        "seed": seed,
                        "scale": scale,
                        "training": relative(solution, train),
                        "held out": relative(solution, test),
                        "seconds": solution.seconds,
                    }


def _suggested(data: OperatorData, phi: Callable) -> float:
    """The slope scale of a trunk, by the spectrum of the functions that it must make."""
    found = suggest_scale(data.queries, data.outputs[:, :, 0].T, activation=phi)
    return found.scale[0]


def generated_rows(options: argparse.Namespace, done: set) -> Iterator[dict]:
    """Whole-record DeepONets trained on generated motions, judged on others and on real records."""
    for case in _chosen(options, "linear 0.5 s", "yielding 0.5 s"):
        for branch in ("linear branch", "deep branch"):
            for kind in ("vanilla", "reparameterized"):
                method = f"{kind}, {branch}"
                for seed in _missing(done, "generated", case, method, options):
                    train, test = _generated(case, options.motions)
                    real = _whole(case, options.quick)
                    network = _whole_network(kind, "tanh", train, jr.key(seed), branch, basis=200)
                    solver = OperatorGradient(options.steps, relative=True, functions=128)
                    solution = solve(
                        operator_problem(train), network, solver, key=jr.key(100 + seed)
                    )
                    yield {
                        "part": "generated",
                        "case": case,
                        "method": method,
                        "seed": seed,
                        "held-out motions": relative(solution, test),
                        "real records": relative(solution, real),
                        "ms a step": 1e3 * solution.seconds / options.steps,
                    }


def causal_rows(options: argparse.Namespace, done: set) -> Iterator[dict]:
    """A causal convolutional network of whole records, on the same generated motions."""
    for case in _chosen(options, "yielding 0.5 s"):
        for seed in _missing(done, "causal", case, "causal convolutions", options):
            train, test = _generated(case, options.motions)
            real = _whole(case, options.quick)
            dilations = (1, 2, 4, 8, 16, 32, 64)
            network = AtSensors(
                CausalConvolutions(300, channels=24, dilations=dilations, key=jr.key(seed))
            )
            solver = OperatorGradient(options.steps, rate=3e-3, functions=16, relative=True)
            solution = solve(operator_problem(train), network, solver, key=jr.key(100 + seed))
            yield {
                "part": "causal",
                "case": case,
                "method": "causal convolutions",
                "seed": seed,
                "held-out motions": relative(solution, test),
                "real records": relative(solution, real),
                "seconds": solution.seconds,
            }


def delay_rows(options: argparse.Namespace, done: set) -> Iterator[dict]:
    """Operators that move with the record, their filters by a trunk of the delay."""
    for case in _chosen(options, "yielding 0.5 s"):
        for activation in ACTIVATIONS:
            for kind in options.trunks:
                if activation not in TRUNKS[kind]:
                    continue
                method = f"{kind} {activation}, rate {options.rate:g}"
                for seed in _missing(done, "delay", case, method, options):
                    yield {
                        "part": "delay",
                        "case": case,
                        "method": method,
                        "seed": seed,
                        **_delay_numbers(options, case, kind, activation, seed),
                    }


def _delay_numbers(
    options: argparse.Namespace, case: str, kind: str, activation: str, seed: int
) -> dict[str, float]:
    train, test = _generated(case, options.motions)
    trunk_key, key = jr.split(jr.key(seed))
    trunk = _delay_trunk(kind, ACTIVATIONS[activation], trunk_key)
    network = AtSensors(DelayOperator(trunk, 300, channels=16, layers=4, key=key))
    solver = OperatorGradient(options.steps, rate=options.rate, functions=16, relative=True)
    problem, key = operator_problem(train), jr.key(100 + seed)
    solve(problem, network, replace(solver, steps=1), key=key)  # compiles
    start = time.process_time()
    solution = solve(problem, network, solver, key=key)
    processor = time.process_time() - start
    return {
        "held-out motions": relative(solution, test),
        "real records": relative(solution, _whole(case, options.quick)),
        "processor ms a step": 1e3 * processor / options.steps,
        "seconds": solution.seconds,
    }


def _delay_trunk(kind: str, phi: Callable, key: jax.Array) -> MLP:
    """Trunk 1-128-64 of the delay over 6 s; all kinds alike but for the first layer.

    `scaled` is the vanilla one with its filters' rms set to 1, which the reparameterized ones have;
    `steep` has the slopes and places of the reparameterized layer, in an ordinary one; `steps` has
    steps for bumps; the reparameterized layer of `frozen` is not trained.
    """
    size, scale = 64, 64.0  # four layers of 16 filters; half a radian per unit
    if kind in ("reparameterized", "steps", "frozen"):
        return RepNet(
            1,
            size,
            width=128,
            hidden=(),
            activation=phi,
            scale=scale,
            features="step" if kind == "steps" else "local",
            rates=FROZEN if kind == "frozen" else None,
            key=key,
        )
    one, two = jr.split(key)
    if kind == "sine":
        return MLP(SineLinear(1, 128, frequency=scale, key=one), size, hidden=(), key=two)
    first = Linear(1, 128, activation=phi, key=one)
    if kind == "steep":
        drawn = RepLinear(1, 128, activation=phi, scale=scale, features="step", key=one)
        first = eqx.tree_at(lambda f: (f.weight, f.bias), first, drawn.affine())
    trunk = MLP(first, size, hidden=(), key=two)
    if kind == "scaled":
        values = jax.vmap(trunk)(jnp.linspace(-1.0, 1.0, 300)[:, None])
        rms = jnp.sqrt(jnp.mean(jnp.square(values)))
        trunk = eqx.tree_at(lambda t: t.readout.weight, trunk, replace_fn=lambda w: w / rms)
    return trunk


class AtSensors(eqx.Module):
    """A network from records to values at the same times, as an operator."""

    network: Callable

    def many(self, functions: jax.Array, queries: jax.Array) -> jax.Array:
        """Values at the sensors' own times."""
        del queries
        return jax.vmap(self.network)(functions)[:, :, None]


def window_rows(options: argparse.Namespace, done: set) -> Iterator[dict]:
    """DeepONets over windows of half a second, trained by gradient and rolled out; first fold."""
    for case in _chosen(options, "yielding 0.5 s"):
        for kind in ("vanilla", "reparameterized"):
            for seed in _missing(done, "windows", case, kind, options):
                study = _study(case, options.quick)
                held = study.folds(options.folds) == 0
                flow, solution = _window_map(kind, study, ~held, options.steps, jr.key(seed))
                found = study.predict(flow, held)
                ends = [end for end, h in zip(study.ends, held, strict=True) if h]
                errors = response_errors(found, study.displacement[held], ends, study.step)
                yield {
                    "part": "windows",
                    "case": case,
                    "method": kind,
                    "seed": seed,
                    **{name: float(np.median(value)) for name, value in errors.items()},
                    "seconds": solution.seconds,
                }


class WindowNetwork(eqx.Module):
    """State and window to the increments of the state at every sample, by a DeepONet."""

    operator: Callable
    queries: jax.Array
    scale: jax.Array  # of the states

    def __call__(self, z: jax.Array) -> jax.Array:
        """Increments, sample after sample."""
        size = len(self.scale)
        inputs = jnp.concatenate([z[:size] / self.scale, z[size:]])
        values = jax.vmap(lambda y: self.operator(inputs, y))(self.queries)
        return (self.scale * values).reshape(-1)


def _window_map(
    kind: str, study: QuakeStudy, train: np.ndarray, steps: int, key: jax.Array
) -> tuple[FlowMap, Solution]:
    """Branch 54-200-200-192, trunk 1-128-192, on 20,000 drawn windows of 50 samples."""
    count, keys = 50, jr.split(key, 6)
    ends = [end for end, inside in zip(study.ends, train, strict=True) if inside]
    problem = flow_problem(
        study.states[train], study.ground[train], ends, rows=20_000, steps=count, key=keys[0]
    )
    (term,) = problem.terms.values()
    size = study.states.shape[2]
    scale = np.sqrt(np.square(term.points[:, :size]).mean(axis=0))
    ground = np.sqrt(np.square(term.points[:, size:]).mean())
    inputs = np.hstack([term.points[:, :size] / scale, term.points[:, size:] / ground])
    outputs = term.values.reshape(len(inputs), count, size) / scale
    queries = np.arange(1.0, count + 1.0)[:, None] / count
    basis, width = 64, 64 * size
    first = Linear(inputs.shape[1], 200, key=keys[1])
    branch = MLP(first, width, hidden=(200,), key=keys[2])
    if kind == "vanilla":
        trunk = MLP(Linear(1, 128, key=keys[3]), width, hidden=(), key=keys[4])
    else:
        trunk = RepNet(1, width, width=128, hidden=(), scale=16.0, key=keys[3])
    network = DeepONet([branch], trunk, basis=basis, out_size=size)
    data = operator_problem(OperatorData((inputs,), queries, outputs))
    solution = solve(data, network, OperatorGradient(steps, functions=256), key=keys[5])
    scales = jnp.concatenate([jnp.ones(size), jnp.full(count + 1, ground)])
    operator = Rescaled(solution.network, scales)
    return FlowMap(
        WindowNetwork(operator, jnp.asarray(queries), jnp.asarray(scale)), size, count
    ), solution


class Rescaled(eqx.Module):
    """An operator whose sensors are divided by constants first."""

    operator: Callable
    scales: jax.Array

    def __call__(self, inputs: jax.Array, y: jax.Array) -> jax.Array:
        """The operator's value."""
        return self.operator(inputs / self.scales, y)


def antiderivative_rows(options: argparse.Namespace, done: set) -> Iterator[dict]:
    """The antiderivative of Gaussian processes, trained and solved directly."""
    solvers = {"gradient": OperatorGradient(options.steps, functions=128),
               "least squares": OperatorLeastSquares()}  # fmt: skip
    for how, solver in solvers.items():
        for kind in ("vanilla", "reparameterized"):
            method = f"{kind}, {how}"
            for seed in _missing(done, "antiderivative", "length 0.05", method, options):
                train_key, test_key, net_key, solve_key = jr.split(jr.key(seed), 4)
                count = 1000 if not options.quick else 60
                train = antiderivative(count, key=train_key)
                test = antiderivative(500, key=test_key)
                network = linear_operator(train, 100, 0.05, key=net_key)
                if kind == "vanilla":
                    trunk = MLP(Linear(1, 100, key=net_key), 100, hidden=(), key=solve_key)
                    network = DeepONet(network.branches, trunk, basis=100)
                solution = solve(operator_problem(train), network, solver, key=solve_key)
                yield {
                    "part": "antiderivative",
                    "case": "length 0.05",
                    "method": method,
                    "seed": seed,
                    "held out": relative(solution, test),
                    "seconds": solution.seconds,
                }


def direct_rows(options: argparse.Namespace, done: set) -> Iterator[dict]:
    """Time and error of roll-outs and of coarse integration: two thousand records of 20 s."""
    solvers = {"a sample a window": FlowSolver(),
               "5 samples a window": FLOWS["all states, 5 samples a window"]}  # fmt: skip
    for case in _chosen(options, "yielding 0.5 s", "frame"):
        study = _study(case, options.quick)
        ground = np.tile(study.ground[:, :2000], (4 if options.quick else 20, 1))
        fold = study.folds(options.folds)
        for method, solver in solvers.items():
            for seed in _missing(done, "direct", case, f"roll-out, {method}", options):
                solver = replace(solver, units=40, rows=500) if options.quick else solver
                flow, _ = study.fit(fold != 0, solver, key=jr.key(seed))
                start = np.zeros((len(ground), flow.state_size))
                yield {
                    "part": "direct",
                    "case": case,
                    "method": f"roll-out, {method}",
                    "seed": seed,
                    **timed(roll_out, flow, start, ground),
                }
        for parts in (1, 2):
            method = f"integration, {parts} steps a sample"
            for seed in _missing(done, "direct", case, method, options):
                with jax.enable_x64(True):
                    records = jnp.asarray(ground)
                    run = partial(_integrated, study.structure, records, study.step, parts)
                    times = timed(lambda run=run: np.asarray(run()))
                    error = _coarse_error(study, parts)
                yield {
                    "part": "direct",
                    "case": case,
                    "method": method,
                    "seed": seed,
                    **times,
                    "relative_l2": error,
                }


def _coarse_error(study: QuakeStudy, parts: int) -> float:
    states = _integrated(study.structure, jnp.asarray(study.ground), study.step, parts)
    found = np.asarray(study.structure.displacement(states))
    errors = response_errors(found, study.displacement, study.ends, study.step)
    return float(np.median(errors["relative_l2"]))


def timed(function: Callable, *arguments: Any) -> dict[str, float]:
    """Seconds of a call, the second of two: the first compiles. Those of the processor as well."""
    function(*arguments)
    start, processor = time.perf_counter(), time.process_time()
    function(*arguments)
    return {
        "seconds": time.perf_counter() - start,
        "processor seconds": time.process_time() - processor,
    }


@cache
def _whole(case: str, quick: bool) -> OperatorData:
    """Thirty seconds of every real record, and the response to them from rest."""
    records = _records(quick)
    ground = np.stack([_cut(record) for record in records])
    groups = tuple(record.earthquake for record in records)
    return _responses(case, ground, groups)


def _cut(record: Accelerogram) -> np.ndarray:
    values = record.resampled(STEP).acceleration
    energy = np.cumsum(np.square(values))
    first = int(np.searchsorted(energy, 1e-4 * energy[-1]))
    values = values[first : first + SAMPLES]
    return np.pad(values, (0, SAMPLES - len(values)))


@cache
def _generated(case: str, count: int) -> tuple[OperatorData, OperatorData]:
    held = max(20, count // 20)
    ground = generated_motions(count + held, SAMPLES, STEP, key=jr.key(7))
    data = _responses(case, ground, ())
    number = np.arange(len(ground))
    return data.rows(number < count), data.rows(number >= count)


def _responses(case: str, ground: np.ndarray, groups: tuple[str, ...]) -> OperatorData:
    structure = STRUCTURES[case]()
    parts = [
        np.asarray(structure.displacement(respond(structure, part, STEP, tolerance=1e-2)))
        for part in np.array_split(ground, max(1, len(ground) // 1000))
    ]
    times = STEP * np.arange(SAMPLES)[:, None]
    return OperatorData((ground,), times, np.concatenate(parts)[:, :, None], groups)


def _whole_network(
    kind: str,
    activation: str,
    data: OperatorData,
    key: jax.Array,
    branch: str = "deep branch",
    basis: int = 100,
    scale: float = SCALE,
) -> DeepONet:
    """Branch 1501-200-200-basis or one matrix, trunk 1-256-128-basis."""
    one, two, three, four = jr.split(key, 4)
    phi, sensors = ACTIVATIONS[activation], data.sensors[0]
    if branch == "deep branch":
        first = Linear(sensors, 200, activation=phi, key=one)
        inner = MLP(first, basis, hidden=(200,), activation=phi, key=two)
    else:
        first = Linear(sensors, 200, activation=same, key=one)
        inner = MLP(first, basis, hidden=(), key=two)
    if kind == "vanilla":
        first = Linear(1, 256, activation=phi, key=three)
        trunk = MLP(first, basis, hidden=(128,), activation=phi, key=four)
    else:
        trunk = RepNet(1, basis, width=256, hidden=(128,), activation=phi, scale=scale, key=three)
    return DeepONet([inner], trunk, basis=basis)


def relative(solution: Solution, data: OperatorData) -> float:
    """Median over functions of the relative L2 error."""
    found = solution.network.many(data.inputs[0], data.queries)
    error = np.linalg.norm(found - data.outputs, axis=1)
    return float(np.median(error / np.linalg.norm(data.outputs, axis=1)))


PARTS = {
    "antiderivative": antiderivative_rows,
    "flow": flow_rows,
    "curve": curve_rows,
    "whole": whole_rows,
    "generated": generated_rows,
    "causal": causal_rows,
    "delay": delay_rows,
    "windows": window_rows,
    "direct": direct_rows,
}

if __name__ == "__main__":
    main()
