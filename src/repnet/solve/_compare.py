"""Windows against one global layer, judged by leave-one-out errors at the same points."""

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.nn import MLP
from repnet.nn._random import permutation
from repnet.solve._feature_rows import accumulate, feature_rows
from repnet.solve._search import Pilot, ridges_among
from repnet.solve._triangular import Spectral
from repnet.solve._window_fit import Choice, Target

_ROWS = 20_000  # rows that the global layer is fitted to here
_LEAST = 1e-6  # of 1 - leverage: rows that decide their own fit


def global_errors(
    target: Target, choice: Choice, pilot: Pilot, key: PRNGKeyArray
) -> Float[np.ndarray, " out"]:
    r"""The global layer's relative error for every target, measured as `choice.errors` are.

    The mean over the pilot windows of $\sum_i w_i e_i^2 / \sum_i w_i$, with $e_i$ the layer's
    leave-one-out errors. Errors at single points have heavy tails, so two methods that are judged
    at different points are told apart badly.

    **Arguments:**

    - `target`, `choice`: the data in standard units, and the pilot windows of the other method.
    - `pilot`: the global layer and its ridges for all rows.
    - `key`: draws the rows of large data.
    """
    cover, data = choice.cut.cover, target.data
    rows = np.arange(len(data.x))
    if len(rows) > _ROWS:
        near = np.zeros(len(rows), bool)
        for window in choice.pilots:
            inside = np.abs(data.x - cover.centre[window]) <= cover.radius[window]
            near |= inside.all(axis=1)
        others = np.flatnonzero(~near)
        others = others[permutation(key, len(others))]
        rows = np.concatenate([np.flatnonzero(near), others])[:_ROWS]
    x = data.x[rows]
    ridges = ridges_among(len(rows), pilot.ridges, len(data.x))
    return seen_by_windows(choice, x, _leave_one_out(pilot.network, ridges, x, data.y[rows]))


def layer_missed(
    pilot: Pilot, x: Float[np.ndarray, "rows dim"], y: Float[np.ndarray, "rows out"]
) -> Float[np.ndarray, "rows out"]:
    """The global layer's leave-one-out errors at all rows of few, in standard units."""
    return _leave_one_out(pilot.network, pilot.ridges, x, y)


def seen_by_windows(
    choice: Choice, x: Float[np.ndarray, "rows dim"], errors: Float[np.ndarray, "rows out"]
) -> Float[np.ndarray, " out"]:
    """Errors at points as windows count them: the root of their mean square over the pilots."""
    squares = np.square(errors)
    total, count = np.zeros(squares.shape[1]), 0
    for window in choice.pilots:
        weight = choice.cut.cover.weights(np.array([window]), x[None])[0]
        if weight.sum() > 0:
            total, count = total + weight @ squares / weight.sum(), count + 1
    return np.sqrt(total / max(count, 1))


def _leave_one_out(
    network: MLP,
    ridges: Float[np.ndarray, " out"],
    x: Float[np.ndarray, "rows dim"],
    y: Float[np.ndarray, "rows out"],
) -> Float[np.ndarray, "rows out"]:
    r"""$e_i = (y_i - \hat y_i)/(1 - h_i)$, with $h$ the diagonal of the hat matrix.

    **Source:** Allen 1974 (PRESS).
    """
    with jax.enable_x64(True), one_blas_thread():
        spectral = Spectral.of(accumulate(network, x, y))
        matrix = feature_rows(network, x)
        errors = np.empty_like(y)
        for ridge in np.unique(ridges):
            own = ridges == ridge
            residual = y[:, own] - matrix @ spectral.coefficients(ridge)[:, own]
            held = np.maximum(1.0 - spectral.leverages(matrix, ridge), _LEAST)
            errors[:, own] = residual / held[:, None]
    return errors
