"""A whole gradient training: made ready, run chunk by chunk, and whatever ends it early."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, ArrayLike, PyTree

from repnet.problem import Problem, Region, Term
from repnet.problem._problem import value
from repnet.problem._unknown import UnknownField
from repnet.solve._between import Between, change_steps, changed
from repnet.solve._collocation import default_count, draw_terms
from repnet.solve._ending import ended
from repnet.solve._held_out import held_out_rows
from repnet.solve._history import Watch, history_of, record_steps, watch_steps
from repnet.solve._loop import (
    ADAM,
    Record,
    State,
    advance,
    initial_state,
    trainable,
)
from repnet.solve._loss import Frame, TermData, Training, mean_square
from repnet.solve._progress import AbstractProgress, NoProgress
from repnet.solve._regression import is_regression
from repnet.solve._solution import RESULTS
from repnet.solve._standardize import Standardization, standardization
from repnet.solve._weighting import Weights, given_weight

_NEVER = Between()


@dataclass(frozen=True)
class Schedule:
    """How many steps, how many of them per record, and what to look at on the way."""

    steps: int
    chunk: int
    watch: Watch | None
    between: Between = _NEVER
    finish: int = 0
    judged: bool = False  # whether those last steps have to prove themselves first


@dataclass(frozen=True)
class Ready:
    """A training before its first step, of one network or, `stacked`, of several."""

    state: State
    rest: PyTree
    rates: PyTree
    training: Training
    units: Standardization
    initial: tuple[PyTree, PyTree]  # network and unknowns
    stacked: bool
    problem: Problem

    def wrap(self, network: Callable) -> Callable:
        """The network in the user's units, under the problem's hard conditions."""
        double = precision_of(network) == jnp.float64
        return self.problem.field(self.units.wrap(network, double=double))


@dataclass(frozen=True)
class Collocation:
    """How many points are drawn inside, what each term weighs, and how causal the equation is."""

    inside: int = 0
    weights: Weights = "equal"
    causal: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """Networks and unknowns after a training, its history, and how each network ended."""

    both: tuple[PyTree, PyTree]
    history: dict[str, np.ndarray]
    steps: int
    results: list[RESULTS]
    anew: tuple[bool, ...] = ()  # which networks' last steps started from the initial ones


def prepare(
    problem: Problem,
    network: Callable,
    *,
    rate: float,
    steps: int,
    optimiser: optax.GradientTransformation | None = None,
    batch: int | None = None,
    hold_out: float = 0.0,
    stacked: bool = False,
    key: Array,
    collocation: Collocation | None = None,
) -> Ready:
    """Everything on the device, in standard units and in the network's precision.

    **Raises:** `ValueError` where nothing is trainable, or too few points are left to hold out.
    """
    dtype = precision_of(network)
    collocation = collocation or Collocation()
    point_key = jr.fold_in(key if key.ndim == 0 else key[0], 1)
    _require_numbers(problem)
    terms, held, units, frame = _standard_terms(problem, hold_out, dtype, collocation, point_key)
    if batch is not None and all(batch >= len(term.points) for term in terms):
        batch = None  # the same program, and so the same result to the bit
    optimiser = ADAM if optimiser is None else _with_extra_arguments(optimiser)
    scalars = jnp.asarray(rate, dtype), jnp.asarray(steps, dtype)
    training = Training(terms, held, frame, *scalars, optimiser, batch, problem.transform)
    unknowns = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), problem.unknowns)
    begin = initial_state
    if stacked:
        unknowns = jax.tree.map(lambda a: jnp.broadcast_to(a, (len(key), *a.shape)), unknowns)
        begin = eqx.filter_vmap(initial_state, in_axes=(eqx.if_array(0), None, 0))
    parameters, rest, rates = trainable(network, unknowns)
    if not jax.tree.leaves(parameters):
        raise ValueError("`Gradient.run(network=...)` must have parameters to train; it has none.")
    state = begin(parameters, optimiser, key)
    ready = Ready(state, rest, rates, training, units, (network, unknowns), stacked, problem)
    return _causal(ready, collocation.causal) if collocation.causal else ready


def _require_numbers(problem: Problem) -> None:
    leaves = jax.tree.leaves(problem.unknowns, is_leaf=lambda leaf: isinstance(leaf, UnknownField))
    if any(isinstance(leaf, UnknownField) for leaf in leaves):
        raise ValueError(
            "`Gradient` takes unknowns that are arrays or networks; put a network, such as an "
            "`MLP`, in the place of every `UnknownField` in `Problem(unknowns=...)`."
        )


def _causal(ready: Ready, strictness: float) -> Ready:
    """Earlier times first in every term inside, the strictness relative to its initial loss."""
    found = []
    for term, asked in zip(ready.training.terms, ready.problem.terms.values(), strict=True):
        if isinstance(asked.points, Region) and asked.points.manifold_dim == ready.problem.dim:
            size = loss_of(term, ready.initial, ready.training)
            term = replace(term, causal=strictness / jnp.maximum(size, 1e-30))
        found.append(term)
    training = replace(ready.training, terms=tuple(found))
    return replace(ready, training=training)


@eqx.filter_jit
def loss_of(term: TermData, both: tuple[PyTree, PyTree], training: Training) -> Array:
    """Mean square of one term's residual."""
    return mean_square(term, both, training)


