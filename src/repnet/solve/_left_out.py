"""What few rows say of a fit's ridge: what it misses at rows left out, and how likely they are."""

import dataclasses

import numpy as np
from jaxtyping import Float

from repnet.solve._local import Design, Factors, factorize, leave_one_out
from repnet.solve._triangular import column_norms


@dataclasses.dataclass(frozen=True)
class FewRows:
    r"""Ridge regressions of few rows, all in one window, for every ridge at once.

    The matrix $A$ of features has columns of norm 1, and $P = (A A^\top + \lambda^2\sigma_1^2
    I)^{-1}$ with ridges $\lambda > 0$ relative to its largest singular value $\sigma_1$.

    >>> y = np.array([[0.0], [0.0], [3.0]])
    >>> rows = FewRows.of(np.ones((3, 1)), y, np.array([1e-6]))
    >>> rows.left_out_rms().round(3).tolist()
    [[2.121]]
    """

    design: Design
    factors: Factors
    y: Float[np.ndarray, "rows out"]
    ridges: Float[np.ndarray, " ridges"]

    @staticmethod
    def of(
        matrix: Float[np.ndarray, "rows columns"],
        y: Float[np.ndarray, "rows out"],
        ridges: Float[np.ndarray, " ridges"],
    ) -> "FewRows":
        """Factorize the matrix, whose columns may have any norms."""
        design = Design((matrix / column_norms(matrix))[None], np.ones(1), matrix.shape[1])
        factors = factorize(design, np.ones((1, len(matrix)), bool), precise=True)
        return FewRows(design, factors, y, ridges)

    def left_out_rms(self) -> Float[np.ndarray, "ridges out"]:
        r"""Root mean square of the errors at rows left out one at a time, by ridge and target.

        $$e_i = \frac{(P y)_i}{P_{ii}}$$

        $P$ is the hat matrix taken from the unit matrix, but not as a difference: a fit that all
        but interpolates leaves far less than round-off of 1.

        **Source:** Allen 1974 (PRESS).
        """
        rows = len(self.y)
        relative = self._shifts() / self.design.unit[0]
        mean = np.full((1, rows), 1.0 / rows)
        return np.sqrt(leave_one_out(self.design, self.factors, relative, mean, self.y[None])[0])

    def log_evidence(self) -> Float[np.ndarray, "ridges out"]:
        r"""Logarithm of the rows' probability, but for a constant, by ridge and target.

        $$-\tfrac n2 \log(y^\top P y) + \tfrac12 \log\det P$$

        Read-outs and noise are Gaussian, with variances in the ratio that the ridge says and of the
        size that makes the rows most likely.

        **Source:** MacKay 1992; Rasmussen and Williams 2006, equation 5.8.
        """
        values, vectors = self.factors.values[0][:, None], self.factors.vectors[0]
        rows, rank = vectors.shape
        shift = self._shifts()
        inside = np.square(vectors.T @ self.y)
        beyond = np.maximum(np.square(self.y).sum(axis=0) - inside.sum(axis=0), 0.0)
        square = (1.0 / (values + shift)).T @ inside + beyond / shift[:, None]
        log_det = np.log(values + shift).sum(axis=0) + (rows - rank) * np.log(shift)
        return -0.5 * (rows * np.log(square + np.finfo(float).tiny) + log_det[:, None])

    def _shifts(self) -> Float[np.ndarray, " ridges"]:
        return np.square(self.ridges) * self.factors.values[0, 0]
