"""Where the first layer's hyperplanes lie: draws of directions and of points they pass through."""

import math
from functools import lru_cache

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn._random import Drawn, normal, normal_quantile, signs, uniform

DIRECTIONS = ("mixed", "axis", "isotropic")
OFFSETS = ("stratified", "sobol")


@lru_cache(maxsize=64)
def _sobol_table(count: int, dim: int) -> np.ndarray:
    # The sequence keeps its balance only up to a power of two; the first `count` of them remain
    # a low-discrepancy set.
    power = max(int(np.ceil(np.log2(max(count, 1)))), 0)
    table = scipy.stats.qmc.Sobol(dim, scramble=False).random_base2(power)[:count]
    table.setflags(write=False)
    return table


def sobol_points(count: int, dim: int) -> Float[Array, "count dim"]:
    """The first `count` points of the unscrambled Sobol sequence in $[0, 1)^d$.

    **Source:** Sobol 1967, by `scipy.stats.qmc`.

    >>> sobol_points(4, 1)[:, 0].tolist()
    [0.0, 0.5, 0.75, 0.25]
    """
    return jnp.asarray(_sobol_table(count, dim), dtype=jnp.zeros(()).dtype)


def rotated_sobol(count: int, dim: int, *, key: PRNGKeyArray) -> Float[Drawn, "count dim"]:
    r"""Sobol points moved by one random shift: $\{x_i + U\} \bmod 1$, points of $[0, 1)^d$.

    Every point is uniform, and together they keep the low discrepancy; unlike scrambling, the
    shift can be traced, so that networks are built under `jax.vmap` over keys.

    **Source:** Cranley and Patterson 1976.

    >>> rotated_sobol(8, 2, key=jr.key(0)).shape
    (8, 2)
    """
    shift = uniform(key, (dim,))
    return (_sobol_table(count, dim).astype(shift.dtype) + shift) % 1.0


def latin_points(count: int, dim: int, *, key: PRNGKeyArray) -> Float[Drawn, "count dim"]:
    """Points of $[0, 1)^d$ that put one point into each of `count` equal cells of every axis.

    **Source:** McKay, Beckman and Conover 1979.

    >>> cells = np.floor(8 * latin_points(8, 2, key=jr.key(0)))
    >>> sorted(cells[:, 1].tolist())
    [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    """
    order_key, place_key = jr.split(key)
    place = uniform(place_key, (count, dim))
    space = place.__array_namespace__()
    cells = space.argsort(uniform(order_key, (count, dim)), axis=0, stable=True)
    return (cells.astype(place.dtype) + place) / count


def isotropic_directions(count: int, dim: int, *, key: PRNGKeyArray) -> Float[Drawn, "count dim"]:
    """Unit vectors uniform on the sphere; in one dimension, fair signs.

    >>> n = isotropic_directions(5, 3, key=jr.key(0))
    >>> np.allclose(np.linalg.norm(n, axis=1), 1.0, atol=1e-6)
    True
    """
    if dim == 1:
        return signs(key, (count, 1))
    vectors = normal(key, (count, dim))
    return vectors / _length(vectors)


def _length(vectors: Float[Drawn, "count dim"]) -> Float[Drawn, "count 1"]:
    return vectors.__array_namespace__().linalg.norm(vectors, axis=1, keepdims=True)