def train(ready: Ready, schedule: Schedule, progress: AbstractProgress) -> Outcome:
    """Run a training to its end, to a loss that is not finite, or to Ctrl-C.

    A schedule without steps is a training that was interrupted before it began.
    """
    if schedule.steps == 0:
        return _outcome(ready, ready.state, [], [], {}, interrupted=True)
    ends = record_steps(schedule.steps, schedule.chunk, schedule.watch is not None)
    ends = sorted({*ends, *change_steps(schedule.between, schedule.steps)})
    state, records, training = ready.state, [], ready.training
    losses = np.zeros((0, *ready.state.step.shape))
    watched: dict[int, Mapping[str, ArrayLike]] = {}
    silent = isinstance(progress, NoProgress)
    interrupted, anew = False, ()
    try:
        progress.start(schedule.steps, "gradient")
        _look(ready, state, schedule, 0, watched)
        for start, end in zip([0, *ends], ends, strict=False):
            training = changed(schedule.between, ready, state, training, start)
            count = jnp.asarray(end - start, jnp.int32)
            state, record = advance(
                state, ready.rest, ready.rates, training, count, stacked=ready.stacked
            )
            records.append(record)
            # Looking at the record before the last keeps the device busy meanwhile.
            if not np.any(records[-2 if silent and len(records) > 1 else -1].finite):
                break
            if not silent:
                progress.update(end, float(np.nanmin(record.loss)))
            _look(ready, state, schedule, end, watched)
        else:
            last = _finished(ready, state, training, schedule, progress)
            state, losses, interrupted, anew = last
    except KeyboardInterrupt:
        interrupted = True
    finally:
        progress.stop()
    outcome = replace(_outcome(ready, state, ends, records, watched, interrupted), anew=anew)
    return _longer(outcome, losses) if len(losses) else outcome


def _finished(
    ready: Ready, state: State, training: Training, schedule: Schedule, progress: AbstractProgress
) -> tuple[State, np.ndarray, bool, tuple[bool, ...]]:
    """The state after Gauss–Newton steps, all losses, Ctrl-C, and who started anew."""
    stack = [None] if not ready.stacked else list(range(len(state.step)))
    if not schedule.finish:
        return state, np.zeros((0, *state.step.shape)), False, ()
    found = []
    again = partial(_again, ready, schedule) if schedule.judged else None
    for index in stack:
        found.append(
            ended(
                ready.problem,
                pick(state.parameters, index),
                pick(ready.state.parameters, index),
                pick(ready.rest, index),
                training,
                schedule.finish,
                sizes(ready),
                pick(state.key, index),
                lambda step, loss: progress.update(schedule.steps + step, loss),
                again=again,
            )
        )
        if found[-1].interrupted:
            break
    interrupted, anew = found[-1].interrupted, tuple(each.anew for each in found)
    trees = [each.parameters for each in found]
    trees += [pick(state.parameters, index) for index in stack[len(found) :]]
    parameters = trees[0] if not ready.stacked else jax.tree.map(lambda *a: jnp.stack(a), *trees)
    state = eqx.tree_at(lambda s: (s.parameters, s.best), state, (parameters, parameters))
    longest = max(len(each.losses) for each in found)
    if not longest or len(found) < len(stack):
        return state, np.zeros((0, *state.step.shape)), interrupted, anew
    losses = np.array(
        [each.losses + each.losses[-1:] * (longest - len(each.losses)) for each in found]
    )
    return state, losses.T if ready.stacked else losses[0], interrupted, anew


def _again(ready: Ready, schedule: Schedule, training: Training) -> PyTree:
    """The parameters that one network's descent reaches on other points."""
    count = jnp.asarray(schedule.steps, jnp.int32)
    state, _ = advance(ready.state, ready.rest, ready.rates, training, count, stacked=False)
    return state.parameters


def sizes(ready: Ready) -> tuple[int, int]:
    """Residuals, one per point and term, and parameters of one network."""
    rows = sum(len(term.points) for term in ready.training.terms)
    columns = sum(leaf.size for leaf in jax.tree.leaves(ready.state.parameters))
    return rows, columns // ready.state.step.size


def _longer(outcome: Outcome, losses: np.ndarray) -> Outcome:
    """The outcome with the records of the last steps."""
    steps = outcome.steps + 1 + np.arange(len(losses))
    history = dict(outcome.history)
    history["step"] = np.concatenate([history["step"], steps])
    history["loss"] = np.concatenate([history["loss"], losses])
    return replace(outcome, history=history, steps=outcome.steps + len(losses))


