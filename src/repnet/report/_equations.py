"""What is said about a solved differential equation: its statement, its errors, its unknowns."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from repnet.judge import relative_l2, rmse
from repnet.problem import Face, Problem, Region, Term
from repnet.solve import Solution
from repnet.solve.equations._points import points_of

FRESH = 1_000  # points inside that residuals are measured at
BLOCK = 4_096


@dataclasses.dataclass(frozen=True)
class Stated:
    """A problem with what a report says of it.

    - `parameters`: of a named problem, name to value.
    - `test_points`: where the exact solution is compared, or `None` where there is none.
    """

    problem: Problem
    name: str
    summary: str = ""
    tags: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    published: str = ""
    test_points: Float[np.ndarray, "points dim"] | None = None


def describe_problem(stated: Stated) -> dict[str, Any]:
    """What a report says about the statement, as JSON values."""
    problem = stated.problem
    return {
        "name": stated.name,
        "summary": stated.summary,
        "tags": stated.tags,
        "parameters": dict(stated.parameters),
        "published": stated.published,
        "source": problem.source,
        "inputs": axis_names(problem),
        "targets": output_names(problem),
        "lower": problem.domain.lower,
        "upper": problem.domain.upper,
        "terms": {name: _where(problem, term) for name, term in problem.terms.items()},
        "hard_conditions": problem.transform is not None,
        "test_points": None if stated.test_points is None else len(stated.test_points),
    }


def axis_names(problem: Problem) -> list[str]:
    """Names of the axes: x, y, z and, where the last one has an initial state, t.

    >>> from repnet.problem import zoo
    >>> axis_names(zoo.helmholtz2d()), axis_names(zoo.wave1d())
    (['x', 'y'], ['x', 't'])
    """
    last = problem.dim - 1
    timed = has_start(problem)
    space = last if timed else problem.dim
    names = list("xyz"[:space]) if space <= 3 else [f"x{axis + 1}" for axis in range(space)]
    return [*names, "t"] if timed else names


def has_start(problem: Problem) -> bool:
    """Whether a term holds where the last axis starts and none where it ends."""
    faces = [
        (face.axis, face.side)
        for term in problem.terms.values()
        for face in getattr(term.points, "pieces", (term.points,))
        if isinstance(face, Face)
    ]
    last = problem.dim - 1
    return (last, "lower") in faces and (last, "upper") not in faces


def output_names(problem: Problem) -> list[str]:
    """`u`, or `u1`, `u2`, … of several outputs."""
    out = problem.out_size
    return ["u"] if out == 1 else [f"u{number}" for number in range(1, out + 1)]


def measure_solution(solution: Solution, stated: Stated) -> dict[str, float | None]:
    """Errors against the exact solution at the test points; `None` where there is none."""
    exact = stated.problem.exact
    if exact is None or stated.test_points is None:
        return dict.fromkeys(("relative_l2", "rmse", "max_error"))
    truth = np.asarray(exact(stated.test_points))
    found = np.asarray(solution(stated.test_points), np.float64)
    return {
        "relative_l2": float(relative_l2(lambda _: found, stated.test_points, truth)),
        "rmse": float(rmse(lambda _: found, stated.test_points, truth)),
        "max_error": float(np.abs(found - truth).max()),
    }


def residual_table(solution: Solution, problem: Problem) -> dict[str, dict[str, Any]]:
    """Per term: rms and largest residual at fresh points, and the one the solver judged by."""
    relative = solution.plan.numbers.get("residuals") or {}
    table = {}
    for name, term in problem.terms.items():
        points = points_of(problem, term, FRESH, jax.random.key(271))
        found = residual_at(solution, term, points)
        table[name] = {
            "rms": float(np.sqrt(np.mean(np.square(found)))),
            "largest": float(np.abs(found).max()),
            "relative": relative.get(name) if isinstance(relative, Mapping) else None,
            "points": len(points),
        }
    return table


def residual_at(
    solution: Solution, term: Term, points: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points equations"]:
    """A term's residual of a solution at points, less the term's values, block by block."""
    field, unknowns = solution.network, solution.unknowns

    def at(point: jax.Array) -> jax.Array:
        return term(field, point, unknowns)

    values = blockwise(jax.jit(jax.vmap(at)), points)
    own = term.values is not None and len(points) == len(term.values)
    return values - term.values if own else values


def blockwise(many: Callable, points: np.ndarray) -> np.ndarray:
    """A compiled function of many points in float64, a bounded number of points at a time."""
    with jax.enable_x64(True):
        found = []
        for first in range(0, len(points), BLOCK):
            part = points[first : first + BLOCK]
            size = BLOCK if len(points) > BLOCK else len(part)
            padded = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
            found.append(np.asarray(many(jnp.asarray(padded)))[: len(part)])
        return np.concatenate(found)


def unknown_errors(solution: Solution, problem: Problem) -> dict[str, dict[str, Any]]:
    """Per unknown at the top of the tree: the truth and the relative error, where known."""
    found, truth = solution.unknowns, problem.exact_unknowns
    if not isinstance(found, Mapping) or not isinstance(truth, Mapping):
        return {}
    return {
        name: _unknown_error(found[name], truth[name], problem) for name in found if name in truth
    }


def _unknown_error(found: Any, truth: Any, problem: Problem) -> dict[str, Any]:
    if callable(found):
        points = problem.domain.sample(FRESH, key=jax.random.key(314))
        values, wanted = field_values(found, points), field_values(truth, points)
        return {"truth": None, "relative_error": _relative(values, wanted)}
    value, wanted = np.asarray(found, float), np.asarray(truth, float)
    return {"truth": wanted, "relative_error": _relative(value, wanted)}


def field_values(field: Callable, points: np.ndarray) -> Float[np.ndarray, "points out"]:
    """An unknown field, found or true, at points."""
    return blockwise(jax.jit(jax.vmap(field)), points)


def _relative(found: np.ndarray, truth: np.ndarray) -> float:
    size = float(np.linalg.norm(truth))
    return float(np.linalg.norm(found - truth)) / size if size > 0 else float("nan")


def _where(problem: Problem, term: Term) -> str:
    """Where a term holds, in words."""
    if not isinstance(term.points, Region):
        return f"{len(term.points):,} given points"
    if term.points.manifold_dim == problem.dim:
        return "inside"
    pieces = len(getattr(term.points, "pieces", (term.points,)))
    return "a boundary" if pieces == 1 else f"a boundary of {pieces} pieces"
