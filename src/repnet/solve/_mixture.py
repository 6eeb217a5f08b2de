"""Choosing among candidates in every window: by its own errors, and by what served elsewhere."""

import numpy as np
from jaxtyping import Float

TEMPER = 0.15  # neighbouring leave-one-out errors are correlated: they count as fewer
_ROUNDS = 40
_LEAST = 1e-4  # prior share that no candidate falls below, divided among all of them


def posterior(
    errors: Float[np.ndarray, "windows choices"],
    count: Float[np.ndarray, " windows"],
    prior: Float[np.ndarray, " choices"] | None = None,
) -> tuple[Float[np.ndarray, "windows choices"], Float[np.ndarray, " choices"]]:
    r"""Shares of every choice in every window: $p_{wc} \propto \pi_c\, E_{wc}^{-\beta n_w/2}$.

    $E$ is the window's leave-one-out error, a Gaussian likelihood with its own variance; $\beta$
    tempers it for correlation. The prior $\pi$ is learnt from all windows together by
    expectation–maximization, so that a window with few points follows the others, and one with
    clear evidence of its own does not.

    **Arguments:**

    - `errors`: squared errors, positive.
    - `count`: effective number of points of each window.
    - `prior`: keep this prior instead of learning it.

    **Returns:** shares that sum to one in each window, and the prior.

    **Source:** this project (empirical Bayes; Efron and Morris 1973 for the idea).

    >>> shares, prior = posterior(np.array([[1.0, 9.0], [1.0, 8.0]]), np.array([40.0, 40.0]))
    >>> bool(shares[0, 0] > 0.99)
    True
    """
    evidence = -0.5 * TEMPER * count[:, None] * np.log(errors)
    choices = errors.shape[1]
    weight = np.full(choices, 1.0 / choices) if prior is None else prior
    shares = _normalized(evidence + np.log(weight))
    for _ in range(_ROUNDS if prior is None else 0):
        weight = shares.mean(axis=0) + _LEAST / choices
        weight = weight / weight.sum()
        shares = _normalized(evidence + np.log(weight))
    return shares, weight


def _normalized(logarithm: Float[np.ndarray, "windows choices"]) -> np.ndarray:
    shares = np.exp(logarithm - logarithm.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)