def pick(tree: PyTree, index: int | None) -> PyTree:
    """One of a stack of networks."""
    if index is None:
        return tree
    return jax.tree.map(lambda leaf: leaf[index] if eqx.is_array(leaf) else leaf, tree)


def _look(
    ready: Ready,
    state: State,
    schedule: Schedule,
    step: int,
    watched: dict[int, Mapping[str, ArrayLike]],
) -> None:
    if schedule.watch is None or (step and step not in watch_steps(schedule.steps)):
        return
    network, _ = eqx.combine(state.parameters, ready.rest)
    watched[step] = schedule.watch(ready.wrap(network))


def _outcome(
    ready: Ready,
    state: State,
    ends: Sequence[int],
    records: Sequence[Record],
    watched: Mapping[int, Mapping[str, ArrayLike]],
    interrupted: bool,
) -> Outcome:
    records = _until_broken(records)
    steps = ends[len(records) - 1] if records else 0
    seeds = state.best_score.shape
    finite = np.asarray(records[-1].finite) if records else np.ones(seeds, bool)
    ended = RESULTS.interrupted if interrupted else RESULTS.successful
    results = [ended if good else RESULTS.nonfinite for good in np.atleast_1d(finite)]
    last = finite & (not interrupted and not ready.training.held)
    parameters = _choose(jnp.asarray(last), state.parameters, state.best)
    both = eqx.combine(parameters, ready.rest)
    return Outcome(both, history_of(ends, records, watched), steps, results)


@eqx.filter_jit
def _choose(first: Array, one: PyTree, other: PyTree) -> PyTree:
    """One tree or the other, per network of a stack."""

    def choose(a: Array, b: Array) -> Array:
        return jnp.where(first.reshape(first.shape + (1,) * (a.ndim - first.ndim)), a, b)

    return jax.tree.map(choose, one, other)


def _until_broken(records: Sequence[Record]) -> Sequence[Record]:
    """The records up to the first in which no network is finite any more."""
    for index, record in enumerate(records):
        if not np.any(record.finite):
            return records[: index + 1]
    return records


def precision_of(network: PyTree) -> jnp.dtype:
    """The dtype that a network computes in; JAX's default where it has no arrays."""
    leaves = jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array))
    return jnp.result_type(*leaves) if leaves else jnp.zeros(()).dtype


@lru_cache(maxsize=32)
def _with_extra_arguments(
    optimiser: optax.GradientTransformation,
) -> optax.GradientTransformationExtraArgs:
    # Remembered, because the wrapper is part of what the compiled loop is looked up by.
    return optax.with_extra_args_support(optimiser)


def _standard_terms(
    problem: Problem, hold_out: float, dtype: jnp.dtype, collocation: Collocation, key: Array
) -> tuple[
    tuple[TermData, ...],
    tuple[TermData, ...],
    Standardization,
    Frame | None,
]:
    """Terms to train on, terms held out, the units, and the frame if residuals need the user's."""
    if is_regression(problem):
        (data,), units = problem.terms.values(), standardization(problem)
        assert data.values is not None
        term = Term(value, units.inputs(data.points), units.targets(data.values))
        kept, held = _split(term, hold_out)
        return (_on_device(kept, dtype),), tuple(_on_device(t, dtype) for t in held), units, None
    if hold_out:
        raise ValueError(
            "`Gradient(hold_out=...)` must be 0 for a problem that is not a regression; "
            f"got {hold_out}."
        )
    box, zero, one = problem.domain, np.zeros(problem.out_size), np.ones(problem.out_size)
    units = Standardization(box.centre, box.half_width, zero, one)
    frame = Frame(*(jnp.asarray(a, dtype) for a in (box.centre, box.half_width, zero, one)))
    inside = collocation.inside or default_count(problem, None, key)
    points = draw_terms(problem, inside, key)
    terms = []
    for name, term in problem.terms.items():
        placed = Term(term.residual, points[name], term.values)
        terms.append(_on_device(placed, dtype, given_weight(collocation.weights, name)))
    return tuple(terms), (), units, frame


def _on_device(term: Term, dtype: jnp.dtype, weight: float = 1.0) -> TermData:
    values = None if term.values is None else jnp.asarray(term.values, dtype)
    points = jnp.asarray(term.points, dtype)
    return TermData(term.residual, points, values, jnp.asarray(weight, dtype))


def _split(term: Term, share: float) -> tuple[Term, tuple[Term, ...]]:
    """A term without its held-out points, and a term of those."""
    held = held_out_rows(term.points, share)
    if not held.any():
        return term, ()
    assert term.values is not None
    parts = (Term(value, term.points[rows], term.values[rows]) for rows in (~held, held))
    kept, out = parts
    return kept, (out,)
