"""Problems of one axis cut into elements: what is tied, and the rows of every element."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Complex, Float, Int

from repnet.nn import MLP, Slabbed
from repnet.problem import Box, Problem, Region, Term
from repnet.problem._jet import Shared
from repnet.solve.equations._basis import Basis
from repnet.solve.equations._blocks import is_data
from repnet.solve.equations._local import is_local, smooth_field
from repnet.solve.equations._points import points_of
from repnet.solve.equations._rows import Frame, as_vector, on_boundary, with_readout
from repnet.solve.equations._sizes import parts

_ORDERS = 6  # derivatives up to which equations are looked at
_PROBES = 5
_LOOKED = 512  # places where the equations' own waves are looked at
_BLOCKS = (32, 64, 512, 4096)  # points that are evaluated together, padded to one of these
PINNED = 10.0  # weight of conditions and of what ties elements, rows of equations having 1


@dataclasses.dataclass(frozen=True)
class Tied:
    """A problem of one axis whose residuals look at one place each.

    - `orders`: highest derivative of every output in the equations: up to the one before it,
      neighbouring elements agree.
    - `inside`: names of the equations; `pinned`: points of every other term, of which those named
      in `data` are measured.
    - `rates`: the equations' own exponents in equal parts of the axis, per half-width of the
      domain, `(places, exponents)`; zeros where there are none.
    """

    problem: Problem
    orders: tuple[int, ...]
    inside: tuple[str, ...]
    pinned: dict[str, Float[np.ndarray, "points 1"]]
    rates: Complex[np.ndarray, "places exponents"]
    data: tuple[str, ...] = ()

    @property
    def ends(self) -> tuple[float, float]:
        """Begin and end of the axis."""
        return float(self.problem.domain.lower[0]), float(self.problem.domain.upper[0])

    @property
    def from_start(self) -> bool:
        """Whether all conditions are at the begin of the axis."""
        there = [np.all(x == self.ends[0]) for x in self.pinned.values()]
        return bool(there) and all(there)


def tied_of(problem: Problem, unknowns: Any = None) -> Tied:
    """The problem, to be cut at will, about these values of its unknowns; call in float64 mode.

    **Raises:** `ValueError` naming the rule that it breaks.
    """
    if problem.dim != 1 or not isinstance(problem.domain, Box):
        raise ValueError(
            "`Elements` needs a `Box` of one axis; "
            f"got a {type(problem.domain).__name__} of {problem.dim} axes."
        )
    if problem.unknowns is not None and unknowns is None:
        raise ValueError("`Elements` takes problems without `unknowns`; leave `solver` out.")
    solid = {
        name: term
        for name, term in problem.terms.items()
        if isinstance(term.points, Region) and not on_boundary(problem, term)
    }
    for name, term in solid.items():
        if not _everywhere(problem, term):
            raise ValueError(
                "`Elements` takes equations on the whole domain; "
                f"term {name!r} holds on a part of it."
            )
    if not solid:
        raise ValueError("`Elements` needs an equation on the domain; the problem has none.")
    pinned = {
        name: points_of(problem, term, 2, jax.random.key(0))
        for name, term in problem.terms.items()
        if name not in solid
    }
    for name, term in problem.terms.items():
        places = pinned[name][:_PROBES] if name in pinned else _probes(problem)
        if not is_local(problem, term, places, unknowns):
            raise ValueError(
                "`Elements` takes residuals that look at one place each; "
                f"term {name!r} ties distant points."
            )
    slopes = np.concatenate([_slopes(problem, term, unknowns) for term in solid.values()], axis=1)
    orders = _orders(slopes)
    if np.any(orders > _ORDERS):
        raise ValueError(
            f"`Elements` takes equations up to order {_ORDERS}; got one of order {orders.max()}."
        )
    return Tied(
        problem,
        tuple(int(order) for order in orders),
        tuple(solid),
        pinned,
        _rates(slopes, int(orders.max())),
        tuple(name for name in pinned if unknowns is not None and is_data(problem.terms[name])),
    )


def data_sizes(tied: Tied, name: str) -> Float[np.ndarray, " equations"]:
    """Root mean square of every column of a term's data; that of all where a column is zero."""
    squares = np.square(np.asarray(tied.problem.terms[name].values))
    sizes = np.sqrt(np.mean(squares, axis=0))
    return np.where(sizes > 0.0, sizes, max(float(np.sqrt(np.mean(squares))), 1e-300))


def _everywhere(problem: Problem, term: Term) -> bool:
    box = problem.domain
    return (
        isinstance(term.points, Box)
        and np.array_equal(term.points.lower, box.lower)
        and np.array_equal(term.points.upper, box.upper)
    )


