"""Least squares: one first layer, fixed, and the best read-out for it in float64."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import ArrayLike, Float, PRNGKeyArray

from repnet._threads import blas_threads_for
from repnet.nn import MLP
from repnet.nn._check import check_activation, check_choice, check_count, check_positive
from repnet.nn._random import as_jax
from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._directions import CHOICES
from repnet.solve._families import per_axis
from repnet.solve._feature_rows import accumulate
from repnet.solve._pilot import choose_features, require_features
from repnet.solve._progress import AbstractProgress
from repnet.solve._regression import data_of, is_regression, require_regression
from repnet.solve._search import Pilot
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._standardize import standardization
from repnet.solve._triangular import solved
from repnet.solve.equations import Wanted, solve_equation, solve_given


class LeastSquares(eqx.Module):
    r"""The read-out by linear least squares: $\min_W \sum_i |W h(x_i) - y_i|^2 + \lambda^2|W D|^2$.

    $h$ holds the features and a one, and $D$ their norms over the points, so that $\lambda$ bears
    on features of one size.

    Rows are taken block by block into a running triangular factor (`Triangle`), in float64 whatever
    the session's precision, so memory does not grow with the number of points. First layer, scale
    and ridge are chosen on held-out rows of a pilot, or, where few points leave a large error, on
    every point left out in turn; all rows then give the read-out.

    **Arguments:**

    - `width`: units; chosen from the number of wavelengths and of points if left out.
    - `activation`: `jnp.tanh` and so on, or `None` to let steps and sines compete.
    - `scale`: slope scale in radians per half-width of the domain, a number or one per axis;
      `None` to search.
    - `directions`: of the first layer's units, see `RepLinear`, or `"active"`, learnt from the
      data; if left out, `"mixed"` and `"active"` compete for data, and equations, whose solutions
      seldom follow the axes, take `"isotropic"`.
    - `ridge`: $\lambda$ relative to the largest singular value; `None` to choose.

    **Raises:** `ValueError` where an argument is not positive, and, in `run`, where the network has
    no features to solve for.

    **Source:** this project.

    >>> import jax.numpy as jnp
    >>> from repnet.problem import regression
    >>> x = np.linspace(-1.0, 1.0, 201)
    >>> solver = LeastSquares(64, activation=jnp.sin, scale=20.0)
    >>> solution = solver.run(regression(x, np.sin(20.0 * x)), key=jax.random.key(0))
    >>> bool(abs(solution(x)[:, 0] - np.sin(20.0 * x)).max() < 1e-6)
    True
    """

    width: int | None = eqx.field(static=True, default=None)
    activation: Callable | None = eqx.field(static=True, default=None)
    scale: tuple[float, ...] | None = eqx.field(static=True, default=None)
    directions: str | None = eqx.field(static=True, default=None)
    ridge: float | None = eqx.field(static=True, default=None)

    def __init__(
        self,
        width: int | None = None,
        *,
        activation: Callable | None = None,
        scale: ArrayLike | None = None,
        directions: str | None = None,
        ridge: float | None = None,
    ):
        self.width = None if width is None else check_count("LeastSquares", "width", width)
        self.activation = check_activation("LeastSquares", activation)
        for name, value in (("scale", scale), ("ridge", ridge)):
            if value is not None:
                check_positive("LeastSquares", name, value)
        self.scale = None if scale is None else tuple(np.asarray(scale, float).ravel().tolist())
        self.ridge = None if ridge is None else float(ridge)
        self.directions = directions
        if directions is not None:
            check_choice("LeastSquares", "directions", directions, CHOICES)

    def run(
        self,
        problem: Problem,
        network: Any = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Fit data, or solve a differential equation.

        **Arguments:** `network`: keep this network's features, and solve for its read-out alone.
        """
        del progress  # a direct solve has no steps to report
        if not is_regression(problem):
            return self._equation(problem, network, key)
        require_regression(problem, "LeastSquares")
        with Clock() as clock, jax.enable_x64(True):
            pilot = choose_features(self, problem, network, key)
        return clock.added_to(solve_with(pilot, problem))

    def _equation(self, problem: Problem, network: Any, key: PRNGKeyArray) -> Solution:
        if network is not None:
            require_features(network)
            return solve_given(problem, network, self.ridge, key=key)
        scale = None if self.scale is None else per_axis(self.scale, problem.dim)
        kind = "sine" if self.activation is None else self.activation
        wanted = Wanted(kind, self.width, scale, self.directions or "isotropic", self.ridge)
        return solve_equation(problem, wanted, key=key)


def solve_with(pilot: Pilot, problem: Problem) -> Solution:
    """Fit all rows of a regression with the layer and the ridges that a pilot chose."""
    with Clock() as clock, jax.enable_x64(True):
        network = standardization(problem).wrap(solved_layer(problem, pilot), double=True)
    return Solution(
        network,
        None,
        RESULTS.successful,
        {},
        plan_of_layer(pilot),
        clock.seconds,
        compile_seconds=clock.compile_seconds,
    )


def solved_layer(problem: Problem, pilot: Pilot) -> MLP:
    """The layer in standard units, its read-out fitted to all rows."""
    x, y = data_of(problem)
    with blas_threads_for(len(x), pilot.network.readout.weight.shape[1]):
        triangle = accumulate(pilot.network, x, y)
        weights = solved(triangle, pilot.ridges)
    return eqx.tree_at(
        lambda network: (network.readout.weight, network.readout.bias),
        pilot.network,
        as_jax((weights[:-1].T, weights[-1])),
    )


def plan_of_layer(pilot: Pilot) -> Plan:
    """What a pilot chose, and why."""
    width = pilot.network.readout.weight.shape[1]
    heldout, between = (_rms(errors) for errors in (pilot.heldout, pilot.between))
    reasons = [
        f"{width} features ({pilot.name}), read-out by least squares with {_words(pilot.ridges)}.",
        f"Error on {pilot.judges}: {heldout:.2e} of the target's rms.",
    ]
    if between:
        reasons.append(f"Between the samples two draws of the layer differ by {between:.1e}.")
    if pilot.trials > 1:
        reasons.append(f"The best of {pilot.trials} first layers tried on those rows.")
    reasons += pilot.why
    ridges = pilot.ridges.tolist()
    numbers = {"heldout": heldout, "between": between, "tried": pilot.tried}
    numbers |= {"ridge": ridges[0] if len(ridges) == 1 else ridges}
    return Plan(
        f"one layer of {width} {pilot.name} units",
        "LeastSquares",
        pilot.scale,
        tuple(reasons),
        numbers,
    )


def _rms(errors: Float[np.ndarray, " out"] | float) -> float:
    return float(np.sqrt(np.mean(np.square(errors))))


def _words(ridges: Float[np.ndarray, " out"]) -> str:
    least, most = f"{ridges.min():.0e}", f"{ridges.max():.0e}"
    return f"ridge {least}" if least == most else f"ridges {least} to {most}"
