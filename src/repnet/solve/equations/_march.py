"""Nonlinear equations of one axis, all conditions at its begin: element after element."""

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet.solve.equations._basis import Basis
from repnet.solve.equations._piecewise import PINNED, Piecewise, Tied
from repnet.solve.equations._sweep import blocks_of, pinned_rows

_FIRST = 1.0 / 64.0  # length of the first element, as a share of the axis
_LONGEST = 1.0 / 8.0
_SHORTEST = 1e-10
_STEPS = 12
_SETTLED = 1e-11  # relative change of the coefficients at which Newton's method ends
_CREEPS = 1e-6  # a last change above this is no solution
_RANK = 1e-15
_FLOOR = 1e-9  # a residual below this that halving does not halve is at its floor
_EASY = 0.1  # share of the tolerance below which the next element is longer
_GROW = 1.5

State = list[Float[np.ndarray, " orders"]]
"""Of every output its derivatives below the equations' own."""


def march(tied: Tied, basis: Basis, tolerance: float, most: int) -> tuple[Piecewise, bool]:
    """Elements from the begin to the end, and whether the end was reached.

    An element is halved where Newton's method does not settle or the residual between its
    collocation points is above the tolerance, and followed by a longer one where that was easy.
    """
    begin, end = tied.ends
    whole = end - begin
    edges, found = [begin], []
    length, largest, state = _FIRST * whole, 0.0, None
    longer: tuple[Piecewise, float] | None = None
    while edges[-1] < end and len(found) < most:
        left = end - edges[-1]
        length = left / max(1, int(np.ceil(left / length - 1e-9)))
        stop = end if length >= (1.0 - 1e-12) * left else edges[-1] + length
        element, missed = _element(tied, basis, np.array([edges[-1], stop]), state, largest)
        at_floor = False
        if longer is not None and longer[1] < _FLOOR and missed > 0.5 * longer[1]:
            (element, missed), at_floor = longer, True
        elif missed > tolerance and length > _SHORTEST * whole:
            longer, length = (element, missed), 0.5 * length
            continue
        elif missed > tolerance:
            break
        longer = None
        found.append(element.coefficients[0])
        edges.append(float(element.edges[1]))
        largest = max(largest, float(np.linalg.norm(element.coefficients)))
        state = _ending(element)
        length = float(np.diff(element.edges)[0])
        if at_floor or missed < _EASY * tolerance:
            length = min(_GROW * length, _LONGEST * whole)
    if not found:  # a network all the same: the first element as it came out
        element, _ = _element(tied, basis, np.array([begin, begin + length]), None, 0.0)
        return element, False
    return Piecewise(tied, basis, np.array(edges), np.stack(found)), edges[-1] >= end


def _element(
    tied: Tied,
    basis: Basis,
    edges: Float[np.ndarray, " 2"],
    state: State | None,
    largest: float,
) -> tuple[Piecewise, float]:
    """One element by Newton's method, and its residual relative to the largest coefficients."""
    element = Piecewise.blank(tied, basis, edges)
    half = float(element.halves[0])
    fixed = None if state is None else _start_rows(tied, basis, state, half)
    element = element.having(_guess(element, fixed))
    typical = np.tile(basis.typical, len(tied.orders))
    change = np.inf
    norms = None
    for _ in range(_STEPS):
        (block,) = blocks_of(element, np.array([0]))
        norms = block.norms
        here = element.coefficients.ravel()
        start = pinned_rows(element)[0] if fixed is None else _left(fixed, here)
        rows = np.concatenate([block.triangle, start])
        if not np.all(np.isfinite(rows)):
            return element, np.inf
        step = _least(rows, typical)
        size = max(float(np.linalg.norm(here + step)), 1e-300)
        before, change = change, float(np.linalg.norm(step)) / size
        element = element.having(here + step)
        if change < _SETTLED or (change < _CREEPS and change > 0.5 * before):
            break
    if norms is None or not change < _CREEPS:
        return element, np.inf
    reference = max(largest, float(np.linalg.norm(element.coefficients)), 1e-300)
    missed = float(element.missed(norms[None])[0]) / reference
    return element, missed if np.isfinite(missed) else np.inf


def _least(
    rows: Float[np.ndarray, "rows columns"], typical: Float[np.ndarray, " unknowns"]
) -> Float[np.ndarray, " unknowns"]:
    return typical * scipy.linalg.lstsq(rows[:, :-1] * typical, rows[:, -1], cond=_RANK)[0]


def _left(
    rows: Float[np.ndarray, "rows columns"], here: Float[np.ndarray, " unknowns"]
) -> Float[np.ndarray, "rows columns"]:
    """The same rows for a change of the coefficients."""
    return np.concatenate([rows[:, :-1], (rows[:, -1] - rows[:, :-1] @ here)[:, None]], axis=1)


def _start_rows(
    tied: Tied, basis: Basis, state: State, half: float
) -> Float[np.ndarray, "rows columns"]:
    """Rows that start an element in the state where the one before it ended."""
    starting = basis.derivatives(-1.0, max(max(tied.orders), 1))[:, 0]
    out, size = len(tied.orders), basis.size
    rows = []
    for output, known in enumerate(state):
        for k, value in enumerate(known):
            row = np.zeros(out * size + 1)
            row[output * size : (output + 1) * size] = starting[k]
            row[-1] = value * half**k
            rows.append(row / np.linalg.norm(starting[k] * basis.typical))
    return np.reshape(rows, (-1, out * size + 1)) * PINNED * np.sqrt(out * size)


def _ending(element: Piecewise) -> State:
    """The derivatives of every output at the end of the element."""
    orders, basis = element.tied.orders, element.basis
    ending = basis.derivatives(1.0, max(max(orders), 1))[:, 0]
    half = float(element.halves[0])
    return [
        np.array([ending[k] @ values / half**k for k in range(order)])
        for order, values in zip(orders, element.coefficients[0], strict=True)
    ]


def _guess(
    element: Piecewise, fixed: Float[np.ndarray, "rows columns"] | None
) -> Float[np.ndarray, " unknowns"]:
    """The constants that the smoothest function of that start starts with.

    On stiff equations what follows is near them, and far from any extrapolation.
    """
    rows = pinned_rows(element)[0] if fixed is None else fixed
    basis, out = element.basis, len(element.tied.orders)
    typical = np.tile(basis.typical, out) ** 2
    smooth = typical * scipy.linalg.lstsq(rows[:, :-1] * typical, rows[:, -1], cond=1e-12)[0]
    values = smooth.reshape(out, -1) @ basis.derivatives(-1.0, 1)[0, 0]
    return (values[:, None] * basis.back.sum(axis=1)).ravel()
