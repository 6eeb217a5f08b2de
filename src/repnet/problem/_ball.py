"""Balls: discs and their kin of any dimension."""

import math
from collections.abc import Sequence

import jax.numpy as jnp
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.problem._region import Boundary, unit_points
from repnet.problem._solid import Solid


class Ball(Solid):
    r"""The ball $|x - c| \le r$: a disc in two dimensions.

    ```python
    >>> disc = Ball([0.0, 1.0], 0.5)
    >>> round(disc.measure, 4), round(disc.boundary().measure, 4)
    (0.7854, 3.1416)

    ```

    **Arguments:**

    - `centre`: $c$, one number per axis.
    - `radius`: $r$, positive.

    **Raises:** `ValueError` where a number is not finite or the radius is not positive.

    **Source:** this project.
    """

    lower: Float[np.ndarray, " dim"]
    upper: Float[np.ndarray, " dim"]
    middle: Float[np.ndarray, " dim"]
    radius: float

    def __init__(self, centre: float | Sequence[float] | np.ndarray, radius: float):
        self.middle = np.atleast_1d(np.asarray(centre, np.float64))
        self.radius = float(radius)
        if self.middle.ndim != 1 or not np.all(np.isfinite(self.middle)):
            raise ValueError(
                f"`Ball(centre=...)` must be one finite number per axis; got {centre!r}."
            )
        if not (math.isfinite(self.radius) and self.radius > 0.0):
            raise ValueError(f"`Ball(radius=...)` must be finite and positive; got {radius!r}.")
        self.lower = self.middle - self.radius
        self.upper = self.middle + self.radius

    @property
    def measure(self) -> float:
        """The volume."""
        half = 0.5 * self.dim
        return math.pi**half / math.gamma(half + 1.0) * self.radius**self.dim

    def contains(
        self, points: Float[np.ndarray, "points dim"], *, closed: bool = True
    ) -> np.ndarray:
        """Whether each point lies in the ball, its boundary included if `closed`."""
        distance = np.linalg.norm(points - self.middle, axis=-1)
        return distance <= self.radius if closed else distance < self.radius

    def sample(
        self, count: int, *, method: str = "sobol", key: PRNGKeyArray
    ) -> Float[np.ndarray, "points dim"]:
        """`count` points inside the ball, uniform by volume."""
        columns = _columns(self.dim) + 1
        unit = unit_points(count, columns, method=method, key=key, owner="Ball.sample")
        distance = self.radius * unit[:, -1:] ** (1.0 / self.dim)
        return self.middle + distance * _directions(unit[:, :-1], self.dim)

    def boundary(self) -> "Sphere":
        """The sphere around the ball; its normals point out of the ball."""
        return Sphere(self)


class Sphere(Boundary):
    """The boundary of a ball; `ball.boundary()` makes it.

    >>> sphere = Ball([0.0, 0.0, 0.0], 1.0).boundary()
    >>> round(sphere.measure, 4), sphere.normal(jnp.array([0.0, 2.0, 0.0])).tolist()
    (12.5664, [0.0, 1.0, 0.0])
    """

    lower: Float[np.ndarray, " dim"]
    upper: Float[np.ndarray, " dim"]
    ball: Ball

    def __init__(self, ball: Ball):
        self.lower, self.upper, self.ball = ball.lower, ball.upper, ball

    @property
    def measure(self) -> float:
        """The area: the derivative of the volume by the radius; 2 points of an interval."""
        if self.finite:
            return 2.0
        return self.dim / self.ball.radius * self.ball.measure

    def sample(
        self, count: int, *, method: str = "sobol", key: PRNGKeyArray
    ) -> Float[np.ndarray, "points dim"]:
        """`count` points of the sphere, uniform by area; both ends of an interval."""
        if self.finite:
            return np.stack([self.lower, self.upper])
        unit = unit_points(count, _columns(self.dim), method=method, key=key, owner="Sphere.sample")
        return self.ball.middle + self.ball.radius * _directions(unit, self.dim)

    def normal(self, x: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """The unit vector from the centre to the point."""
        apart = x - jnp.asarray(self.ball.middle, x.dtype)
        return apart / jnp.linalg.norm(apart)

    def gap(self, x: Float[Array, " dim"]) -> Float[Array, ""]:
        """The distance from the sphere."""
        apart = x - jnp.asarray(self.ball.middle, x.dtype)
        return jnp.abs(jnp.linalg.norm(apart) - self.ball.radius)


def _columns(dim: int) -> int:
    """How many uniform numbers a direction takes."""
    return dim if dim > 2 else 1


def _directions(
    unit: Float[np.ndarray, "points columns"], dim: int
) -> Float[np.ndarray, "points dim"]:
    """Unit vectors, uniform on the sphere if `unit` is uniform in the cube."""
    if dim == 1:
        return np.where(unit < 0.5, -1.0, 1.0)
    if dim == 2:
        angle = 2.0 * np.pi * unit[:, 0]
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    vectors = scipy.special.ndtri(np.clip(unit, 1e-12, 1.0 - 1e-12))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
