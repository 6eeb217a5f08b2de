"""How fast the kernel of drawn sine units nears its closed form."""

import jax.random as jr
import numpy as np
from jaxtyping import Float, Int, PRNGKeyArray

from repnet.nn import TwoLayerSine
from repnet.theory._sine import SineEnsemble

_POINTS = 65
_DRAWS = 4


def compare_kernels(
    ensemble: SineEnsemble,
    units: Int[np.ndarray, " counts"],
    *,
    half_width: float,
    key: PRNGKeyArray,
) -> tuple[Float[np.ndarray, " counts"], float]:
    r"""Relative errors of the kernels of independent random units, by their number.

    $\|\hat\Theta_N - \Theta\|_F/\|\Theta\|_F$ at points of $[-L, L]$, root mean square over four
    draws.

    **Arguments:** `ensemble`: in one dimension, all groups trained; `units`: $N$, ascending;
    `half_width`: $L$.

    **Returns:** the errors, and the slope of their logarithm over that of $N$.

    **Source:** this project.

    >>> import jax
    >>> errors, slope = compare_kernels(
    ...     SineEnsemble((1.0,)), np.array([50, 400]), half_width=1.0, key=jax.random.key(0)
    ... )
    >>> bool(errors[1] < errors[0]), -0.8 < slope < -0.2
    (True, True)
    """
    x = np.linspace(-half_width, half_width, _POINTS)[:, None]
    exact = ensemble.kernel(x, x)
    errors = np.zeros(len(units))
    for index, count in enumerate(units):
        keys = jr.split(jr.fold_in(key, index), _DRAWS)
        found = [_relative(ensemble, int(count), x, exact, each) for each in keys]
        errors[index] = np.sqrt(np.mean(np.square(found)))
    return errors, float(np.polyfit(np.log(units), np.log(errors), 1)[0])


def _relative(
    ensemble: SineEnsemble, count: int, x: np.ndarray, exact: np.ndarray, key: PRNGKeyArray
) -> float:
    network = ensemble.draw(count, draw="random", signs=False, paired=False, key=key)
    return float(np.linalg.norm(sine_kernel(network, x) - exact) / np.linalg.norm(exact))


def sine_kernel(
    network: TwoLayerSine, x: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points points"]:
    r"""The tangent kernel of a two-layer sine network, all groups trained.

    $$\frac1N\sum_j\big[\sin z_j\sin z_j' + a_j^2(1 + \alpha_j^2\,x\cdot x')\cos z_j\cos z_j'\big]$$
    """
    a, scale = (np.asarray(each, np.float64) for each in (network.amplitude, network.scale))
    weight = np.asarray(network.weight, np.float64) * scale[:, None]
    z = x @ weight.T + np.asarray(network.bias, np.float64)
    sine, cosine = np.sin(z), np.cos(z) * a
    still = sine @ sine.T + cosine @ cosine.T
    moving = (cosine * scale) @ (cosine * scale).T
    return (still + (x @ x.T) * moving) / network.units
