"""What changes between the chunks of a gradient training: points and weights."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import equinox as eqx
import jax.random as jr

from repnet.problem import Problem
from repnet.solve._collocation import concentrated, redrawn
from repnet.solve._loop import State
from repnet.solve._loss import Training
from repnet.solve._weighting import balanced

if TYPE_CHECKING:
    from repnet.solve._training import Ready


@dataclass(frozen=True)
class Between:
    """Every how many steps something changes; `None` is never.

    - `resample`: other points, more of them where residuals are large if `adaptive`.
    - `reweight`, `balance`: other weights of the terms, by `balance`.
    - `inside`: points inside the domain.
    """

    resample: int | None = None
    adaptive: bool = False
    reweight: int | None = None
    balance: str = "equal"
    inside: int = 0


def change_steps(between: Between, steps: int) -> list[int]:
    """The steps, below `steps`, at which something changes, 0 not among them.

    >>> change_steps(Between(resample=40, reweight=50), 130)
    [40, 50, 80, 100, 120]
    """
    every = (between.resample, between.reweight)
    return sorted({step for n in every if n is not None for step in range(n, steps, n)})


def changed(
    between: Between, ready: "Ready", state: State, training: Training, step: int
) -> Training:
    """The training for the steps from `step` on."""
    if step and _due(between.resample, step):
        training = _moved(between, ready, state, training, step)
    if _due(between.reweight, step):
        terms = balanced(between.balance, training, state.parameters, ready.rest, first=step == 0)
        training = replace(training, terms=terms)
    return training


def _due(every: int | None, step: int) -> bool:
    return every is not None and step % every == 0


def _moved(
    between: Between, ready: "Ready", state: State, training: Training, step: int
) -> Training:
    key = jr.fold_in(state.key if state.key.ndim == 0 else state.key[0], step)
    problem: Problem = ready.problem
    if not between.adaptive:
        return replace(training, terms=redrawn(problem, training.terms, between.inside, key))
    both = eqx.combine(state.parameters, ready.rest)
    return replace(training, terms=concentrated(problem, training, both, between.inside, key))
