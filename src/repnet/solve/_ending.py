"""How a training on an equation ends: Gauss–Newton steps on all points, or on points at random."""

from collections.abc import Callable

from jaxtyping import PRNGKeyArray, PyTree

from repnet.problem import Problem
from repnet.solve._finish import Finished, finish
from repnet.solve._loss import Training
from repnet.solve._randomized import BATCH, randomized

_STEPS = 60  # on all points
_MANY_STEPS = 200  # on points at random
_WORK = 2e12  # multiplications of all steps
_LARGEST = 1.2e8  # numbers in the Jacobian


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


def on_all(rows: int, columns: int) -> bool:
    """Whether steps on all points are cheap enough: residuals and parameters."""
    return rows * columns <= _LARGEST and _STEPS * rows * columns * min(rows, columns) <= _WORK


def ended(
    problem: Problem,
    parameters: PyTree,
    rest: PyTree,
    training: Training,
    steps: int,
    sizes: tuple[int, int],
    key: PRNGKeyArray,
    tell: Callable[[int, float], None],
) -> Finished:
    """The training after `steps` more, of the kind that `sizes`, rows and columns, allow."""
    if on_all(*sizes):
        return finish(problem, parameters, rest, training, steps, tell)
    return randomized(problem, parameters, rest, training, steps, key, tell)
