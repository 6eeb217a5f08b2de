"""Boxes: axis-aligned domains, their faces, and the points drawn in them."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.problem._region import Boundary, Union, unit_points
from repnet.problem._solid import Solid


class Box(Solid):
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
    def measure(self) -> float:
        """The volume."""
        return float(np.prod(self.upper - self.lower))

    def contains(
        self, points: Float[np.ndarray, "points dim"], *, closed: bool = True
    ) -> np.ndarray:
        """Whether each point lies in the box, its faces included if `closed`."""
        if closed:
            return np.all((points >= self.lower) & (points <= self.upper), axis=-1)
        return np.all((points > self.lower) & (points < self.upper), axis=-1)

    def face(self, axis: int, side: str) -> "Face":
        """The face across `axis` on the `side` `"lower"` or `"upper"`.

        >>> Box([0.0, 0.0], [1.0, 2.0]).face(0, "upper").measure
        2.0
        """
        if side not in ("lower", "upper"):
            raise ValueError(f"`Box.face(side=...)` is 'lower' or 'upper'; got {side!r}.")
        axis = _axis(axis, self.dim, "Box.face")
        at = getattr(self, side)[axis]
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[axis] = upper[axis] = at
        return Face(lower, upper, axis, side)

    def boundary(self, *axes: int) -> Union:
        """All faces, or those across the given axes; each gets the same share of the points."""
        chosen = dict.fromkeys(_axis(a, self.dim, "Box.boundary") for a in axes or range(self.dim))
        faces = tuple(self.face(axis, side) for axis in chosen for side in ("lower", "upper"))
        return Union(faces, (1.0,) * len(faces))

    def grid(self, counts: int | Sequence[int]) -> Float[np.ndarray, "points dim"]:
        """A tensor grid with both ends, `counts` points per axis, last axis fastest."""
        counts = [int(counts)] * self.dim if isinstance(counts, int | np.integer) else list(counts)
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
        unit = unit_points(count, self.dim, method=method, key=key, owner="Box.sample")
        return self.lower + (self.upper - self.lower) * unit


class Face(Boundary):
    """One face of a box; `box.face(axis, side)` makes it.

    >>> Box([0.0, 0.0], [1.0, 2.0]).face(1, "lower").normal(jnp.zeros(2)).tolist()
    [0.0, -1.0]
    """

    lower: Float[np.ndarray, " dim"]
    upper: Float[np.ndarray, " dim"]
    axis: int = eqx.field(static=True)
    side: str = eqx.field(static=True)

    @property
    def measure(self) -> float:
        """The area; 1 for an end point of an interval."""
        return float(np.prod(np.delete(self.upper - self.lower, self.axis)))

    def sample(
        self, count: int, *, method: str = "sobol", key: PRNGKeyArray
    ) -> Float[np.ndarray, "points dim"]:
        """`count` points of the face; the end of an interval is one point."""
        if self.finite:
            return self.lower[None]
        unit = unit_points(count, self.dim - 1, method=method, key=key, owner="Face.sample")
        return self.lower + (self.upper - self.lower) * np.insert(unit, self.axis, 0.0, axis=1)

    def normal(self, x: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """The unit vector along the axis, out of the box."""
        sign = 1.0 if self.side == "upper" else -1.0
        return jnp.zeros_like(x).at[self.axis].set(sign)

    def gap(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """The distance from the face."""
        return jnp.linalg.norm(x - jnp.clip(x, self.lower, self.upper))


def _axis(axis: int, dim: int, owner: str) -> int:
    if isinstance(axis, bool) or not isinstance(axis, int | np.integer) or not -dim <= axis < dim:
        raise ValueError(f"`{owner}(axis=...)` must be an axis of {dim}; got {axis!r}.")
    return int(axis) % dim
