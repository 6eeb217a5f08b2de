"""A given network's read-out for an equation: its features are kept as they are."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import PRNGKeyArray

from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve.equations._check import check_problem
from repnet.solve.equations._equation import EXACT, STALLED
from repnet.solve.equations._fit import fit
from repnet.solve.equations._points import draw_points
from repnet.solve.equations._rows import Frame
from repnet.solve.equations._terms import is_affine

_HELD = 200  # units' worth of points that judge
_PROBES = 16


def solve_given(
    problem: Problem, network: Any, ridge: float | None, *, key: PRNGKeyArray
) -> Solution:
    """Least squares, or Newton's method on the read-out where an equation is nonlinear.

    **Arguments:** `network`: an `MLP` that sees the domain's bounding box as $[-1, 1]^d$.

    **Raises:** `ValueError` where sizes don't fit, or as `solve_equation` does.
    """
    if problem.unknowns is not None:
        raise ValueError("`LeastSquares` takes problems without `unknowns`; leave `solver` out.")
    _require_sizes(problem, network)
    point_key, held_key, check_key = jax.random.split(key, 3)
    with Clock() as clock, jax.enable_x64(True):
        check_problem(problem)
        network = jax.tree.map(_double, network)
        frame = Frame.of(problem)
        probes = draw_points(problem, _PROBES, check_key)
        linear = all(is_affine(problem, frame, network, probes).values())
        units = network.readout.weight.shape[1]
        points = draw_points(problem, units, point_key)
        held = draw_points(problem, _HELD, held_key)
        found = fit(problem, frame, network, points, held, linear=linear, ridge=ridge)
        field = frame.field(found.network)
    method = "least squares" if linear else f"Newton's method, {found.steps} steps"
    reasons = (
        "The features of the given network, kept as they are.",
        "Residual at points that were not fitted, relative to the equations' terms: "
        f"{found.error:.1e}.",
    )
    solved = found.error <= (STALLED if found.converged else EXACT)
    return Solution(
        field,
        None,
        RESULTS.successful if solved else RESULTS.stalled,
        {},
        Plan(
            f"{units} features of the given network",
            f"LeastSquares, {method}",
            None,
            reasons,
            {"residual": found.error, "residuals": found.errors},
        ),
        clock.seconds,
        clock.compile_seconds,
    )


def _require_sizes(problem: Problem, network: Any) -> None:
    for name, size in (("in_size", problem.dim), ("out_size", problem.out_size)):
        if getattr(network, name, size) != size:
            raise ValueError(
                f"`LeastSquares.run(network=...)` must have {name} {size} for this problem; got"
                f" {getattr(network, name)}."
            )


def _double(leaf: Any) -> Any:
    return leaf.astype(jnp.float64) if eqx.is_inexact_array(leaf) else leaf
