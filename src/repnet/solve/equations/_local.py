"""Residuals that look at one place, as functions of the field's derivatives there."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from repnet.nn._random import as_jax
from repnet.problem import Problem, Transformed
from repnet.problem._jet import Direction, Shared
from repnet.solve.equations._rows import as_vector
from repnet.solve.equations._sizes import absolute, parts

Look = tuple[int, ...]
"""A derivative of the field: how often by each axis."""
Looks = tuple[Look, ...]

ALL: dict[int, Looks] = {
    1: tuple((k,) for k in range(8)),
    2: tuple((k - j, j) for k in range(6) for j in range(k + 1)),
}
"""What is looked at, by the number of axes: beyond what equations may ask by one order."""

_BLOCKS = (512, 8192)  # points that are evaluated together, padded to one of these
_MANY = 32  # small blocks from which on a large one is worth its compilation


class LocalField:
    """A field of which nothing is known but derivatives at one point, the others being zero.

    It can be asked and differentiated at that point, by jets as by JAX's own transformations. What
    it says elsewhere means nothing.

    **Arguments:** `x`: the point; `values`: the derivatives, `(out, looks)`; `looks`: which they
    are.

    >>> x = jnp.zeros(2)
    >>> field = LocalField(x, jnp.array([[3.0, 5.0]]), ((0, 0), (0, 2)))
    >>> float(field(x)[0]), float(field.jet(x).laplacian(np.eye(2))[0])
    (3.0, 5.0)
    >>> jax.hessian(lambda z: field(1.0 * z)[0])(x).tolist()
    [[0.0, 0.0], [0.0, 5.0]]
    """

    def __init__(self, x: Array, values: Array, looks: Looks):
        self.x, self.values, self.looks = x, values, looks

    def __call__(self, z: Array) -> Array:
        return self.differentiated(z, (0,) * len(self.x))

    def jet(self, z: Array) -> "_LocalJet":
        """The derivatives at the point."""
        return _LocalJet(self, z)

    def differentiated(self, z: Array, look: Look) -> Array:
        """A derivative of the field."""
        if z is self.x:  # as given, which is quick to compile
            return self.given(self.values, look)
        return _differentiable(self, look, self.values, z)

    def given(self, values: Array, look: Look) -> Array:
        """That derivative among the values."""
        if look in self.looks:
            return values[:, self.looks.index(look)]
        return jnp.zeros_like(values[:, 0])


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1))
def _differentiable(field: LocalField, look: Look, values: Array, z: Array) -> Array:
    return field.given(values, look)


@_differentiable.defjvp
def _differentiable_jvp(field: LocalField, look: Look, primals: Any, tangents: Any) -> Any:
    (values, z), (moved, dz) = primals, tangents
    change = field.given(moved, look)
    for axis in range(len(field.x)):
        change = change + _differentiable(field, _once_more(look, axis), values, z) * dz[axis]
    return _differentiable(field, look, values, z), change


def _once_more(look: Look, axis: int) -> Look:
    return (*look[:axis], look[axis] + 1, *look[axis + 1 :])


class _LocalJet:
    def __init__(self, field: LocalField, z: Array):
        self._field, self._z = field, z

    def derivative(self, *directions: Direction) -> Array:
        dim = len(self._field.x)
        shares: dict[Look, Any] = {(0,) * dim: 1.0}
        for direction in directions:
            grown: dict[Look, Any] = {}
            for look, share in shares.items():
                for axis in range(dim):
                    if isinstance(direction, np.ndarray) and direction[axis] == 0.0:
                        continue
                    further = _once_more(look, axis)
                    grown[further] = grown.get(further, 0.0) + share * direction[axis]
            shares = grown
        total = jnp.zeros_like(self._field(self._z))
        for look, share in shares.items():
            total += share * self._field.differentiated(self._z, look)
        return total

    def laplacian(self, seeds: Any) -> Array:
        return sum((self.derivative(v, v) for v in seeds), jnp.zeros_like(self.derivative()))


class Looked(NamedTuple):
    """A term at points of a field, seen through the field's derivatives there.

    - `residual`: the term's values not subtracted.
    - `slopes`, `moves`: its derivatives by those of the field, and by the unknowns' numbers.
    - `sizes`: the sums of its absolute parts.
    """

    residual: Float[np.ndarray, "points equations"]
    slopes: Float[np.ndarray, "points equations out looks"]
    moves: Float[np.ndarray, "points equations unknowns"]
    sizes: Float[np.ndarray, "points equations"]


@eqx.filter_jit
def _compiled(
    residual: Callable,
    transform: Callable | None,
    looks: Looks,
    sought: Any,
    rest: Any,
    x: Array,
    values: Array,
) -> tuple[Array, ...]:
    flat, unravel = ravel_pytree(sought)
    unknowns = eqx.combine(sought, rest)

    def one(x: Array, values: Array) -> tuple[Array, ...]:
        def seen(values: Array) -> Callable:
            return under(transform, LocalField(x, values, looks))

        def at(values: Array, flat: Array) -> Array:
            return as_vector(residual(Shared(seen(values)), x, eqx.combine(unravel(flat), rest)))

        value, pull = jax.vjp(at, values, flat)
        slopes, moves = jax.vmap(pull)(jnp.eye(value.size))
        sizes = parts(residual, seen(values), x, unknowns)
        if sizes is None:
            sizes = absolute(value, [(slopes * values).reshape(value.size, -1)])
        return value, slopes, moves, sizes

    return jax.vmap(one)(x, values)


def under(transform: Callable | None, field: Callable) -> Callable:
    """The field that residuals see."""
    return field if transform is None else Transformed(field, transform)


def look(
    residual: Callable,
    transform: Callable | None,
    looks: Looks,
    x: Float[np.ndarray, "points dim"],
    values: Float[np.ndarray, "points out looks"],
    sought: Any = None,
    rest: Any = None,
) -> Looked:
    """A residual where some of the field's derivatives are given, the others being zero.

    **Arguments:** `sought`, `rest`: the two parts of the unknowns, as `equinox.partition` parts
    them; `moves` are by the numbers of the first, which is `None` where none are sought.
    """
    # All of them every time, so that one program serves for any.
    usual = ALL.get(x.shape[1], ())
    whole = usual if set(looks) <= set(usual) else looks
    places = [whole.index(each) for each in looks]
    sought, rest = jax.tree.map(_as_array, (sought, rest))
    size = _BLOCKS[len(x) > _MANY * _BLOCKS[0]]
    blocks = -(-len(x) // size)
    padded = np.minimum(np.arange(blocks * size), len(x) - 1).reshape(blocks, size)
    shape, found = (size, values.shape[1], len(whole)), []
    for part in padded:
        filled = np.zeros(shape)  # a new one: what is compiled may still read the last
        filled[..., places] = values[part]
        at, given = as_jax((x[part], filled))
        found.append(_compiled(residual, transform, whole, sought, rest, at, given))
    value, slopes, moves, sizes = (
        np.concatenate(list(map(np.asarray, column)))[: len(x)]
        for column in zip(*found, strict=True)
    )
    return Looked(value, slopes[..., places], moves, sizes)


def _as_array(leaf: Any) -> Any:
    """Numbers are no constants of a program, which would be compiled for each."""
    return np.float64(leaf) if isinstance(leaf, float) else leaf


def looked_at(
    problem: Problem,
    name: str,
    looks: Looks,
    x: Float[np.ndarray, "points dim"],
    values: Float[np.ndarray, "points out looks"],
    unknowns: Any = None,
) -> Looked:
    """The same of a term; `moves` are by all of the unknowns."""
    rest = jax.tree.map(lambda _: None, unknowns)
    residual = problem.terms[name].residual
    return look(residual, problem.transform, looks, x, values, unknowns, rest)


class Asked(NamedTuple):
    """What a residual asks of the field: derivatives, and whether elsewhere than at its own point.

    Elsewhere may be the same place by another name, as inside of `jax.grad`.
    """

    looks: Looks
    elsewhere: bool


def asked(
    residual: Callable, transform: Callable | None, dim: int, out: int, unknowns: Any
) -> Asked:
    """What a residual asks of the field."""
    leaves, structure = jax.tree.flatten(unknowns)
    shapes = tuple(map(_shape, leaves))
    try:
        return _asked(residual, transform, dim, out, shapes, structure)
    except TypeError:  # what holds arrays has no hash, and is looked at anew
        return _asked.__wrapped__(residual, transform, dim, out, shapes, structure)


def _shape(leaf: Any) -> Any:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) if eqx.is_array(leaf) else leaf


@functools.lru_cache(maxsize=256)
def _asked(
    residual: Callable,
    transform: Callable | None,
    dim: int,
    out: int,
    shapes: tuple[Any, ...],
    structure: Any,
) -> Asked:
    fields: list[_Watched] = []

    def traced(x: Array, leaves: tuple[Any, ...]) -> Array:
        fields.append(_Watched(x, jnp.zeros((out, 1)), ((0,) * dim,)))
        unknowns = jax.tree.unflatten(structure, leaves)
        return as_vector(residual(Shared(under(transform, fields[-1])), x, unknowns))

    eqx.filter_eval_shape(traced, jax.ShapeDtypeStruct((dim,), jnp.float64), shapes)
    looks = set().union(*(field.seen for field in fields))
    return Asked(tuple(sorted(looks)), any(field.elsewhere for field in fields))


class _Watched(LocalField):
    def __init__(self, *args: Any):
        super().__init__(*args)
        self.elsewhere, self.seen = False, set()

    def differentiated(self, z: Array, look: Look) -> Array:
        self.elsewhere |= z is not self.x
        return super().differentiated(z, look)

    def given(self, values: Array, look: Look) -> Array:
        self.seen.add(look)
        return super().given(values, look)


def rows_from(
    slopes: Float[np.ndarray, "*places equations out looks"],
    tables: Sequence[Float[np.ndarray, "points size"]] | Float[np.ndarray, "looks points size"],
) -> Float[np.ndarray, "*places equations coefficients"]:
    """What coefficients move: slopes by derivatives of the field times those of its functions.

    **Arguments:** `slopes`: at points in the last of the `places`; `tables`: of every look the
    functions at these points.
    """
    rows = np.zeros((*slopes.shape[:-1], tables[0].shape[1]))
    for look, table in enumerate(tables):
        part = slopes[..., look]
        if part.any():
            rows += part[..., None] * table[:, None, None, :]
    return rows.reshape(*rows.shape[:-2], -1)
