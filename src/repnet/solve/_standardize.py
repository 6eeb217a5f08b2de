"""Standard units: inputs in [-1, 1] per axis, targets with mean 0 and rms 1."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from repnet.nn import Standardized
from repnet.problem import Problem, Region


class Standardization(eqx.Module):
    r"""The affine maps $x \mapsto (x - c)/h$ and $y \mapsto (y - \mu)/\sigma$ of one problem.

    **Source:** this project.

    >>> units = Standardization(np.array([2.0]), np.array([2.0]), np.array([3.0]), np.ones(1))
    >>> units.inputs(np.array([[0.0], [4.0]])).tolist(), units.targets(np.array([[5.0]])).tolist()
    ([[-1.0], [1.0]], [[2.0]])
    """

    centre: Float[np.ndarray, " dim"]
    half_width: Float[np.ndarray, " dim"]
    mean: Float[np.ndarray, " out"]
    spread: Float[np.ndarray, " out"]

    def inputs(self, points: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, "points dim"]:
        """Points in standard units."""
        return (points - self.centre) / self.half_width

    def targets(self, values: Float[np.ndarray, "points out"]) -> Float[np.ndarray, "points out"]:
        """Values in standard units."""
        return (values - self.mean) / self.spread

    def wrap(self, network: Callable, *, double: bool) -> Standardized:
        """The network in the user's units; call it in float64 mode if `double`."""
        dtype = jnp.float64 if double else jnp.zeros(()).dtype
        frame = (self.centre, self.half_width, self.mean, self.spread)
        centre, half_width, mean, spread = (jnp.asarray(array, dtype) for array in frame)
        if dtype == jnp.float64:
            return Standardized(network, centre, half_width, mean, spread)
        rests = (
            jnp.asarray(exact - np.asarray(rounded, np.float64), dtype)
            for exact, rounded in ((self.centre, centre), (self.mean, mean))
        )
        return Standardized(network, centre, half_width, mean, spread, *rests)


def standardization(problem: Problem) -> Standardization:
    r"""The standardization of a regression problem; a constant target keeps a spread of 1.

    Inputs go to $[-1, 1]$ on the box around the points, targets to mean 0 and rms 1.

    **Arguments:** `problem`: a regression, whose only term is its data.

    **Returns:** a `Standardization`.

    **Source:** this project.

    >>> from repnet.problem import regression
    >>> units = standardization(regression(np.array([0.0, 4.0]), np.array([1.0, 5.0])))
    >>> units.centre.tolist(), units.half_width.tolist()
    ([2.0], [2.0])
    >>> units.mean.tolist(), units.spread.tolist()
    ([3.0], [2.0])
    """
    (data,) = problem.terms.values()
    assert data.values is not None
    mean, spread = _mean_and_spread(data.values)
    return Standardization(*_frame(problem.domain), mean, spread)


def _frame(domain: Region) -> tuple[np.ndarray, np.ndarray]:
    return domain.centre, domain.half_width


def _mean_and_spread(values: Float[np.ndarray, "points out"]) -> tuple[np.ndarray, np.ndarray]:
    mean = values.mean(axis=0)
    spread = np.sqrt(np.mean(np.square(values - mean), axis=0))
    # Differences at round-off level are no signal: dividing by them would fit noise.
    floor = 1e-13 * np.maximum(np.abs(mean), np.finfo(np.float64).tiny)
    return mean, np.where(spread > floor, spread, 1.0)
