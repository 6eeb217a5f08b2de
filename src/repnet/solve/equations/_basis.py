"""The functions that one element's layer can make, as an orthonormal basis."""

import dataclasses

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet.nn import MLP
from repnet.solve._one_layer import one_layer, sines

_UNITS = 40
_REACH = 12.0  # largest frequency of a unit, radians per half-width of the element
_TYPICAL = 6.0  # radians per half-width of functions by which rows are weighed
_CUT = 1e-15  # singular values below that share of the largest are left out
_DENSE = 6  # points per unit at which functions are orthonormal
_ROWS = 1.6  # collocation points per function


@dataclasses.dataclass(frozen=True)
class Basis:
    """One layer of sines, shared by all elements, and its functions on $[-1, 1]$.

    - `layer`: the network, `out` outputs, its read-out zero.
    - `mix`: read-outs (units, then the bias) of the orthonormal functions, `(units + 1, size)`.
    - `typical`: size of their coefficients in a function that varies by about `_TYPICAL` radians
      per half-width: less where a function's own derivative of the equation's order is large.
    - `nodes`, `weights`: collocation points in an element and the roots of their Gauss weights.
    - `checks`: points between them.
    - `dense`, `back`: points in an element, and the matrix that takes values there to coefficients.
    """

    layer: MLP
    frequencies: Float[np.ndarray, " units"]
    phases: Float[np.ndarray, " units"]
    mix: Float[np.ndarray, "read size"]
    typical: Float[np.ndarray, " size"]
    nodes: Float[np.ndarray, " nodes"]
    weights: Float[np.ndarray, " nodes"]
    checks: Float[np.ndarray, " checks"]
    dense: Float[np.ndarray, " dense"]
    back: Float[np.ndarray, "size dense"]

    @staticmethod
    def of(out: int, order: int, rng: np.random.Generator) -> "Basis":
        """Frequencies stratified up to 12 radians per half-width, phases at random."""
        frequencies = (np.arange(_UNITS) + rng.uniform(size=_UNITS)) * _REACH / _UNITS
        phases = rng.uniform(0.0, 2.0 * np.pi, _UNITS)
        dense, weight = np.polynomial.legendre.leggauss(_DENSE * _UNITS)
        root = np.sqrt(0.5 * weight)[:, None]
        left, values, right = scipy.linalg.svd(
            root * _features(dense, frequencies, phases, 0), full_matrices=False
        )
        kept = values > _CUT * values[0]
        mix = right[kept].T / values[kept]
        back = left[:, kept].T * root.T
        bends = np.linalg.norm(root * _features(dense, frequencies, phases, order) @ mix, axis=0)
        nodes, at_nodes = np.polynomial.legendre.leggauss(int(_ROWS * mix.shape[1]))
        walls = np.concatenate([[-1.0], nodes, [1.0]])
        checks = 0.5 * (walls[1:] + walls[:-1])
        layer = one_layer(sines(frequencies[:, None], phases), out)
        return Basis(
            layer,
            frequencies,
            phases,
            mix,
            1.0 / np.hypot(1.0, bends / _TYPICAL**order),
            nodes,
            np.sqrt(0.5 * at_nodes),
            checks,
            dense,
            back,
        )

    @property
    def size(self) -> int:
        """Number of functions."""
        return self.mix.shape[1]

    def features(
        self, place: float | Float[np.ndarray, " points"], orders: int
    ) -> Float[np.ndarray, "orders points read"]:
        """Derivatives of the units, and of the bias, by the local coordinate, from order zero."""
        x = np.atleast_1d(place)
        return np.stack([_features(x, self.frequencies, self.phases, k) for k in range(orders)])

    def derivatives(
        self, place: float | Float[np.ndarray, " points"], orders: int
    ) -> Float[np.ndarray, "orders points size"]:
        """Derivatives of the functions by the local coordinate, from order zero."""
        return self.features(place, orders) @ self.mix


def _features(
    x: np.ndarray, frequencies: np.ndarray, phases: np.ndarray, order: int
) -> Float[np.ndarray, "points read"]:
    waves = frequencies**order * np.sin(x[:, None] * frequencies + phases + 0.5 * np.pi * order)
    return np.concatenate([waves, np.full((len(x), 1), float(order == 0))], axis=1)
