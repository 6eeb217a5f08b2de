"""Fewer points that hold what training on all of them would learn first."""

import jax.random as jr
import numpy as np
from jaxtyping import Float, PRNGKeyArray

Points = tuple[Float[np.ndarray, "points dim"], Float[np.ndarray, "points out"]]


def thin(x: np.ndarray, y: np.ndarray, most: int, key: PRNGKeyArray) -> Points:
    """At most `most` points: means of neighbours on one axis, a random choice on several.

    Means keep low frequencies free of those that the fewer points can't tell from them.

    >>> import jax
    >>> x, y = np.arange(6.0)[:, None], np.array([[0.0], [1.0]] * 3)
    >>> [part[:, 0].tolist() for part in thin(x, y, 3, jax.random.key(0))]
    [[0.5, 2.5, 4.5], [0.5, 0.5, 0.5]]
    """
    if len(x) <= most:
        return x, y
    if x.shape[1] > 1:
        chosen = np.sort(np.asarray(jr.choice(key, len(x), (most,), replace=False)))
        return x[chosen], y[chosen]
    order = np.argsort(x[:, 0], kind="stable")
    group = np.arange(len(x)) * most // len(x)
    counts = np.bincount(group)[:, None]
    means = [
        np.stack([np.bincount(group, column) for column in values[order].T], axis=1) / counts
        for values in (x, y)
    ]
    return means[0], means[1]
