"""Variable projection: Gauss–Newton on the unknowns, the read-out eliminated."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from repnet.nn import MLP
from repnet.solve.equations._blocks import (
    Block,
    by_readout,
    by_unknowns,
    weighted_residuals,
)
from repnet.solve.equations._projection import Projection
from repnet.solve.equations._rows import Frame, flat_readout, readout_size, with_readout
from repnet.solve.equations._unknowns import numbers, with_numbers

_RIDGE = 1e-13
_INNER = 12  # Newton steps on the read-out, where an equation is nonlinear in it
_SETTLED = 1e-3  # share of the misfit that one more of them must save
_DAMPING = 1e-4
_MOST_DAMPING = 1e8
_LEAST_DAMPING = 1e-20
_HUGE = 1e100
_SMALL_STEP = 1e-13
_LITTLE = 1e-6  # relative fall of the misfit below which steps stop


@dataclasses.dataclass(frozen=True)
class State:
    """Unknowns, and the read-out that is best for them.

    - `residual`: of all rows, weighted; `misfit`: its norm.
    """

    network: MLP
    tree: Any
    projection: Projection
    residual: Float[np.ndarray, " rows"]
    misfit: float


@dataclasses.dataclass(frozen=True)
class Reduced:
    """A problem as a least-squares problem of its unknowns alone.

    - `linear`: whether the residuals are affine in the read-out while the unknowns are held.
    """

    parts: Sequence[Block]
    frame: Frame
    linear: bool
    ridge: float = _RIDGE

    def settle(self, network: MLP, tree: Any) -> State:
        """The read-out for these unknowns: one solve, or Newton's method from the network's own."""
        with np.errstate(over="ignore", invalid="ignore"):  # of steps that will be refused
            return self._settle(network, tree)

    def _settle(self, network: MLP, tree: Any) -> State:
        if self.linear:
            network = with_readout(network, np.zeros(readout_size(network)))
        value, matrix = by_readout(self.parts, network, tree)
        projection = Projection.of(matrix, self.ridge)
        network, residual = self._move(network, tree, value, matrix, projection)
        for _ in range(0 if self.linear else _INNER):
            before = float(np.linalg.norm(residual))
            value, matrix = by_readout(self.parts, network, tree)
            projection = Projection.of(matrix, self.ridge)
            network, residual = self._move(network, tree, value, matrix, projection)
            if np.linalg.norm(residual) > (1.0 - _SETTLED) * before:
                break
        misfit = float(np.linalg.norm(residual))
        misfit = misfit if np.isfinite(misfit) else np.inf
        return State(network, tree, projection, residual, misfit)

    def _move(
        self, network: MLP, tree: Any, value: Any, matrix: Any, projection: Projection
    ) -> tuple[MLP, Float[np.ndarray, " rows"]]:
        """One solve, shortened where the residual is not linear and would grow."""
        step = -projection.solve(value)
        start = flat_readout(network)
        if self.linear:
            return with_readout(network, start + step), value + matrix @ step
        size = np.linalg.norm(value)
        for halving in range(8):
            moved = with_readout(network, start + 0.5**halving * step)
            residual = weighted_residuals(self.parts, moved, tree)
            if np.linalg.norm(residual) < size:
                return moved, residual
        return network, value

    def jacobian(self, state: State) -> Float[np.ndarray, "left unknowns"]:
        """How the misfit's vector moves with the unknowns while the read-out follows.

        **Source:** Kaufman 1975: the part of the derivatives that the read-out can't undo.
        """
        moves = by_unknowns(self.parts, state.network, state.tree)
        return state.projection.rest(moves)

    def minimize(self, state: State, steps: int) -> tuple[State, int, bool]:
        """Levenberg–Marquardt on the unknowns; the steps taken, and whether it converged."""
        damping = _DAMPING
        loss = _loss(state)
        for step in range(1, steps + 1):
            slopes = self.jacobian(state)
            left = state.projection.rest(state.residual[:, None])[:, 0]
            while True:
                move = damped(slopes, left, damping)
                tree = with_numbers(state.tree, numbers(state.tree) + move)
                trial = self.settle(state.network, tree)
                reached = _loss(trial)
                if reached <= loss:
                    break
                damping *= 10.0
                if damping > _MOST_DAMPING:
                    return state, step, True
            fell = loss - reached
            share = np.linalg.norm(move) / max(np.linalg.norm(numbers(tree)), 1e-300)
            state, loss = trial, reached
            damping = max(damping / 100.0, _LEAST_DAMPING)
            if share < _SMALL_STEP or fell <= _LITTLE * loss:
                return state, step, True
        return state, steps, False


def _loss(state: State) -> float:
    if not np.isfinite(state.misfit) or state.misfit > _HUGE:
        return np.inf
    return state.misfit**2


def damped(
    slopes: Float[np.ndarray, "rows unknowns"], left: Float[np.ndarray, " rows"], damping: float
) -> Float[np.ndarray, " unknowns"]:
    """The step that minimizes the linearized misfit plus damping relative to each column."""
    norms = np.sqrt(np.square(slopes).sum(axis=0))
    norms = np.where(norms > 0, norms, 1.0)
    stacked = np.vstack([slopes / norms, damping**0.5 * np.eye(len(norms))])
    right = -np.concatenate([left, np.zeros(len(norms))])
    return np.linalg.lstsq(stacked, right, rcond=None)[0] / norms
