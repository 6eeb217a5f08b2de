"""Least squares over all elements at once, by one orthogonal sweep from left to right.

All rows ask for changes of the coefficients: solved again from what was found, they take back what
rounding left.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float, Int

from repnet.solve.equations._piecewise import PINNED, Piecewise, data_sizes

_SLICE = 100_000_000  # bytes of rows in memory at once


@dataclasses.dataclass
class Block:
    """Rows of one element, `[coefficients | unknowns | right side]`, and the equations' sizes.

    - `triangle`: reduced to as many rows as columns; `norms`: by which the rows of every equation
      were divided; `sizes`: what their own norms were.
    """

    triangle: Float[np.ndarray, "rows columns"]
    norms: Float[np.ndarray, " equations"]
    sizes: Float[np.ndarray, " equations"]


class Tie(NamedTuple):
    """Rows between two neighbours, over the coefficients of both, and their right sides."""

    rows: Float[np.ndarray, "rows both"]
    right: Float[np.ndarray, " rows"]


def blocks_of(
    elements: Piecewise,
    which: Int[np.ndarray, " some"],
    whole: Float[np.ndarray, " equations"] | None = None,
) -> list[Block]:
    """Equations at the collocation points of the given elements, reduced element by element.

    Their right sides are what the elements' coefficients leave. Every row has norm 1 in the mean
    over its element; with `whole`, sizes for the whole axis, the sum of the squares of all rows is
    an integral over the axis, however it is cut.
    """
    columns = elements.coefficients[0].size
    each = 8 * len(elements.basis.nodes) * len(elements.tied.orders) * columns
    slices = np.array_split(which, max(1, -(-len(which) * each // _SLICE)))
    return [block for part in slices for block in _reduced(elements, part, whole)]


def _reduced(
    elements: Piecewise,
    which: Int[np.ndarray, " some"],
    total: Float[np.ndarray, " equations"] | None,
) -> list[Block]:
    basis, count = elements.basis, len(which)
    parts, norms, sizes = [], [], []
    share = np.sqrt(elements.halves[which] / elements.halves.sum())[:, None]
    typical = np.tile(basis.typical, len(elements.tied.orders))
    for name in elements.tied.inside:
        value, rows, moves = elements.rows(name, basis.nodes, which)
        whole = np.concatenate([rows, moves, -value[..., None]], axis=3)
        whole = whole * basis.weights[:, None, None]
        size = np.sqrt(np.sum(np.square(whole[..., : len(typical)] * typical), axis=(1, 3)))
        size = np.maximum(size, 1e-300)
        first = sum(each.shape[1] for each in sizes)
        norm = size if total is None else total[first : first + size.shape[1]] / share
        whole = whole / norm[:, None, :, None]
        parts.append(whole.reshape(count, -1, whole.shape[-1]))
        norms.append(norm)
        sizes.append(size)
    stacked = np.concatenate(parts, axis=1) * np.sqrt(len(typical))
    triangles = np.linalg.qr(stacked, mode="r")
    columns = (np.concatenate(each, axis=1) for each in (norms, sizes))
    return [Block(*each) for each in zip(triangles, *columns, strict=True)]


def pinned_rows(
    elements: Piecewise, of_data: float = PINNED
) -> dict[int, Float[np.ndarray, "rows columns"]]:
    """Rows of conditions and data, by the element that holds their points.

    `of_data`: weight of the data, all of one term alike.
    """
    found: dict[int, list[np.ndarray]] = {}
    typical = np.tile(elements.basis.typical, len(elements.tied.orders))
    for name, points in elements.tied.pinned.items():
        own = elements.holding(points[:, 0])
        seen, rows = elements.pinned(name)
        value = elements.less_values(name, seen.residual)
        whole = np.concatenate([rows, seen.moves, -value[..., None]], axis=2)
        if name in elements.tied.data:
            whole = whole / data_sizes(elements.tied, name)[:, None]
            whole = of_data * np.sqrt(len(typical)) * whole
        else:
            size = np.linalg.norm(rows * typical, axis=2, keepdims=True)
            whole = PINNED * np.sqrt(len(typical)) * whole / np.maximum(size, 1e-300)
        for each, element in zip(whole, own, strict=True):
            found.setdefault(int(element), []).append(each)
    return {element: np.concatenate(rows) for element, rows in found.items()}


def pinned_sizes(elements: Piecewise) -> dict[str, Float[np.ndarray, "points equations"]]:
    """Sizes of the conditions' rows, by which they are divided."""
    typical = np.tile(elements.basis.typical, len(elements.tied.orders))
    found = {}
    for name in elements.tied.pinned:
        if name not in elements.tied.data:
            _, rows = elements.pinned(name)
            found[name] = np.maximum(np.linalg.norm(rows * typical, axis=2), 1e-300)
    return found