def _probes(problem: Problem) -> Float[np.ndarray, "probes 1"]:
    share = np.random.default_rng(1).uniform(0.1, 0.9, (_PROBES, 1))
    return problem.domain.lower + share * (problem.domain.upper - problem.domain.lower)


def _slopes(
    problem: Problem, term: Term, unknowns: Any
) -> Float[np.ndarray, "places equations out orders"]:
    """A residual's derivatives by those of a smooth field, in half-widths, all over the axis."""
    smooth, half = smooth_field(problem), problem.domain.half_width[0]
    factorials = jnp.asarray([float(math.factorial(k)) for k in range(_ORDERS + 2)])

    @jax.jit
    @jax.vmap
    def at(x: Array) -> Array:
        def residual(amounts: Array) -> Array:
            def moved(z: Array) -> Array:
                powers = jnp.stack([((z[0] - x[0]) / half) ** k for k in range(_ORDERS + 2)])
                return smooth(z) + amounts @ (powers / factorials)

            return as_vector(term.residual(problem.field(moved), x, unknowns))

        return jax.jacfwd(residual)(jnp.zeros((problem.out_size, _ORDERS + 2)))

    walls = np.linspace(problem.domain.lower, problem.domain.upper, _LOOKED + 1)
    return np.asarray(at(jnp.asarray(0.5 * (walls[1:] + walls[:-1]))))


def _orders(
    slopes: Float[np.ndarray, "places equations out orders"],
) -> Int[np.ndarray, " out"]:
    """The highest derivative of every output that the equations depend on."""
    sizes = np.max(np.abs(slopes), axis=(0, 3), keepdims=True)
    matters = np.any(np.abs(slopes) > 1e-12 * sizes, axis=(0, 1))
    return np.max(np.where(matters, np.arange(_ORDERS + 2), 0), axis=1)


def _rates(
    slopes: Float[np.ndarray, "places equations out orders"], most: int
) -> Complex[np.ndarray, "places exponents"]:
    r"""The exponents of solutions $e^{\lambda x}$ with coefficients frozen at a place.

    They solve $\det\sum_k C_k\lambda^k = 0$, where $C_k$ is the derivative of the residual by the
    field's of order $k$: waves of $|\mathrm{Im}\,\lambda|$ radians, layers $1/|\lambda|$ wide.
    """
    count, equations, out = slopes.shape[:3]
    if most == 0 or equations != out:
        return np.zeros((count, 1), complex)
    size = most * out
    ahead, here = np.zeros((2, count, size, size))
    ahead[:, : size - out, out:] = np.eye(size - out)
    here[:, : size - out, : size - out] = np.eye(size - out)
    for k in range(most):
        ahead[:, size - out :, k * out : (k + 1) * out] = -slopes[..., k]
    here[:, size - out :, size - out :] = slopes[..., most]
    with np.errstate(divide="ignore", invalid="ignore"):  # of an equation of less than full order
        rates = np.stack([scipy.linalg.eigvals(a, b) for a, b in zip(ahead, here, strict=True)])
    return np.where(np.isfinite(rates), rates, 0.0)


@eqx.filter_jit
def _compiled(
    residual: Callable,
    transform: Callable | None,
    layer: MLP,
    unknowns: Any,
    x: Array,
    centre: Array,
    half: Array,
    readout: Array,
) -> tuple[Array, Array, Array]:
    sought, unravel = ravel_pytree(unknowns)

    def one(point: Array, centre: Array, half: Array, flat: Array) -> tuple[Array, Array, Array]:
        def at(flat: Array, sought: Array) -> Array:
            field = Frame(centre, half, transform).field(with_readout(layer, flat))
            return as_vector(residual(Shared(field), point, unravel(sought)))

        value, pull = jax.vjp(at, flat, sought)
        return value, *jax.vmap(pull)(jnp.eye(value.size))

    return jax.vmap(one)(x, centre, half, readout)


@eqx.filter_jit
def _compiled_values(
    residual: Callable,
    transform: Callable | None,
    layer: MLP,
    unknowns: Any,
    x: Array,
    centre: Array,
    half: Array,
    readout: Array,
) -> tuple[Array, Array]:
    def one(point: Array, centre: Array, half: Array, flat: Array) -> tuple[Array, Array]:
        field = Frame(centre, half, transform).field(with_readout(layer, flat))
        value = as_vector(residual(Shared(field), point, unknowns))
        return value, parts(residual, field, point, unknowns)

    return jax.vmap(one)(x, centre, half, readout)


