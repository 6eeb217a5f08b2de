"""First guesses of unknown numbers: the misfit on a grid around what the user guessed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet.solve.equations._unknowns import numbers, with_numbers
from repnet.solve.equations._varpro import State

_FACTOR = 3.0  # how far from the guess the grid reaches
_PHASE = 2.0  # radians by which a wave may move across the domain from one value to the next
_LEAST, _MOST = 24, 400
_SEVERAL = 256  # values tried where there is more than one unknown


def candidates(
    guess: Float[np.ndarray, " unknowns"], omega: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, "values unknowns"]:
    r"""Values from a third of the guess to three times, even in their logarithm.

    A guess of 0 is taken to mean $[-1, 1]$. One unknown gets steps fine enough that a wave of
    angular frequency `omega` (radians per half-width) across the domain moves by at most 2 radians:
    the basin of the misfit's least minimum is that wide. Several get a Sobol sequence.

    **Source:** this project.
    """
    if len(guess) == 1:
        phase = 2.0 * max(float(np.max(omega)), 1.0)
        count = int(np.clip(2.0 * np.log(_FACTOR) * phase / _PHASE, _LEAST, _MOST))
        even = np.linspace(-1.0, 1.0, count)[:, None]
    else:
        even = 2.0 * scipy.stats.qmc.Sobol(len(guess), scramble=False).random(_SEVERAL) - 1.0
    return np.where(guess == 0.0, even, guess * _FACTOR**even)


def scan(
    settle: Callable[[Any], State], tree: Any, omega: Float[np.ndarray, " dim"], keep: int
) -> tuple[list[Any], dict[str, list]]:
    """The trees with the least misfits among the local minima of the grid, the guess included.

    **Returns:** at most `keep` trees, best first, and the grid with its misfits.
    """
    guess = numbers(tree)
    grid = np.vstack([guess, candidates(guess, omega)])
    if len(guess) == 1:
        grid = grid[np.argsort(grid[:, 0])]
    misfits = np.array([settle(with_numbers(tree, row)).misfit for row in grid])
    best = _minima(misfits) if len(guess) == 1 else np.arange(len(grid))
    order = best[np.argsort(misfits[best])][:keep]
    tried = {"values": grid.tolist(), "misfits": misfits.tolist()}
    return [with_numbers(tree, grid[place]) for place in order], tried


def _minima(misfits: Float[np.ndarray, " values"]) -> np.ndarray:
    """Places of a row that lie no higher than their neighbours."""
    padded = np.concatenate([[np.inf], misfits, [np.inf]])
    low = (misfits <= padded[:-2]) & (misfits <= padded[2:]) & np.isfinite(misfits)
    return np.flatnonzero(low) if low.any() else np.arange(len(misfits))
