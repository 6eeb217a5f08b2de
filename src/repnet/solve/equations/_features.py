"""Derivatives of a network's features at many points: what its read-out weighs."""

import functools
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn import MLP
from repnet.nn._activation import Activation
from repnet.nn._elementwise import nth_derivative
from repnet.nn._mlp import HasUnit
from repnet.nn._random import as_jax
from repnet.solve.equations._local import Looks
from repnet.solve.equations._rows import Frame, Network, in_blocks

_FLAT = (8192, 262_144)  # numbers whose functions are computed together, padded to one of these
_MANY = 4  # small blocks from which on a large one is used


class Table(NamedTuple):
    """One function per feature, and by how much it counts in some of the looks.

    - `values`: the functions; `factors`: of every feature by the looks at `places`.
    """

    values: Float[np.ndarray, "points width"]
    factors: Float[np.ndarray, "some width"]
    places: list[int]


class Features(NamedTuple):
    r"""The features' derivatives in the user's units, for a number of looks.

    $\partial^\alpha f(w \cdot x + b) = w^\alpha f^{(|\alpha|)}(w \cdot x + b)$: looks of one
    order share a table.
    """

    tables: list[Table]
    looks: Looks

    def at(self, rows: Any) -> "Features":
        """The same at some of the points."""
        tables = [table._replace(values=table.values[rows]) for table in self.tables]
        return Features(tables, self.looks)

    @property
    def value(self) -> int | None:
        """The place of the value among the looks."""
        silent = (0,) * len(self.looks[0])
        return self.looks.index(silent) if silent in self.looks else None

    def field(
        self, weight: Float[np.ndarray, "out width"], bias: Float[np.ndarray, " out"]
    ) -> Float[np.ndarray, "points out looks"]:
        """Derivatives of the network with this read-out."""
        count = len(self.tables[0].values)
        found = np.zeros((count, len(weight), len(self.looks)))
        for table in self.tables:
            for place, factor in zip(table.places, table.factors, strict=True):
                found[..., place] = table.values @ (weight * factor).T
        if self.value is not None:
            found[..., self.value] += bias
        return found

    def rows(
        self, slopes: Float[np.ndarray, "points equations out looks"]
    ) -> Float[np.ndarray, "points equations coefficients"]:
        """What the read-out moves, weights row by row, then biases."""
        points, equations, out, _ = slopes.shape
        width = self.tables[0].values.shape[1]
        rows = np.zeros((points, equations, out * width + out))
        weights = rows[..., : out * width].reshape(points, equations, out, width)
        for table in self.tables:
            part = slopes[..., table.places]
            if part.any():
                weights += (part @ table.factors) * table.values[:, None, None, :]
        if self.value is not None:
            rows[..., out * width :] = slopes[..., self.value]
        return rows


def features_of(
    network: MLP, frame: Frame, looks: Looks, x: Float[np.ndarray, "points dim"]
) -> Features:
    """The features' derivatives at many points."""
    if network.hidden or not isinstance(network.first, HasUnit):
        return Features(_by_jets(network, frame, looks, x), looks)
    weight, bias, factor = map(np.asarray, _affine(network.first))
    half = np.asarray(frame.half_width)
    z = (x - np.asarray(frame.centre)) / half @ weight.T + bias
    exponents = np.array(looks)
    orders = exponents.sum(axis=1)
    distinct = tuple(sorted(set(orders.tolist())))
    function, _ = network.first.unit()
    tables = []
    for order, values in zip(distinct, _elementwise(function, distinct, z), strict=True):
        places = np.flatnonzero(orders == order)
        powers = np.prod((weight / half) ** exponents[places, None], axis=2)
        tables.append(Table(values, factor * powers, places.tolist()))
    return Features(tables, looks)


@eqx.filter_jit
def _affine(first: Any) -> tuple[Array, Array, Array]:
    _, factor = first.unit()
    return *first.affine(), jnp.asarray(1.0 if factor is None else factor)


def _elementwise(
    f: Activation, orders: tuple[int, ...], z: Float[np.ndarray, "points width"]
) -> list[Float[np.ndarray, "points width"]]:
    """Derivatives of an elementwise function, in blocks of few sizes."""
    size = _FLAT[z.size > _MANY * _FLAT[0]]
    flat = z.ravel()
    found = [np.empty_like(flat) for _ in orders]
    for first in range(0, len(flat), size):
        part = flat[first : first + size]
        padded = np.concatenate([part, np.zeros(size - len(part))])
        for whole, values in zip(found, _compiled(f, orders, as_jax(padded)), strict=True):
            whole[first : first + size] = np.asarray(values)[: len(part)]
    return [whole.reshape(z.shape) for whole in found]


@functools.partial(jax.jit, static_argnums=(0, 1))
def _compiled(f: Activation, orders: tuple[int, ...], z: Array) -> list[Array]:
    kept: dict[str, Any] = {}
    return [nth_derivative(f, z, order, kept) for order in orders]


def _by_jets(
    network: MLP, frame: Frame, looks: Looks, x: Float[np.ndarray, "points dim"]
) -> list[Table]:
    (tables,) = in_blocks(lambda part: (_compiled_jets(network, frame, looks, part),), x)
    ones = np.ones((1, tables.shape[2]))
    return [Table(np.ascontiguousarray(tables[:, at]), ones, [at]) for at in range(len(looks))]


@eqx.filter_jit
def _compiled_jets(
    network: MLP, frame: Frame, looks: Looks, x: Array
) -> Float[Array, "points looks width"]:
    def one(point: Array) -> Array:
        jet = network.jet_of_features((point - frame.centre) / frame.half_width)
        found = [jet.derivative(*_axes(look)) for look in looks]
        scale = jnp.prod(frame.half_width ** -jnp.asarray(looks, point.dtype), axis=1)
        return jnp.stack(found) * scale[:, None]

    return jax.vmap(one)(x)


def derivatives_of(
    network: Network, frame: Frame, looks: Looks, x: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points out looks"]:
    """Derivatives of any network at many points, in the user's units."""
    (found,) = in_blocks(lambda part: (_compiled_field(network, frame, looks, part),), x)
    return found


@eqx.filter_jit
def _compiled_field(
    network: Network, frame: Frame, looks: Looks, x: Array
) -> Float[Array, "points out looks"]:
    field = frame.wrap(network)

    def one(point: Array) -> Array:
        jet = field.jet(point)
        return jnp.stack([jet.derivative(*_axes(look)) for look in looks], axis=-1)

    return jax.vmap(one)(x)


def _axes(look: tuple[int, ...]) -> list[np.ndarray]:
    return [np.eye(len(look))[axis] for axis, count in enumerate(look) for _ in range(count)]
