"""Random numbers of a network's first values, without a compilation for every size of network."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.random as jr
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jax.core import Tracer
from jax.scipy.special import ndtri
from jaxtyping import Array, Float, PRNGKeyArray

Drawn = Array | np.ndarray  # of JAX while keys are traced, of NumPy otherwise
_LEAST = 1024  # numbers drawn at once; then four times as many, and so on


def traced(*values: Any) -> bool:
    """Whether any of the arrays stands for a value that is not known yet.

    >>> traced(np.ones(3)), bool(jax.jit(traced)(np.ones(3)))
    (False, True)
    """
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values))


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


def normal_quantile(share: Float[Drawn, "..."]) -> Float[Drawn, "..."]:
    """The standard normal law's quantile function.

    >>> normal_quantile(np.array([0.5])).tolist()
    [0.0]
    """
    return scipy.special.ndtri(share) if isinstance(share, np.ndarray) else ndtri(share)


def _draw(sampler: Callable, key: PRNGKeyArray, shape: tuple[int, ...]) -> Float[Drawn, "..."]:
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
