"""Rows of the linear problem: residuals at points, and their derivatives by the read-out."""

from collections.abc import Callable, Iterator
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn import MLP, Standardized
from repnet.problem import Problem, Term, Transformed
from repnet.problem._jet import Shared

_LENGTHS = (8, 256, 2048)  # blocks of points are padded to one of these, so that few are compiled
_PROBES = 7  # points at which linearity is checked
_LINEAR = 1e-8  # relative departure from an affine residual that rounding explains


def readout_size(network: MLP) -> int:
    """Number of coefficients: weights and biases of the read-out."""
    return network.readout.weight.size + network.readout.bias.size


def with_readout(network: MLP, coefficients: Float[np.ndarray, " coefficients"] | Array) -> MLP:
    """The network with the given read-out: weights row by row, then biases."""
    shape = network.readout.weight.shape
    split = shape[0] * shape[1]
    return eqx.tree_at(
        lambda n: (n.readout.weight, n.readout.bias),
        network,
        (jnp.asarray(coefficients[:split]).reshape(shape), jnp.asarray(coefficients[split:])),
    )


def field_of(problem_transform: Callable | None, network: Standardized) -> Callable:
    """What residuals see: the network, under the problem's hard conditions if it has any."""
    if problem_transform is None:
        return network
    return Transformed(network, problem_transform)


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

    def wrap(self, network: MLP) -> Standardized:
        """The network in the user's units."""
        out = network.readout.bias.shape
        return Standardized(network, self.centre, self.half_width, jnp.zeros(out), jnp.ones(out))

    def field(self, network: MLP) -> Callable:
        """What residuals see."""
        return field_of(self.transform, self.wrap(network))


@eqx.filter_jit
def _residuals(residual: Callable, frame: Frame, network: MLP, unknowns: Any, x: Array) -> Array:
    field = frame.field(network)
    return jax.vmap(lambda point: _vector(residual(Shared(field), point, unknowns)))(x)


@eqx.filter_jit
def _linearized(
    residual: Callable, frame: Frame, network: MLP, unknowns: Any, x: Array
) -> tuple[Array, Array]:
    flat = jnp.concatenate([network.readout.weight.ravel(), network.readout.bias])

    def at(coefficients: Array, point: Array) -> Array:
        field = Shared(frame.field(with_readout(network, coefficients)))
        return _vector(residual(field, point, unknowns))

    def one(point: Array) -> tuple[Array, Array]:
        value, pull = jax.vjp(lambda c: at(c, point), flat)
        (rows,) = jax.vmap(pull)(jnp.eye(value.size))
        return value, rows

    return jax.vmap(one)(x)


def _vector(residual: Any) -> Array:
    return jnp.atleast_1d(jnp.asarray(residual))


def blocks(x: Float[np.ndarray, "points dim"]) -> Iterator[tuple[int, np.ndarray]]:
    """Points in blocks of few sizes, padded by their last one; how many of each block count."""
    for first in range(0, len(x), _LENGTHS[-1]):
        part = x[first : first + _LENGTHS[-1]]
        size = next(size for size in _LENGTHS if len(part) <= size)
        yield len(part), np.concatenate([part, np.repeat(part[-1:], size - len(part), axis=0)])


def residuals(
    term: Term, frame: Frame, network: MLP, unknowns: Any, x: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points equations"]:
    """Residuals of a term at points, the term's values subtracted."""
    found = [
        np.asarray(_residuals(term.residual, frame, network, unknowns, jnp.asarray(part)))[:count]
        for count, part in blocks(x)
    ]
    residual = np.concatenate(found)
    return residual if term.values is None else residual - term.values


def linearized(
    term: Term, frame: Frame, network: MLP, unknowns: Any, x: Float[np.ndarray, "points dim"]
) -> tuple[
    Float[np.ndarray, "points equations"], Float[np.ndarray, "points equations coefficients"]
]:
    """Residuals, and their derivatives by the coefficients of the read-out."""
    values, rows = [], []
    for count, part in blocks(x):
        value, row = _linearized(term.residual, frame, network, unknowns, jnp.asarray(part))
        values.append(np.asarray(value)[:count])
        rows.append(np.asarray(row)[:count])
    value = np.concatenate(values)
    return (value if term.values is None else value - term.values), np.concatenate(rows)


def is_affine(
    problem: Problem, frame: Frame, network: MLP, points: dict[str, np.ndarray]
) -> dict[str, bool]:
    r"""Whether each term's residual is affine in the read-out: checked at random read-outs.

    $r(a + b) - r(a) - r(b) + r(0) = 0$ for two random read-outs at some points, up to rounding.
    """
    rng = np.random.default_rng(0)
    size = readout_size(network)
    a, b = rng.normal(size=(2, size)) / np.sqrt(size)
    found = {}
    for name, term in problem.terms.items():
        x = points[name][:_PROBES]
        probe = Term(term.residual, x)

        def at(coefficients: np.ndarray, probe: Term = probe, x: np.ndarray = x) -> np.ndarray:
            moved = with_readout(network, coefficients)
            return residuals(probe, frame, moved, problem.unknowns, x)

        parts = [at(a + b), at(a), at(b), at(np.zeros(size))]
        sizes = sum(np.abs(part).max() for part in parts)
        departure = np.abs(parts[0] - parts[1] - parts[2] + parts[3]).max()
        found[name] = bool(departure <= _LINEAR * sizes + 1e-300)
    return found