@dataclasses.dataclass(frozen=True)
class Piecewise:
    """Elements of one axis, each with the same layer and coefficients of its own.

    - `edges`: rising, one more than elements.
    - `coefficients`: of the basis, `(elements, out, size)`.
    - `unknowns`: a tree of float64 arrays, as residuals take it.
    """

    tied: Tied
    basis: Basis
    edges: Float[np.ndarray, " edges"]
    coefficients: Float[np.ndarray, "elements out size"]
    unknowns: Any = None

    @property
    def count(self) -> int:
        """Number of elements."""
        return len(self.edges) - 1

    @property
    def centres(self) -> Float[np.ndarray, " elements"]:
        """Middle of every element."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @property
    def halves(self) -> Float[np.ndarray, " elements"]:
        """Half the length of every element."""
        return 0.5 * np.diff(self.edges)

    def holding(self, x: Float[np.ndarray, " points"]) -> Int[np.ndarray, " points"]:
        """The element that holds each point."""
        return np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, self.count - 1)

    def placed(
        self, local: Float[np.ndarray, " points"], which: Int[np.ndarray, " some"]
    ) -> Float[np.ndarray, "some points"]:
        """Points of the given elements from points of $[-1, 1]$."""
        return self.centres[which, None] + self.halves[which, None] * local

    @property
    def readouts(self) -> Float[np.ndarray, "elements flat"]:
        """Read-outs of the layer, as `with_readout` takes them."""
        read = self.coefficients @ self.basis.mix.T
        return np.concatenate(
            [read[..., :-1].reshape(self.count, -1), read[..., -1]],
            axis=1,
        )

    def rows(
        self, name: str, x: Float[np.ndarray, " points"], which: Int[np.ndarray, " points"]
    ) -> tuple[
        Float[np.ndarray, "points equations"],
        Float[np.ndarray, "points equations coefficients"],
        Float[np.ndarray, "points equations unknowns"],
    ]:
        """Residuals of a term at points of elements, and what coefficients and unknowns move."""
        value, rows, moves = self._evaluated(_compiled, name, x, which)
        out, units = len(self.tied.orders), self.basis.mix.shape[0] - 1
        weights = rows[..., :-out].reshape(*rows.shape[:2], out, units)
        read = np.concatenate([weights, rows[..., -out:, None]], axis=3)
        return value, (read @ self.basis.mix).reshape(*rows.shape[:2], -1), moves

    def residuals(
        self, name: str, x: Float[np.ndarray, " points"], which: Int[np.ndarray, " points"]
    ) -> tuple[Float[np.ndarray, "points equations"], Float[np.ndarray, "points equations"]]:
        """Residuals of a term at points of elements, and the sums of their absolute parts."""
        value, sizes = self._evaluated(_compiled_values, name, x, which)
        return value, sizes

    def _evaluated(
        self, compiled: Callable, name: str, x: np.ndarray, which: np.ndarray
    ) -> list[np.ndarray]:
        problem = self.tied.problem
        residual = problem.terms[name].residual
        readouts, found = self.readouts, []
        for first in range(0, len(x), _BLOCKS[-1]):
            part = np.arange(first, min(first + _BLOCKS[-1], len(x)))
            size = next(size for size in _BLOCKS if len(part) <= size)
            padded = np.concatenate([part, np.repeat(part[-1:], size - len(part))])
            own = which[padded]
            values = compiled(
                residual,
                problem.transform,
                self.basis.layer,
                self.unknowns,
                jnp.asarray(x[padded, None]),
                jnp.asarray(self.centres[own, None]),
                jnp.asarray(self.halves[own, None]),
                jnp.asarray(readouts[own]),
            )
            found.append([np.asarray(value)[: len(part)] for value in values])
        return [np.concatenate(column) for column in zip(*found, strict=True)]

    def at_checks(
        self, name: str
    ) -> tuple[
        Float[np.ndarray, "elements checks equations"],
        Float[np.ndarray, "elements checks equations"],
    ]:
        """Residuals of an equation between the collocation points, and their parts."""
        which = np.arange(self.count)
        x = self.placed(self.basis.checks, which).ravel()
        found = self.residuals(name, x, np.repeat(which, len(self.basis.checks)))
        value, sizes = (array.reshape(self.count, -1, array.shape[1]) for array in found)
        return value, sizes

    def at_pinned(
        self, name: str
    ) -> tuple[Float[np.ndarray, "points equations"], Float[np.ndarray, "points equations"]]:
        """Residuals of a condition less its values, and their parts."""
        points = self.tied.pinned[name]
        value, sizes = self.residuals(name, points[:, 0], self.holding(points[:, 0]))
        return self.less_values(name, value), sizes

    def less_values(
        self, name: str, value: Float[np.ndarray, "points equations"]
    ) -> Float[np.ndarray, "points equations"]:
        """Residuals at all points of a term less its values."""
        values = self.tied.problem.terms[name].values
        return value if values is None else value - values

    def missed(
        self, norms: Float[np.ndarray, "elements equations"]
    ) -> Float[np.ndarray, " elements"]:
        """Root mean square of what the equations miss between the collocation points.

        In units of coefficients: `norms` are the sizes of the equations' rows in every element.
        """
        squares, first = np.zeros(self.count), 0
        for name in self.tied.inside:
            value, _ = self.at_checks(name)
            last = first + value.shape[2]
            share = np.square(value / norms[:, None, first:last])
            squares += np.mean(np.sum(share, axis=2), axis=1)
            first = last
        return np.sqrt(squares)

    def at_nodes(self, norms: Float[np.ndarray, "elements equations"]) -> float:
        """Sum of the squares of what the equations miss at the collocation points, weighted."""
        which, total, first = np.arange(self.count), 0.0, 0
        x = self.placed(self.basis.nodes, which).ravel()
        own = np.repeat(which, len(self.basis.nodes))
        for name in self.tied.inside:
            value, _ = self.residuals(name, x, own)
            value = value.reshape(self.count, -1, value.shape[1])
            last = first + value.shape[2]
            share = self.basis.weights[:, None] * value / norms[:, None, first:last]
            total += float(np.sum(np.square(share)))
            first = last
        return total

    def relative(self) -> dict[str, float]:
        """Every term's residual relative to its parts, root mean square over the axis."""
        share = self.halves / self.halves.sum()
        found = {}
        for name in self.tied.inside:
            value, sizes = self.at_checks(name)
            left, whole = (share @ np.mean(np.square(each), axis=1) for each in (value, sizes))
            found[name] = float(np.sqrt(np.mean(left / np.maximum(whole, 1e-300))))
        for name in self.tied.pinned:
            value, here = self.at_pinned(name)
            # Where the field vanishes, its size is that of the field elsewhere.
            _, within = self.residuals(name, self.centres, np.arange(self.count))
            whole = np.maximum(np.mean(np.square(here), axis=0), share @ np.square(within))
            left = np.mean(np.square(value), axis=0)
            found[name] = float(np.sqrt(np.mean(left / np.maximum(whole, 1e-300))))
        return found

    def values_on(self, edges: Float[np.ndarray, " edges"]) -> "Piecewise":
        """The same function on other elements, as nearly as they hold it."""
        moved = dataclasses.replace(
            self, edges=edges, coefficients=np.zeros((len(edges) - 1, *self.coefficients.shape[1:]))
        )
        x = moved.placed(self.basis.dense, np.arange(moved.count))
        which = self.holding(moved.centres)
        local = (x - self.centres[which, None]) / self.halves[which, None]
        coefficients = np.stack(
            [
                self.coefficients[old] @ self.basis.derivatives(places, 1)[0].T @ self.basis.back.T
                for old, places in zip(which, local, strict=True)
            ]
        )
        return dataclasses.replace(moved, coefficients=coefficients)

    def having(self, coefficients: Float[np.ndarray, "..."]) -> "Piecewise":
        """The same elements with other coefficients."""
        return dataclasses.replace(self, coefficients=coefficients.reshape(self.coefficients.shape))

    def network(self) -> Slabbed:
        """The elements as one network in the user's units."""
        one = Frame(jnp.zeros(1), jnp.ones(1), None).wrap(self.basis.layer)
        many = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (self.count, *leaf.shape)), one)
        read = self.coefficients @ self.basis.mix.T
        slabs = eqx.tree_at(
            lambda s: (s.network.readout.weight, s.network.readout.bias, s.centre, s.half_width),
            many,
            tuple(
                map(
                    jnp.asarray,
                    (read[..., :-1], read[..., -1], self.centres[:, None], self.halves[:, None]),
                )
            ),
        )
        return Slabbed(slabs, jnp.asarray(self.edges[:-1]))

    @staticmethod
    def blank(
        tied: Tied, basis: Basis, edges: Float[np.ndarray, " edges"], unknowns: Any = None
    ) -> "Piecewise":
        """Elements whose function is zero."""
        shape = (len(edges) - 1, len(tied.orders), basis.size)
        return Piecewise(tied, basis, edges, np.zeros(shape), unknowns)
