"""One layer fitted to a problem: Newton's method on the read-out, which is one step if linear."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from repnet._threads import blas_threads_for
from repnet.nn import MLP
from repnet.problem import Problem, Term
from repnet.solve._triangular import Triangle, coefficients
from repnet.solve.equations._rows import (
    BOUNDARY,
    Frame,
    Network,
    flat_readout,
    linearized,
    on_boundary,
    readout_size,
    residuals,
    row_norms,
    with_readout,
)
from repnet.solve.equations._sizes import term_sizes

_RIDGE = 1e-13
_STEPS = 30
_HALVINGS = 8
_ENOUGH = 1e-13  # relative change of the read-out below which Newton's method has converged
_LITTLE = 1e-6  # below which a step that does not descend is rounding
_SLICE = 3e8  # bytes of rows in memory at once

Points = Mapping[str, Float[np.ndarray, "_ dim"]]


@dataclasses.dataclass(frozen=True)
class Fit:
    """A fitted network and how well it does where it was not fitted.

    - `error`: root of the sum over terms of the squared residuals, each relative to the size of its
      equation's terms (`term_sizes`).
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
    if linear:
        network = _step(problem, frame, network, points, unknowns, ridge, from_zero=True)
        steps, converged = 1, True
    else:
        network, steps, converged = _newton(problem, frame, network, points, unknowns, ridge)
    errors = judge(problem, frame, network, held, unknowns)
    total = float(np.sqrt(sum(error**2 for error in errors.values())))
    return Fit(network, total if np.isfinite(total) else np.inf, errors, steps, converged)


def judge(
    problem: Problem, frame: Frame, network: Network, held: Points, unknowns: Any = None
) -> dict[str, float]:
    """Residual of every term relative to the size of its equations, at the held-out points."""
    sizes = sizes_of(problem, frame, network, held, unknowns)
    errors = {}
    for name, term in problem.terms.items():
        residual = residuals(term, frame, network, unknowns, held[name])
        rms = np.sqrt(np.mean(np.square(residual), axis=0))
        size = np.maximum(sizes[name], 1e-300)
        errors[name] = float(np.sqrt(np.mean(np.square(rms / size))))
    return errors


def sizes_of(
    problem: Problem, frame: Frame, network: Network, held: Points, unknowns: Any = None
) -> dict[str, Float[np.ndarray, " equations"]]:
    """How large the parts of every term are, for the field that this network is."""
    inside = _inside(problem, held)
    found = {}
    for name, term in problem.terms.items():
        size = term_sizes(term, frame, network, unknowns, held[name])
        if on_boundary(problem, term):
            # On a boundary where the field vanishes, its size is that of the field elsewhere.
            within = term_sizes(Term(term.residual, inside), frame, network, unknowns, inside)
            size = np.maximum(size, within)
        found[name] = size
    return found


def _inside(problem: Problem, held: Points) -> np.ndarray:
    """Points where the field's size is told: inside, or all where there are only boundaries."""
    for name, term in problem.terms.items():
        if not on_boundary(problem, term):
            return held[name][:256]
    return np.concatenate(list(held.values()))


def row_weights(problem: Problem, term: Term, rows: np.ndarray) -> Float[np.ndarray, " equations"]:
    """One over the rms row norm of each equation, and more on boundaries."""
    return (BOUNDARY if on_boundary(problem, term) else 1.0) / np.maximum(row_norms(rows), 1e-300)


def _step(
    problem: Problem,
    frame: Frame,
    network: MLP,
    points: Points,
    unknowns: Any,
    ridge: float,
    *,
    from_zero: bool = False,
) -> MLP:
    """The read-out that minimizes the residuals linearized at the network's own."""
    size = readout_size(network)
    start = np.zeros(size) if from_zero else flat_readout(network)
    here = with_readout(network, start)
    triangle = Triangle(size, 1)
    per_slice = max(64, int(_SLICE / (8 * size)))
    with blas_threads_for(sum(map(len, points.values())), size):
        for name, term in problem.terms.items():
            weight = None
            for first in range(0, len(points[name]), per_slice):
                x = points[name][first : first + per_slice]
                part = _part(term, slice(first, first + per_slice))
                values, rows = linearized(part, frame, here, unknowns, x)
                if weight is None:
                    weight = row_weights(problem, term, rows)
                right = np.einsum("pec,c->pe", rows, start) - values
                triangle.add(
                    (rows * weight[:, None]).reshape(-1, size), (right * weight).reshape(-1, 1)
                )
        return with_readout(network, coefficients(triangle, ridge)[:, 0])


def _part(term: Term, rows: slice) -> Term:
    if term.values is None:
        return term
    return Term(term.residual, np.asarray(term.points)[rows], term.values[rows])


def _newton(
    problem: Problem, frame: Frame, network: MLP, points: Points, unknowns: Any, ridge: float
) -> tuple[MLP, int, bool]:
    """Gauss–Newton on the read-out with a halving line search, from a read-out of zero."""
    network = with_readout(network, np.zeros(readout_size(network)))
    weights = {
        name: row_weights(
            problem,
            term,
            linearized(_part(term, slice(64)), frame, network, unknowns, points[name][:64])[1],
        )
        for name, term in problem.terms.items()
    }
    loss = _loss(problem, frame, network, points, unknowns, weights)
    for step in range(1, _STEPS + 1):
        proposed = _step(problem, frame, network, points, unknowns, ridge)
        full = flat_readout(proposed) - flat_readout(network)
        change = np.linalg.norm(full) / max(np.linalg.norm(flat_readout(proposed)), 1e-300)
        for halving in range(_HALVINGS):
            candidate = with_readout(network, flat_readout(network) + 0.5**halving * full)
            reached = _loss(problem, frame, candidate, points, unknowns, weights)
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


def _loss(
    problem: Problem,
    frame: Frame,
    network: MLP,
    points: Points,
    unknowns: Any,
    weights: dict[str, np.ndarray],
) -> float:
    total = 0.0
    for name, term in problem.terms.items():
        residual = residuals(term, frame, network, unknowns, points[name])
        total += float(np.sum(np.square(residual * weights[name])))
    return total if np.isfinite(total) else np.inf
