"""Problems of one axis cut into elements: what is tied, and the rows of every element."""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Complex, Float, Int

from repnet.nn import Slabbed
from repnet.nn._random import as_jax
from repnet.problem import Box, Problem, Region, Term
from repnet.solve.equations._basis import Basis
from repnet.solve.equations._blocks import is_data
from repnet.solve.equations._local import ALL, Looked, Looks, looked_at, rows_from
from repnet.solve.equations._points import points_of
from repnet.solve.equations._probing import (
    drawn_derivatives,
    local_looks,
    same_slopes,
    smooth_derivatives,
    which_matter,
)
from repnet.solve.equations._rows import Frame, on_boundary

_ORDERS = 6  # derivatives up to which equations are looked at
_LOOKED = 512  # places where the equations' own waves are looked at
PINNED = 10.0  # weight of conditions and of what ties elements, rows of equations having 1


@dataclasses.dataclass(frozen=True)
class Tied:
    """A problem of one axis whose residuals look at one place each.

    - `orders`: highest derivative of every output in the equations: up to the one before it,
      neighbouring elements agree.
    - `inside`: names of the equations; `pinned`: points of every other term, of which those named
      in `data` are measured.
    - `looks`: derivatives of the field that terms look at, from the value on.
    - `linear`: whether all terms are affine in them.
    - `rates`: the equations' own exponents in equal parts of the axis, per half-width of the
      domain, `(places, exponents)`; zeros where there are none.
    """

    problem: Problem
    orders: tuple[int, ...]
    inside: tuple[str, ...]
    pinned: dict[str, Float[np.ndarray, "points 1"]]
    looks: Looks
    linear: bool
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
    frame = Frame.of(problem)
    inside, orders, most, linear = [], np.zeros(problem.out_size, int), 0, True
    for name, term in problem.terms.items():
        x = pinned[name] if name in pinned else _everywhere_between(problem)
        if local_looks(term.residual, frame, problem.out_size, unknowns, x) is None:
            raise ValueError(
                "`Elements` takes residuals that look at one place each; "
                f"term {name!r} ties distant points."
            )
        slopes, others = _slopes(problem, name, _few(x, _LOOKED), unknowns)
        linear &= same_slopes(slopes, others)
        matters = which_matter(slopes, ALL[1]) | which_matter(others, ALL[1])
        highest = np.max(np.where(matters, np.arange(len(ALL[1])), 0), axis=(0, 2))
        most = max(most, int(highest.max()))
        if name in solid:
            orders = np.maximum(orders, highest)
            inside.append(slopes)
    if np.any(orders > _ORDERS):
        raise ValueError(
            f"`Elements` takes equations up to order {_ORDERS}; got one of order {orders.max()}."
        )
    return Tied(
        problem,
        tuple(int(order) for order in orders),
        tuple(solid),
        pinned,
        tuple((k,) for k in range(most + 1)),
        linear,
        _rates(np.concatenate(inside, axis=1), int(orders.max())),
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


def _everywhere_between(problem: Problem) -> Float[np.ndarray, "places 1"]:
    walls = np.linspace(problem.domain.lower, problem.domain.upper, _LOOKED + 1)
    return 0.5 * (walls[1:] + walls[:-1])


def _few(x: Float[np.ndarray, "points 1"], most: int) -> Float[np.ndarray, "some 1"]:
    return x[np.unique(np.linspace(0, len(x) - 1, most).astype(int))]


def _slopes(
    problem: Problem, name: str, x: Float[np.ndarray, "places 1"], unknowns: Any
) -> list[Float[np.ndarray, "places equations out orders"]]:
    """A residual's derivatives by those of a smooth field, and of one drawn, in half-widths."""
    scale = float(problem.domain.half_width[0]) ** -np.arange(float(len(ALL[1])))
    frame, out = Frame.of(problem), problem.out_size
    about = (field(frame, out, ALL[1], x) for field in (smooth_derivatives, drawn_derivatives))
    return [
        looked_at(problem, name, ALL[1], x, values, unknowns).slopes * scale for values in about
    ]


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

    def looked(
        self, name: str, local: Float[np.ndarray, " points"], which: Int[np.ndarray, " some"]
    ) -> Looked:
        """A term at the same points of $[-1, 1]$ in some elements: arrays `(some, points, ...)`."""
        read, looks = self._readouts(which), self.tied.looks
        at_points = self.basis.features(local, len(looks))
        values = np.stack([read @ features.T for features in at_points], axis=-1)
        values = np.swapaxes(values * self._scale(which)[:, None, None, :], 1, 2)
        x = self.placed(local, which)
        flat = values.reshape(-1, *values.shape[2:])
        found = looked_at(self.tied.problem, name, looks, x.reshape(-1, 1), flat, self.unknowns)
        return Looked(*(each.reshape(*x.shape, *each.shape[1:]) for each in found))

    def rows(
        self, name: str, local: Float[np.ndarray, " points"], which: Int[np.ndarray, " some"]
    ) -> tuple[
        Float[np.ndarray, "some points equations"],
        Float[np.ndarray, "some points equations coefficients"],
        Float[np.ndarray, "some points equations unknowns"],
    ]:
        """Residuals of a term in some elements, and what coefficients and unknowns move."""
        found = self.looked(name, local, which)
        slopes = found.slopes * self._scale(which)[:, None, None, None, :]
        tables = self.basis.derivatives(local, len(self.tied.looks))
        return found.residual, rows_from(slopes, tables), found.moves

    def looked_pinned(self, name: str) -> Looked:
        """A term at its own points."""
        x, looks = self.tied.pinned[name], self.tied.looks
        own, local = self._places(name)
        features = self.basis.features(local, len(looks))
        values = np.einsum("kpr,por->pok", features, self._readouts(own))
        values = values * self._scale(own)[:, None, :]
        return looked_at(self.tied.problem, name, looks, x, values, self.unknowns)

    def pinned(
        self, name: str
    ) -> tuple[Looked, Float[np.ndarray, "points equations coefficients"]]:
        """A term at its own points, and what the coefficients of their elements move."""
        found, (own, local) = self.looked_pinned(name), self._places(name)
        slopes = found.slopes * self._scale(own)[:, None, None, :]
        return found, rows_from(slopes, self.basis.derivatives(local, len(self.tied.looks)))

    def _places(self, name: str) -> tuple[Int[np.ndarray, " points"], Float[np.ndarray, " points"]]:
        """The elements of a term's own points, and where they lie in these."""
        x = self.tied.pinned[name][:, 0]
        own = self.holding(x)
        return own, (x - self.centres[own]) / self.halves[own]

    def _readouts(self, which: Int[np.ndarray, " some"]) -> Float[np.ndarray, "some out read"]:
        # Of these the network is made: what basis functions lose to rounding is not in them.
        return self.coefficients[which] @ self.basis.mix.T

    def _scale(self, which: Int[np.ndarray, " some"]) -> Float[np.ndarray, "some looks"]:
        """From derivatives by the local coordinate to those by the user's."""
        return self.halves[which, None] ** -np.arange(float(len(self.tied.looks)))

    def at_checks(
        self, name: str
    ) -> tuple[
        Float[np.ndarray, "elements checks equations"],
        Float[np.ndarray, "elements checks equations"],
    ]:
        """Residuals of an equation between the collocation points, and their parts."""
        found = self.looked(name, self.basis.checks, np.arange(self.count))
        return found.residual, found.sizes

    def at_pinned(
        self, name: str
    ) -> tuple[Float[np.ndarray, "points equations"], Float[np.ndarray, "points equations"]]:
        """Residuals of a condition less its values, and their parts."""
        found = self.looked_pinned(name)
        return self.less_values(name, found.residual), found.sizes

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
        total, first = 0.0, 0
        for name in self.tied.inside:
            value = self.looked(name, self.basis.nodes, np.arange(self.count)).residual
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
            within = self.looked(name, np.zeros(1), np.arange(self.count)).sizes[:, 0]
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
        centre, half_width = as_jax((np.zeros(1), np.ones(1)))
        one = Frame(centre, half_width, None).wrap(self.basis.layer)
        read = self._readouts(np.arange(self.count))
        slabs = eqx.tree_at(
            lambda s: (s.network.readout.weight, s.network.readout.bias, s.centre, s.half_width),
            jax.tree.map(lambda leaf: np.broadcast_to(leaf, (self.count, *leaf.shape)), one),
            (read[..., :-1], read[..., -1], self.centres[:, None], self.halves[:, None]),
        )
        return Slabbed(*as_jax((slabs, self.edges[:-1])))

    @staticmethod
    def blank(
        tied: Tied, basis: Basis, edges: Float[np.ndarray, " edges"], unknowns: Any = None
    ) -> "Piecewise":
        """Elements whose function is zero."""
        shape = (len(edges) - 1, len(tied.orders), basis.size)
        return Piecewise(tied, basis, edges, np.zeros(shape), unknowns)
