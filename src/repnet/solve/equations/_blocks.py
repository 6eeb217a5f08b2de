"""The rows of an inverse problem: each term's residuals, weighted, and what moves them."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn import MLP
from repnet.problem import Problem, Shared, Term
from repnet.solve.equations._rows import (
    BOUNDARY,
    Frame,
    as_vector,
    in_blocks,
    linearized,
    on_boundary,
    residuals,
    row_norms,
)
from repnet.solve.equations._unknowns import split

_EXACT = 1e3  # weight of equations and conditions, which hold exactly, against data


@dataclasses.dataclass(frozen=True)
class Block:
    """One term at its points; `weight` multiplies its residuals, one number per equation."""

    name: str
    term: Term
    x: Float[np.ndarray, "points dim"]
    data: bool
    weight: Float[np.ndarray, " equations"]

    def at(self, rows: Any) -> "Block":
        """The same with some of its points."""
        values = self.term.values
        term = self.term if values is None else Term(self.term.residual, self.x[rows], values[rows])
        return dataclasses.replace(self, term=term, x=self.x[rows])


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
        x = points[name]
        block = Block(name, term, x, is_data(term), np.ones(1))
        few = block.at(np.unique(np.linspace(0, len(x) - 1, 256).astype(int)))
        value, rows = linearized(few.term, frame, network, tree, few.x)
        norm = row_norms(rows)
        if np.any(norm == 0.0):  # an equation of the unknowns alone
            few = dataclasses.replace(few, weight=np.ones(value.shape[1]))
            moves = by_unknowns([few], frame, network, tree).reshape(*value.shape, -1)
            norm = np.where(norm == 0.0, row_norms(moves), norm)
        exact = _EXACT * (BOUNDARY if on_boundary(problem, term) else 1.0)
        importance = 1.0 if block.data else exact
        weight = importance / np.where(norm > 0.0, norm, 1.0)
        made.append(dataclasses.replace(block, weight=weight))
    return sorted(made, key=lambda block: block.data)


@eqx.filter_jit
def _by_unknowns(
    residual: Callable, frame: Frame, network: MLP, sought: Any, rest: Any, x: Array
) -> Array:
    def one(point: Array) -> Array:
        def at(sought: Any) -> Array:
            field = Shared(frame.field(network))
            return as_vector(residual(field, point, eqx.combine(sought, rest)))

        value, pull = jax.vjp(at, sought)
        (rows,) = jax.vmap(pull)(jnp.eye(value.size))
        flat = [leaf.reshape(value.size, -1) for leaf in jax.tree.leaves(rows)]
        return jnp.concatenate(flat, axis=1)

    return jax.vmap(one)(x)


def by_unknowns(
    parts: Sequence[Block], frame: Frame, network: MLP, tree: Any
) -> Float[np.ndarray, "rows unknowns"]:
    """Weighted derivatives of all residuals by the numbers among the unknowns."""
    sought, rest = split(tree)
    found = []
    for block in parts:
        residual = block.term.residual
        (rows,) = in_blocks(
            lambda x, r=residual: (_by_unknowns(r, frame, network, sought, rest, x),), block.x
        )
        weighted = rows * block.weight[:, None]
        found.append(weighted.reshape(-1, weighted.shape[2]))
    return np.concatenate(found)


def by_readout(
    parts: Sequence[Block], frame: Frame, network: MLP, tree: Any
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, "rows coefficients"]]:
    """Weighted residuals, and their derivatives by the coefficients of the read-out."""
    values, matrices = [], []
    for block in parts:
        value, rows = linearized(block.term, frame, network, tree, block.x)
        values.append((value * block.weight).ravel())
        weighted = rows * block.weight[:, None]
        matrices.append(weighted.reshape(-1, weighted.shape[2]))
    return np.concatenate(values), np.concatenate(matrices)


def weighted_residuals(
    parts: Sequence[Block], frame: Frame, network: MLP, tree: Any
) -> Float[np.ndarray, " rows"]:
    """Weighted residuals of all blocks, in a row."""
    return np.concatenate(
        [
            (residuals(block.term, frame, network, tree, block.x) * block.weight).ravel()
            for block in parts
        ]
    )


def data_rows(parts: Sequence[Block]) -> slice:
    """Where the data's residuals stand among all."""
    sizes = [len(block.x) * len(block.weight) for block in parts]
    exact = sum(size for size, block in zip(sizes, parts, strict=True) if not block.data)
    return slice(exact, sum(sizes))
