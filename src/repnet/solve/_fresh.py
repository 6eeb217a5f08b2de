"""Where a sum of networks is judged: at points that none of its stages was fitted at."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.nn import Standardized, Sum
from repnet.problem import Problem, regression
from repnet.solve._finish import double
from repnet.solve._held_out import held_out_rows
from repnet.solve._regression import is_regression
from repnet.solve._solution import evaluate
from repnet.solve._standardize import standardization
from repnet.solve.equations._check import check_problem
from repnet.solve.equations._direct import check_linear
from repnet.solve.equations._judge import judge, sizes_of
from repnet.solve.equations._points import draw_points
from repnet.solve.equations._rows import Frame

_HELD = 400  # units' worth of points that judge
_FEWEST = 20  # rows of data below which all are fitted, and judge


@dataclass(frozen=True)
class FreshData:
    """Rows of a regression that are held out.

    - `fitted`: the problem without them; `affine`: every regression is.
    """

    fitted: Problem
    frame: Frame
    x: Float[np.ndarray, "points dim"]
    y: Float[np.ndarray, "points out"]
    spread: Float[np.ndarray, " out"]
    affine: bool = True

    @staticmethod
    def of(problem: Problem, share: float) -> "FreshData":
        """Hold out this share of the rows, unless they are few."""
        (term,) = problem.terms.values()
        assert term.values is not None
        held = np.zeros(len(term.points), bool)
        if len(held) >= _FEWEST and share * len(held) >= 1:
            held = held_out_rows(term.points, share)
        fitted = regression(term.points[~held], term.values[~held])
        if not held.any():
            held[:] = True
        spread = standardization(problem).spread
        return FreshData(fitted, Frame.of(problem), term.points[held], term.values[held], spread)

    def wrap(self, network: Sum) -> Standardized:
        """The sum in the user's units."""
        return self.frame.wrap(network)

    def errors(self, network: Sum) -> dict[str, float]:
        """Error on the held-out rows, relative to the standard deviation of all."""
        apart = (evaluate(self.wrap(network), self.x) - self.y) / self.spread
        return {"data": float(np.sqrt(np.mean(np.square(apart))))}


@dataclass(frozen=True)
class FreshPoints:
    """Points of an equation's terms, drawn for the judge alone; `affine`: whether all terms are."""

    fitted: Problem
    frame: Frame
    points: Mapping[str, Float[np.ndarray, "_ dim"]]
    affine: bool

    @staticmethod
    def of(problem: Problem, key: PRNGKeyArray) -> "FreshPoints":
        """Draw them; call in float64 mode.

        **Raises:** `ValueError` where a residual is of the wrong shape or not finite.
        """
        check_problem(problem)
        point_key, check_key = jax.random.split(key)
        frame = Frame.of(problem)
        points = draw_points(problem, _HELD, point_key)
        return FreshPoints(problem, frame, points, check_linear(problem, frame, check_key))

    def wrap(self, network: Sum) -> Standardized:
        """The sum in the user's units, before hard conditions."""
        return self.frame.wrap(network)

    def errors(self, network: Sum) -> dict[str, float]:
        """Residual of every term, relative to the size of its parts."""
        return judge(self.fitted, self.frame, network, self.points)

    def sizes(self, network: Sum) -> dict[str, Float[np.ndarray, " equations"]]:
        """The size of every term's parts."""
        return sizes_of(self.fitted, self.frame, network, self.points)


Fresh = FreshData | FreshPoints


def fresh(problem: Problem, share: float, key: PRNGKeyArray) -> Fresh:
    """What judges the stages of this problem; call in float64 mode."""
    return FreshData.of(problem, share) if is_regression(problem) else FreshPoints.of(problem, key)


def total(errors: Mapping[str, float]) -> float:
    """Root of the sum of squares; infinite if any is not finite."""
    found = float(np.sqrt(sum(error**2 for error in errors.values())))
    return found if np.isfinite(found) else float("inf")


def as_part(network: Standardized, frame: Frame, factor: float) -> Standardized:
    """A stage's network as one part of a `Sum` under a frame: in float64, times its factor."""
    network = jax.tree.map(double, network)
    centre = (network.centre - frame.centre) / frame.half_width
    half_width = network.half_width / frame.half_width
    mean, spread = factor * network.mean, factor * network.spread
    return Standardized(network.network, centre, half_width, mean, spread)
