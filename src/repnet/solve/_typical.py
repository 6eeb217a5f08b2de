"""One error of several targets, for choices that serve all of them."""

import numpy as np
from jaxtyping import Float

ROUND_OFF = 1e-13  # errors of different solvers below this are not told apart


def typical(errors: Float[np.ndarray, " out"], least: float = 0.0) -> float:
    """The geometric mean of relative errors, which no target alone decides.

    With a mean of squares the hardest target would decide, and gain a percent where another loses
    all its digits.

    **Arguments:** `errors`: one per target; `least`: what smaller ones count as. All must be
    positive then.

    >>> round(typical(np.array([1e-8, 1.0])), 12)
    0.0001
    """
    return float(np.exp(np.mean(np.log(np.maximum(errors, least)))))
