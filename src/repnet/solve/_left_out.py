"""What a fit of few rows misses at each of them when it is left out."""

import numpy as np
from jaxtyping import Float

from repnet._svd import thin_svd
from repnet.solve._triangular import column_norms

_NONE = 1e-14  # singular values, over the largest, that count as zero


def left_out(
    matrix: Float[np.ndarray, "rows columns"],
    y: Float[np.ndarray, "rows out"],
    ridges: Float[np.ndarray, " ridges"],
) -> Float[np.ndarray, " ridges"]:
    r"""Root mean square of the errors at rows left out one at a time, for each ridge.

    $$e_i = \frac{(P y)_i}{P_{ii}}, \qquad
    P = I - U \operatorname{diag}\frac{\sigma^2}{\sigma^2 + \lambda^2\sigma_1^2}\, U^\top$$

    with the singular values $\sigma$ and left vectors $U$ of the matrix whose columns have one
    norm. Both parts are summed from what the fit leaves, $\lambda^2\sigma_1^2 / (\sigma^2 +
    \lambda^2\sigma_1^2)$ along $U$ and 1 across it, not as differences from 1: a fit that all but
    interpolates has $P_{ii}$ far below round-off of 1.

    **Arguments:** `ridges`: $\lambda$, relative to the largest singular value.

    **Source:** Allen 1974 (PRESS).

    >>> y = np.array([[0.0], [0.0], [3.0]])
    >>> left_out(np.ones((3, 1)), y, np.array([0.0])).round(3).tolist()
    [2.121]
    """
    norms = column_norms(matrix)
    left, singular, _ = thin_svd(matrix / norms)
    left = left[:, singular > _NONE * singular[0]]
    singular = singular[: left.shape[1]]
    along = left.T @ y
    across, alone = y - left @ along, 1.0 - np.square(left).sum(axis=1)
    if left.shape[1] == len(y):
        across, alone = np.zeros_like(across), np.zeros_like(alone)
    errors = []
    for ridge in ridges:
        shift = (ridge * singular[0]) ** 2
        misses = shift / (np.square(singular) + shift)
        missed = across + left @ (misses[:, None] * along)
        share = np.maximum(alone, 0.0) + np.square(left) @ misses
        errors.append(np.sqrt(np.mean(np.square(missed / share[:, None]))))
    return np.array(errors)
