"""The rows of an inverse problem: each term's residuals, weighted, and what moves them."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from repnet.nn import MLP
from repnet.problem import Problem, Term
from repnet.solve.equations._rows import BOUNDARY, Frame, on_boundary, row_norms
from repnet.solve.equations._terms import Placed
from repnet.solve.equations._unknowns import split

_EXACT = 1e3  # weight of equations and conditions, which hold exactly, against data


@dataclasses.dataclass(frozen=True)
class Block:
    """One term at its points; `weight` multiplies its residuals, one number per equation."""

    placed: Placed
    weight: Float[np.ndarray, " equations"]

    @property
    def term(self) -> Term:
        """The term, with its values at these points."""
        return self.placed.term

    @property
    def data(self) -> bool:
        """Whether the term compares with measured values."""
        return is_data(self.term)

    @property
    def points(self) -> int:
        """Number of points."""
        return len(self.placed.x)

    def at(self, rows: Any) -> "Block":
        """The same with some of its points."""
        return dataclasses.replace(self, placed=self.placed.at(rows))


def is_data(term: Term) -> bool:
    """Whether a term compares with measured values."""
    return term.values is not None


def make_blocks(
    problem: Problem, frame: Frame, network: MLP, tree: Any, points: Mapping[str, np.ndarray]
) -> list[Block]:
    """Blocks with rows of norm 1 for data, and much larger ones for what holds exactly.

    The heaviest stand first: factorizations by reflections want large rows on top.
    """
    made = []
    for name, term in problem.terms.items():
        block = Block(Placed.of(term, frame, network, tree, points[name]), np.ones(1))
        few = block.at(np.unique(np.linspace(0, block.points - 1, 256).astype(int)))
        value, rows = few.placed.linearized(network, tree)
        norm = row_norms(rows)
        if np.any(norm == 0.0):  # an equation of the unknowns alone
            few = dataclasses.replace(few, weight=np.ones(value.shape[1]))
            moves = by_unknowns([few], network, tree).reshape(*value.shape, -1)
            norm = np.where(norm == 0.0, row_norms(moves), norm)
        exact = _EXACT * (BOUNDARY if on_boundary(problem, term) else 1.0)
        importance = 1.0 if block.data else exact
        weight = importance / np.where(norm > 0.0, norm, 1.0)
        made.append(dataclasses.replace(block, weight=weight))
    return sorted(made, key=lambda block: block.data)


def by_unknowns(
    parts: Sequence[Block], network: MLP, tree: Any
) -> Float[np.ndarray, "rows unknowns"]:
    """Weighted derivatives of all residuals by the numbers among the unknowns."""
    sought, rest = split(tree)
    found = []
    for block in parts:
        rows = block.placed.moves(network, sought, rest)
        weighted = rows * block.weight[:, None]
        found.append(weighted.reshape(-1, weighted.shape[2]))
    return np.concatenate(found)


def by_readout(
    parts: Sequence[Block], network: MLP, tree: Any
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, "rows coefficients"]]:
    """Weighted residuals, and their derivatives by the coefficients of the read-out."""
    values, matrices = [], []
    for block in parts:
        value, rows = block.placed.linearized(network, tree)
        values.append((value * block.weight).ravel())
        weighted = rows * block.weight[:, None]
        matrices.append(weighted.reshape(-1, weighted.shape[2]))
    return np.concatenate(values), np.concatenate(matrices)


def weighted_residuals(
    parts: Sequence[Block], network: MLP, tree: Any
) -> Float[np.ndarray, " rows"]:
    """Weighted residuals of all blocks, in a row."""
    return np.concatenate(
        [(block.placed.residuals(network, tree) * block.weight).ravel() for block in parts]
    )


def data_rows(parts: Sequence[Block]) -> slice:
    """Where the data's residuals stand among all."""
    sizes = [block.points * len(block.weight) for block in parts]
    exact = sum(size for size, block in zip(sizes, parts, strict=True) if not block.data)
    return slice(exact, sum(sizes))
