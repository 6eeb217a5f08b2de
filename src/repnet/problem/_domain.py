"""Domains: axis-aligned boxes and the points drawn in them."""

import math
from collections.abc import Sequence

import equinox as eqx
import jax
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float, PRNGKeyArray


class Box(eqx.Module):
    r"""An axis-aligned box $[l_1, u_1] \times \dots \times [l_d, u_d]$.

    ```python
    >>> box = Box([-1.0, 0.0], [1.0, 2.0])
    >>> box.dim, box.contains(np.array([[0.0, 1.0], [0.0, 3.0]])).tolist()
    (2, [True, False])

    ```

    **Arguments:**

    - `lower`, `upper`: corners, one number per axis, finite, in the units of the points.

    **Raises:** `ValueError` where a corner is not finite or `lower` is not below `upper`.

    **Source:** this project.
    """

    lower: Float[np.ndarray, " dim"]
    upper: Float[np.ndarray, " dim"]

    def __init__(
        self,
        lower: float | Sequence[float] | np.ndarray,
        upper: float | Sequence[float] | np.ndarray,
    ):
        self.lower = np.atleast_1d(np.asarray(lower, np.float64))
        self.upper = np.atleast_1d(np.asarray(upper, np.float64))
        if self.lower.ndim != 1 or self.lower.shape != self.upper.shape:
            raise ValueError(
                "`Box(lower=..., upper=...)` need one number per axis each; "
                f"their shapes are {self.lower.shape} and {self.upper.shape}."
            )
        for name, corner in (("lower", self.lower), ("upper", self.upper)):
            if not np.all(np.isfinite(corner)):
                axis = int(np.flatnonzero(~np.isfinite(corner))[0])
                raise ValueError(
                    f"`Box({name}=...)` must be finite; axis {axis} has {corner[axis]}."
                )
        if np.any(self.lower >= self.upper):
            axis = int(np.flatnonzero(self.lower >= self.upper)[0])
            raise ValueError(
                f"`Box(lower=...)` must lie below `upper`; axis {axis} has "
                f"{self.lower[axis]} >= {self.upper[axis]}."
            )

    @property
    def dim(self) -> int:
        """Number of axes."""
        return self.lower.size

    @property
    def centre(self) -> Float[np.ndarray, " dim"]:
        """The midpoint, shape `(dim,)`."""
        return self.lower + 0.5 * (self.upper - self.lower)

    @property
    def half_width(self) -> Float[np.ndarray, " dim"]:
        """Half the length of every axis, shape `(dim,)`."""
        return 0.5 * (self.upper - self.lower)

    def contains(self, points: Float[np.ndarray, "points dim"]) -> np.ndarray:
        """Whether each point lies in the closed box: booleans of shape `(points,)`."""
        return np.all((points >= self.lower) & (points <= self.upper), axis=-1)

    def grid(self, counts: int | Sequence[int]) -> Float[np.ndarray, "points dim"]:
        """A tensor grid with both ends, `counts` points per axis, last axis fastest."""
        counts = [counts] * self.dim if isinstance(counts, int) else list(counts)
        if len(counts) != self.dim or min(counts) < 1:
            raise ValueError(
                f"`Box.grid(counts=...)` needs {self.dim} positive counts; got {counts}."
            )
        axes = [
            np.linspace(a, b, n) for a, b, n in zip(self.lower, self.upper, counts, strict=True)
        ]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, self.dim)

    def sample(
        self, count: int, *, method: str = "sobol", key: PRNGKeyArray
    ) -> Float[np.ndarray, "points dim"]:
        """`count` points inside the box: a scrambled Sobol sequence, or `method="uniform"`."""
        if count < 1:
            raise ValueError(f"`Box.sample(count=...)` must be at least 1; got {count}.")
        rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
        match method:
            case "sobol":
                sequence = scipy.stats.qmc.Sobol(self.dim, rng=rng)
                unit = sequence.random_base2(max(0, math.ceil(math.log2(count))))[:count]
            case "uniform":
                unit = rng.random((count, self.dim))
            case _:
                raise ValueError(
                    f"`Box.sample(method=...)` is 'sobol' or 'uniform'; got {method!r}."
                )
        return self.lower + (self.upper - self.lower) * unit