def ties(elements: Piecewise) -> list[Tie]:
    """Rows that make neighbours agree in all derivatives below the equations' own."""
    basis, orders = elements.basis, elements.tied.orders
    halves, out = elements.halves, len(orders)
    most = max(max(orders), 1)
    left = basis.derivatives(-1.0, most)[:, 0]
    right = basis.derivatives(1.0, most)[:, 0]
    narrower = np.minimum(halves[:-1], halves[1:])
    first, second = ((narrower / each)[:, None] for each in (halves[:-1], halves[1:]))
    # Without any derivative in the equations nothing is tied: one row of zeros.
    rows = np.zeros((len(narrower), max(sum(orders), 1), 2, out, basis.size))
    each = ((output, k) for output, order in enumerate(orders) for k in range(order))
    for place, (output, k) in enumerate(each):
        rows[:, place, 0, output] = first**k * right[k]
        rows[:, place, 1, output] = -(second**k) * left[k]
    norms = np.sqrt(np.sum(np.square(rows * basis.typical), axis=(2, 3, 4)))
    rows = rows.reshape(*norms.shape, -1) / np.where(norms > 0.0, norms, 1.0)[..., None]
    rows *= PINNED * np.sqrt(out * basis.size)
    flat = elements.coefficients.reshape(elements.count, -1)
    both = np.concatenate([flat[:-1], flat[1:]], axis=1)
    return list(map(Tie, rows, -np.einsum("trc,tc->tr", rows, both)))


class Swept(NamedTuple):
    """The change of least residual.

    - `coefficients`, `unknowns`: how they change.
    - `slopes`, `left`: what remains of all residuals as a function of the unknowns alone: slopes,
      and the right side.
    """

    coefficients: Float[np.ndarray, "elements coefficients"]
    unknowns: Float[np.ndarray, " unknowns"]
    slopes: Float[np.ndarray, "unknowns unknowns"]
    left: Float[np.ndarray, " unknowns"]


def swept(
    blocks: list[Block],
    pinned: dict[int, np.ndarray],
    tied: list[Tie],
    size: int,
    moved: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> Swept:
    """A triangular factor block by block, the unknowns beside it, then back.

    **Arguments:** `size`: coefficients of an element; `moved`: the change of the unknowns from
    `slopes` and `left`, that of least residual if left out.
    """
    width = blocks[0].triangle.shape[1]
    carried = np.zeros((0, width))
    factors = []
    for place, both in enumerate(tied):
        own = np.concatenate([blocks[place].triangle, carried, *_of(pinned, place)])
        rows = len(both.rows)
        whole = np.zeros((len(own) + rows, size + width), order="F")
        whole[: len(own), :size] = own[:, :size]
        whole[: len(own), 2 * size :] = own[:, size:]
        whole[len(own) :, : 2 * size], whole[len(own) :, -1] = both
        upper = np.triu(scipy.linalg.lapack.dgeqrf(whole, overwrite_a=True)[0])
        factors.append(
            (upper[:size, :size], upper[:size, size : 2 * size], upper[:size, 2 * size :])
        )
        carried = upper[size : size + width, size:]
    last = np.concatenate([blocks[-1].triangle, carried, *_of(pinned, len(blocks) - 1)])
    slopes, left = _by_unknowns(last, size)
    change = np.linalg.lstsq(slopes, left)[0] if moved is None else moved(slopes, left)
    found = np.zeros((len(blocks), size))
    found[-1] = scipy.linalg.lstsq(
        last[:, :size], last[:, -1] - last[:, size:-1] @ change, cond=1e-15
    )[0]
    for place in range(len(blocks) - 2, -1, -1):
        upper, beside, rest = factors[place]
        right = rest[:, -1] - rest[:, :-1] @ change - beside @ found[place + 1]
        found[place] = scipy.linalg.solve_triangular(upper, right, check_finite=False)
    return Swept(found, change, slopes, left)


def _of(pinned: dict[int, np.ndarray], place: int) -> list[np.ndarray]:
    return [pinned[place]] if place in pinned else []


def _by_unknowns(
    rows: Float[np.ndarray, "rows columns"], size: int
) -> tuple[Float[np.ndarray, "unknowns unknowns"], Float[np.ndarray, " unknowns"]]:
    count = rows.shape[1] - size - 1
    if count == 0:
        return np.zeros((0, 0)), np.zeros(0)
    upper = np.zeros((max(len(rows), size + count), rows.shape[1]))
    triangle = np.linalg.qr(rows, mode="r")
    upper[: len(triangle)] = triangle
    return upper[size : size + count, size:-1], upper[size : size + count, -1]
