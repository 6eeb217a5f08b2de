"""Widths of radial units, by input and along any directions, of the most evidence."""

import dataclasses
from collections.abc import Callable

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet.nn._radial import radial_profile, radial_slope

_STEPS = 150  # of a search
_RIDGES = np.log([1e-13, 10.0])  # relative to the mean eigenvalue
_SPREAD = 8.0  # how far a width moves from where it starts, as a logarithm
_FARTHEST = 1e60  # squared distance, in widths
_FAILED = 1e10  # in place of an evidence that round-off hides
_TINY = 1e-300


@dataclasses.dataclass(frozen=True)
class Evidence:
    r"""The evidence of points for a scaling and a ridge: -2 times its logarithm by the point.

    With $B$ the inverse of $A = K + \lambda I$ on what polynomials leave, of $m$ dimensions, and
    the best amplitude: $\log(y^T B y / m) + \log\det A / m$, its mean over the targets.

    - `x`, `y`: in standard units; `rest`: an orthonormal basis of what polynomials leave.

    **Source:** Rasmussen and Williams 2006, sections 2.7 and 5.4.
    """

    x: Float[np.ndarray, "points dim"]
    y: Float[np.ndarray, "points out"]
    kernel: str
    rest: Float[np.ndarray, "points rest"]

    def __call__(
        self, scaling: Float[np.ndarray, "rank dim"], log_ridge: float
    ) -> tuple[float, Float[np.ndarray, "rank dim"], float]:
        """The value and its derivatives; the ridge is relative to the mean eigenvalue."""
        z = self.x @ scaling.T
        square = scipy.spatial.distance.cdist(z, z, "sqeuclidean")
        if not square.max() < _FARTHEST:
            return _FAILED, np.zeros_like(scaling), 0.0
        matrix = self.rest.T @ radial_profile(self.kernel, square, np) @ self.rest
        size, ridge, mean = len(matrix), float(np.exp(log_ridge)), float(np.trace(matrix))
        mean /= size
        matrix[np.diag_indices(size)] += ridge * mean
        try:
            factor = scipy.linalg.cho_factor(matrix, lower=True)
        except scipy.linalg.LinAlgError:
            return _FAILED, np.zeros_like(scaling), 0.0
        inverse = self.rest @ scipy.linalg.cho_solve(factor, self.rest.T)
        weights = inverse @ self.y
        energies = np.maximum(np.sum(self.y * weights, axis=0), _TINY)
        value = np.mean(np.log(energies / size)) + 2.0 * np.mean(np.log(np.diag(factor[0])))
        by_matrix = inverse / size - (weights / energies) @ weights.T / len(energies)
        inside = self.rest @ self.rest.T
        by_ridge = float(np.sum(by_matrix * inside)) * ridge
        by_square = by_matrix + by_ridge / size * inside  # the mean eigenvalue moves, too
        by_square *= radial_slope(self.kernel, square, np)
        by_z = 4.0 * (by_square.sum(axis=1)[:, None] * z - by_square @ z)
        return float(value), by_z.T @ self.x, by_ridge * mean


def width_by_input(
    evidence: Evidence, width: float, log_ridge: float
) -> tuple[Float[np.ndarray, "dim dim"], float]:
    """The diagonal scaling of the most evidence, from one width for all, and its ridge."""
    dim = evidence.x.shape[1]
    start = np.full(dim, -np.log(width))

    def measure(logs: Float[np.ndarray, " dim"], log_ridge: float):
        scales = np.exp(logs)
        value, by_scaling, by_ridge = evidence(np.diag(scales), log_ridge)
        return value, np.diag(by_scaling) * scales, by_ridge

    bounds = [(at - _SPREAD, at + _SPREAD) for at in start]
    logs, log_ridge = _lowered(measure, start, log_ridge, bounds)
    return np.diag(np.exp(logs)), log_ridge


def width_along_directions(
    evidence: Evidence, scaling: Float[np.ndarray, "dim dim"], log_ridge: float
) -> tuple[Float[np.ndarray, "dim dim"], float]:
    """The scaling of the most evidence, from another, and its ridge."""

    def measure(entries: Float[np.ndarray, " entries"], log_ridge: float):
        value, by_scaling, by_ridge = evidence(entries.reshape(scaling.shape), log_ridge)
        return value, by_scaling.ravel(), by_ridge

    entries, log_ridge = _lowered(
        measure, scaling.ravel(), log_ridge, [(None, None)] * scaling.size
    )
    return entries.reshape(scaling.shape), log_ridge


def _lowered(
    measure: Callable,
    start: Float[np.ndarray, " numbers"],
    log_ridge: float,
    bounds: list[tuple[float | None, float | None]],
) -> tuple[Float[np.ndarray, " numbers"], float]:
    """Where a search from a start ends."""

    def value_and_slopes(at: np.ndarray) -> tuple[float, np.ndarray]:
        value, by_numbers, by_ridge = measure(at[:-1], float(at[-1]))
        return value, np.append(by_numbers, by_ridge)

    found = scipy.optimize.minimize(
        value_and_slopes,
        np.append(start, np.clip(log_ridge, *_RIDGES)),
        jac=True,
        method="L-BFGS-B",
        bounds=[*bounds, tuple(_RIDGES)],
        options={"maxiter": _STEPS},
    )
    return found.x[:-1], float(found.x[-1])
