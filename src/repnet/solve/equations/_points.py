"""Collocation points: how many each term gets, and where."""

import jax.random as jr
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.problem import Problem, Region, Term, Union

_INSIDE = 3.0  # points inside per unit
_ON_FACE = 2.5  # points on a face per (points inside)^((d-1)/d)


def draw_points(
    problem: Problem, units: int, key: PRNGKeyArray
) -> dict[str, Float[np.ndarray, "_ dim"]]:
    r"""Points of every term, for a layer of so many units.

    Terms on a solid share $n = 3 \cdot$ units points of a Sobol sequence; a term on a boundary has
    $2.5\,n^{(d-1)/d}$ on each of its pieces; points that the problem gives are taken as they are.

    **Raises:** `ValueError` where a term has no points.
    """
    points = {}
    inside = int(_INSIDE * units)
    for each, (name, term) in zip(
        jr.split(key, len(problem.terms)), problem.terms.items(), strict=True
    ):
        points[name] = points_of(problem, term, inside, each)
        if len(points[name]) == 0:
            raise ValueError(f"`Problem(terms=...)`: the term {name!r} has no points.")
    return points


def points_of(
    problem: Problem, term: Term, inside: int, key: PRNGKeyArray
) -> Float[np.ndarray, "points dim"]:
    """Points of one term where `inside` points are drawn in the domain."""
    if not isinstance(term.points, Region):
        return np.asarray(term.points, np.float64)
    region = term.points
    if region.manifold_dim == problem.dim:
        return region.sample(inside, key=key)
    pieces = len(region.pieces) if isinstance(region, Union) else 1
    on_face = _ON_FACE * inside ** (region.manifold_dim / problem.dim)
    return region.sample(max(2, int(pieces * on_face)), key=key)
