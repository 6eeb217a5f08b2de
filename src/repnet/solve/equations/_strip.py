"""A slab of time cut into tiles along space: its rows, its residuals, its least squares."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from repnet.solve.equations._chain import Chain
from repnet.solve.equations._local import Looked, Looks, looked_at, rows_from
from repnet.solve.equations._plane_basis import PlaneBasis
from repnet.solve.equations._space_time import SpaceTime

# Weights beside the equations' rows of norm 1. A start that weighs much is met even by functions
# that the tile can't carry on in time, and its rounding then grows from slab to slab.
_START = 0.1
_TIES = 1.0

State = Float[np.ndarray, "tiles known wall"]
"""What a slab starts from at the tiles' wall points; see `SpaceTime.known`."""


@dataclasses.dataclass(frozen=True)
class Strip:
    """Tiles of one slab, each with the same layer and coefficients of its own.

    - `edges`: of the tiles along space, rising; `first`, `last`: times.
    - `coefficients`: of the basis.
    """

    problem: SpaceTime
    basis: PlaneBasis
    edges: Float[np.ndarray, " edges"]
    first: float
    last: float
    coefficients: Float[np.ndarray, "tiles out size"]

    @property
    def count(self) -> int:
        """Number of tiles."""
        return len(self.edges) - 1

    @property
    def centres(self) -> Float[np.ndarray, " tiles"]:
        """Middle of every tile in space."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @property
    def halves(self) -> Float[np.ndarray, " tiles"]:
        """Half the width of every tile."""
        return 0.5 * np.diff(self.edges)

    @property
    def half_time(self) -> float:
        """Half the length of the slab."""
        return 0.5 * (self.last - self.first)

    @staticmethod
    def blank(
        problem: SpaceTime,
        basis: PlaneBasis,
        edges: Float[np.ndarray, " edges"],
        first: float,
        last: float,
    ) -> "Strip":
        """Tiles whose function is zero."""
        shape = (len(edges) - 1, len(problem.orders), basis.size)
        return Strip(problem, basis, edges, first, last, np.zeros(shape))

    def having(self, coefficients: Float[np.ndarray, "..."]) -> "Strip":
        """The same tiles with other coefficients."""
        return dataclasses.replace(self, coefficients=coefficients.reshape(self.coefficients.shape))

    def carried_on(self, state: State) -> "Strip":
        """The function that goes on from a state as it begins: constant, or at its rate."""
        wall = self.basis.points["start"][:, 0]
        dense = self.basis.points["dense"]
        to_dense = _interpolation(wall, dense[:, 0])
        values = np.zeros((*self.coefficients.shape[:2], len(dense)))
        for column, (out, k) in enumerate(self.problem.known):
            if k < 2:
                share = ((dense[:, 1] + 1.0) * self.half_time) ** k
                values[:, out] += share * (state[:, column] @ to_dense.T)
        return self.having(values @ self.basis.back.T)

    def derivatives(
        self, x: Float[np.ndarray, "points 2"], looks: Looks
    ) -> Float[np.ndarray, "points out looks"]:
        """Derivatives of the field at points of the slab."""
        which = np.clip(np.searchsorted(self.edges, x[:, 0], side="right") - 1, 0, self.count - 1)
        halves, middle = self.halves[which], 0.5 * (self.first + self.last)
        local = np.stack(
            [(x[:, 0] - self.centres[which]) / halves, (x[:, 1] - middle) / self.half_time], axis=1
        )
        found = np.empty((len(x), len(self.problem.orders), len(looks)))
        for place, (i, j) in enumerate(looks):
            table = self.basis.at(local, (i, j)) * (halves**-i * self.half_time**-j)[:, None]
            found[..., place] = np.einsum("ps,pos->po", table, self.coefficients[which])
        return found

    def at_end(self, x: Float[np.ndarray, " points"]) -> Float[np.ndarray, "points known"]:
        """The state at the end of the slab."""
        end = np.stack([x, np.full_like(x, self.last)], axis=1)
        looks = tuple(sorted({(0, k) for _, k in self.problem.known}))
        found = self.derivatives(end, looks)
        return np.stack([found[:, out, k] for out, k in self.problem.known], axis=1)

    def at_wall(self) -> Float[np.ndarray, "tiles wall"]:
        """Places where the slab's start is met."""
        return self.centres[:, None] + self.halves[:, None] * self.basis.points["start"][:, 0]

    def looked(self, name: str, kind: str, which: Int[np.ndarray, " some"]) -> Looked:
        """A term at points of some tiles, all of the first one first, and what moves it."""
        looks, local = self.problem.looks, self.basis.points[kind]
        values = np.stack(
            [self.coefficients[which] @ self.basis.table(kind, look).T for look in looks], axis=-1
        )
        values = np.swapaxes(values * self._scale(which)[:, None, None, :], 1, 2)
        x = np.empty((len(which), len(local), 2))
        x[..., 0] = self.centres[which, None] + self.halves[which, None] * local[:, 0]
        x[..., 1] = 0.5 * (self.first + self.last) + self.half_time * local[:, 1]
        flat = values.reshape(-1, *values.shape[2:])
        found = looked_at(self.problem.problem, name, looks, x.reshape(-1, 2), flat)
        return Looked(*(each.reshape(*x.shape[:2], *each.shape[1:]) for each in found))

    def rows(
        self, name: str, kind: str, which: Int[np.ndarray, " some"]
    ) -> tuple[
        Float[np.ndarray, "some points equations"],
        Float[np.ndarray, "some points equations columns"],
    ]:
        """Residuals of a term at points of some tiles, and what the coefficients move."""
        found, looks = self.looked(name, kind, which), self.problem.looks
        slopes = found.slopes * self._scale(which)[:, None, None, None, :]
        return found.residual, rows_from(slopes, [self.basis.table(kind, look) for look in looks])

    def _scale(self, which: Int[np.ndarray, " some"]) -> Float[np.ndarray, "some looks"]:
        """From derivatives by the local coordinates to those by the user's."""
        i, j = np.array(self.problem.looks, float).T
        return self.halves[which, None] ** -i * self.half_time**-j

    def missed(self, system: "System", state: State) -> Float[np.ndarray, " tiles"]:
        """What equations miss between the collocation points, and what start and neighbours differ.

        Root mean square, in units of coefficients.
        """
        squares = np.zeros(self.count)
        for name in self.problem.inside:
            residual = self.looked(name, "checks", np.arange(self.count)).residual
            share = residual / system.norms[name][:, None]
            squares += np.mean(np.sum(np.square(share), axis=2), axis=1)
        for column, (out, k) in enumerate(self.problem.known):
            if k == 0:
                here = self.coefficients[:, out] @ self.basis.table("start", (0, 0)).T
                gap = (state[:, column] - here) * self.basis.on_wall
                squares += np.sum(np.square(gap), axis=1)
        return np.sqrt(squares + self._gaps())

    def _gaps(self) -> Float[np.ndarray, " tiles"]:
        """Mean squares of the steps that values make at the walls of tiles."""
        tied = self.problem.orders[:, 0] > 0
        at_left, at_right = (
            self.coefficients[:, tied] @ self.basis.table(kind, (0, 0)).T
            for kind in ("left", "right")
        )
        steps = np.square((np.roll(at_left, -1, axis=0) - at_right) * self.basis.on_wall)
        squares = np.sum(steps, axis=(1, 2))
        if self.problem.ring is None:
            squares[-1] = 0.0
        return squares + np.roll(squares, 1)


