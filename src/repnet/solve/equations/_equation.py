"""A differential equation in, a solution with its plan out."""

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve.equations._check import check_problem
from repnet.solve.equations._direct import Direct, Wanted, solve_direct
from repnet.solve.equations._layers import scale_of

EXACT = 1e-8  # a residual below this is a solution, however Newton's method ended
STALLED = 0.05  # a relative residual above this is no solution


def solve_equation(problem: Problem, wanted: Wanted, *, key: PRNGKeyArray) -> Solution:
    """Least squares, or Newton's method on the read-out where an equation is nonlinear.

    **Raises:** `ValueError` where the problem has unknowns, or a residual is of the wrong shape or
    not finite.
    """
    if problem.unknowns is not None:
        raise ValueError("`LeastSquares` takes problems without `unknowns`; leave `solver` out.")
    with Clock() as clock, jax.enable_x64(True):
        check_problem(problem)
        direct = solve_direct(problem, wanted, key)
        network = direct.frame.field(direct.fit.network)
    fit = direct.fit
    solved = fit.error <= (STALLED if fit.converged else EXACT)
    return Solution(
        network,
        None,
        RESULTS.successful if solved else RESULTS.stalled,
        {},
        plan_of(direct),
        clock.seconds,
        clock.compile_seconds,
    )


def plan_of(direct: Direct) -> Plan:
    """What was chosen, in words."""
    name = direct.kind if isinstance(direct.kind, str) else direct.kind.__name__
    scale = tuple(float(s) for s in scale_of(direct.kind, direct.omega))
    waves = ", ".join(f"{w / np.pi:.3g}" for w in direct.omega)
    fit = direct.fit
    method = "least squares" if direct.linear else f"Newton's method, {fit.steps} steps"
    reasons = [
        f"Frequencies up to {waves} half waves per half-width of the domain's axes: the best of "
        f"{len(direct.trials)} fits.",
        f"Residual at points that were not fitted, relative to the equations' terms: "
        f"{fit.error:.1e}.",
    ]
    if direct.contradict:
        reasons.append(
            "The conditions contradict each other: they can't be met together even without the "
            "equation."
        )
    elif fit.error > STALLED:
        worst = max(fit.errors, key=lambda name: fit.errors[name])
        reasons.append(
            f"The residual of term {worst!r} stays at {fit.errors[worst]:.1e} of its size: its "
            "conditions may contradict each other, or the solution needs more units."
        )
    elif not fit.converged and fit.error > EXACT:
        reasons.append(
            "Newton's method crept and did not settle: there may be other solutions, or none near."
        )
    numbers = {"residual": fit.error, "residuals": fit.errors, "tried": direct.trials}
    network = f"one layer of {direct.units} {name} units"
    return Plan(network, f"LeastSquares, {method}", scale, tuple(reasons), numbers)
