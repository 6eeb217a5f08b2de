"""The solver where none is named: one is chosen by small trials, and run."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
from jaxtyping import PRNGKeyArray

from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._progress import AbstractProgress
from repnet.solve._solution import Solution


def _as_chosen(solver: Any) -> Any:
    return solver


def with_activation(solver: Any, activation: Callable | None) -> Any:
    """A chosen solver with a given activation; least squares where it has none, as `Radial`.

    >>> from repnet.solve import LeastSquares
    >>> with_activation(LeastSquares(8), None).width
    8
    """
    from repnet.solve._least_squares import LeastSquares  # late: `import repnet` stays quick

    if activation is None:
        return solver
    if not hasattr(solver, "activation"):
        return LeastSquares(activation=activation)
    return dataclasses.replace(solver, activation=activation)


@dataclasses.dataclass(frozen=True)
class Automatic:
    """Choose a solver by small trials on the problem itself, then run it.

    **Arguments:** `adapt`: turns the chosen solver into the one to run, for what a caller has to
    say of it.

    **Source:** this project.
    """

    adapt: Callable[[Any], Any] = _as_chosen

    def run(
        self,
        problem: Problem,
        network: Any = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Solve; the plan says what was chosen and why, the seconds include the choice."""
        from repnet.solve._plan import choose_solver  # late: `import repnet` stays quick

        choose_key, run_key = jax.random.split(key)
        with Clock() as clock:
            found = choose_solver(problem, network, choose_key)
        solver = self.adapt(found.solver)
        if found.finish is not None and solver == found.solver:
            solution = found.finish(problem)
        else:
            solution = solver.run(problem, network, key=run_key, progress=progress)
        plan = dataclasses.replace(
            solution.plan,
            reasons=(*found.reasons, *solution.plan.reasons),
            numbers={**solution.plan.numbers, **found.numbers},
        )
        return clock.added_to(solution, plan=plan)
