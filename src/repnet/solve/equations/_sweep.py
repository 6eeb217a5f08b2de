"""Least squares over all elements at once, by one orthogonal sweep from left to right.

All rows ask for changes of the coefficients: solved again from what was found, they take back what
rounding left.
"""

import dataclasses
import itertools
from typing import NamedTuple

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float, Int

from repnet.solve.equations._piecewise import PINNED, Piecewise

_SLICE = 100_000_000  # bytes of rows in memory at once


@dataclasses.dataclass
class Block:
    """Rows of one element, `[rows | right side]`, and the size of the equations' rows.

    - `triangle`: reduced to as many rows as columns; `norms`: of every equation's rows.
    """

    triangle: Float[np.ndarray, "rows columns"]
    norms: Float[np.ndarray, " equations"]


class Tie(NamedTuple):
    """Rows between two neighbours, over the coefficients of both, and their right sides."""

    rows: Float[np.ndarray, "rows both"]
    right: Float[np.ndarray, " rows"]


def blocks_of(elements: Piecewise, which: Int[np.ndarray, " some"]) -> list[Block]:
    """Equations at the collocation points of the given elements, reduced element by element.

    Their right sides are what the elements' coefficients leave.
    """
    columns = elements.coefficients[0].size
    each = 8 * len(elements.basis.nodes) * len(elements.tied.orders) * columns
    slices = np.array_split(which, max(1, -(-len(which) * each // _SLICE)))
    return [block for part in slices for block in _reduced(elements, part)]


def _reduced(elements: Piecewise, which: Int[np.ndarray, " some"]) -> list[Block]:
    basis, count = elements.basis, len(which)
    x = elements.placed(basis.nodes, which).ravel()
    own = np.repeat(which, len(basis.nodes))
    parts, norms = [], []
    typical = np.tile(basis.typical, len(elements.tied.orders))
    for name in elements.tied.inside:
        value, rows = elements.rows(name, x, own)
        whole = np.concatenate([rows, -value[..., None]], axis=2)
        whole = whole.reshape(count, len(basis.nodes), *whole.shape[1:])
        whole = whole * basis.weights[:, None, None]
        size = np.sqrt(np.sum(np.square(whole[..., :-1] * typical), axis=(1, 3)))
        size = np.maximum(size, 1e-300)
        whole = whole / size[:, None, :, None]
        parts.append(whole.reshape(count, -1, whole.shape[-1]))
        norms.append(size)
    stacked = np.concatenate(parts, axis=1) * np.sqrt(len(typical))
    triangles = np.linalg.qr(stacked, mode="r")
    return [Block(*pair) for pair in zip(triangles, np.concatenate(norms, axis=1), strict=True)]


def pinned_rows(elements: Piecewise) -> dict[int, Float[np.ndarray, "rows columns"]]:
    """Rows of conditions, by the element that holds their points."""
    found: dict[int, list[np.ndarray]] = {}
    typical = np.tile(elements.basis.typical, len(elements.tied.orders))
    for name, points in elements.tied.pinned.items():
        own = elements.holding(points[:, 0])
        _, rows = elements.rows(name, points[:, 0], own)
        value, _ = elements.at_pinned(name)
        whole = np.concatenate([rows, -value[..., None]], axis=2)
        size = np.linalg.norm(rows * typical, axis=2, keepdims=True)
        whole = PINNED * np.sqrt(len(typical)) * whole / np.maximum(size, 1e-300)
        for each, element in zip(whole, own, strict=True):
            found.setdefault(int(element), []).append(each)
    return {element: np.concatenate(rows) for element, rows in found.items()}


def ties(elements: Piecewise) -> list[Tie]:
    """Rows that make neighbours agree in all derivatives below the equations' own."""
    basis, orders = elements.basis, elements.tied.orders
    most = max(max(orders), 1)
    left = basis.derivatives(-1.0, most)[:, 0]
    right = basis.derivatives(1.0, most)[:, 0]
    halves, out = elements.halves, len(orders)
    flat = elements.coefficients.reshape(elements.count, -1)
    none = [np.zeros(2 * out * basis.size)] if max(orders) == 0 else []
    found = []
    for place, (here, there) in enumerate(itertools.pairwise(halves)):
        first, second = min(here, there) / here, min(here, there) / there
        rows = [
            _tie(basis.typical, output, out, first**k * right[k], second**k * left[k])
            for output, order in enumerate(orders)
            for k in range(order)
        ]
        both = np.stack(rows or none) * PINNED * np.sqrt(out * basis.size)
        found.append(Tie(both, -both @ flat[place : place + 2].ravel()))
    return found


def _tie(
    typical: np.ndarray, output: int, out: int, ending: np.ndarray, starting: np.ndarray
) -> np.ndarray:
    size = len(ending)
    row = np.zeros(2 * out * size)
    row[output * size : (output + 1) * size] = ending
    row[(out + output) * size : (out + output + 1) * size] = -starting
    return row / np.linalg.norm(row * np.tile(typical, 2 * out))


def swept(
    blocks: list[Block],
    pinned: dict[int, np.ndarray],
    tied: list[Tie],
) -> Float[np.ndarray, "elements unknowns"]:
    """The change of least residual: a triangular factor block by block, then back."""
    size = blocks[0].triangle.shape[1] - 1
    carried = np.zeros((0, size + 1))
    factors = []
    for place, block in enumerate(blocks):
        own = [block.triangle, carried]
        if place in pinned:
            own.append(pinned[place])
        own = np.concatenate(own)
        if place == len(blocks) - 1:
            factors.append((own[:, :-1], None, own[:, -1]))
            break
        both, right = tied[place]
        whole = np.zeros((len(own) + len(both), 2 * size + 1), order="F")
        whole[: len(own), :size] = own[:, :-1]
        whole[: len(own), -1] = own[:, -1]
        whole[len(own) :, :-1], whole[len(own) :, -1] = both, right
        upper = np.triu(scipy.linalg.lapack.dgeqrf(whole, overwrite_a=True)[0])
        factors.append((upper[:size, :size], upper[:size, size:-1], upper[:size, -1]))
        carried = upper[size : 2 * size + 1, size:]
    found = np.zeros((len(blocks), size))
    last, _, right = factors[-1]
    found[-1] = scipy.linalg.lstsq(last, right, cond=1e-15)[0]
    for place in range(len(blocks) - 2, -1, -1):
        upper, beside, right = factors[place]
        found[place] = scipy.linalg.solve_triangular(
            upper, right - beside @ found[place + 1], check_finite=False
        )
    return found
