"""A forecast of learning beside a short real descent."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import ArrayLike, Float, PRNGKeyArray

from repnet.judge._error import as_columns
from repnet.judge._learning import Forecast, band_norms
from repnet.judge._thin import thin
from repnet.nn._check import check_count
from repnet.theory import descend_network, time_to_fraction

CLEARLY = 2.0  # bands whose steps differ by less than this factor are learnt together
SMALLEST = 1e-3  # share of the energy below which a band's time is an accident
_PER_DECADE = 12


@dataclass(frozen=True, eq=False)
class LearningCheck:
    """What a short descent showed.

    - `steps`: to bring each band down to the forecast's fraction; infinity where it was not.
    - `left`: each band's error after the last step, over its first.
    - `last`: number of steps that were trained.
    - `same_order`: whether no pair of bands that matter was learnt clearly the other way round.
    - `disputes`: the pairs of bands that were.

    >>> import jax.random as jr
    >>> from repnet.judge import time_to_learn
    >>> from repnet.nn import RepNet
    >>> x = np.linspace(-1.0, 1.0, 129)[:, None]
    >>> target = x, np.sin(3.0 * x) + np.sin(50.0 * x)
    >>> network = RepNet(1, scale=20.0, width=512, hidden=(), key=jr.key(0))
    >>> forecast = time_to_learn(network, target, bands=[0.0, 10.0, 100.0], key=jr.key(1))
    >>> check = check_learning(network, target, forecast, steps=20, key=jr.key(1))
    >>> check.last, check.same_order, check.disputes
    (20, True, ())
    """

    steps: Float[np.ndarray, " bands"]
    left: Float[np.ndarray, " bands"]
    last: int
    same_order: bool
    disputes: tuple[tuple[int, int], ...]


def check_learning(
    network: Callable,
    target: tuple[ArrayLike, ArrayLike],
    forecast: Forecast,
    *,
    steps: int = 1000,
    key: PRNGKeyArray,
) -> LearningCheck:
    r"""Train by plain descent at the forecast's rate, and compare the order of the bands.

    **Arguments:** `network`, `target`, `key`: those of the forecast; `steps`: how many.

    **Returns:** a `LearningCheck`. Bands with less than a thousandth of the energy are left out of
    the comparison of orders, and two bands are in order where one is faster by a factor of two.

    **Raises:** `ValueError` for a number of steps below 1, and for values of another shape than the
    network's.

    **Source:** this project.

    >>> import jax.random as jr
    >>> from repnet.judge import time_to_learn
    >>> from repnet.nn import RepNet
    >>> x = np.linspace(-1.0, 1.0, 129)[:, None]
    >>> target = x, np.sin(3.0 * x) + np.sin(50.0 * x)
    >>> network = RepNet(1, scale=20.0, width=512, hidden=(), key=jr.key(0))
    >>> forecast = time_to_learn(network, target, bands=[0.0, 10.0, 100.0], key=jr.key(1))
    >>> check = check_learning(network, target, forecast, steps=20, key=jr.key(1))
    >>> bool(check.left[0] < 0.5 < check.left[1])
    True
    """
    check_count("check_learning", "steps", steps)
    count = max(2, int(_PER_DECADE * np.log10(steps + 1)))
    records = np.unique([0, *np.round(np.geomspace(1, steps, count)), steps]).astype(int)
    x, y = (as_columns(each).astype(np.float64) for each in target)
    x, y = thin(x, y, forecast.points, key)
    _, errors = descend_network(network, x, y, records, rate=forecast.rate, rates=True)
    _, norms = band_norms(errors, x, forecast.edges)
    with np.errstate(invalid="ignore", divide="ignore"):
        left = norms[-1] / norms[0]
    measured = time_to_fraction(records.astype(float), norms, forecast.fraction)
    matters = np.flatnonzero(forecast.share >= SMALLEST)
    disputes = tuple(
        (int(i), int(j))
        for i in matters
        for j in matters
        if _before(forecast.steps[i], forecast.steps[j]) and _before(measured[j], measured[i])
    )
    return LearningCheck(measured, left, int(steps), not disputes, disputes)


def _before(one: float, other: float) -> bool:
    return bool(np.isfinite(one) and one * CLEARLY < other)
