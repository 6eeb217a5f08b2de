"""Estimated magnitudes of output and slope beside those of random networks."""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn import MLP, magnitude
from repnet.nn._check import check_count


class MagnitudeCheck(NamedTuple):
    """Root mean squares of output and slope: as estimated, as measured, and how surely.

    - `predicted_output`, `predicted_slope`: by `magnitude`, over the random networks.
    - `measured_output`, `measured_slope`: over the networks and random points of the box.
    - `output_error`, `slope_error`: standard errors of what was measured, relative to it.

    >>> found = MagnitudeCheck(1.0, 3.0, 1.0, 2.0, output_error=0.01, slope_error=0.02)
    >>> found.worst
    0.5
    """

    predicted_output: float
    predicted_slope: float
    measured_output: float
    measured_slope: float
    output_error: float
    slope_error: float

    @property
    def worst(self) -> float:
        """The larger relative deviation of the estimates from what was measured."""
        output = abs(self.predicted_output / self.measured_output - 1.0)
        return max(output, abs(self.predicted_slope / self.measured_slope - 1.0))


def check_magnitude(
    make: Callable[..., MLP],
    *arguments: Array,
    networks: int = 50,
    points: int = 64,
    key: PRNGKeyArray,
) -> MagnitudeCheck:
    r"""Draw networks at random and compare their output and slope with the estimate.

    Each network is evaluated at points of its own, uniform in $[-1, 1]^d$.

    **Arguments:**

    - `make`: called as `make(key, *arguments)`; compiled once for each `make`.
    - `networks`, `points`: how many networks, and points per network.

    **Returns:** a `MagnitudeCheck`.

    **Raises:** `ValueError` for fewer than two networks or one point.

    **Source:** Monte Carlo.

    >>> from repnet.nn import Linear
    >>> def make(key):
    ...     return MLP(Linear(1, 64, key=key), hidden=(), key=jr.fold_in(key, 1))
    >>> found = check_magnitude(make, networks=400, key=jr.key(0))
    >>> abs(found.predicted_slope / found.measured_slope - 1.0) < 5 * found.slope_error
    True
    """
    check_count("check_magnitude", "networks", networks, 2)
    check_count("check_magnitude", "points", points)
    squares = _squares(make, arguments, points, jr.split(key, networks))
    mean, deviation = jnp.mean(squares, axis=0), jnp.std(squares, axis=0, ddof=1)
    rms = [float(each) for each in jnp.sqrt(mean)]
    # The error of a root is half that of its square.
    errors = [float(each) for each in 0.5 * deviation[2:] / mean[2:] / networks**0.5]
    return MagnitudeCheck(*rms, *errors)


@eqx.filter_jit
def _squares(
    make: Callable[..., MLP], arguments: tuple[Array, ...], points: int, keys: Array
) -> Float[Array, "networks 4"]:
    """Mean squares of each network: output and slope estimated, then measured."""

    def one(key: PRNGKeyArray) -> Float[Array, "4"]:
        network_key, point_key = jr.split(key)
        network = make(network_key, *arguments)
        dim = network.in_size
        x = jr.uniform(point_key, (points, dim), minval=-1.0, maxval=1.0)
        value = jax.vmap(network)(x)
        slope = jax.vmap(jax.jacfwd(network))(x)
        estimate = magnitude(network)
        measured = jnp.mean(value**2), jnp.mean(jnp.sum(slope**2, axis=2))
        return jnp.stack([estimate.output_rms**2, estimate.slope_rms**2, *measured])

    return jax.lax.map(one, keys)
