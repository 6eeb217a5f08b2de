"""Solids: regions with an inside, and what remains when holes are taken out of them."""

import abc
import functools
from collections.abc import Callable

import equinox as eqx
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.problem._region import Boundary, Region, Union, check_count

_TRIES = 24  # doublings of the number of points drawn before a region is called empty
_ESTIMATE = 2**15  # points that estimate a share


class Solid(Region):
    """A region with an inside and a boundary: an abstract class.

    >>> from repnet.problem import Box
    >>> interval = Box([0.0], [1.0])
    >>> isinstance(interval, Solid), interval.contains(np.array([[0.5], [2.0]])).tolist()
    (True, [True, False])
    >>> interval.boundary().measure
    2.0
    """

    @abc.abstractmethod
    def contains(
        self, points: Float[np.ndarray, "points dim"], *, closed: bool = True
    ) -> np.ndarray:
        """Whether each point lies in the solid, its boundary included if `closed`."""

    @abc.abstractmethod
    def boundary(self) -> Boundary:
        """All of the boundary; its normals point out of the solid."""

    @property
    def manifold_dim(self) -> int:
        """The same as `dim`."""
        return self.dim

    def __sub__(self, hole: "Solid") -> "Difference":
        return Difference(self, (hole,))


class Difference(Solid):
    r"""A solid with holes: $\Omega = A \setminus (B_1 \cup B_2 \cup \dots)$.

    `box - Ball(...)` builds it. Holes may reach through the outer boundary: a box at a corner
    makes an L-shaped domain.

    **Arguments:**

    - `outer`: the solid that is cut.
    - `cuts`: the solids that are taken out.

    **Raises:** `ValueError` where a hole has another dimension, misses the outer solid or leaves
    nothing of it; `TypeError` where it is not a solid.

    **Source:** this project.

    >>> import jax.numpy as jnp
    >>> from repnet.problem import Ball, Box
    >>> domain = Box([-1.0, -1.0], [1.0, 1.0]) - Ball([0.0, 0.0], 0.5)
    >>> round(domain.measure, 4), round(domain.boundary().measure, 4)
    (3.2146, 11.1416)
    >>> domain.holes[0].boundary().normal(jnp.array([0.5, 0.0]))[0].item()
    -1.0
    """

    lower: Float[np.ndarray, " dim"]
    upper: Float[np.ndarray, " dim"]
    outer: Solid
    cuts: tuple[Solid, ...]

    def __init__(self, outer: Solid, cuts: tuple[Solid, ...]):
        for cut in cuts:
            _require_overlap(outer, cut)
        self.lower, self.upper = outer.lower, outer.upper
        self.outer = outer
        self.cuts = cuts
        if self._share() == 0.0:
            raise ValueError(
                "`outer - hole` must leave something; the holes cover the outer solid."
            )

    @property
    def holes(self) -> tuple["Hole", ...]:
        """The holes; each has a `boundary()`, whose normals point into the hole."""
        return tuple(
            Hole(cut, self.outer, self.cuts[:i] + self.cuts[i + 1 :])
            for i, cut in enumerate(self.cuts)
        )

    @property
    def measure(self) -> float:
        """The volume: exact where holes lie inside and apart, else estimated from points."""
        if all(_within(self.outer, cut) for cut in self.cuts) and _apart(self.cuts):
            return self.outer.measure - sum(cut.measure for cut in self.cuts)
        return self.outer.measure * self._share()

    def contains(
        self, points: Float[np.ndarray, "points dim"], *, closed: bool = True
    ) -> np.ndarray:
        """Whether each point lies in the outer solid and in no hole."""
        inside = self.outer.contains(points, closed=closed)
        for cut in self.cuts:
            inside &= ~cut.contains(points, closed=not closed)
        return inside

    def sample(
        self, count: int, *, method: str = "sobol", key: PRNGKeyArray
    ) -> Float[np.ndarray, "points dim"]:
        """`count` points of the outer solid that are in no hole."""
        keep = functools.partial(self.contains, closed=False)
        return _rejection(self.outer, keep, count, method, key)

    def outer_boundary(self) -> Boundary:
        """The boundary of the outer solid, without what the holes cut out of it."""
        return _part(self.outer.boundary(), self.outer, self.cuts)

    def boundary(self) -> Boundary:
        """The outer boundary and the holes' boundaries; normals point out of what remains."""
        return Union((self.outer_boundary(), *(hole.boundary() for hole in self.holes)))

    def __sub__(self, hole: Solid) -> "Difference":
        return Difference(self.outer, (*self.cuts, hole))

    def _share(self) -> float:
        points = self.outer.sample(_ESTIMATE, key=jr.key(0))
        return float(np.mean(self.contains(points)))


