"""Terms at points: residuals, what read-out and unknowns move, and how large their parts are.

A residual that looks at its own point is a function of the field's derivatives there: one small
program for every purpose and network. Any other is compiled with the network in it.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn import MLP
from repnet.problem import Problem, Term
from repnet.problem._jet import Shared
from repnet.solve.equations._features import Features, derivatives_of, features_of
from repnet.solve.equations._local import Looked, Looks, look
from repnet.solve.equations._probing import (
    drawn_derivatives,
    local_looks,
    same_slopes,
    smooth_derivatives,
)
from repnet.solve.equations._rows import (
    Frame,
    Network,
    as_vector,
    flat_readout,
    in_blocks,
    readout_size,
    with_readout,
    zero_field,
)
from repnet.solve.equations._sizes import absolute, parts

_PROBES = 7  # points at which linearity is checked
_LINEAR = 1e-8  # relative departure from an affine residual that rounding explains


@dataclasses.dataclass(frozen=True)
class Placed:
    """A term at points, for networks that differ in their read-outs alone.

    - `looks`: what the residual asks of the field at its own point, or `None`.
    - `features`: of an `MLP` these derivatives; `None` for other networks, or without `looks`.
    """

    term: Term
    frame: Frame
    x: Float[np.ndarray, "points dim"]
    looks: Looks | None
    features: Features | None

    @staticmethod
    def of(
        term: Term,
        frame: Frame,
        network: Network,
        unknowns: Any,
        x: Float[np.ndarray, "points dim"],
    ) -> "Placed":
        """What all read-outs of this network share."""
        looks = _looks(term.residual, frame, network.out_size, unknowns, x)
        features = None
        if looks is not None and isinstance(network, MLP):
            features = features_of(network, frame, looks, x)
        return Placed(term, frame, x, looks, features)

    def at(self, rows: Any) -> "Placed":
        """The same at some of the points."""
        term, x = self.term, self.x[rows]
        if term.values is not None:
            term = Term(term.residual, x, term.values[rows])
        features = None if self.features is None else self.features.at(rows)
        return Placed(term, self.frame, x, self.looks, features)

    def residuals(self, network: Network, unknowns: Any) -> Float[np.ndarray, "points equations"]:
        """Residuals, the term's values subtracted."""
        if self.looks is not None:
            return self._less_values(self._look(network, None, unknowns).residual)
        (residual,) = self._compiled(_compiled_residuals, network, unknowns)
        return self._less_values(residual)

    def linearized(
        self, network: MLP, unknowns: Any
    ) -> tuple[
        Float[np.ndarray, "points equations"], Float[np.ndarray, "points equations coefficients"]
    ]:
        """Residuals, and their derivatives by the coefficients of the read-out."""
        if self.features is not None:
            found = self._look(network, None, unknowns)
            value, rows = found.residual, self.features.rows(found.slopes)
        else:
            value, rows = self._compiled(_compiled_rows, network, unknowns)
        return self._less_values(value), rows

    def moves(
        self, network: MLP, sought: Any, rest: Any
    ) -> Float[np.ndarray, "points equations unknowns"]:
        """Derivatives of residuals by those of the unknowns that are sought."""
        if self.looks is not None:
            return self._look(network, sought, rest).moves
        (moves,) = self._compiled(_compiled_moves, network, sought, rest)
        return moves

    def sizes(self, network: Network, unknowns: Any) -> Float[np.ndarray, " equations"]:
        """Root mean square over points of the sum of absolute parts, per equation.

        A residual with `sizes` of its own is measured by those.
        """
        own = getattr(self.term.residual, "sizes", None)
        if own is not None:
            return own
        if self.looks is not None:
            sizes = self._look(network, None, unknowns).sizes
        else:
            (sizes,) = self._compiled(_compiled_parts, network, unknowns)
        if self.term.values is not None:
            sizes = np.concatenate([sizes, np.abs(self.term.values)])
        return np.sqrt(np.mean(np.square(sizes), axis=0))

    def _look(self, network: Network, sought: Any, rest: Any) -> Looked:
        assert self.looks is not None
        if self.features is not None and isinstance(network, MLP):
            values = self.features.field(*map(np.asarray, network.readout.affine()))
        else:
            values = derivatives_of(network, self.frame, self.looks, self.x)
        residual, transform = self.term.residual, self.frame.transform
        return look(residual, transform, self.looks, self.x, values, sought, rest)

    def _compiled(self, evaluate: Callable, network: Network, *unknowns: Any) -> list[np.ndarray]:
        residual, frame = self.term.residual, self.frame
        return in_blocks(lambda part: evaluate(residual, frame, network, *unknowns, part), self.x)

    def _less_values(
        self, residual: Float[np.ndarray, "points equations"]
    ) -> Float[np.ndarray, "points equations"]:
        return residual if self.term.values is None else residual - self.term.values


