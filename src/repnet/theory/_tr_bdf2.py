"""Time stepping of linear relaxation with a tridiagonal matrix: TR-BDF2."""

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

_GAMMA = 2.0 - np.sqrt(2.0)  # both stages then share one matrix


def tr_bdf2(
    matrix: Float[np.ndarray, "3 cells"],
    start: Float[np.ndarray, "cells columns"],
    times: Float[np.ndarray, " times"],
    substeps: int = 8,
) -> Float[np.ndarray, "times cells columns"]:
    r"""The solution of $\dot u = Au$ at the given times.

    With $\gamma = 2-\sqrt2$, a step of length $h$ is a trapezoidal one to $\gamma h$ and one of
    the second backward difference formula:

    $$(I - \tfrac{\gamma h}{2}A)\,u^* = (I + \tfrac{\gamma h}{2}A)\,u,\qquad
    (I - \tfrac{\gamma h}{2}A)\,u^+ = \frac{u^*/\gamma - (1-\gamma)^2 u/\gamma}{2-\gamma}$$

    of second order and L-stable: frequencies that relax at once do not ring.

    **Arguments:**

    - `matrix`: $A$ as its upper, main and lower diagonal, each of length `cells`, 3 at
      least; the first entry of the upper and the last of the lower one are not used.
    - `start`: $u$ at time 0, any number of columns.
    - `times`: ascending, from 0 or above.
    - `substeps`: equal steps between two of the times.

    **Returns:** shape `(times, cells, columns)`.

    **Source:** Bank et al. 1985, as written by Hosea and Shampine 1996.

    >>> decay = np.array([[0.0] * 3, [-1.0, -2.0, -3.0], [0.0] * 3])
    >>> u = tr_bdf2(decay, np.ones((3, 1)), np.array([1.0]), substeps=100)
    >>> u[0, :, 0].round(4).tolist()  # powers of 1/e
    [0.3679, 0.1353, 0.0498]
    """
    found = np.empty((len(times), *start.shape))
    now, u = 0.0, np.asarray(start, np.float64)
    solver = _Solver(matrix)
    for index, time in enumerate(times):
        step = (time - now) / substeps
        if step > 0:
            for _ in range(substeps):
                u = solver.advance(u, step)
        found[index], now = u, time
    return found


class _Solver:
    """Steps of one matrix, factorized anew only where the step's length changes."""

    def __init__(self, matrix: np.ndarray):
        self._matrix = matrix
        self._step = 0.0
        self._factors: tuple[np.ndarray, ...] = ()

    def advance(self, u: np.ndarray, step: float) -> np.ndarray:
        if abs(step - self._step) > 1e-12 * step:
            self._factorize(step)
        half = 0.5 * _GAMMA * step
        middle = self._solve(u + half * _product(self._matrix, u))
        return self._solve((middle / _GAMMA - (1 - _GAMMA) ** 2 / _GAMMA * u) / (2 - _GAMMA))

    def _factorize(self, step: float) -> None:
        upper, main, lower = -0.5 * _GAMMA * step * self._matrix
        *factors, info = scipy.linalg.lapack.dgttrf(lower[:-1], 1.0 + main, upper[1:])
        assert info == 0  # I - hA/2 is diagonally dominant
        self._step, self._factors = step, tuple(factors)

    def _solve(self, right: np.ndarray) -> np.ndarray:
        solution, info = scipy.linalg.lapack.dgttrs(*self._factors, right)
        assert info == 0
        return solution


def _product(matrix: np.ndarray, u: np.ndarray) -> np.ndarray:
    upper, main, lower = matrix[..., None]
    result = main * u
    result[:-1] += upper[1:] * u[1:]
    result[1:] += lower[:-1] * u[:-1]
    return result
