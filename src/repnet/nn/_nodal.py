"""Values at the nodes of a grid, each carried by a cubic of its own that ends two nodes away."""

import itertools
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class NodalCubic(eqx.Module):
    r"""A function that has given values at the nodes of a grid, with one continuous derivative.

    $u(x) = \sum_k v_k \prod_a c((x_a - o_a)/h_a - k_a)$ with the cubic
    $c(t) = \frac32|t|^3 - \frac52 t^2 + 1$ for $|t| \le 1$,
    $-\frac12|t|^3 + \frac52 t^2 - 4|t| + 2$ for $1 \le |t| \le 2$ and zero beyond, which is one at
    its own node and zero at all others. Nodes outside of the grid count as zero.

    - `origin`, `step`: $o$ and $h$, shape `(dim,)`; an axis of one node has any step.
    - `values`: $v$, one row per node, the last axis fastest, shape `(nodes, out)`.
    - `size`: nodes per axis.

    **Source:** Keys 1981 (cubic convolution).

    >>> bump = NodalCubic(jnp.zeros(1), jnp.ones(1), jnp.array([[0.0], [2.0], [0.0]]), (3,))
    >>> [bump(jnp.array([x])).tolist() for x in (0.0, 0.5, 1.0)]
    [[0.0], [1.125], [2.0]]
    """

    origin: Float[Array, " dim"]
    step: Float[Array, " dim"]
    values: Float[Array, "nodes out"]
    size: tuple[int, ...] = eqx.field(static=True)

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        """The value at one point, shape `(out,)`."""
        return self._at(jnp, x[None], self.origin, self.step, self.values)[0]

    def many(self, points: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, "points out"]:
        """The values at many points, in NumPy."""
        return self._at(np, points, *map(np.asarray, (self.origin, self.step, self.values)))

    def _at(self, xp: Any, points: Any, origin: Any, step: Any, values: Any) -> Any:
        last = xp.asarray(self.size) - 1
        place = xp.clip((points - origin) / xp.where(last > 0, step, 1.0), -2.0, last + 2.0)
        below = xp.floor(xp.nan_to_num(place)).astype(int)
        total = xp.zeros((len(points), values.shape[1]), values.dtype)
        for corner in itertools.product(*(range(-1, 3) if n > 1 else (0,) for n in self.size)):
            node = xp.where(last > 0, below, 0) + xp.asarray(corner)
            inside = xp.all((node >= 0) & (node <= last), axis=1)
            weight = xp.prod(xp.where(last > 0, _cubic(xp, place - node), 1.0), axis=1)
            flat = 0
            for axis, count in enumerate(self.size):
                flat = flat * count + xp.clip(node[:, axis], 0, count - 1)
            total = total + xp.where(inside, weight, 0.0)[:, None] * values[flat]
        return total


def _cubic(xp: Any, offset: Any) -> Any:
    t = xp.minimum(xp.abs(offset), 2.0)
    near, far = (1.5 * t - 2.5) * t**2 + 1.0, ((2.5 - 0.5 * t) * t - 4.0) * t + 2.0
    return xp.where(t <= 1.0, near, far)
