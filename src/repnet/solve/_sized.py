"""A training by its sizes: what is left out follows from the data."""

import math
from typing import Any

from repnet.problem import Problem
from repnet.solve._gradient import Gradient
from repnet.solve._regression import data_of, is_regression
from repnet.spectrum import axis_spectra

WIDTH, DEPTH = 256, 3
_MOST = 1024  # units for a record of many wavelengths
_HIDDEN = 64  # units of the layers after the first, at most
_FULL_BATCH, _BATCH = 4096, 2048  # points up to which every step sees all of them; else so many


def hidden_widths(width: int | None = None, depth: int | None = None) -> tuple[int, ...]:
    """Widths of the layers after the first: as wide as it, but at most 64.

    >>> hidden_widths(), hidden_widths(16, 2)
    ((64, 64), (16,))
    """
    return (min(_HIDDEN, width or WIDTH),) * ((depth or DEPTH) - 1)


def sized_gradient(
    problem: Problem,
    *,
    width: int | None = None,
    depth: int | None = None,
    batch: int | None = None,
    **rest: Any,
) -> Gradient:
    """A training of a regression, minibatches where it has many points.

    **Arguments:**

    - `width`: units of the first layer; if left out 256 or, with one input, as many as the data
      have wavelengths, up to 1,024: fewer would leave some without a unit.
    - `depth`: layers of units, the first included; 3 if left out.
    - `batch`: points per step; if left out, all up to 4,096, else 2,048.
    - `rest`: other arguments of `Gradient`.
    """
    points = sum(len(term.points) for term in problem.terms.values())
    if batch is None and points > _FULL_BATCH:
        batch = _BATCH
    return Gradient(
        batch=None if batch is None else min(batch, points),
        width=width or _units(problem),
        hidden=hidden_widths(width, depth),
        **rest,
    )


def _units(problem: Problem) -> int:
    if problem.dim > 1 or not is_regression(problem):
        return WIDTH
    (spectrum,) = axis_spectra(*data_of(problem))
    wavelengths = spectrum.omega_max / math.pi  # on [-1, 1]
    return min(max(WIDTH, 64 * math.ceil(wavelengths / 64)), _MOST)
