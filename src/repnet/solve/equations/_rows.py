"""What rows of the linear problem are made of: read-outs, units, blocks of points."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn import MLP, Standardized, Sum, Tiled
from repnet.nn._random import as_jax, settled
from repnet.problem import Problem, Region, Term, Transformed

Network = MLP | Sum | Tiled

BOUNDARY = 10.0  # weight of rows on boundaries, after all blocks have the same row norm
_LENGTHS = (8, 256, 2048)  # blocks of points are padded to one of these, so that few are compiled


def readout_size(network: MLP) -> int:
    """Number of coefficients: weights and biases of the read-out."""
    return network.readout.weight.size + network.readout.bias.size


def with_readout(network: MLP, coefficients: Float[np.ndarray, " coefficients"] | Array) -> MLP:
    """The network with the given read-out: weights row by row, then biases."""
    shape = network.readout.weight.shape
    split, flat = shape[0] * shape[1], settled(coefficients)
    parts = as_jax((flat[:split].reshape(shape), flat[split:]))
    return eqx.tree_at(lambda n: (n.readout.weight, n.readout.bias), network, parts)


def flat_readout(
    network: MLP,
) -> Float[np.ndarray, " coefficients"] | Float[Array, " coefficients"]:
    """The read-out as `with_readout` takes it."""
    weight, bias = settled((network.readout.weight, network.readout.bias))
    return weight.__array_namespace__().concatenate([weight.ravel(), bias])


def zero_field(out: int) -> Callable[[Array], Array]:
    """The field that is zero everywhere."""
    return lambda x: 0.0 * x[0] * jnp.ones(out)


def row_norms(
    rows: Float[np.ndarray, "points equations columns"],
) -> Float[np.ndarray, " equations"]:
    """Root mean square over points of the rows' norms, per equation."""
    return np.sqrt(np.mean(np.sum(np.square(rows), axis=2), axis=0))


def on_boundary(problem: Problem, term: Term) -> bool:
    """Whether a term holds on a boundary."""
    return isinstance(term.points, Region) and term.points.manifold_dim < problem.dim


class Frame(eqx.Module):
    """A problem's map between its own units and the network's, and its hard conditions."""

    centre: Float[Array, " dim"]
    half_width: Float[Array, " dim"]
    transform: Callable | None = eqx.field(static=True)

    @staticmethod
    def of(problem: Problem) -> "Frame":
        """The bounding box of the domain becomes $[-1, 1]^d$."""
        domain = problem.domain
        return Frame(jnp.asarray(domain.centre), jnp.asarray(domain.half_width), problem.transform)

    def wrap(self, network: Network) -> Standardized:
        """The network in the user's units."""
        out = (network.out_size,)
        return Standardized(network, self.centre, self.half_width, jnp.zeros(out), jnp.ones(out))

    def field(self, network: Network) -> Callable:
        """What residuals see."""
        wrapped = self.wrap(network)
        return wrapped if self.transform is None else Transformed(wrapped, self.transform)


def as_vector(residual: Any) -> Array:
    return jnp.atleast_1d(jnp.asarray(residual))


def in_blocks(
    evaluate: Callable[[Array], tuple[Array, ...]], x: Float[np.ndarray, "points dim"]
) -> list[np.ndarray]:
    """A compiled function of many points, by blocks of few sizes padded by their last point."""
    found: list[list[np.ndarray]] = []
    for first in range(0, len(x), _LENGTHS[-1]):
        part = x[first : first + _LENGTHS[-1]]
        size = next(size for size in _LENGTHS if len(part) <= size)
        padded = np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])
        found.append([np.asarray(value)[: len(part)] for value in evaluate(jnp.asarray(padded))])
    return [np.concatenate(column) for column in zip(*found, strict=True)]
