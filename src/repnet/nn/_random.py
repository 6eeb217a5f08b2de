"""Random numbers and small formulas of first values, not compiled for every size of network."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jax.core import Tracer
from jax.scipy.special import ndtri
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped, UInt32

Drawn = Array | np.ndarray  # of JAX while keys are traced, of NumPy otherwise
_LEAST = 1024  # numbers drawn at once; then four times as many, and so on


def traced(*values: Any) -> bool:
    """Whether any of the arrays stands for a value that is not known yet.

    >>> traced(np.ones(3)), bool(jax.jit(traced)(np.ones(3)))
    (False, True)
    """
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values))


def settled(tree: Any) -> Any:
    """The same with arrays of NumPy, whose formulas need no compilation, unless one is traced.

    >>> type(settled(jnp.ones(3))).__name__
    'ndarray'
    """
    if traced(tree):
        return tree
    return jax.tree.map(lambda leaf: np.asarray(leaf) if isinstance(leaf, Array) else leaf, tree)


def as_jax(tree: Any) -> Any:
    """The same with arrays of JAX. `jnp.asarray` compiles a copy for every shape of NumPy's.

    >>> as_jax(np.float32([2.0]))
    Array([2.], dtype=float32)
    """
    return jax.tree.map(jnp.asarray, tree) if traced(tree) else jax.device_put(tree)


def times(factor: Array | float, weight: Array) -> Array:
    """A weight times a number.

    >>> times(2.0, jnp.ones(2)).tolist()
    [2.0, 2.0]
    """
    factor, weight = settled((factor, weight))
    return as_jax(factor * weight)


def uniform(
    key: PRNGKeyArray, shape: tuple[int, ...], lower: float = 0.0, upper: float = 1.0
) -> Float[Drawn, "..."]:
    """Independent numbers, uniform in `[lower, upper)`: those of `jax.random.uniform`.

    >>> bool(np.all(uniform(jr.key(0), (3, 2)) == jr.uniform(jr.key(0), (3, 2))))
    True
    """
    unit = _draw(jr.uniform, key, shape)
    return unit if (lower, upper) == (0.0, 1.0) else lower + (upper - lower) * unit


def normal(key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Drawn, "..."]:
    """Independent standard normal numbers: those of `jax.random.normal`.

    >>> bool(np.all(normal(jr.key(0), (3, 2)) == jr.normal(jr.key(0), (3, 2))))
    True
    """
    return _draw(jr.normal, key, shape)


def signs(key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Drawn, "..."]:
    """Independent fair signs: those of `jax.random.rademacher`.

    >>> bool(np.all(signs(jr.key(0), (9,)) == jr.rademacher(jr.key(0), (9,))))
    True
    """
    unit = uniform(key, shape)
    space = unit.__array_namespace__()
    return space.where(unit < 0.5, 1.0, -1.0).astype(unit.dtype)


def permutation(key: PRNGKeyArray, count: int) -> Int[np.ndarray, " count"]:
    """The numbers below `count` in a random order: that of `jax.random.permutation`.

    **Source:** JAX: sorts by random keys of 32 bits, as many as leave hardly any pair tied.

    >>> permutation(jr.key(0), 9).tolist() == jr.permutation(jr.key(0), 9).tolist()
    True
    """
    order = np.arange(count)
    for _ in range(math.ceil(3.0 * math.log(max(count, 1)) / math.log(2**32 - 1))):
        key, own = jr.split(key)
        order = order[np.argsort(_draw(_bits, own, (count,)), kind="stable")]
    return order


def _bits(key: PRNGKeyArray, shape: tuple[int, ...]) -> UInt32[Array, "..."]:
    return jr.bits(key, shape, np.uint32)


def normal_quantile(share: Float[Drawn, "..."]) -> Float[Drawn, "..."]:
    """The standard normal law's quantile function.

    >>> normal_quantile(np.array([0.5])).tolist()
    [0.0]
    """
    return scipy.special.ndtri(share) if isinstance(share, np.ndarray) else ndtri(share)


def _draw(sampler: Callable, key: PRNGKeyArray, shape: tuple[int, ...]) -> Shaped[Drawn, "..."]:
    if traced(key):
        return sampler(key, shape)
    # A number depends on the key and on its place alone, so that the first ones of many are the
    # numbers asked for. To compile a draw takes a thousand times as long as to draw.
    count = math.prod(shape)
    many = _LEAST
    while many < count:
        many *= 4
    with jax.ensure_compile_time_eval():  # also where something else is being traced
        return np.asarray(_many(sampler, many, key))[:count].reshape(shape)


@partial(jax.jit, static_argnums=(0, 1))
def _many(sampler: Callable, count: int, key: PRNGKeyArray) -> Array:
    return sampler(key, (count,))
