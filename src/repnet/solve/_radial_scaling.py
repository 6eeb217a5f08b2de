"""Widths of radial units, by input and along any directions, of the most evidence."""

import dataclasses
from collections.abc import Callable

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet._threads import one_blas_thread
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

    - `x`, `y`: in standard units; `flat`: an orthonormal basis of the polynomials.

    **Source:** Rasmussen and Williams 2006, sections 2.7 and 5.4.
    """

    x: Float[np.ndarray, "points dim"]
    y: Float[np.ndarray, "points out"]
    kernel: str
    flat: Float[np.ndarray, "points polynomials"]

    def __call__(
        self, scaling: Float[np.ndarray, "rank dim"], log_ridge: float
    ) -> tuple[float, Float[np.ndarray, "rank dim"], float]:
        """The value and its derivatives; the ridge is relative to the mean eigenvalue."""
        z = self.x @ scaling.T
        square = scipy.spatial.distance.cdist(z, z, "sqeuclidean")
        if not square.max() < _FARTHEST:
            return _FAILED, np.zeros_like(scaling), 0.0
        # Lower triangles are changed in place: among some hundred points, memory takes the time.
        matrix = radial_profile(self.kernel, square, np).T  # symmetric, in the order of LAPACK
        across = matrix @ self.flat
        across -= 0.5 * self.flat @ (self.flat.T @ across)
        matrix = _with_products(matrix, -1.0, across, self.flat)  # on what polynomials leave
        size, ridge = len(matrix) - self.flat.shape[1], float(np.exp(log_ridge))
        mean = float(np.trace(matrix)) / size
        matrix[np.diag_indices(len(matrix))] += ridge * mean
        matrix = _with_squares(matrix, mean, self.flat)  # so that the whole can be inverted
        matrix, failed = scipy.linalg.lapack.dpotrf(matrix, lower=1, overwrite_a=1)
        if failed:
            return _FAILED, np.zeros_like(scaling), 0.0
        level = (1.0 + ridge) * mean  # the eigenvalue of what the polynomials span
        log_det = 2.0 * np.sum(np.log(np.diag(matrix))) - self.flat.shape[1] * np.log(level)
        matrix = scipy.linalg.lapack.dpotri(matrix, lower=1, overwrite_c=1)[0]
        matrix = _with_squares(matrix, -1.0 / level, self.flat)
        weights = _product(matrix, self.y)
        energies = np.maximum(np.sum(self.y * weights, axis=0), _TINY)
        value = np.mean(np.log(energies / size)) + log_det / size
        shares = weights / np.sqrt(energies)
        matrix = _with_squares(matrix, -1.0 / len(energies), shares, times=1.0 / size)
        by_ridge = float(np.trace(matrix)) * ridge
        matrix[np.diag_indices(len(matrix))] += by_ridge / size  # the mean eigenvalue moves, too
        matrix = _with_squares(matrix, -by_ridge / size, self.flat)
        matrix *= radial_slope(self.kernel, square, np)
        by_square = _product(matrix, np.insert(z, 0, 1.0, axis=1))
        by_z = 4.0 * (by_square[:, :1] * z - by_square[:, 1:])
        return float(value), by_z.T @ self.x, by_ridge * mean


def _with_squares(
    matrix: Float[np.ndarray, "points points"],
    factor: float,
    columns: Float[np.ndarray, "points columns"],
    times: float = 1.0,
) -> Float[np.ndarray, "points points"]:
    r"""Of $t M + f C C^T$, $t$ being `times`, the lower triangle, in the place of that of $M$."""
    if not columns.shape[1]:
        return matrix
    return scipy.linalg.blas.dsyrk(factor, columns, times, matrix, lower=1, overwrite_c=1)


def _with_products(
    matrix: Float[np.ndarray, "points points"],
    factor: float,
    left: Float[np.ndarray, "points columns"],
    right: Float[np.ndarray, "points columns"],
) -> Float[np.ndarray, "points points"]:
    r"""Of $M + f (L R^T + R L^T)$ the lower triangle, in the place of that of $M$."""
    if not left.shape[1]:
        return matrix
    return scipy.linalg.blas.dsyr2k(factor, left, right, 1.0, matrix, lower=1, overwrite_c=1)


def _product(
    matrix: Float[np.ndarray, "points points"], columns: Float[np.ndarray, "points columns"]
) -> Float[np.ndarray, "points columns"]:
    """The symmetric matrix of a lower triangle times some columns."""
    return scipy.linalg.blas.dsymm(1.0, matrix, columns, lower=1)


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

    with one_blas_thread():
        found = scipy.optimize.minimize(
            value_and_slopes,
            np.append(start, np.clip(log_ridge, *_RIDGES)),
            jac=True,
            method="L-BFGS-B",
            bounds=[*bounds, tuple(_RIDGES)],
            options={"maxiter": _STEPS},
        )
    return found.x[:-1], float(found.x[-1])
