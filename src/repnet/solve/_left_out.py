"""What a fit of few rows misses at each of them when it is left out."""

import numpy as np
from jaxtyping import Float

from repnet.solve._local import Design, factorize, leave_one_out
from repnet.solve._triangular import column_norms


def left_out_rms(
    matrix: Float[np.ndarray, "rows columns"],
    y: Float[np.ndarray, "rows out"],
    ridges: Float[np.ndarray, " ridges"],
) -> Float[np.ndarray, "ridges out"]:
    r"""Root mean square of the errors at rows left out one at a time, by ridge and target.

    $$e_i = \frac{(P y)_i}{P_{ii}}, \qquad P = (A A^\top + \lambda^2\sigma_1^2 I)^{-1}$$

    with the matrix $A$ of features whose columns have norm 1, all in one window. $P$ is the hat
    matrix taken from the unit matrix, but not as a difference: a fit that all but interpolates
    leaves far less than round-off of 1.

    **Arguments:** `ridges`: $\lambda > 0$, relative to the largest singular value $\sigma_1$.

    **Source:** Allen 1974 (PRESS).

    >>> y = np.array([[0.0], [0.0], [3.0]])
    >>> left_out_rms(np.ones((3, 1)), y, np.array([1e-6])).round(3).tolist()
    [[2.121]]
    """
    rows, columns = matrix.shape
    design = Design((matrix / column_norms(matrix))[None], np.ones(1), columns)
    factors = factorize(design, np.ones((1, rows), bool), precise=True)
    relative = np.square(ridges) * factors.values[0, 0] / design.unit[0]
    mean = np.full((1, rows), 1.0 / rows)
    return np.sqrt(leave_one_out(design, factors, relative, mean, y[None])[0])
