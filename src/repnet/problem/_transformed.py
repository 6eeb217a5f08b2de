"""Fields with hard conditions: a field under a transform."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from repnet.problem._jet import Direction, FieldJet, jet_of, nested


class Transformed(eqx.Module):
    r"""The field $x \mapsto T(u, x)$, which meets its conditions whatever $u$ is.

    **Arguments:**

    - `u`: a field, `(dim,) -> (out,)`.
    - `transform`: $T$, called as `transform(u, x)` at one point.

    **Source:** Lagaris, Likas and Fotiadis 1998.

    >>> zero_at_ends = lambda u, x: x * (1.0 - x) * u(x)
    >>> Transformed(jnp.cos, zero_at_ends)(jnp.array([1.0])).tolist()
    [0.0]
    """

    u: Callable
    transform: Callable = eqx.field(static=True)

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        return self.transform(self.u, x)

    def jet(self, x: Float[Array, " dim"]) -> "TransformedJet":
        """The derivatives at one point."""
        return TransformedJet(self, x)


class TransformedJet:
    r"""The derivatives of $G(x, u(x))$, from those of $u$ and of the small function $G$.

    The network is differentiated by its own jet and once, not again for every term of the product
    rule. A transform that looks at $u$ elsewhere than at $x$ goes through general forward mode.

    **Source:** this project: $u$ is replaced by $\sum_B u_B \prod_{i \in B} t_i$ over the sets $B$
    of directions, which has the same mixed derivatives by $t$ at 0.
    """

    def __init__(self, outer: Transformed, x: Float[Array, " dim"]):
        self._outer = outer
        self._x = x
        self._inner = jet_of(outer.u, x)

    def derivative(self, *directions: Direction) -> Float[Array, " out"]:
        """The derivative along each of the directions in turn; the value for none."""
        if not directions:
            return self._outer(self._x)
        try:
            parts = [self._inner.derivative(*chosen) for chosen in _subsets(directions)]
            return self._mixed(directions, parts)
        except _Elsewhere:
            return FieldJet(self._plain, self._x).derivative(*directions)

    def laplacian(self, seeds: Sequence[Direction]) -> Float[Array, " out"]:
        """The sum of the second derivatives along the `seeds`."""
        try:
            value = self._inner.derivative()
            # G is linear in the second derivatives of u, whose sum costs less than each of them.
            second = self._inner.laplacian(seeds)
            total = jax.jvp(lambda v: self._at(self._x, v), (value,), (second,))[1]
            for seed in seeds:
                slope = self._inner.derivative(seed)
                total = total + self._mixed((seed, seed), [value, slope, slope])
            return total
        except _Elsewhere:
            return FieldJet(self._plain, self._x).laplacian(seeds)

    def _mixed(self, directions: Sequence[Direction], parts: Sequence[Array]) -> Array:
        """The mixed derivative of G along all directions; `parts` that are left out are zero."""
        x, count = self._x, len(directions)
        rows = jnp.stack([jnp.asarray(direction, x.dtype) for direction in directions])
        subsets = _subsets(range(count))

        def path(t: Array) -> Array:
            v = parts[0]
            for chosen, part in zip(subsets[1:], parts[1:], strict=False):
                v = v + jnp.prod(t[jnp.asarray(chosen)]) * part
            return self._at(x + t @ rows, v)

        return nested(path, jnp.zeros(count, x.dtype), list(jnp.eye(count, dtype=x.dtype)))

    def _at(self, y: Float[Array, " dim"], v: Float[Array, " out"]) -> Float[Array, " out"]:
        """G(y, v): the transform of a field that is `v` at `y`."""

        def known(z: Any) -> Array:
            if z is not y:
                raise _Elsewhere
            return v

        return self._outer.transform(known, y)

    def _plain(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        return self._outer(x)


def _subsets(items: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All subsets, the smaller ones first."""
    return [chosen for size in range(len(items) + 1) for chosen in combinations(items, size)]


class _Elsewhere(Exception):
    """The transform looked at the field at another point than its own."""
