"""The unknowns of an inverse problem as one tree of numbers, fields replaced by layers."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn import Standardized
from repnet.problem import Problem, Shared, UnknownField
from repnet.solve.equations._layers import make_layer

_SAMPLES = 512  # points of the domain that show where an unknown field is asked


def is_field(leaf: Any) -> bool:
    """Whether this leaf of the unknowns is a function."""
    return isinstance(leaf, UnknownField | Standardized)


def has_fields(unknowns: Any) -> bool:
    """Whether any of the unknowns is a function."""
    return any(is_field(leaf) for leaf in jax.tree.leaves(unknowns, is_leaf=is_field))


def with_layers(
    problem: Problem, kind: Any, omega: Float[np.ndarray, " dim"], units: int, key: PRNGKeyArray
) -> Any:
    """The unknowns with a layer of zero read-out in the place of every field, all in float64.

    `omega`: largest angular frequency of the fields, radians per half-width of the domain.
    """
    leaves, structure = jax.tree.flatten(problem.unknowns, is_leaf=is_field)
    keys = jax.random.split(key, len(leaves))
    made = []
    for place, (leaf, each) in enumerate(zip(leaves, keys, strict=True)):
        if not isinstance(leaf, UnknownField):
            made.append(jnp.asarray(leaf, jnp.float64))
            continue
        lower, upper = _asked(problem, leaves, structure, place)
        # An unknown of fewer axes than the domain gets the largest frequency on each of them.
        band = omega if len(lower) == len(omega) else np.full(len(lower), np.max(omega))
        layer = make_layer(kind, leaf.out_size, units, band, key=each)
        made.append(
            Standardized(
                layer,
                jnp.asarray((lower + upper) / 2),
                jnp.asarray(np.maximum((upper - lower) / 2, 1e-300)),
                jnp.full((leaf.out_size,), leaf.initial, jnp.float64),
                jnp.ones(leaf.out_size, jnp.float64),
            )
        )
    return jax.tree.unflatten(structure, made)


class _Recorder:
    """A field that notes the points at which it is asked."""

    def __init__(self, field: UnknownField):
        self.field = field
        self.seen: list[Array] = []

    def __call__(self, x: Array) -> Array:
        self.seen.append(x)
        return self.field(x)


def _asked(problem: Problem, leaves: list, structure: Any, place: int) -> tuple:
    """The box of the points at which the residuals ask one of the unknown fields."""
    x = jnp.asarray(problem.domain.sample(_SAMPLES, key=jax.random.key(0)))
    corners = np.stack([problem.domain.lower, problem.domain.upper])
    x = jnp.concatenate([x, jnp.asarray(corners)])
    found = []
    for term in problem.terms.values():

        def ask(point: Array, residual: Callable = term.residual) -> list[Array]:
            recorder = _Recorder(leaves[place])
            tree = [*leaves[:place], recorder, *leaves[place + 1 :]]
            field = problem.field(lambda x: jnp.zeros(problem.out_size))
            residual(Shared(field), point, jax.tree.unflatten(structure, tree))
            # Inside a derivative of the field the point is that derivative's, with the same value.
            return [jax.lax.stop_gradient(seen) for seen in recorder.seen[:1]]

        found.extend(np.asarray(seen) for seen in jax.vmap(ask)(x))
    if not found:
        raise ValueError(
            "`Problem(unknowns=...)`: no residual asks for one of the unknown fields; "
            "it can't be found."
        )
    seen = np.concatenate(found)
    return seen.min(axis=0), seen.max(axis=0)


def _sought(tree: Any) -> Any:
    """Which leaves are numbers to be found: arrays, and read-outs of layers."""

    def mark(leaf: Any) -> Any:
        if not isinstance(leaf, Standardized):
            return True
        fixed = jax.tree.map(lambda _: False, leaf)
        return eqx.tree_at(lambda s: s.network.readout, fixed, replace_fn=_all_true)

    return jax.tree.map(mark, tree, is_leaf=is_field)


def _all_true(part: Any) -> Any:
    return jax.tree.map(lambda _: True, part)


def split(tree: Any) -> tuple[Any, Any]:
    """The numbers to be found, and the rest."""
    return eqx.partition(tree, _sought(tree))


def numbers(tree: Any) -> Float[np.ndarray, " unknowns"]:
    """The numbers to be found, in one row."""
    return np.asarray(ravel_pytree(split(tree)[0])[0])


def with_numbers(tree: Any, row: Float[np.ndarray, " unknowns"]) -> Any:
    """The tree with other numbers."""
    sought, rest = split(tree)
    return eqx.combine(ravel_pytree(sought)[1](jnp.asarray(row)), rest)


def columns(tree: Any) -> list[slice]:
    """Where each leaf's numbers stand in the row."""
    slices, first = [], 0
    for leaf in jax.tree.leaves(tree, is_leaf=is_field):
        size = numbers(leaf).size
        slices.append(slice(first, first + size))
        first += size
    return slices
