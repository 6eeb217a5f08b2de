"""How a training ends: Gauss–Newton steps on all points, or on points at random."""

from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import PRNGKeyArray, PyTree

from repnet.problem import Problem
from repnet.solve._finish import Finished, double, finish, readout_places
from repnet.solve._held_out import held_out_rows, rows_without
from repnet.solve._loss import Training, residuals
from repnet.solve._randomized import BATCH, randomized, subsampled
from repnet.solve._regression import FEW_POINTS
from repnet.solve.equations._judge import judge
from repnet.solve.equations._points import draw_points
from repnet.solve.equations._rows import Frame

_STEPS = 60  # on all points
_MANY_STEPS = 200  # on points at random
_MOST_ROWS = 2048  # of a step on a large share of the points
_WORK = 2e12  # multiplications of all steps
_LARGEST = 1.2e8  # numbers in the Jacobian
_UNSOLVED = 0.5  # residual relative to the equation's own terms, from which nothing was learnt
_UNITS = 170  # three points for each, at which that is told
_FEW_STEPS = 6
_FEWEST = 8  # points of which a share can be left out
_SHARE = 0.2  # of those points, left out to tell whether the steps help
_NEARER = 0.5  # of the squared error there, that steps which help leave at most


def steps_for(rows: int, columns: int) -> int:
    """How many steps are worth their time: about as much as a training's.

    >>> steps_for(512, 21_000), steps_for(2048, 21_000), steps_for(2048, 1_000_000)
    (60, 200, 0)
    """
    if on_all(rows, columns):
        return _STEPS
    if BATCH * columns > _LARGEST:
        return 0
    return min(_MANY_STEPS, int(_WORK / (BATCH**2 * columns)))


def few_steps(rows: int) -> int:
    """How many steps on all points of a regression are worth a trial.

    >>> few_steps(33), few_steps(1000), few_steps(2)
    (6, 0, 0)
    """
    return _FEW_STEPS if _FEWEST <= rows <= FEW_POINTS else 0


def on_all(rows: int, columns: int) -> bool:
    """Whether steps on all points are cheap enough: residuals and parameters."""
    return rows * columns <= _LARGEST and _STEPS * rows * columns * min(rows, columns) <= _WORK


def ended(
    problem: Problem,
    trained: PyTree,
    initial: PyTree,
    rest: PyTree,
    training: Training,
    steps: int,
    sizes: tuple[int, int],
    key: PRNGKeyArray,
    tell: Callable[[int, float], None],
    *,
    again: Callable[[Training], PyTree] | None = None,
) -> Finished:
    """The training after at most `steps` more, of the kind that `sizes`, rows and columns, allow.

    Where not all points can be taken, steps on a large share of them go on from the trained
    parameters. Where descent has learnt nothing, steps on a few at random come first, and start
    from the initial parameters: a network bent towards a residual that never became small is a
    worse start than one that is not bent.

    `again` gives the parameters that the same descent reaches on other points. Steps on a
    regression are then taken only where a trial brings points nearer that were left out of both.
    """
    if again is not None and not _bring_nearer(problem, again, rest, training, steps):
        return Finished(trained, [])
    if on_all(*sizes):
        return finish(problem, trained, rest, training, steps, tell)
    first_key, key = jr.split(key)
    losses, present, long = [], trained, min(steps, long_steps(*sizes))
    anew = unsolved(problem, trained, rest, first_key)
    if anew:
        long = min(long, steps // 4)
        found = randomized(
            problem, trained, rest, training, steps - long, first_key, tell, start=initial
        )
        if found.interrupted:
            return replace(found, anew=True)
        losses, present = found.losses, found.parameters
    count = len(losses)
    found = subsampled(
        problem,
        present,
        rest,
        training,
        long,
        large_batch(*sizes),
        key,
        lambda step, loss: tell(count + step, loss),
    )
    return replace(found, losses=losses + found.losses, anew=anew)


def _bring_nearer(
    problem: Problem,
    again: Callable[[Training], PyTree],
    rest: PyTree,
    training: Training,
    steps: int,
) -> bool:
    """Whether steps after a descent without a fifth of the points halve the squared error there."""
    (term,) = training.terms
    held = held_out_rows(np.asarray(term.points), _SHARE)
    assert term.values is not None
    out, kept = (
        eqx.tree_at(lambda t: (t.points, t.values), term, (term.points[some], term.values[some]))
        for some in (held, rows_without(held))
    )
    trial = eqx.tree_at(lambda t: t.terms, training, (kept,))
    trained = again(trial)
    found = finish(problem, trained, rest, trial, steps, lambda step, loss: None)
    before, after = (
        float(jnp.mean(jnp.square(residuals(out, eqx.combine(both, rest), training))))
        for both in (trained, found.parameters)
    )
    return after < _NEARER * before


def large_batch(rows: int, columns: int) -> int:
    """Residuals of a step on a large share of them, as many as fit.

    >>> large_batch(4842, 21_697), large_batch(4842, 120_000), large_batch(700, 200_000)
    (2048, 1000, 600)
    """
    return min(rows, _MOST_ROWS, int(_LARGEST / columns))


def long_steps(rows: int, columns: int) -> int:
    """How many of them are worth their time.

    >>> long_steps(4842, 21_697)
    21
    """
    return int(_WORK / (large_batch(rows, columns) ** 2 * columns))


def unsolved(problem: Problem, parameters: PyTree, rest: PyTree, key: PRNGKeyArray) -> bool:
    """Whether some residual is about as large as the terms that make it up; `False` if unknown."""
    if not len(readout_places(parameters)):
        return False
    with jax.enable_x64(True):
        network, _ = eqx.combine(*(jax.tree.map(double, tree) for tree in (parameters, rest)))
        points = draw_points(problem, _UNITS, key)
        errors = judge(problem, Frame.of(problem), network, points)
    return max(errors.values()) > _UNSOLVED
