"""How the units of a multi-scale layer are shared out to its scales, and drawn."""

import math
from collections.abc import Sequence

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Float, PRNGKeyArray

from repnet.nn._check import check_positive
from repnet.nn._draw import rotated_sobol
from repnet.nn._random import Drawn, uniform

DRAWS = ("random", "sobol")
Numbers = ArrayLike | Sequence[float | int]


def check_scales(owner: str, scales: Numbers) -> tuple[float, ...]:
    """Scales as a tuple of numbers.

    **Raises:** `ValueError` for none, and for one that is not finite and positive.

    >>> check_scales("MscaleLinear", [1, 2])
    (1.0, 2.0)
    """
    check_positive(owner, "scales", scales)
    found = tuple(np.atleast_1d(np.asarray(scales, float)).tolist())
    if not found:
        raise ValueError(f"`{owner}(scales=...)` must hold at least one scale; got none.")
    return found


def share_out(
    owner: str, units: int, scales: Sequence[float], shares: Numbers | None = None
) -> tuple[int, ...]:
    """Numbers of units per scale, by largest remainders.

    **Arguments:** `shares`: of the units, one per scale, summing to 1; `None` is even.

    **Raises:** `ValueError` for shares that are not positive or do not sum to 1, and where a scale
    is left without units.

    >>> share_out("MscaleLinear", 10, (1.0, 2.0, 4.0))
    (4, 3, 3)
    """
    count = len(scales)
    part = np.full(count, 1.0 / count) if shares is None else np.asarray(shares, float)
    if shares is not None:
        check_positive(owner, "shares", shares)
        if part.shape != (count,) or not math.isclose(part.sum(), 1.0, rel_tol=1e-6):
            raise ValueError(
                f"`{owner}(shares=...)` must be one per scale, {count} in all, and sum to 1; got"
                f" {part.size} that sum to {part.sum():g}."
            )
    counts = np.floor(units * part + 1e-9).astype(int)
    first = np.argsort(counts - units * part, kind="stable")[: units - counts.sum()]
    counts[first] += 1
    if counts.min() < 1:
        raise ValueError(
            f"`{owner}(scales=...)` must leave at least one unit to each scale; got {count} scales"
            f" for {units} units or pairs of units."
        )
    return tuple(counts.tolist())


def draw_cube(
    counts: Sequence[int], dim: int, draw: str, key: PRNGKeyArray
) -> Float[Drawn, "count dim"]:
    """Points of the open unit cube: for each scale random ones, or a Sobol sequence of its own.

    >>> draw_cube((3, 2), 4, "sobol", jr.key(0)).shape
    (5, 4)
    """
    keys = jr.split(key, len(counts))
    make = rotated_sobol if draw == "sobol" else _random
    points = [make(count, dim, key=each) for count, each in zip(counts, keys, strict=True)]
    least = float(jnp.finfo(points[0].dtype).eps)  # a normal law is infinite at 0 and 1
    space = points[0].__array_namespace__()
    return space.clip(space.concatenate(points), least, 1.0 - least)


def _random(count: int, dim: int, *, key: PRNGKeyArray) -> Float[Drawn, "count dim"]:
    return uniform(key, (count, dim))