def residuals(
    term: Term, frame: Frame, network: Network, unknowns: Any, x: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points equations"]:
    """Residuals of a term at points, the term's values subtracted."""
    return Placed.of(term, frame, network, unknowns, x).residuals(network, unknowns)


def is_affine(
    problem: Problem, frame: Frame, network: MLP, points: dict[str, np.ndarray]
) -> dict[str, bool]:
    """Whether each term's residual is affine in the field, by its slopes about two fields.

    Where a residual looks elsewhere, in the read-out of this network.
    """
    found = {}
    for name, term in problem.terms.items():
        x = points[name][:_PROBES]
        unknowns = problem.unknowns
        out = problem.out_size
        looks = _looks(term.residual, frame, out, unknowns, x)
        if looks is None:
            found[name] = _is_affine_in_readout(term.residual, frame, network, unknowns, x)
            continue
        about = (field(frame, out, looks, x) for field in (smooth_derivatives, drawn_derivatives))
        slopes = [
            look(term.residual, frame.transform, looks, x, values, rest=unknowns).slopes
            for values in about
        ]
        found[name] = same_slopes(*slopes)
    return found


def _looks(
    residual: Callable, frame: Frame, out: int, unknowns: Any, x: Float[np.ndarray, "points dim"]
) -> Looks | None:
    looks = local_looks(residual, frame, out, unknowns, x)
    return ((0,) * x.shape[1],) if looks == () else looks  # an equation of the unknowns alone


def _is_affine_in_readout(
    residual: Callable, frame: Frame, network: MLP, unknowns: Any, x: np.ndarray
) -> bool:
    r"""$r(a + b) - r(a) - r(b) + r(0) = 0$ for two random read-outs, up to rounding."""
    rng = np.random.default_rng(0)
    size = readout_size(network)
    a, b = rng.normal(size=(2, size)) / np.sqrt(size)
    values = [
        residuals(Term(residual, x), frame, with_readout(network, each), unknowns, x)
        for each in (a + b, a, b, np.zeros(size))
    ]
    sizes = sum(np.abs(value).max() for value in values)
    departure = np.abs(values[0] - values[1] - values[2] + values[3]).max()
    return bool(departure <= _LINEAR * sizes + 1e-300)


@eqx.filter_jit
def _compiled_residuals(
    residual: Callable, frame: Frame, network: Network, unknowns: Any, x: Array
) -> tuple[Array]:
    field = frame.field(network)
    return (jax.vmap(lambda point: as_vector(residual(Shared(field), point, unknowns)))(x),)


@eqx.filter_jit
def _compiled_rows(
    residual: Callable, frame: Frame, network: MLP, unknowns: Any, x: Array
) -> tuple[Array, Array]:
    def at(coefficients: Array, point: Array) -> Array:
        field = Shared(frame.field(with_readout(network, coefficients)))
        return as_vector(residual(field, point, unknowns))

    def one(point: Array) -> tuple[Array, Array]:
        value, pull = jax.vjp(lambda c: at(c, point), flat_readout(network))
        (rows,) = jax.vmap(pull)(jnp.eye(value.size))
        return value, rows

    return jax.vmap(one)(x)


@eqx.filter_jit
def _compiled_moves(
    residual: Callable, frame: Frame, network: MLP, sought: Any, rest: Any, x: Array
) -> tuple[Array]:
    def one(point: Array) -> Array:
        def at(sought: Any) -> Array:
            field = Shared(frame.field(network))
            return as_vector(residual(field, point, eqx.combine(sought, rest)))

        value, pull = jax.vjp(at, sought)
        (rows,) = jax.vmap(pull)(jnp.eye(value.size))
        flat = [leaf.reshape(value.size, -1) for leaf in jax.tree.leaves(rows)]
        return jnp.concatenate(flat, axis=1)

    return (jax.vmap(one)(x),)


@eqx.filter_jit
def _compiled_parts(
    residual: Callable, frame: Frame, network: Network, unknowns: Any, x: Array
) -> tuple[Array]:
    field, out = frame.field(network), network.out_size

    def one(point: Array) -> Array:
        sizes = parts(residual, field, point, unknowns)
        if sizes is not None:
            return sizes
        value, silent = (
            as_vector(residual(Shared(each), point, unknowns)) for each in (field, zero_field(out))
        )
        return absolute(value, [(value - silent)[:, None]])

    return (jax.vmap(one)(x),)