def axis_directions(count: int, dim: int, *, key: PRNGKeyArray) -> Float[Drawn, "count dim"]:
    """Unit `i` along the input axis `i mod dim`, with a fair sign.

    >>> np.abs(axis_directions(3, 2, key=jr.key(0))).tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    sign = signs(key, (count, 1))
    return sign * np.eye(dim, dtype=sign.dtype)[np.arange(count) % dim]


def _axis_points(
    count: int, dim: int, offsets: str | None, key: PRNGKeyArray
) -> Float[Drawn, "count dim"]:
    # Every axis draws for its own units alone. Handing point i of one Sobol run to axis i mod dim
    # would confine each axis to a part of the domain, because i mod dim fixes the point's digits.
    axis, row = np.arange(count) % dim, np.arange(count) // dim
    if offsets == "sobol":
        values = rotated_sobol(-(-count // dim), dim, key=key).reshape(-1)[:count]
    else:
        rows = (count - axis + dim - 1) // dim  # units along the axis of this one
        place = uniform(key, (count,))
        values = (row.astype(place.dtype) + place) / rows.astype(place.dtype)
    # Only the coordinate along the unit's own axis places its hyperplane; the rest stay central.
    space = values.__array_namespace__()
    return space.where(np.eye(dim)[axis] > 0, values[:, None], 0.5).astype(values.dtype)


def _oblique(
    count: int, dim: int, offsets: str | None, *, key: PRNGKeyArray
) -> tuple[Float[Drawn, "count dim"], Float[Drawn, "count dim"]]:
    # Directions and points come from one low-discrepancy sequence: drawn apart, the pairs would be
    # no more even than random ones.
    place_key, pair_key = jr.split(key)
    pairs = rotated_sobol(count, 2 * dim, key=pair_key)
    unit = _direction_of(pairs[:, :dim])
    if offsets == "stratified" or (offsets is None and dim == 1):
        return unit, latin_points(count, dim, key=place_key)
    return unit, pairs[:, dim:]


def _given(
    count: int, dim: int, directions: Drawn, offsets: str | None, *, key: PRNGKeyArray
) -> tuple[Float[Drawn, "count dim"], Float[Drawn, "count dim"]]:
    unit = (directions / _length(directions))[np.arange(count) % len(directions)]
    if offsets == "stratified" or (offsets is None and dim == 1):
        return unit, latin_points(count, dim, key=key)
    return unit, rotated_sobol(count, dim, key=key)


def _direction_of(cube: Float[Drawn, "count dim"]) -> Float[Drawn, "count dim"]:
    """Points of the unit cube as unit vectors, uniform if the points are."""
    space = cube.__array_namespace__()
    if cube.shape[1] == 1:
        return space.where(cube < 0.5, -1.0, 1.0).astype(cube.dtype)
    if cube.shape[1] == 2:
        angle = 2.0 * math.pi * cube[:, 0]
        return space.stack([space.cos(angle), space.sin(angle)], axis=1)
    vectors = normal_quantile(space.clip(cube, 1e-6, 1.0 - 1e-6))
    return vectors / _length(vectors)


def draw_hyperplanes(
    count: int,
    dim: int,
    *,
    directions: str | Float[Drawn, "given dim"],
    offsets: str | None,
    key: PRNGKeyArray,
) -> tuple[Float[Drawn, "count dim"], Float[Drawn, "count dim"]]:
    """Directions of hyperplanes, and a point of $[0, 1]^d$ that each passes through.

    **Arguments:**

    - `count`, `dim`: how many hyperplanes, in how many dimensions.
    - `directions`: `"axis"`, `"isotropic"`, `"mixed"`, whose first half lies along the axes, or
      vectors that the hyperplanes take in turn, of NumPy unless `key` is traced.
    - `offsets`: `"stratified"`, `"sobol"`, or `None` for the better of them: stratified for
      hyperplanes across an axis, Sobol points for oblique ones.

    **Returns:** unit vectors `(count, dim)` and points `(count, dim)`, of JAX where `key` is
    traced and of NumPy otherwise.

    **Source:** this project.

    >>> n, p = draw_hyperplanes(6, 2, directions="mixed", offsets=None, key=jr.key(0))
    >>> n.shape, p.shape
    ((6, 2), (6, 2))
    """
    if not isinstance(directions, str):
        return _given(count, dim, directions, offsets, key=key)
    along = {"axis": count, "isotropic": 0, "mixed": count - count // 2}[directions]
    along = count if dim == 1 else along
    keys = jr.split(key, 4)
    parts = []
    if along:
        unit = axis_directions(along, dim, key=keys[0])
        parts.append((unit, _axis_points(along, dim, offsets, keys[1])))
    if count - along:
        parts.append(_oblique(count - along, dim, offsets, key=keys[2]))
    space = parts[0][0].__array_namespace__()
    unit, points = (space.concatenate(each) for each in zip(*parts, strict=True))
    return unit, points
