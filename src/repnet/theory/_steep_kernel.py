"""The tangent kernel of infinitely many steep units on a finite domain."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet._threads import one_blas_thread
from repnet.nn._feature import make_feature
from repnet.theory._steep import SteepEnsemble

_NODES = 24  # of the integral over partition points, per 1/s


def steep_kernel(
    ensemble: SteepEnsemble, x: Float[np.ndarray, "rows dim"], y: Float[np.ndarray, "columns dim"]
) -> Float[np.ndarray, "rows columns"]:
    r"""The tangent kernel at points of a finite domain, its ends included.

    With $z = s(x-t)$ and $z' = s(y-t)$, $c$ the gain and partition points on $[-T, T]$,

    $$\Theta(x,y) = \frac{c^2}{2T}\int_{-T}^{T}\big[f(z)f(z') + \sigma_a^2s^2f'(z)f'(z')
    + \sigma_a^2(x-t)(y-t)f'(z)f'(z')\big]dt$$

    for the read-out, the offsets and the slopes; raw, $\sigma_a^2f'f'$ for the bias and
    $\sigma_a^2xy\,f'f'$ for the weight. Each term is taken times its group's multiplier. In the
    middle of a wide domain it is the stationary kernel whose transform is the ensemble's rate,
    up to the units that are constant there.

    **Arguments:** `x`, `y`: points of one coordinate, in the units of the ensemble's span.

    **Returns:** shape `(len(x), len(y))`.

    **Raises:** `ValueError` for an ensemble of several inputs.

    **Source:** this project; the integral by the middles of equal cells, 24 per $1/s$.

    >>> x = np.array([[0.0], [0.5]])
    >>> bumps = SteepEnsemble(4.0, span=2.0, features="bump", trained={"readout": 1.0})
    >>> steep_kernel(bumps, x, x).round(4).tolist()
    [[0.0672, 0.0267], [0.0267, 0.0672]]
    """
    if ensemble.dim != 1:
        raise ValueError(
            f"`steep_kernel(ensemble=...)` must be of one input; got {ensemble.dim}. In several,"
            " `SteepEnsemble.rate` holds on the infinite domain."
        )
    s, half = ensemble.scale, ensemble.span
    count = int(np.ceil(2.0 * half * s * _NODES)) + 1
    t = ((np.arange(count) + 0.5) / count * 2.0 - 1.0) * half
    with one_blas_thread():
        total = _products(ensemble, np.asarray(x, float), np.asarray(y, float), t)
    return ensemble.gain**2 / count * total


def _products(
    ensemble: SteepEnsemble, x: np.ndarray, y: np.ndarray, t: np.ndarray
) -> Float[np.ndarray, "rows columns"]:
    """The sum over partition points of the products of a unit's derivatives."""
    s, energy = ensemble.scale, ensemble.amplitude**2
    (f_x, rise_x), (f_y, rise_y) = (_unit(ensemble, s * (points - t)) for points in (x, y))
    offsets = rise_x @ rise_y.T
    terms = {
        "readout": lambda: f_x @ f_y.T,
        "offset": lambda: energy * s**2 * offsets,
        "slope": lambda: energy * ((x - t) * rise_x) @ ((y - t) * rise_y).T,
        "bias": lambda: energy * offsets,
        "weight": lambda: energy * (x @ y.T) * offsets,
    }
    parts = (rate * terms[group]() for group, rate in ensemble.trained.items())
    return sum(parts, np.zeros((len(x), len(y))))


def _unit(
    ensemble: SteepEnsemble, z: Float[np.ndarray, "points nodes"]
) -> tuple[np.ndarray, np.ndarray]:
    feature = make_feature(ensemble.features, ensemble.activation)
    with jax.enable_x64(True):
        at: Array = jnp.asarray(z)
        value, rise = jax.jvp(feature, (at,), (jnp.ones_like(at),))
        return np.asarray(value), np.asarray(rise)
