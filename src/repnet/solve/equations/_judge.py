"""How well a network solves a problem: residuals relative to the size of their equations."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from repnet.problem import Problem, Term
from repnet.solve.equations._rows import Frame, Network, on_boundary
from repnet.solve.equations._terms import Placed

Points = Mapping[str, Float[np.ndarray, "_ dim"]]


def judge(
    problem: Problem, frame: Frame, network: Network, held: Points, unknowns: Any = None
) -> dict[str, float]:
    """Residual of every term relative to the size of its equations, at the held-out points."""
    placed = _placed(problem, frame, network, held, unknowns)
    sizes = _sizes(problem, frame, network, placed, unknowns)
    errors = {}
    for name, each in placed.items():
        residual = each.residuals(network, unknowns)
        rms = np.sqrt(np.mean(np.square(residual), axis=0))
        size = np.maximum(sizes[name], 1e-300)
        errors[name] = float(np.sqrt(np.mean(np.square(rms / size))))
    return errors


def sizes_of(
    problem: Problem, frame: Frame, network: Network, held: Points, unknowns: Any = None
) -> dict[str, Float[np.ndarray, " equations"]]:
    """How large the parts of every term are, for the field that this network is."""
    placed = _placed(problem, frame, network, held, unknowns)
    return _sizes(problem, frame, network, placed, unknowns)


def _placed(
    problem: Problem, frame: Frame, network: Network, points: Points, unknowns: Any
) -> dict[str, Placed]:
    return {
        name: Placed.of(term, frame, network, unknowns, points[name])
        for name, term in problem.terms.items()
    }


def _sizes(
    problem: Problem, frame: Frame, network: Network, placed: dict[str, Placed], unknowns: Any
) -> dict[str, Float[np.ndarray, " equations"]]:
    inside = _inside(problem, placed)
    found = {}
    for name, each in placed.items():
        size = each.sizes(network, unknowns)
        if on_boundary(problem, each.term):
            # On a boundary where the field vanishes, its size is that of the field elsewhere.
            term = Term(each.term.residual, inside)
            within = Placed.of(term, frame, network, unknowns, inside)
            size = np.maximum(size, within.sizes(network, unknowns))
        found[name] = size
    return found


def _inside(problem: Problem, placed: dict[str, Placed]) -> np.ndarray:
    """Points where the field's size is told: inside, or all where there are only boundaries."""
    for each in placed.values():
        if not on_boundary(problem, each.term):
            return each.x[:256]
    return np.concatenate([each.x for each in placed.values()])