class System(NamedTuple):
    """The linear system for the change of a strip's coefficients.

    - `own`, `right`: rows of every tile and their right sides; tiles of equal rows share them.
    - `ties`, `ends`: right sides of what ties the tiles, see `Chain`.
    - `norms`: sizes of the equations' rows in every tile.
    """

    own: list[Float[np.ndarray, "_ columns"]]
    right: list[Float[np.ndarray, " _"]]
    at_left: list[Float[np.ndarray, "ties columns"]]
    at_right: list[Float[np.ndarray, "ties columns"]]
    ties: list[Float[np.ndarray, " ties"]]
    ends: tuple[np.ndarray, np.ndarray] | None
    norms: dict[str, Float[np.ndarray, "tiles equations"]]

    @property
    def finite(self) -> bool:
        """Whether all rows are."""
        return all(np.all(np.isfinite(part)) for part in (*self.own, *self.right))

    def factored(self, before: "tuple[System, Chain] | None") -> Chain:
        """The chain of these rows; that of another system of the march if its rows are the same."""
        if before is not None:
            other, chain = before
            if _same(self.own, other.own) and _same(self.at_left, other.at_left):
                return chain
        return Chain(self.own, self.at_left, self.at_right, ring=self.ends is not None)


def _same(some: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> bool:
    return len(some) == len(others) and all(map(np.array_equal, some, others))


def system_of(strip: Strip, state: State) -> System:
    """Equations at the collocation points, the start, the sides, and what ties the tiles."""
    basis, count = strip.basis, strip.count
    out = len(strip.problem.orders)
    typical = np.tile(basis.typical, out)
    each = np.sqrt(len(typical))
    own: list[list[np.ndarray]] = [[] for _ in range(count)]
    right: list[list[np.ndarray]] = [[] for _ in range(count)]
    norms = {}
    for name in strip.problem.inside:
        residual, rows = strip.rows(name, "nodes", np.arange(count))
        weights = basis.weights[:, None]
        size = np.sqrt(np.sum(np.square(rows * typical * weights[..., None]), axis=(1, 3)))
        norms[name] = np.maximum(size, 1e-300)
        scale = weights / norms[name][:, None] * each
        _append(own, right, range(count), rows * scale[..., None], -residual * scale)
    _append_start(strip, state, own, right)
    for name, faces in strip.problem.sides.items():
        for face in faces:
            place = 0 if face.side == "lower" else count - 1
            kind = "left" if face.side == "lower" else "right"
            residual, rows = strip.rows(name, kind, np.array([place]))
            size = np.sqrt(np.mean(np.sum(np.square(rows * typical), axis=3), axis=(0, 1)))
            scale = basis.on_wall[:, None] / np.maximum(size, 1e-300) * _TIES * each
            _append(own, right, [place], rows * scale[..., None], -residual * scale)
    whole = [np.concatenate(parts) for parts in own]
    for place in range(1, count):
        if np.array_equal(whole[place], whole[place - 1]):
            whole[place] = whole[place - 1]
    left, at_right = _walls(strip)
    flat = strip.coefficients.reshape(count, -1)
    ties = [left[k + 1] @ flat[k + 1] - at_right[k] @ flat[k] for k in range(count - 1)]
    ends = None
    if strip.problem.ring is not None:
        gap = left[0] @ flat[0] - at_right[-1] @ flat[-1]
        ends = np.zeros_like(gap), gap
    return System(
        whole, [np.concatenate(parts) for parts in right], left, at_right, ties, ends, norms
    )


def _append(
    own: list[list[np.ndarray]],
    right: list[list[np.ndarray]],
    places: Sequence[int],
    rows: Float[np.ndarray, "some points equations columns"],
    values: Float[np.ndarray, "some points equations"],
) -> None:
    for place, some, each in zip(places, rows, values, strict=True):
        own[place].append(some.reshape(-1, rows.shape[-1]))
        right[place].append(each.ravel())


def _append_start(
    strip: Strip, state: State, own: list[list[np.ndarray]], right: list[list[np.ndarray]]
) -> None:
    basis, out = strip.basis, len(strip.problem.orders)
    for column, (output, k) in enumerate(strip.problem.known):
        table = basis.table("start", (0, k))
        scale = basis.on_wall * _START / _size(table, basis) * np.sqrt(out * basis.size)
        row = np.zeros((len(table), out, basis.size))
        row[:, output] = table * scale[:, None]
        row = row.reshape(len(table), -1)
        here = strip.coefficients[:, output] @ table.T
        values = (state[:, column] * strip.half_time**k - here) * scale
        for place in range(strip.count):
            own[place].append(row)
            right[place].append(values[place])


def _walls(
    strip: Strip,
) -> tuple[list[Float[np.ndarray, "ties columns"]], list[Float[np.ndarray, "ties columns"]]]:
    """What neighbours agree in, at every tile's left and at its right."""
    basis, halves, out = strip.basis, strip.halves, len(strip.problem.orders)
    narrower_left = np.minimum(halves, np.roll(halves, 1)) / halves
    narrower_right = np.minimum(halves, np.roll(halves, -1)) / halves
    left, right, powers = [], [], []
    for output, (order, _) in enumerate(strip.problem.orders):
        for k in range(order):
            size = _size(basis.table("left", (k, 0)), basis)
            scale = basis.on_wall[:, None] * _TIES / size * np.sqrt(out * basis.size)
            for rows, kind in ((left, "left"), (right, "right")):
                row = np.zeros((len(scale), out, basis.size))
                row[:, output] = basis.table(kind, (k, 0)) * scale
                rows.append(row.reshape(len(scale), -1))
            powers.append(np.full((len(scale), 1), k))
    at_left, at_right, power = (np.concatenate(each) for each in (left, right, powers))
    return (
        [at_left * narrower**power for narrower in narrower_left],
        [at_right * narrower**power for narrower in narrower_right],
    )


def _size(table: Float[np.ndarray, "points size"], basis: PlaneBasis) -> float:
    """Root mean square of the rows' norms for typical functions."""
    return float(np.sqrt(np.mean(np.sum(np.square(table * basis.typical), axis=1))))


def _interpolation(
    nodes: Float[np.ndarray, " nodes"], x: Float[np.ndarray, " points"]
) -> Float[np.ndarray, "points nodes"]:
    """The matrix that takes values at Gauss points to those of their polynomial elsewhere."""
    degrees = len(nodes) - 1
    legendre = np.polynomial.legendre.legvander
    return legendre(x, degrees) @ np.linalg.inv(legendre(nodes, degrees))
