"""Points between samples, where samples left out cannot judge."""

import jax.random as jr
import numpy as np
import scipy  # its parts load at their first use
from jaxtyping import Float, PRNGKeyArray

from repnet.nn._random import permutation

_MOST = 27  # neighbours of a scattered point


def off_samples(
    x: Float[np.ndarray, "points dim"],
    step: Float[np.ndarray, " dim"] | None,
    count: int,
    key: PRNGKeyArray,
) -> Float[np.ndarray, "count dim"]:
    """`count` points: inside the cells of a grid, or midway between scattered neighbours.

    Rows of a grid share coordinates and sums of them, so that those left out have others on the
    same line: a function may be right at all of them and anything in between.

    **Arguments:** `step`: between the nodes of a grid; `None` for scattered points.

    >>> x = np.stack(np.meshgrid([0.0, 1.0, 2.0], [0.0, 5.0]), axis=-1).reshape(-1, 2)
    >>> points = off_samples(x, np.array([1.0, 5.0]), 4, jr.key(0))
    >>> points.shape, bool(np.all((points > 0) & (points < [2.0, 5.0])))
    ((4, 2), True)
    """
    rows_key, place_key = jr.split(key)
    rows = np.resize(permutation(rows_key, len(x)), count)
    rng = np.random.default_rng(np.asarray(jr.key_data(place_key)))
    if step is not None:
        inward = np.where(x[rows] + 0.5 * step > x.max(axis=0), -step, step)
        return x[rows] + rng.uniform(size=inward.shape) * inward
    if len(x) == 1:
        return x[rows]
    near = min(3 ** x.shape[1] - 1, _MOST, len(x) - 1)
    _, neighbours = scipy.spatial.cKDTree(x).query(x[rows], near + 1)
    chosen = neighbours[np.arange(count), rng.integers(1, near + 1, count)]  # 0 is the point itself
    return (x[rows] + x[chosen]) / 2