class Hole(eqx.Module):
    """A hole of a domain, with the boundary that it gives the domain."""

    solid: Solid
    outer: Solid
    others: tuple[Solid, ...]

    def boundary(self) -> Boundary:
        """The hole's boundary as far as it bounds the domain; its normals point into the hole."""
        flipped = Flipped(self.solid.boundary())
        if _within(self.outer, self.solid) and all(_apart((self.solid, o)) for o in self.others):
            return flipped
        return Part(flipped, self.outer, self.others)


class Flipped(Boundary):
    """A boundary whose normals point the other way."""

    lower: Float[np.ndarray, " dim"]
    upper: Float[np.ndarray, " dim"]
    original: Boundary

    def __init__(self, original: Boundary):
        self.lower, self.upper, self.original = original.lower, original.upper, original

    @property
    def measure(self) -> float:
        """The measure of the boundary."""
        return self.original.measure

    def sample(
        self, count: int, *, method: str = "sobol", key: PRNGKeyArray
    ) -> Float[np.ndarray, "points dim"]:
        """`count` points of the boundary."""
        return self.original.sample(count, method=method, key=key)

    def normal(self, x: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """The opposite of the boundary's own normal."""
        return -self.original.normal(x)

    def gap(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """The distance from the boundary."""
        return self.original.gap(x)


class Part(Boundary):
    """The points of a boundary that lie inside `outer`, where given, and in none of `cuts`."""

    lower: Float[np.ndarray, " dim"]
    upper: Float[np.ndarray, " dim"]
    original: Boundary
    outer: Solid | None
    cuts: tuple[Solid, ...]

    def __init__(self, original: Boundary, outer: Solid | None, cuts: tuple[Solid, ...]):
        self.lower, self.upper, self.original = original.lower, original.upper, original
        self.outer, self.cuts = outer, cuts

    @property
    def measure(self) -> float:
        """The measure, estimated from points."""
        points = self.original.sample(_ESTIMATE, method="uniform", key=jr.key(0))
        return self.original.measure * float(np.mean(self._keeps(points)))

    def sample(
        self, count: int, *, method: str = "sobol", key: PRNGKeyArray
    ) -> Float[np.ndarray, "points dim"]:
        """`count` points of this part of the boundary."""
        return _rejection(self.original, self._keeps, count, method, key)

    def normal(self, x: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """The whole boundary's normal."""
        return self.original.normal(x)

    def gap(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """The distance from the whole boundary."""
        return self.original.gap(x)

    def _keeps(self, points: Float[np.ndarray, "points dim"]) -> np.ndarray:
        kept = np.ones(len(points), bool)
        if self.outer is not None:
            kept &= self.outer.contains(points, closed=False)
        for cut in self.cuts:
            kept &= ~cut.contains(points)
        return kept


def _part(boundary: Boundary, outer: Solid, cuts: tuple[Solid, ...]) -> Boundary:
    through = tuple(cut for cut in cuts if not _within(outer, cut))
    return Part(boundary, None, through) if through else boundary


def _rejection(
    region: Region,
    keep: Callable[[np.ndarray], np.ndarray],
    count: int,
    method: str,
    key: PRNGKeyArray,
) -> Float[np.ndarray, "points dim"]:
    check_count("sample", count)
    drawn = count
    for _ in range(_TRIES):
        points = region.sample(drawn, method=method, key=key)
        kept = points[keep(points)]
        if len(kept) >= count or (region.finite and len(kept)):
            return kept[:count] if not region.finite else kept
        drawn *= 2
        if drawn > max(_ESTIMATE, 4096 * count):
            break
    raise ValueError("`sample` needs a region with points; its holes leave none.")


def _require_overlap(outer: Solid, cut: Solid) -> None:
    if not isinstance(cut, Solid):
        raise TypeError(f"`outer - hole` needs a `Box` or a `Ball`; got {type(cut).__name__}.")
    if cut.dim != outer.dim:
        raise ValueError(
            f"`outer - hole` need the same number of axes; got {outer.dim} and {cut.dim}."
        )
    if not outer.contains(cut.sample(1024, key=jr.key(0)), closed=False).any():
        raise ValueError(
            f"`outer - hole`: the hole must overlap the outer solid; it spans "
            f"{cut.lower.tolist()} to {cut.upper.tolist()}, the outer solid "
            f"{outer.lower.tolist()} to {outer.upper.tolist()}."
        )


def _within(outer: Solid, cut: Solid) -> bool:
    """Whether a hole lies strictly inside: its bounding box and points of its boundary do."""
    if not (np.all(cut.lower > outer.lower) and np.all(cut.upper < outer.upper)):
        return False
    points = cut.boundary().sample(1024, key=jr.key(0))
    return bool(outer.contains(points, closed=False).all())


def _apart(cuts: tuple[Solid, ...]) -> bool:
    """Whether the bounding boxes of the holes share no point."""
    return all(
        bool(np.any(a.upper < b.lower) or np.any(b.upper < a.lower))
        for i, a in enumerate(cuts)
        for b in cuts[:i]
    )
