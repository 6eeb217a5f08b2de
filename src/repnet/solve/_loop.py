"""The compiled loop of gradient training: many steps, then one record, on one or many networks."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from repnet.nn import learning_rates
from repnet.solve._loss import TermData, Training, total_loss

# Adam's direction of unit size. One object for all solves, so that all share one compiled loop.
ADAM = optax.with_extra_args_support(optax.scale_by_adam())


class State(eqx.Module):
    """What changes: parameters, the optimiser's state, and the best parameters so far."""

    parameters: PyTree
    moments: PyTree
    step: Int[Array, ""]
    key: PRNGKeyArray
    best: PyTree
    best_score: Float[Array, ""]


class Record(eqx.Module):
    """What one call of `advance` found: the loss, the held-out loss, and whether all is finite."""

    loss: Float[Array, "*seeds"]
    held: Float[Array, "*seeds"] | None
    finite: Bool[Array, "*seeds"]


def trainable(network: PyTree, unknowns: PyTree) -> tuple[PyTree, PyTree, PyTree]:
    """Parameters to train, everything else, and the multipliers of the learning rate.

    Parameters whose multiplier is 0 count as everything else: an optimiser never sees them.
    """
    both = (network, unknowns)
    arrays = eqx.filter(both, eqx.is_inexact_array)
    rates = (learning_rates(network), jax.tree.map(lambda _: 1.0, arrays[1]))
    moves = jax.tree.map(lambda rate: not (isinstance(rate, float) and rate == 0.0), rates)
    flags = iter(jax.tree.leaves(moves))
    mask = jax.tree.map(lambda leaf: next(flags) if eqx.is_inexact_array(leaf) else False, both)
    parameters, rest = eqx.partition(both, mask)
    return parameters, rest, jax.tree.map(lambda rate, move: rate if move else None, rates, moves)


def initial_state(
    parameters: PyTree, optimiser: optax.GradientTransformation, key: PRNGKeyArray
) -> State:
    """The state before the first step. Its best parameters are the initial ones."""
    dtype = jax.tree.leaves(parameters)[0].dtype
    return State(
        parameters,
        optimiser.init(parameters),
        jnp.zeros((), jnp.int32),
        key,
        parameters,
        jnp.asarray(jnp.inf, dtype),
    )


@eqx.filter_jit
def advance(
    state: State, rest: PyTree, rates: PyTree, training: Training, count: Array, *, stacked: bool
) -> tuple[State, Record]:
    """Take `count` steps, then judge the parameters that they led to.

    `count` is an array: chunks of any length share one compiled loop. With `stacked`, `state`,
    `rest` and the arrays of `rates` hold several networks along a first axis.
    """
    take, judge = _take_step, _judge
    if stacked:
        over = eqx.if_array(0)
        take = eqx.filter_vmap(_take_step, in_axes=(over, over, over, None))
        judge = eqx.filter_vmap(_judge, in_axes=(over, over, over, None))

    def body(_: Any, carry: tuple[State, Array]) -> tuple[State, Array]:
        state, total = carry
        state, loss = take(state, rest, rates, training)
        return state, total + loss

    nothing = jnp.zeros(state.step.shape, state.best_score.dtype)
    state, total = jax.lax.fori_loop(0, count, body, (state, nothing))
    return judge(state, rest, total / jnp.maximum(count, 1), training)


def _take_step(
    state: State, rest: PyTree, rates: PyTree, training: Training
) -> tuple[State, Array]:
    key, terms = state.key, training.terms
    if training.batch is not None:
        key, draw = jr.split(key)
        terms = _minibatch(terms, training.batch, draw)

    def loss(parameters: PyTree) -> Array:
        return total_loss(eqx.combine(parameters, rest), terms, training)

    searches = optax.tree.get(state.moments, "grad") is not None  # by a line search, as L-BFGS
    if searches and training.batch is None:
        reuse = optax.value_and_grad_from_state(loss)
        value, slope = reuse(state.parameters, state=state.moments)
        value = jnp.asarray(value)
    else:
        value, slope = jax.value_and_grad(loss)(state.parameters)
    updates, moments = training.optimiser.update(
        slope, state.moments, state.parameters, value=value, grad=slope, value_fn=loss
    )
    if not searches:  # a line search has already chosen its step
        updates = _scaled(updates, rates, _pace(state.step, training))
    parameters = optax.apply_updates(state.parameters, updates)
    after = State(parameters, moments, state.step + 1, key, state.best, state.best_score)
    return after, value


def _judge(
    state: State, rest: PyTree, mean_loss: Array, training: Training
) -> tuple[State, Record]:
    """Record the loss, and keep the parameters if they are the best so far.

    With all points in every step, the loss is that of the present parameters; with minibatches,
    the mean over the steps just taken.
    """
    now = eqx.combine(state.parameters, rest)
    loss = mean_loss
    if training.batch is None:
        loss = total_loss(now, training.terms, training)
    held = total_loss(now, training.held, training) if training.held else None
    score = loss if held is None else held
    leaves = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(state.parameters)]
    finite = jnp.isfinite(loss) & jnp.isfinite(score) & jnp.all(jnp.stack(leaves))
    better = finite & (score < state.best_score)
    best = jax.tree.map(lambda new, old: jnp.where(better, new, old), state.parameters, state.best)
    best_score = jnp.where(better, score, state.best_score)
    state = State(state.parameters, state.moments, state.step, state.key, best, best_score)
    return state, Record(loss, held, finite)


def _minibatch(terms: Sequence[TermData], batch: int, key: PRNGKeyArray) -> tuple[TermData, ...]:
    """Points drawn with replacement from every term that has more than a batch of them."""
    drawn = []
    for term, each in zip(terms, jr.split(key, len(terms)), strict=True):
        if batch < len(term.points):
            rows = jr.randint(each, (batch,), 0, len(term.points))
            values = None if term.values is None else term.values[rows]
            term = replace(term, points=term.points[rows], values=values)
        drawn.append(term)
    return tuple(drawn)


def _pace(step: Array, training: Training) -> Array | float:
    """What multiplies the optimiser's direction: a falling rate for our own, 1 for the user's."""
    if training.optimiser is not ADAM:
        return 1.0
    share = step.astype(training.steps.dtype) / training.steps
    return -training.rate * 0.5 * (1.0 + jnp.cos(jnp.pi * share))


def _scaled(updates: PyTree, rates: PyTree, pace: Array | float) -> PyTree:
    def times(update: Array, rate: Array | float) -> Array:
        if isinstance(rate, float) and rate == 1.0:
            return pace * update
        return (pace * rate) * update

    return jax.tree.map(times, updates, rates)
