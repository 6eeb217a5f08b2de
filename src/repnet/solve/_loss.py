"""The loss of a gradient training: weighted mean squares of residuals."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from repnet.nn import Standardized
from repnet.problem import Shared, Transformed


class TermData(eqx.Module):
    """One term on the device: its residual, its points and the values to reach.

    `weight` multiplies its mean square in the loss; `causal` is there where earlier times come
    first, see `causal_mean`.
    """

    residual: Callable = eqx.field(static=True)
    points: Float[Array, "points dim"]
    values: Float[Array, "points equations"] | None
    weight: Float[Array, ""]
    causal: Float[Array, ""] | None = None


class Frame(NamedTuple):
    """Centre and half-width of the domain, mean and spread of the values."""

    centre: Float[Array, " dim"]
    half_width: Float[Array, " dim"]
    mean: Float[Array, " out"]
    spread: Float[Array, " out"]


class Training(eqx.Module):
    """What stays the same during a training.

    `frame` is there where residuals take the user's units, and `None` where points and values are
    standardized already; residuals then see the network under `transform`, if there is one.
    `batch` is a number of points per term and step, or `None` for all. `rate` is the learning rate
    of the default optimiser, which falls to zero over `steps` along a cosine; both are arrays, so
    that changing them compiles nothing.
    """

    terms: tuple[TermData, ...]
    held: tuple[TermData, ...]
    frame: Frame | None
    rate: Float[Array, ""]
    steps: Float[Array, ""]
    optimiser: optax.GradientTransformationExtraArgs = eqx.field(static=True)
    batch: int | None = eqx.field(static=True)
    transform: Callable | None = eqx.field(static=True, default=None)

    def field(self, network: Callable) -> Callable:
        """What residuals see."""
        if self.frame is None:
            return network
        field = Standardized(network, *self.frame)
        return Shared(field if self.transform is None else Transformed(field, self.transform))


def total_loss(
    both: tuple[PyTree, PyTree], terms: Sequence[TermData], training: Training
) -> Float[Array, ""]:
    r"""Sum over terms of the weighted mean of $(r_i - v_i)^2$ over points and equations."""
    first, *others = [term.weight * mean_square(term, both, training) for term in terms]
    return sum(others, start=first)


def mean_square(
    term: TermData, both: tuple[PyTree, PyTree], training: Training
) -> Float[Array, ""]:
    """Mean square of a term's residual over points and equations, causal if it says so."""
    square = jnp.square(residuals(term, both, training))
    if term.causal is None or training.frame is None:
        return jnp.mean(square)
    time = (term.points[:, -1] - training.frame.centre[-1]) / training.frame.half_width[-1]
    return causal_mean(jnp.mean(square.reshape(len(time), -1), axis=1), time, term.causal)


def residuals(
    term: TermData, both: tuple[PyTree, PyTree], training: Training
) -> Float[Array, "points ..."]:
    """A term's residuals at its points, its values subtracted."""
    network, unknowns = both
    residual = jax.vmap(lambda x: term.residual(training.field(network), x, unknowns))(term.points)
    return residual if term.values is None else residual - term.values


_SLICES = 32


def causal_mean(
    square: Float[Array, " points"], time: Float[Array, " points"], strictness: Float[Array, ""]
) -> Float[Array, ""]:
    r"""The mean of squared residuals in which earlier times come first.

    $$\frac{1}{K} \sum_k w_k L_k, \qquad w_k = \exp\Big(-\epsilon \sum_{j<k} L_j / K\Big)$$

    with $L_k$ the mean over the points in the $k$-th of $K$ equal slices of time, and $w_k$ held
    constant where derivatives are taken.

    **Arguments:** `square`; `time`, in $[-1, 1]$; `strictness`, ε.

    **Source:** Wang, Sankaran and Perdikaris 2022, equation 2.5; the mean in place of the sum:
    this project.

    >>> time = jnp.linspace(-1.0, 1.0, 64)
    >>> float(causal_mean(jnp.full(64, 2.0), time, jnp.zeros(())))
    2.0
    """
    place = jnp.clip(jnp.floor(0.5 * (time + 1.0) * _SLICES).astype(jnp.int32), 0, _SLICES - 1)
    total = jax.ops.segment_sum(square, place, _SLICES)
    count = jax.ops.segment_sum(jnp.ones_like(square), place, _SLICES)
    means = total / jnp.maximum(count, 1.0)
    before = jnp.concatenate([jnp.zeros(1, square.dtype), jnp.cumsum(means)[:-1]]) / _SLICES
    return jnp.mean(jax.lax.stop_gradient(jnp.exp(-strictness * before)) * means)
