"""The one verb: a problem in, a solution out; it chooses whatever it is not told."""

from typing import Any, Protocol, runtime_checkable

from jaxtyping import PRNGKeyArray

from repnet.nn._check import check_key
from repnet.problem import Problem
from repnet.solve._automatic import Automatic
from repnet.solve._progress import AbstractProgress
from repnet.solve._solution import Solution


@runtime_checkable
class AbstractSolver(Protocol):
    """What `solve` hands a problem to: any object with this method is a solver.

    >>> from repnet.solve import LeastSquares
    >>> isinstance(LeastSquares(), AbstractSolver)
    True
    """

    def run(
        self,
        problem: Problem,
        network: Any = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Solve the problem."""
        ...


def solve(
    problem: Problem,
    network: Any = None,
    solver: AbstractSolver | None = None,
    *,
    key: PRNGKeyArray,
    progress: AbstractProgress | None = None,
) -> Solution:
    r"""Solve a problem; choose network, scale and solver where they are left out.

    ```python
    >>> import jax, numpy as np
    >>> from repnet import regression, solve
    >>> x = np.linspace(-1.0, 1.0, 401)
    >>> solution = solve(regression(x, np.sin(40.0 * x)), key=jax.random.key(0))
    >>> error = solution(np.array([[0.123]])) - np.sin(40.0 * 0.123)
    >>> bool(abs(error).max() < 1e-6)
    True

    ```

    **Arguments:**

    - `problem`: such as `regression(x, y)`.
    - `network`: any callable module from a point `(dim,)` to `(out,)`. It sees inputs in $[-1, 1]$
      per axis and answers in standard units; the solve converts.
    - `solver`: `LeastSquares(...)`, `Windows(...)`, `Elements(...)`, `SpaceTimeElements(...)`,
      `Slabs(...)`, `GaussNewton(...)` or `Gradient(...)`, or another object with their `run`, such
      as the solvers of operators.
    - `key`: for every random draw; the same key gives the same solution.
    - `progress`: shows the steps of an iterative solve.

    **Returns:** a `Solution`, whose `plan` says what was chosen and why.

    **Raises:** `ValueError` where the problem does not fit the solver, before any work is done.

    **Source:** this project.
    """
    _check(problem, network, solver, key)
    if solver is None:
        solver = _of_the_problem(problem) or Automatic()
    return solver.run(problem, network, key=key, progress=progress)


def _check(problem: Any, network: Any, solver: Any, key: Any) -> None:
    """Refuse arguments of another kind before anything is done with them."""
    if not isinstance(problem, Problem):
        raise ValueError(
            "`solve(problem=...)` takes a problem, such as `regression(x, y)`; got a "
            f"{type(problem).__name__}."
        )
    if isinstance(network, AbstractSolver):
        raise ValueError(
            f"`solve(network=...)` takes a network; got a {type(network).__name__}: pass it as "
            "`solver=`."
        )
    if network is not None and not callable(network):
        raise ValueError(f"`solve(network=...)` takes a callable module; got {network!r}.")
    inputs = getattr(network, "in_size", problem.dim)
    if inputs != problem.dim:
        raise ValueError(
            f"`solve(network=...)` must have as many inputs as the problem, {problem.dim}; it has "
            f"{inputs}."
        )
    if isinstance(solver, type) or not (solver is None or isinstance(solver, AbstractSolver)):
        raise ValueError(
            f"`solve(solver=...)` takes a solver, such as `Windows()`; got {solver!r}."
        )
    check_key("solve", key)


def _of_the_problem(problem: Problem) -> AbstractSolver | None:
    """The solver that a residual brings along, as that of an operator does."""
    makers = [getattr(term.residual, "solver", None) for term in problem.terms.values()]
    return next((make() for make in makers if make is not None), None)
