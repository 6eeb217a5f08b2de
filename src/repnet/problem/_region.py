"""Regions: sets of points that a term can be asked to hold on."""

import abc
import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Array, Float, PRNGKeyArray


class Region(eqx.Module):
    """A set of points: an abstract class, whose kinds are solids and boundaries.

    `lower` and `upper` are the corners of its bounding box, shape `(dim,)`. `finite` regions,
    such as the ends of an interval, are made of single points.

    >>> from repnet.problem import Box
    >>> box = Box([0.0, 1.0], [2.0, 4.0])
    >>> isinstance(box, Region), box.dim, box.measure, box.centre.tolist()
    (True, 2, 6.0, [1.0, 2.5])
    >>> box.sample(5, key=jr.key(0)).shape
    (5, 2)
    """

    lower: eqx.AbstractVar[Float[np.ndarray, " dim"]]
    upper: eqx.AbstractVar[Float[np.ndarray, " dim"]]

    @property
    def dim(self) -> int:
        """Number of axes of the space around the region."""
        return self.lower.size

    @property
    @abc.abstractmethod
    def manifold_dim(self) -> int:
        """Dimension of the region itself: `dim` of a solid, `dim - 1` of a boundary."""

    @property
    @abc.abstractmethod
    def measure(self) -> float:
        """Volume, area or length; the number of points of a finite region."""

    @abc.abstractmethod
    def sample(
        self, count: int, *, method: str = "sobol", key: PRNGKeyArray
    ) -> Float[np.ndarray, "points dim"]:
        """`count` points of the region, or each point of a finite one."""

    @property
    def finite(self) -> bool:
        """Whether the region is made of single points."""
        return self.manifold_dim == 0

    @property
    def centre(self) -> Float[np.ndarray, " dim"]:
        """The midpoint of the bounding box, shape `(dim,)`."""
        return self.lower + 0.5 * (self.upper - self.lower)

    @property
    def half_width(self) -> Float[np.ndarray, " dim"]:
        """Half the length of every axis of the bounding box, shape `(dim,)`."""
        return 0.5 * (self.upper - self.lower)


class Boundary(Region):
    """A region of one dimension less, with a normal: an abstract class.

    >>> from repnet.problem import Ball
    >>> circle = Ball([0.0, 0.0], 2.0).boundary()
    >>> isinstance(circle, Boundary), circle.manifold_dim
    (True, 1)
    >>> circle.normal(jnp.array([2.0, 0.0])).tolist(), float(circle.gap(jnp.array([5.0, 0.0])))
    ([1.0, 0.0], 3.0)
    """

    @abc.abstractmethod
    def normal(self, x: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """The outward unit normal at a point of the boundary; can be traced."""

    @abc.abstractmethod
    def gap(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """The distance of a point from the boundary; can be traced."""

    @property
    def manifold_dim(self) -> int:
        """One less than `dim`."""
        return self.dim - 1


class Union(Boundary):
    r"""Several boundaries as one; the normal is the nearest one's.

    **Arguments:**

    - `pieces`: boundaries of one dimension, at least one.
    - `shares`: the piece's shares of the points; in proportion to `measure` if left out.

    **Raises:** `ValueError` for no pieces, and for pieces of different dimensions.

    **Source:** this project.

    >>> from repnet.problem import Box
    >>> Box([0.0, 0.0], [1.0, 2.0]).boundary().measure
    6.0
    """

    lower: Float[np.ndarray, " dim"]
    upper: Float[np.ndarray, " dim"]
    pieces: tuple[Boundary, ...]
    shares: tuple[float, ...]

    def __init__(self, pieces: tuple[Boundary, ...], shares: tuple[float, ...] | None = None):
        self.lower = np.min([piece.lower for piece in pieces], axis=0)
        self.upper = np.max([piece.upper for piece in pieces], axis=0)
        self.pieces = pieces
        self.shares = tuple(piece.measure for piece in pieces) if shares is None else shares

    @property
    def measure(self) -> float:
        """The sum of the pieces' measures."""
        return float(sum(piece.measure for piece in self.pieces))

    def sample(
        self, count: int, *, method: str = "sobol", key: PRNGKeyArray
    ) -> Float[np.ndarray, "points dim"]:
        """Points of every piece, in proportion to `shares`; at least one each where that goes."""
        check_count("sample", count)
        counts = _apportion(count, self.shares)
        keys = jr.split(key, len(self.pieces))
        drawn = [
            piece.sample(max(n, 1), method=method, key=each)
            for piece, n, each in zip(self.pieces, counts, keys, strict=True)
            if n or piece.finite
        ]
        return np.concatenate(drawn)

    def normal(self, x: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """The normal of the piece that is nearest to the point."""
        if len(self.pieces) == 1:
            return self.pieces[0].normal(x)
        nearest = jnp.argmin(jnp.stack([piece.gap(x) for piece in self.pieces]))
        return jnp.stack([piece.normal(x) for piece in self.pieces])[nearest]

    def gap(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """The distance to the nearest piece."""
        return jnp.min(jnp.stack([piece.gap(x) for piece in self.pieces]))


def _apportion(count: int, shares: tuple[float, ...]) -> list[int]:
    """Whole numbers in proportion to `shares` that sum to `count`; none is 0 if that can be."""
    ideal = count * np.asarray(shares) / np.sum(shares)
    counts = np.floor(ideal).astype(int)
    if count >= len(shares):
        counts = np.maximum(counts, 1)
    while counts.sum() != count:
        apart = ideal - counts
        if counts.sum() < count:
            counts[np.argmax(apart)] += 1
        else:
            counts[np.argmin(np.where(counts > 1, apart, np.inf))] -= 1
    return counts.tolist()


def check_count(owner: str, count: int) -> None:
    """Refuse to draw fewer than one point."""
    if count < 1:
        raise ValueError(f"`{owner}(count=...)` must be at least 1; got {count}.")


def unit_points(
    count: int, dim: int, *, method: str, key: PRNGKeyArray, owner: str = "sample"
) -> Float[np.ndarray, "points dim"]:
    """Points of the unit cube: a scrambled Sobol sequence, or `method="uniform"`.

    **Source:** Sobol 1967 and Owen 1998, by `scipy.stats.qmc`.

    >>> unit_points(5, 2, method="sobol", key=jr.key(0)).shape
    (5, 2)
    """
    check_count(owner, count)
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    match method:
        case "sobol":
            sequence = scipy.stats.qmc.Sobol(dim, rng=rng)
            return sequence.random_base2(max(0, math.ceil(math.log2(count))))[:count]
        case "uniform":
            return rng.random((count, dim))
        case _:
            raise ValueError(f"`{owner}(method=...)` is 'sobol' or 'uniform'; got {method!r}.")
