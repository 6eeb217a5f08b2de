"""One layer fitted to a problem: Newton's method on the read-out, which is one step if linear."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float

from repnet._threads import blas_threads_for
from repnet.nn import MLP
from repnet.problem import Problem, Term
from repnet.solve._triangular import Triangle, coefficients
from repnet.solve.equations._judge import Points, judge
from repnet.solve.equations._rows import (
    BOUNDARY,
    Frame,
    flat_readout,
    on_boundary,
    readout_size,
    row_norms,
    with_readout,
)
from repnet.solve.equations._terms import Placed

_RIDGE = 1e-13
_STEPS = 30
_HALVINGS = 8
_ENOUGH = 1e-13  # relative change of the read-out below which Newton's method has converged
_LITTLE = 1e-6  # below which a step that does not descend is rounding
_SLICE = 3e8  # bytes of rows in memory at once
_FEW = 64  # rows that tell their norm
_ORDERS = 3  # of derivatives of the features, a table each


@dataclasses.dataclass(frozen=True)
class Fit:
    """A fitted network and how well it does where it was not fitted.

    - `error`: root of the sum over terms of the squared residuals, each relative to the size of its
      equation's terms (`Placed.sizes`).
    - `errors`: the same for each term alone.
    - `steps`: of Newton's method, 1 for a linear problem; `converged`: whether they settled.
    """

    network: MLP
    error: float
    errors: dict[str, float]
    steps: int
    converged: bool


def fit(
    problem: Problem,
    frame: Frame,
    network: MLP,
    points: Points,
    held: Points,
    *,
    linear: bool,
    ridge: float | None = None,
    unknowns: Any = None,
) -> Fit:
    """The read-out that makes all residuals small; judged at the held-out points."""
    ridge = _RIDGE if ridge is None else ridge
    system = _System(problem, frame, network, points, unknowns)
    if linear:
        network = system.step(network, ridge, from_zero=True)
        steps, converged = 1, True
    else:
        network, steps, converged = _newton(system.kept(), network, ridge)
    errors = judge(problem, frame, network, held, unknowns)
    total = float(np.sqrt(sum(error**2 for error in errors.values())))
    return Fit(network, total if np.isfinite(total) else np.inf, errors, steps, converged)


def row_weights(problem: Problem, term: Term, rows: np.ndarray) -> Float[np.ndarray, " equations"]:
    """One over the rms row norm of each equation, and more on boundaries."""
    return (BOUNDARY if on_boundary(problem, term) else 1.0) / np.maximum(row_norms(rows), 1e-300)


@dataclasses.dataclass(frozen=True)
class _System:
    """All terms at their points, slice after slice."""

    problem: Problem
    frame: Frame
    network: MLP
    points: Points
    unknowns: Any
    known: dict[str, list[Placed]] | None = None

    def kept(self) -> "_System":
        """The same with the features kept for many steps, if they are few."""
        if self._bytes * sum(map(len, self.points.values())) > _SLICE:
            return self
        known = {name: list(self.slices(name)) for name in self.problem.terms}
        return dataclasses.replace(self, known=known)

    def slices(self, name: str) -> Iterator[Placed]:
        """A term at its points."""
        if self.known is not None:
            yield from self.known[name]
            return
        term, x = self.problem.terms[name], self.points[name]
        size = max(64, int(_SLICE / self._bytes))
        for first in range(0, len(x), size):
            part = slice(first, first + size)
            few = _part(term, part)
            yield Placed.of(few, self.frame, self.network, self.unknowns, x[part])

    @property
    def _bytes(self) -> int:
        """Of a point: its row for one equation, and its features' derivatives."""
        size = readout_size(self.network)
        return 8 * (size + _ORDERS * size // self.network.out_size)

    def weights(self, network: MLP) -> dict[str, Float[np.ndarray, " equations"]]:
        """Those of the terms' rows, by the first of them."""
        found = {}
        for name, term in self.problem.terms.items():
            x = self.points[name][:_FEW]
            few = Placed.of(_part(term, slice(_FEW)), self.frame, network, self.unknowns, x)
            _, rows = few.linearized(network, self.unknowns)
            found[name] = row_weights(self.problem, term, rows)
        return found

    def loss(self, network: MLP, weights: dict[str, np.ndarray]) -> float:
        """The sum of squared weighted residuals."""
        total = 0.0
        for name in self.problem.terms:
            for part in self.slices(name):
                residual = part.residuals(network, self.unknowns)
                total += float(np.sum(np.square(residual * weights[name])))
        return total if np.isfinite(total) else np.inf

    def step(self, network: MLP, ridge: float, *, from_zero: bool = False) -> MLP:
        """The read-out that minimizes the residuals linearized at the network's own."""
        size = readout_size(network)
        start = np.zeros(size) if from_zero else flat_readout(network)
        here = with_readout(network, start)
        triangle = Triangle(size, 1)
        with blas_threads_for(sum(map(len, self.points.values())), size):
            for name, term in self.problem.terms.items():
                weight = None
                for part in self.slices(name):
                    values, rows = part.linearized(here, self.unknowns)
                    if weight is None:
                        weight = row_weights(self.problem, term, rows)
                    right = np.einsum("pec,c->pe", rows, start) - values
                    rows *= weight[:, None]
                    triangle.add(rows.reshape(-1, size), (right * weight).reshape(-1, 1))
            return with_readout(network, coefficients(triangle, ridge)[:, 0])


def _part(term: Term, rows: slice) -> Term:
    if term.values is None:
        return term
    return Term(term.residual, np.asarray(term.points)[rows], term.values[rows])


def _newton(system: _System, network: MLP, ridge: float) -> tuple[MLP, int, bool]:
    """Gauss–Newton on the read-out with a halving line search, from a read-out of zero."""
    network = with_readout(network, np.zeros(readout_size(network)))
    weights = system.weights(network)
    loss = system.loss(network, weights)
    for step in range(1, _STEPS + 1):
        proposed = system.step(network, ridge)
        full = flat_readout(proposed) - flat_readout(network)
        change = np.linalg.norm(full) / max(np.linalg.norm(flat_readout(proposed)), 1e-300)
        for halving in range(_HALVINGS):
            candidate = with_readout(network, flat_readout(network) + 0.5**halving * full)
            reached = system.loss(candidate, weights)
            if reached < loss:
                break
        else:  # no descent along the step: the residual is at its floor
            return network, step, bool(change < _LITTLE)
        fell = loss - reached
        network, loss = candidate, reached
        if change < _ENOUGH or fell < 1e-3 * loss:
            # Little gained by a shortened step is no floor: the method creeps.
            return network, step, bool(halving == 0 or change < _LITTLE)
    return network, _STEPS, False
