"""One stage after the first: a correction of the sum so far, and what it did."""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.random as jr
from jaxtyping import PRNGKeyArray

from repnet.nn import Standardized, Sum
from repnet.problem import Transformed
from repnet.solve._collocation import count_inside
from repnet.solve._correction import Correction, data_left
from repnet.solve._equation_scale import equation_scale
from repnet.solve._finish import double
from repnet.solve._fresh import Fresh, FreshData, as_part, total
from repnet.solve._gradient import Gradient, default_network
from repnet.solve._least_squares import LeastSquares
from repnet.solve._progress import AbstractProgress
from repnet.solve._solution import Solution

StageSolver = LeastSquares | Gradient


@dataclass(frozen=True)
class Stage:
    """What one network did.

    - `solution`: of the stage's own problem; `part`: its network, as it stands in the sum.
    - `sum`: of all networks with this one; `errors`: its residual at fresh points, by term.
    """

    solution: Solution
    part: Standardized
    sum: Sum
    errors: dict[str, float]

    @property
    def residual(self) -> float:
        """Residual of the sum at fresh points, over all terms."""
        return total(self.errors)


def stage(judge: Fresh, before: Sum | None, solution: Solution, factor: float) -> Stage:
    """Add a stage's network to the sum before it, and judge that; call in float64 mode."""
    network: Any = solution.network
    if isinstance(network, Transformed):
        network = network.u
    part = as_part(network, judge.frame, factor)
    parts = (part,) if before is None else (*before.parts, part)
    both = Sum(parts, out_size=judge.fitted.out_size)
    return Stage(solution, part, both, judge.errors(both))


def correct(
    solver: StageSolver,
    judge: Fresh,
    last: Stage,
    key: PRNGKeyArray,
    progress: AbstractProgress | None,
) -> Stage:
    """Solve for what the last stage left, and add the correction."""
    if isinstance(judge, FreshData):
        problem = data_left(judge.fitted, judge.wrap(last.sum))
        solution, factor = solver.run(problem, key=key, progress=progress), 1.0
    else:
        with jax.enable_x64(True):
            sizes = judge.sizes(last.sum)
        known = judge.wrap(last.sum)
        left = Correction(judge.fitted, known, last.residual, judge.affine, sizes)
        if isinstance(solver, Gradient):
            return _trained(solver, judge, last, left, key, progress)
        solution, factor = solver.run(left.stated(), key=key, progress=progress), left.factor
    with jax.enable_x64(True):
        return stage(judge, last.sum, solution, factor)


def _trained(
    solver: Gradient,
    judge: Fresh,
    last: Stage,
    left: Correction,
    key: PRNGKeyArray,
    progress: AbstractProgress | None,
) -> Stage:
    """A correction by gradient descent, in double precision and of the size that a fit has."""
    scale_key, network_key, point_key, run_key = jr.split(key, 4)
    features = "plain" if solver.features == "auto" else solver.features
    choice = equation_scale(left.stated(), features=features, key=scale_key)
    size = choice.numbers["size"] or 1.0  # a fit of zero says nothing about the size
    left = replace(left, factor=left.factor * size)
    problem = left.stated()
    scale = choice.scale if isinstance(solver.scale, str) else solver.scale
    inside = count_inside(problem, solver.points, choice.numbers["omega"], point_key)
    with jax.enable_x64(True):
        network, *_ = default_network(replace(solver, scale=scale), problem, key=network_key)
        network = jax.tree.map(double, network)
    solver = replace(solver, points=inside or solver.points)
    solution = solver.run(problem, network, key=run_key, progress=progress)
    with jax.enable_x64(True):
        return stage(judge, last.sum, solution, left.factor)
