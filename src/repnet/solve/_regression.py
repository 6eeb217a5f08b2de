"""What the direct solvers ask of a problem: that it is a regression."""

import numpy as np
from jaxtyping import Float

from repnet.problem import Problem
from repnet.problem._problem import value
from repnet.solve._standardize import standardization
from repnet.spectrum import axis_spectra

FEW_POINTS = 160  # up to which long trials, and steps on all points, take seconds


def is_regression(problem: Problem) -> bool:
    """Whether the problem asks one network to equal given values at points, and no more."""
    terms = list(problem.terms.values())
    return (
        len(terms) == 1
        and terms[0].residual is value
        and terms[0].values is not None
        and problem.unknowns is None
        and problem.transform is None
    )


def require_regression(problem: Problem, solver: str) -> None:
    """Raise unless the problem asks one network to equal given values at points.

    **Raises:** `ValueError` for other residuals, unknowns, several terms, or a single point.
    """
    terms = list(problem.terms.values())
    if len(terms) != 1 or terms[0].residual is not value or terms[0].values is None:
        raise ValueError(
            f"`{solver}` takes regression problems, as `regression(x, y)` makes them; "
            f"got the terms {sorted(problem.terms)}. `Gradient` takes any problem."
        )
    if problem.unknowns is not None:
        raise ValueError(f"`{solver}` takes problems without `unknowns`; `Gradient` takes any.")
    if len(terms[0].points) < 2:
        raise ValueError(f"`{solver}` needs at least 2 points; got {len(terms[0].points)}.")


def data_of(
    problem: Problem,
) -> tuple[Float[np.ndarray, "points dim"], Float[np.ndarray, "points out"]]:
    """Points and targets of a regression in standard units."""
    (term,) = problem.terms.values()
    assert term.values is not None  # by `require_regression`
    units = standardization(problem)
    return units.inputs(term.points), units.targets(term.values)


def largest_frequencies(
    x: Float[np.ndarray, "points dim"], y: Float[np.ndarray, "points out"]
) -> Float[np.ndarray, " dim"]:
    """The targets' largest angular frequency along every axis."""
    return np.array([spectrum.omega_max for spectrum in axis_spectra(x, y)])
