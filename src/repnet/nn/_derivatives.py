"""Derivatives of networks by forward mode: each is computed once, at the first demand."""

import functools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._activation import Activation
from repnet.nn._elementwise import nth_derivative

Names = tuple[int, ...]  # directions of a derivative by their number, sorted; () is the value


class Stage:
    """One layer's $h = c\\,f(W y + b)$, or the affine map alone where `f` is `None`."""

    def __init__(self, affine: tuple[Any, Array], f: Activation | None, factor: Any = None):
        self.weight, self.bias = affine
        self.f = f
        self.factor = factor


class Jet:
    r"""The derivatives of a network at one point, along any directions and of any order.

    A derivative along directions $v_1, \dots, v_k$ passes a layer $f(Wy + b)$ by the rule of
    Faà di Bruno, a sum over the partitions of the directions into blocks,

    $$\partial_{1\dots k} f(z) = \sum_\pi f^{(|\pi|)}(z) \prod_{B \in \pi} \partial_B z$$

    so that it needs one more product with each weight matrix, and the lower derivatives that are
    kept. A sum of second derivatives needs one product for all of them, not one each.

    Separate products beat one stacked product per layer, which copies its rows: 2.8 times the steps
    where the batch is large, 1.2 times in small chunks of points (`benchmarks/derivatives.py`).

    **Arguments:**

    - `start`: what gives the first layer's derivatives: a `Stage`, or a function of a point,
      which goes through nested forward mode.
    - `stages`: the layers after it, possibly none; the last is affine.
    - `x`: the point, shape `(dim,)`.

    **Source:** the rule: Griewank and Walther 2008, chapter 13; the sum of second derivatives:
    the forward Laplacian of Li et al. 2024; keeping and sharing: this project.
    """

    def __init__(
        self,
        start: Stage | Callable[[Array], Array],
        stages: Sequence[Stage],
        x: Float[Array, " dim"],
    ):
        self._opaque_start = None if isinstance(start, Stage) else start
        self._layers = [start, *stages] if isinstance(start, Stage) else list(stages)
        self._last = len(self._layers) - 1
        self._x = x
        self._directions: list[Any] = []
        self._numbers: dict[Any, int] = {}
        self._kept: dict[tuple, Any] = {}

    def derivative(self, *directions: Float[Array, " dim"] | np.ndarray) -> Float[Array, " out"]:
        """The derivative along each of the directions in turn; the value for none."""
        names = tuple(sorted(self._number(direction) for direction in directions))
        return self._present(self._keep("after", self._last, names))

    def taylor(
        self, direction: Float[Array, " dim"] | np.ndarray, order: int
    ) -> tuple[Float[Array, " out"], ...]:
        """The value and the derivatives up to `order` along one direction."""
        return tuple(self.derivative(*([direction] * k)) for k in range(order + 1))

    def laplacian(self, seeds: Sequence[Any] | np.ndarray | Array) -> Float[Array, " out"]:
        """The sum of the second derivatives along the `seeds`, rows of length `dim`."""
        names = tuple(self._number(seed) for seed in seeds)
        return self._present(self._keep("sum", self._last, names))

    def _present(self, found: Array | None) -> Float[Array, " out"]:
        return jnp.zeros_like(self.derivative()) if found is None else found

    def _number(self, direction: Any) -> int:
        # Arrays of NumPy are known by their values, traced ones by identity: they stay referenced.
        same = direction.tobytes() if isinstance(direction, np.ndarray) else id(direction)
        if same not in self._numbers:
            self._numbers[same] = len(self._directions)
            self._directions.append(direction)
        return self._numbers[same]

    def _keep(self, what: str, at: int, names: Names) -> Any:
        if (what, at, names) not in self._kept:
            rule = {"before": self._before, "after": self._after, "sum": self._sum}[what]
            self._kept[what, at, names] = rule(at, names)
        return self._kept[what, at, names]

    def _before(self, at: int, names: Names) -> Array | None:
        """A derivative of the layer's pre-activation z = W y + b; None is zero."""
        layer = self._layers[at]
        if at == 0 and self._opaque_start is None:
            if len(names) > 1:
                return None
            inner = self._along(names[0]) if names else self._x
        else:
            inner = self._keep("after", at - 1, names)
        if inner is None:
            return None
        through = inner @ layer.weight.T
        return through if names else through + layer.bias

    def _after(self, at: int, names: Names) -> Array | None:
        """A derivative of the layer's output."""
        if at < 0:
            return self._opaque(names)
        if self._layers[at].f is None:
            return self._keep("before", at, names)
        if not names:
            return self._slope(at, 0)
        terms = []
        for blocks, count in partitions(names):
            inner = [self._keep("before", at, block) for block in blocks]
            if all(each is not None for each in inner):
                slope = self._slope(at, len(blocks))
                terms.append(math.prod(inner, start=slope if count == 1 else count * slope))
        return sum(terms[1:], terms[0])

    def _sum(self, at: int, names: Names) -> Array | None:
        """The sum of second derivatives of the layer's output along the named directions."""
        if at < 0:
            return functools.reduce(jnp.add, [self._opaque((name, name)) for name in names])
        below = None
        if at or self._opaque_start is not None:
            below = self._keep("sum", at - 1, names)
        layer = self._layers[at]
        through = None if below is None else below @ layer.weight.T
        if layer.f is None:
            return through
        first = [self._keep("before", at, (name,)) for name in names]
        squares = sum(each * each for each in first if each is not None)
        curved = self._slope(at, 2) * squares
        return curved if through is None else self._slope(at, 1) * through + curved

    def _slope(self, at: int, order: int) -> Array:
        """The derivative of the layer's c f at its pre-activation."""
        kept = ("slope", at, (order,))
        if kept not in self._kept:
            layer = self._layers[at]
            assert layer.f is not None
            z = self._keep("before", at, ())
            common = self._kept.setdefault(("common", at, ()), {})
            found = nth_derivative(layer.f, z, order, common)
            self._kept[kept] = found if layer.factor is None else layer.factor * found
        return self._kept[kept]

    def _opaque(self, names: Names) -> Array:
        """A derivative of a first layer of any kind, by nested forward mode."""
        if ("opaque", 0, names) not in self._kept:
            assert self._opaque_start is not None
            directions = [self._along(name) for name in names]
            self._kept["opaque", 0, names] = along(self._opaque_start, self._x, directions)
        return self._kept["opaque", 0, names]

    def _along(self, name: int) -> Array:
        return jnp.asarray(self._directions[name], self._x.dtype)


def along(f: Callable, x: Float[Array, " dim"], directions: Sequence[Array]) -> Array:
    """The derivative of any function along each direction in turn, by nested forward mode.

    >>> float(along(lambda x: x[0] * x[1], jnp.ones(2), [jnp.ones(2), jnp.ones(2)]))
    2.0
    """
    if not directions:
        return f(x)
    *rest, last = directions
    return jax.jvp(lambda y: along(f, y, rest), (x,), (last,))[1]


@functools.lru_cache(maxsize=1024)
def partitions(names: Names) -> tuple[tuple[tuple[Names, ...], int], ...]:
    """The partitions of a collection into blocks, and how often each occurs.

    >>> dict(partitions((0, 0, 1)))[(0,), (0, 1)]
    2
    """
    found = Counter(
        tuple(sorted(tuple(sorted(names[i] for i in block)) for block in blocks))
        for blocks in _set_partitions(len(names))
    )
    return tuple(found.items())


def _set_partitions(size: int) -> Iterator[list[list[int]]]:
    if size == 0:
        yield []
        return
    for blocks in _set_partitions(size - 1):
        yield [*blocks, [size - 1]]
        for i in range(len(blocks)):
            yield [[*block, size - 1] if j == i else block for j, block in enumerate(blocks)]
