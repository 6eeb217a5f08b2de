"""The functions of space and time that one tile's layer can make, as an orthonormal basis."""

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from repnet.nn import MLP
from repnet.solve._one_layer import one_layer, sines
from repnet.solve.equations._local import Look

_UNITS = 200
_REACH = 6.0  # largest frequency of a unit, radians per half-width of the tile
_TYPICAL = 3.0  # radians per half-width of functions by which rows are weighed
_CUT = 1e-15  # singular values below that share of the largest are left out
_DENSE = 40  # points per axis at which functions are orthonormal
_NODES = 18  # collocation points per axis
_WALL = 24  # points on a wall of a tile
_DEGREES = 16  # of the Chebyshev polynomials that tell what is resolved
_TAIL = 11  # degree from which a polynomial counts as not resolved


@dataclasses.dataclass(frozen=True)
class PlaneBasis:
    """One layer of sines, shared by all tiles, and its functions on $[-1, 1]^2$.

    - `layer`: the network, `out` outputs, its read-out zero.
    - `mix`: read-outs (units, then the bias) of the orthonormal functions, `(units + 1, size)`.
    - `typical`: size of their coefficients in a function that varies by about 3 radians per
      half-width: less where a function's own derivatives of the equation's order are large.
    - `points`: by their purpose: `nodes` are collocation points, `checks` lie between them, `dense`
      are those of `back`; `start`, `left` and `right` are on walls. `weights`, `on_wall`: roots of
      the Gauss weights of the nodes and of a wall's points.
    - `back`: the matrix that takes values at the dense points to coefficients.
    """

    layer: MLP
    frequencies: Float[np.ndarray, "units 2"]
    phases: Float[np.ndarray, " units"]
    mix: Float[np.ndarray, "read size"]
    typical: Float[np.ndarray, " size"]
    points: dict[str, Float[np.ndarray, "points 2"]]
    weights: Float[np.ndarray, " nodes"]
    on_wall: Float[np.ndarray, " wall"]
    back: Float[np.ndarray, "size dense"]
    _tables: dict[tuple[str, Look], np.ndarray] = dataclasses.field(default_factory=dict)

    @staticmethod
    def of(orders: Int[np.ndarray, "out 2"], rng: np.random.Generator) -> "PlaneBasis":
        """Frequencies uniform in a disc, one in each ring of equal area; phases at random."""
        radius = _REACH * np.sqrt((np.arange(_UNITS) + rng.random(_UNITS)) / _UNITS)
        angle = rng.uniform(0.0, 2.0 * np.pi, _UNITS)
        frequencies = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        phases = rng.uniform(0.0, 2.0 * np.pi, _UNITS)
        dense, weight = _gauss(_DENSE)
        root = np.sqrt(weight)[:, None]
        left, values, right = np.linalg.svd(
            root * _features(dense, frequencies, phases, (0, 0)), full_matrices=False
        )
        kept = values > _CUT * values[0]
        mix = right[kept].T / values[kept]
        space, time = (int(order) for order in orders.max(axis=0))
        bends = [
            np.linalg.norm(root * _features(dense, frequencies, phases, look) @ mix, axis=0)
            for look in ((space, 0), (0, time))
        ]
        nodes, at_nodes = _gauss(_NODES)
        along = np.concatenate([[-1.0], np.polynomial.legendre.leggauss(_NODES)[0], [1.0]])
        between = (0.5 * (along[1:] + along[:-1]))[::2]
        wall, on_wall = np.polynomial.legendre.leggauss(_WALL)
        chebyshev = np.cos(np.pi * (np.arange(_DEGREES) + 0.5) / _DEGREES)
        points = {
            "nodes": nodes,
            "dense": dense,
            "checks": _product(between),
            "chebyshev": _product(chebyshev),
            "start": np.stack([wall, np.full(_WALL, -1.0)], axis=1),
            "left": np.stack([np.full(_WALL, -1.0), wall], axis=1),
            "right": np.stack([np.full(_WALL, 1.0), wall], axis=1),
        }
        return PlaneBasis(
            one_layer(sines(frequencies, phases), len(orders)),
            frequencies,
            phases,
            mix,
            1.0 / np.hypot(1.0, np.hypot(*bends) / _TYPICAL ** max(space, time)),
            points,
            np.sqrt(at_nodes),
            np.sqrt(0.5 * on_wall),
            left[:, kept].T * root.T,
        )

    @property
    def size(self) -> int:
        """Number of functions."""
        return self.mix.shape[1]

    def table(self, kind: str, look: Look) -> Float[np.ndarray, "points size"]:
        """A derivative of all functions by the local coordinates, at points of one purpose."""
        if (kind, look) not in self._tables:
            self._tables[kind, look] = self.at(self.points[kind], look)
        return self._tables[kind, look]

    def at(self, x: Float[np.ndarray, "points 2"], look: Look) -> Float[np.ndarray, "points size"]:
        """A derivative of all functions by the local coordinates, at any points."""
        return _features(x, self.frequencies, self.phases, look) @ self.mix

    def tails(
        self, coefficients: Float[np.ndarray, "tiles out size"]
    ) -> tuple[Float[np.ndarray, " tiles"], Float[np.ndarray, " tiles"]]:
        """What polynomials of high degree hold: in space, and in time."""
        values = coefficients @ self.table("chebyshev", (0, 0)).T
        values = values.reshape(*values.shape[:2], _DEGREES, _DEGREES)
        degrees = np.arange(_DEGREES)
        nodes = np.pi * (degrees + 0.5) / _DEGREES
        transform = np.cos(degrees[:, None] * nodes) * np.where(degrees == 0, 1.0, 2.0)[:, None]
        transform = transform / _DEGREES
        squares = np.square(transform @ values @ transform.T)
        space = squares[:, :, _TAIL:, :].sum(axis=(1, 2, 3))
        time = squares[:, :, :, _TAIL:].sum(axis=(1, 2, 3))
        return np.sqrt(space), np.sqrt(time)


def _product(along: Float[np.ndarray, " points"]) -> Float[np.ndarray, "all 2"]:
    return np.stack(np.meshgrid(along, along, indexing="ij"), axis=-1).reshape(-1, 2)


def _gauss(count: int) -> tuple[Float[np.ndarray, "all 2"], Float[np.ndarray, " all"]]:
    """The product of two Gauss rules, its weights with sum 1."""
    along, weight = np.polynomial.legendre.leggauss(count)
    return _product(along), 0.25 * np.outer(weight, weight).ravel()


def _features(
    x: np.ndarray, frequencies: np.ndarray, phases: np.ndarray, look: Look
) -> Float[np.ndarray, "points read"]:
    powers = frequencies[:, 0] ** look[0] * frequencies[:, 1] ** look[1]
    waves = powers * np.sin(x @ frequencies.T + phases + 0.5 * np.pi * sum(look))
    return np.concatenate([waves, np.full((len(x), 1), float(sum(look) == 0))], axis=1)
