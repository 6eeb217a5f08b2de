"""A running triangular factor: least squares over blocks of rows in constant memory."""

import dataclasses

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet._svd import thin_svd

ROUND_OFF = 1e-13  # the least ridge, relative to the largest singular value
RIDGES = np.array(
    [10.0**k for k in (-13, -11, -9, -7.5, -6, -5, -4, -3, -2.5, -2, -1.5, -1, -0.5, 0)]
)


_PANEL = 64  # columns that LAPACK reflects at once


class Triangle:
    r"""The factor $R$ of $[A\; b] = QR$, updated as rows arrive.

    Reflecting new rows onto $R$ gives the factor of all rows so far: memory is
    $(\text{columns} + \text{block}) \cdot \text{columns}$, however many rows there are.

    **Source:** Golub and Van Loan, section 5.2 (Householder QR); Demmel et al. 2012; LAPACK's
    `tpqrt`, which leaves out the zeros of $R$.
    """

    def __init__(self, columns: int, right: int):
        self.columns = columns
        self.right = right
        self.rows = 0
        self.factor = np.zeros((columns + right, columns + right), order="F")

    def add(
        self, matrix: Float[np.ndarray, "rows columns"], y: Float[np.ndarray, "rows right"]
    ) -> None:
        """Take in more rows."""
        block = np.empty((len(y), self.columns + self.right), order="F")
        block[:, : self.columns] = matrix
        block[:, self.columns :] = y
        self.factor = _reflected(self.factor, block)
        self.rows += len(y)

    def parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """$R$, $Q^\\top b$ and the residual sum of squares that no coefficients can reduce."""
        size = self.columns
        triangle, target = self.factor[:size, :size], self.factor[:size, size:]
        return triangle, target, np.square(self.factor[size:, size:]).sum(axis=0)


def _reflected(triangle: np.ndarray, rows: np.ndarray, *, triangular: bool = False) -> np.ndarray:
    """The triangle of the given one (overwritten) above rows (overwritten; a triangle or not)."""
    size = len(triangle)
    above, *_, fault = scipy.linalg.lapack.dtpqrt(
        len(rows) if triangular else 0,
        min(_PANEL, size),
        triangle,
        rows,
        overwrite_a=True,
        overwrite_b=True,
    )
    assert fault == 0, fault
    return above


@dataclasses.dataclass(frozen=True)
class Spectral:
    r"""The singular value decomposition of a triangle with its columns brought to one norm.

    One decomposition serves all ridges: coefficients are
    $D^{-1} V (\sigma/(\sigma^2+\lambda^2\sigma_1^2)) U^\top Q^\top b$.
    """

    norms: np.ndarray
    left: np.ndarray
    singular: np.ndarray
    right: np.ndarray
    target: np.ndarray

    @staticmethod
    def of(triangle: Triangle) -> "Spectral":
        """Decompose what the triangle holds so far."""
        factor, target, _ = triangle.parts()
        norms = column_norms(factor)
        rank = min(triangle.rows, triangle.columns)  # rows of R beyond the data's hold round-off
        factor, target = factor[:rank], target[:rank]
        left, singular, right = thin_svd(factor / norms)
        return Spectral(norms, left, singular, right, left.T @ target)

    def coefficients(self, ridge: float) -> Float[np.ndarray, "columns right"]:
        """Coefficients at one ridge, relative to the largest singular value."""
        shift = (ridge * self.singular[0]) ** 2
        gain = self.singular / (self.singular**2 + shift + np.finfo(float).tiny)
        return (self.right.T @ (gain[:, None] * self.target)) / self.norms[:, None]

    def leverages(
        self, matrix: Float[np.ndarray, "rows columns"], ridge: float
    ) -> Float[np.ndarray, " rows"]:
        """Diagonal of the hat matrix at rows of the matrix that was decomposed."""
        shift = (ridge * self.singular[0]) ** 2
        inside = matrix @ (self.right.T / self.norms[:, None])
        return np.square(inside) @ (1.0 / (self.singular**2 + shift + np.finfo(float).tiny))


def solved(
    triangle: Triangle, ridges: Float[np.ndarray, " right"]
) -> Float[np.ndarray, "columns right"]:
    """Coefficients of each target at its own ridge, by what is most precise for it."""
    found = np.empty((triangle.columns, triangle.right))
    spectral = None
    for ridge in np.unique(ridges):
        own = ridges == ridge
        if ridge <= ROUND_OFF * 10:
            found[:, own] = coefficients(triangle, ridge)[:, own]
        else:
            spectral = spectral or Spectral.of(triangle)
            found[:, own] = spectral.coefficients(ridge)[:, own]
    return found


def coefficients(triangle: Triangle, ridge: float) -> Float[np.ndarray, "columns right"]:
    """Coefficients at a ridge near round-off by QR of the triangle on a multiple of the identity.

    **Arguments:** `ridge`: relative to the Frobenius norm of the matrix with columns of norm 1.
    """
    size = triangle.columns
    norms = column_norms(triangle.factor[:size, :size])
    scaled = np.asfortranarray(triangle.factor.copy())
    scaled[:size, :size] /= norms
    level = ridge * np.sqrt(np.sum(np.square(scaled[:size, :size])))
    ridged = np.zeros_like(scaled)
    np.fill_diagonal(ridged[:size, :size], level)
    top = _reflected(scaled, ridged, triangular=True)
    solved = scipy.linalg.solve_triangular(top[:size, :size], top[:size, size:], check_finite=False)
    return solved / norms[:, None]


def column_norms(factor: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, " columns"]:
    """Norms of the columns; 1 for a column of zeros."""
    norms = np.sqrt(np.square(factor).sum(axis=0))
    return np.where(norms > 0, norms, 1.0)
