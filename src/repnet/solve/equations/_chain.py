"""Least squares over a chain of blocks, each tied to the next: factored once, solved many times."""

from collections.abc import Sequence

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

_SINGULAR = 1e-14  # a diagonal that small beside the largest is no equation


class Chain:
    r"""The least-squares solution of blocks of rows in a chain, or in a ring.

    $$\min\ \sum_k \|A_k c_k - b_k\|^2 + \sum_k \|R_k c_k - L_{k+1} c_{k+1} - d_k\|^2$$

    Orthogonal elimination from the first block to the last. A ring also ties the last block to the
    first: what the first has at its left is an unknown of its own, carried along. Blocks that are
    one object are factored once.

    **Arguments:** `own`: $A_k$; `left`, `right`: $L_k$ and $R_k$; `ring`: whether the ends meet.
    """

    def __init__(
        self,
        own: Sequence[Float[np.ndarray, "_ size"]],
        left: Sequence[Float[np.ndarray, "ties size"]],
        right: Sequence[Float[np.ndarray, "ties size"]],
        *,
        ring: bool = False,
    ):
        ties, self._size = right[0].shape
        self._left, self._ring = left, ties if ring else 0
        self._own: list[_Factor] = []
        self._steps: list[tuple[_Factor, np.ndarray, _Factor]] = []
        carried = left[0] if ring else np.zeros((0, self._size))
        meeting = -np.eye(ties) if ring else np.zeros((0, 0))
        for place, rows in enumerate(own):
            same = place > 0 and rows is own[place - 1]
            self._own.append(self._own[-1] if same else _Factor(rows))
        for place, block in enumerate(self._own[:-1]):
            upper = block.upper
            factor = _Factor(np.concatenate([upper, carried, right[place]]))
            beside = np.zeros((len(upper) + len(carried) + ties, ties + self._ring))
            beside[-ties:, :ties] = -np.eye(ties)
            beside[len(upper) : len(upper) + len(carried), ties:] = meeting
            beside = factor.turned(beside)
            rest = _Factor(beside[self._size :])
            self._steps.append((factor, beside[: self._size], rest))
            carried, meeting = rest.upper[:, :ties] @ left[place + 1], rest.upper[:, ties:]
        upper = self._own[-1].upper
        last = np.concatenate([upper, carried])
        beside = np.concatenate([np.zeros((len(upper), self._ring)), meeting])
        if ring:
            last = np.concatenate([last, right[-1]])
            beside = np.concatenate([beside, -np.eye(ties)])
        self._last = _Factor(np.concatenate([last, beside], axis=1))

    @property
    def regular(self) -> bool:
        """Whether the rows determine all coefficients."""
        factors = [self._last, *(factor for factor, _, _ in self._steps)]
        sizes = [np.abs(np.diag(factor.upper)) for factor in factors]
        return all(
            len(factor.upper) == factor.upper.shape[1] and size.min() > _SINGULAR * size.max()
            for factor, size in zip(factors, sizes, strict=True)
        )

    def solve(
        self,
        own: Sequence[Float[np.ndarray, " _"]],
        ties: Sequence[Float[np.ndarray, " ties"]],
        ends: tuple[Float[np.ndarray, " ties"], Float[np.ndarray, " ties"]] | None = None,
    ) -> Float[np.ndarray, "blocks size"]:
        """The coefficients for right sides $b_k$ and $d_k$.

        `ends`: of a ring's first block at its left and of its last at its right, both less what
        they have in common.
        """
        size = self._size
        carried = np.zeros(0) if ends is None else ends[0]
        tops = []
        for place, (factor, _, rest) in enumerate(self._steps):
            top = self._own[place].turned(own[place])[:size]
            right = factor.turned(np.concatenate([top, carried, ties[place]]))
            tops.append(right[:size])
            carried = rest.turned(right[size:])[: len(rest.upper)]
        top = self._own[-1].turned(own[-1])[:size]
        right = np.concatenate([top, carried, *([] if ends is None else [ends[1]])])
        solution = self._last.solved(right)
        found = np.zeros((len(self._own), size))
        found[-1], common = solution[:size], solution[size:]
        for place in range(len(self._steps) - 1, -1, -1):
            factor, beside, _ = self._steps[place]
            there = np.concatenate([self._left[place + 1] @ found[place + 1], common])
            right = tops[place] - beside @ there
            found[place] = scipy.linalg.solve_triangular(factor.upper, right, check_finite=False)
        return found


class _Factor:
    """A matrix as an orthogonal one, kept as LAPACK's reflectors, times a triangle."""

    def __init__(self, rows: Float[np.ndarray, "rows columns"]):
        work = 64 * max(1, rows.shape[1])
        self._reflectors, self._tau, _, _ = scipy.linalg.lapack.dgeqrf(rows, lwork=work)
        self.upper = np.triu(self._reflectors[: min(rows.shape)])

    def turned(self, right: Float[np.ndarray, "rows *columns"]) -> np.ndarray:
        """The transposed orthogonal matrix times a right side."""
        columns = right.reshape(len(right), -1)
        if columns.size == 0 or self._tau.size == 0:
            return right
        found = scipy.linalg.lapack.dormqr(
            "L", "T", self._reflectors, self._tau, columns, lwork=64 * columns.shape[1]
        )[0]
        return found.reshape(right.shape)

    def solved(self, right: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " columns"]:
        """The least-squares solution."""
        turned = self.turned(right)[: len(self.upper)]
        return scipy.linalg.solve_triangular(self.upper, turned, check_finite=False)
