"""A cubic between every two samples: ramps, their squares and cubes at partition points of data."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Array, Float

from repnet.nn._random import as_jax


class PiecewiseCubic(eqx.Module):
    r"""A function of one input that is a cubic polynomial between neighbouring knots.

    It is what one hidden layer of ramps, squared ramps and cubed ramps with partition points at the
    knots can be, kept piece by piece, where nothing cancels. Beyond the outermost knots the
    outermost pieces go on.

    - `knots`: increasing, shape `(pieces + 1,)`.
    - `coefficients`: of $(x - t)^3$ down to the constant, with $t$ the knot on a piece's left,
      shape `(pieces, 4, out)`.

    >>> hat = PiecewiseCubic(
    ...     jnp.array([0.0, 1.0, 2.0]),
    ...     jnp.array([[[0.0], [0.0], [1.0], [0.0]], [[0.0], [0.0], [-1.0], [1.0]]]),
    ... )
    >>> hat(jnp.array([1.0])).tolist(), hat.many(np.array([[0.5], [2.5]])).tolist()
    ([1.0], [[0.5], [-0.5]])
    """

    knots: Float[Array, " knots"]
    coefficients: Float[Array, "pieces 4 out"]

    @staticmethod
    def akima(
        x: Float[np.ndarray, " knots"], y: Float[np.ndarray, "knots out"]
    ) -> "PiecewiseCubic":
        """Through all values, with slopes that steep neighbours do not spoil.

        The slope at a sample is a mean of the chords beside it, each weighted by how little the
        chords bend on its own side: a jump or a spike moves the pieces that hold it, and no others.

        **Arguments:** `x`: increasing, at least 2; `y`: the values there.

        **Raises:** `ValueError`, SciPy's, where `x` does not increase.

        **Source:** Akima 1970; the coefficients are SciPy's.

        >>> import jax
        >>> with jax.enable_x64(True):
        ...     cubic = PiecewiseCubic.akima(np.arange(5.0), np.arange(5.0)[:, None] ** 2)
        ...     float(cubic(jnp.array([2.5]))[0])
        6.25
        """
        pieces = np.moveaxis(scipy.interpolate.Akima1DInterpolator(x, y).c, 0, 1)
        return PiecewiseCubic(*as_jax((np.asarray(x), pieces)))

    def __call__(self, x: Float[Array, " 1"]) -> Float[Array, " out"]:
        """The value at one point, shape `(out,)`."""
        piece = jnp.searchsorted(self.knots[1:-1], x[0], side="right")
        return _cubic(self.coefficients[piece], x - self.knots[piece])

    def many(self, points: Float[np.ndarray, "points 1"]) -> Float[np.ndarray, "points out"]:
        """The values at many points, in NumPy."""
        knots = np.asarray(self.knots)
        piece = np.searchsorted(knots[1:-1], points[:, 0], side="right")
        rows = np.moveaxis(np.asarray(self.coefficients)[piece], 1, 0)
        return _cubic(rows, points - knots[piece, None])


def _cubic(coefficients: Any, offset: Any) -> Any:
    a, b, c, d = coefficients
    return ((a * offset + b) * offset + c) * offset + d
