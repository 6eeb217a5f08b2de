"""Least squares with the columns kept as reflections, for what is left of other vectors."""

import dataclasses

import numpy as np
import scipy
from jaxtyping import Float


@dataclasses.dataclass(frozen=True)
class Projection:
    r"""The factorization $A = QR$ of rows with a little Tikhonov, $Q$ kept as reflections.

    It solves $\min_c |Ac - b|^2 + \lambda^2 |Dc|^2$, with the norms $D$ of the columns, and gives
    the part of any vector that is orthogonal to all columns: what `solve` leaves, and what a change
    of the unknowns moves beyond the reach of the read-out.

    **Source:** Golub and Van Loan, section 5.2; Golub and Pereyra 1973.

    >>> half = Projection.of(np.array([[1.0], [1.0]]), 0.0)
    >>> half.solve(np.array([3.0, 1.0])).round(12).tolist()
    [2.0]
    >>> abs(half.rest(np.array([[3.0], [1.0]]))).round(12).tolist()
    [[1.414213562373], [0.0]]
    """

    factored: np.ndarray
    tau: np.ndarray
    norms: np.ndarray
    rows: int

    @staticmethod
    def of(matrix: Float[np.ndarray, "rows columns"], ridge: float) -> "Projection":
        """Factorize; `ridge` is relative to the norm of the matrix with columns of norm 1."""
        rows, width = matrix.shape
        norms = np.sqrt(np.square(matrix).sum(axis=0))
        norms = np.where(norms > 0, norms, 1.0)
        stacked = np.zeros((rows + width, width), order="F")
        np.divide(matrix, norms, out=stacked[:rows])
        np.fill_diagonal(stacked[rows:], ridge * np.sqrt(width))
        (factored, tau), _ = scipy.linalg.qr(
            stacked, mode="raw", overwrite_a=True, check_finite=False
        )
        return Projection(factored, tau, norms, rows)

    def _rotated(self, right: Float[np.ndarray, "rows right"]) -> np.ndarray:
        """$Q^\\top b$, zeros appended for the rows of Tikhonov."""
        padded = np.zeros((len(self.factored), right.shape[1]), order="F")
        padded[: self.rows] = right
        (ormqr,) = scipy.linalg.get_lapack_funcs(("ormqr",), (self.factored,))
        work = ormqr("L", "T", self.factored, self.tau, padded, -1)[1]
        rotated, _, failed = ormqr(
            "L", "T", self.factored, self.tau, padded, int(work[0]), overwrite_c=True
        )
        assert failed == 0
        return rotated

    def solve(self, right: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " columns"]:
        """The coefficients that bring the rows closest to `right`."""
        width = self.factored.shape[1]
        top = self._rotated(right[:, None])[:width, 0]
        return self._triangle(top) / self.norms

    def _triangle(self, top: np.ndarray, *, transposed: bool = False) -> np.ndarray:
        width = self.factored.shape[1]
        return scipy.linalg.solve_triangular(
            self.factored[:width], top, trans=1 if transposed else 0, check_finite=False
        )

    def rest(self, right: Float[np.ndarray, "rows right"]) -> Float[np.ndarray, "left right"]:
        """What no coefficients reach, in rotated coordinates: its norms and products are kept."""
        return self._rotated(right)[self.factored.shape[1] :]

    def leverages(self, rows: Float[np.ndarray, "some columns"]) -> Float[np.ndarray, " some"]:
        """Diagonal of the hat matrix at some of the rows; 1 where a row decides its own fit."""
        inside = self._triangle((rows / self.norms).T, transposed=True)
        return np.square(inside).sum(axis=0)
