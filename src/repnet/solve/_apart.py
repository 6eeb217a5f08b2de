"""Targets that different solvers fit best, each by its own."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float, PRNGKeyArray

from repnet.nn import Beside
from repnet.problem import Problem
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._typical import ROUND_OFF, typical

_GAIN = 0.9  # of the error of the better solver for all, below which targets are fitted apart


def worth_apart(first: Float[np.ndarray, " out"], second: Float[np.ndarray, " out"]) -> bool:
    """Whether targets fitted by the better of two solvers each gain over the better one for all.

    **Arguments:** `first`, `second`: relative errors of the two solvers.

    >>> worth_apart(np.array([1e-8, 0.1]), np.array([1e-3, 0.05]))
    True
    >>> worth_apart(np.array([0.10, 0.11]), np.array([0.11, 0.10]))
    False
    """
    each = typical(np.minimum(first, second), ROUND_OFF)
    return each < _GAIN * min(typical(errors, ROUND_OFF) for errors in (first, second))


def fit_apart(
    problem: Problem, solvers: Sequence[Any], second: Bool[np.ndarray, " out"], key: PRNGKeyArray
) -> Solution:
    """Fit some targets of a regression by the second of two solvers, the others by the first.

    **Arguments:** `second`: which targets; neither all nor none of them.
    """
    columns = [np.flatnonzero(second == chosen) for chosen in (False, True)]
    solutions = [
        solver.run(_of_columns(problem, own), key=each)
        for solver, own, each in zip(solvers, columns, jax.random.split(key), strict=True)
    ]
    order = np.argsort(np.concatenate(columns)).tolist()
    return Solution(
        Beside([solution.network for solution in solutions], order=order),
        None,
        RESULTS.successful,
        {},
        _plan(columns, [solution.plan for solution in solutions]),
        sum(solution.seconds for solution in solutions),
        sum(solution.compile_seconds for solution in solutions),
    )


def _of_columns(problem: Problem, columns: np.ndarray) -> Problem:
    ((name, term),) = problem.terms.items()
    assert term.values is not None
    terms = {name: dataclasses.replace(term, values=term.values[:, columns])}
    return Problem(problem.domain, terms, source=problem.source, out_size=len(columns))


def _plan(columns: list[np.ndarray], plans: list[Plan]) -> Plan:
    names = [_names(own) for own in columns]
    both = list(zip(names, plans, strict=True))
    return Plan(
        "; ".join(f"{plan.network} for {name}" for name, plan in both),
        " and ".join(plan.solver for plan in plans),
        reasons=tuple(
            f"{name.capitalize()}: {reason}" for name, plan in both for reason in plan.reasons
        ),
        numbers={
            plan.solver: {"targets": own.tolist(), **plan.numbers}
            for own, plan in zip(columns, plans, strict=True)
        },
    )


def _names(columns: np.ndarray) -> str:
    """The targets in words, counted from one.

    >>> _names(np.array([0])), _names(np.array([0, 2]))
    ('target 1', 'targets 1 and 3')
    """
    numbers = [str(column + 1) for column in columns]
    if len(numbers) == 1:
        return f"target {numbers[0]}"
    return f"targets {', '.join(numbers[:-1])} and {numbers[-1]}"
