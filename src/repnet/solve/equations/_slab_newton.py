"""Newton's method on the read-out of one slab of time."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet.nn import MLP
from repnet.problem import Problem, Term, value
from repnet.solve.equations._fit import row_weights
from repnet.solve.equations._rows import (
    Frame,
    flat_readout,
    on_boundary,
    with_readout,
)
from repnet.solve.equations._terms import Placed

_RIDGE = 1e-13
_STEPS = 8
_SETTLED = 1.05  # a loss that much above the linear problem's ends Newton's method
_HALVINGS = 6


@dataclasses.dataclass
class Rows:
    """The weighted residuals of a slab and their derivatives by the read-out of one layer."""

    problem: Problem
    placed: dict[str, Placed]
    unknowns: Any
    weights: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)

    @staticmethod
    def of(
        problem: Problem,
        frame: Frame,
        network: MLP,
        points: dict[str, Float[np.ndarray, "points dim"]],
        unknowns: Any,
    ) -> "Rows":
        """All terms at their points."""
        placed = {
            name: Placed.of(term, frame, network, unknowns, points[name])
            for name, term in problem.terms.items()
        }
        return Rows(problem, placed, unknowns)

    def linearized(self, network: MLP) -> tuple[np.ndarray, np.ndarray]:
        """Weighted residuals and rows at a network."""
        values, rows = [], []
        for name, placed in self.placed.items():
            value, row = placed.linearized(network, self.unknowns)
            if name not in self.weights:
                self.weights[name] = row_weights(self.problem, placed.term, row)
            weight = self.weights[name]
            values.append((value * weight).ravel())
            rows.append((row * weight[:, None]).reshape(-1, row.shape[2]))
        return np.concatenate(values), np.concatenate(rows)

    def loss(self, network: MLP) -> float:
        """The norm of the weighted residuals."""
        total = 0.0
        for name, placed in self.placed.items():
            found = placed.residuals(network, self.unknowns)
            total += float(np.sum(np.square(found * self.weights[name])))
        return float(np.sqrt(total)) if np.isfinite(total) else np.inf

    def fitted(self, network: MLP, guess: Callable) -> MLP:
        """The network whose values are closest to the guess, at the points inside."""
        inside = next(
            each for each in self.placed.values() if not on_boundary(self.problem, each.term)
        )
        x = inside.x
        here, rows = Placed.of(Term(value, x), inside.frame, network, None, x).linearized(
            network, None
        )
        right = guess(x) - here
        return with_readout(network, ridged(rows.reshape(-1, rows.shape[2]), right.ravel())[0])

    def newton(self, network: MLP) -> tuple[MLP, int]:
        """Newton's method from a network's own read-out, halving steps that don't descend."""
        for step in range(1, _STEPS + 1):
            values, rows = self.linearized(network)
            loss = reached = float(np.linalg.norm(values))
            change, least = ridged(rows, -values)
            here = flat_readout(network)
            for halving in range(_HALVINGS):
                candidate = with_readout(network, here + 0.5**halving * change)
                reached = self.loss(candidate)
                if reached < loss:
                    network = candidate
                    break
            else:  # no descent along the step: the residual is at its floor
                return network, step
            if reached <= _SETTLED * least + 1e-13:
                return network, step
        return network, _STEPS


def ridged(
    rows: Float[np.ndarray, "rows columns"], right: Float[np.ndarray, " rows"]
) -> tuple[Float[np.ndarray, " columns"], float]:
    """Least squares with columns of one norm and a ridge at round-off: coefficients, residual."""
    count, columns = rows.shape
    norms = np.sqrt(np.einsum("ij,ij->j", rows, rows))
    norms = np.where(norms > 0, norms, 1.0)
    stacked = np.zeros((count + columns, columns + 1), order="F")
    np.divide(rows, norms, out=stacked[:count, :-1])
    stacked[:count, -1] = right
    level = _RIDGE * np.sqrt(columns)
    stacked[count + np.arange(columns), np.arange(columns)] = level
    # A third faster than `scipy.linalg.qr`, which copies the transpose.
    factor = scipy.linalg.lapack.dgeqrf(stacked, lwork=64 * (columns + 1), overwrite_a=True)[0]
    solved = scipy.linalg.solve_triangular(
        factor[:columns, :columns], factor[:columns, -1], check_finite=False
    )
    return solved / norms, float(abs(factor[columns, -1]))
