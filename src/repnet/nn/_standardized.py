"""The network that a solve returns: standardization folded in, so that users never see it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._derivatives import Jet
from repnet.nn._windowed import Windowed


class Standardized(eqx.Module):
    r"""A network in the user's own units: $u(x) = \mu + \sigma\, n((x - c)/h)$.

    The inner network $n$ sees inputs in $[-1, 1]$ and answers in standardized units. It computes in
    the precision of its own parameters: a network solved in float64 answers in float64 even where
    JAX's default is float32. (Reverse-mode derivatives of such a network want
    `jax.enable_x64(True)` around them, since JAX transposes outside this call.)

    **Arguments:**

    - `network`: the inner network, `(dim,) -> (out,)`.
    - `centre`, `half_width`: $c$ and $h$, shape `(dim,)`, in the units of the inputs.
    - `mean`, `spread`: $\mu$ and $\sigma$, shape `(out,)`, in the units of the outputs.
    - `centre_rest`, `mean_rest`: what $c$ and $\mu$ lose in their precision, or `None`: an origin
      far from the points would else move them.

    **Source:** this project.

    >>> network = Standardized(
    ...     jnp.square,
    ...     centre=jnp.array([2.0]),
    ...     half_width=jnp.array([2.0]),
    ...     mean=jnp.array([10.0]),
    ...     spread=jnp.array([3.0]),
    ... )
    >>> x = jnp.array([4.0])
    >>> network(x).tolist(), network.jet(x).derivative(np.ones(1)).tolist()
    ([13.0], [3.0])
    """

    network: Callable
    centre: Float[Array, " dim"]
    half_width: Float[Array, " dim"]
    mean: Float[Array, " out"]
    spread: Float[Array, " out"]
    centre_rest: Float[Array, " dim"] | None = None
    mean_rest: Float[Array, " out"] | None = None

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        """The value at one point, shape `(out,)`."""
        if self.centre.dtype != jnp.float64:
            return self._value(x)
        with jax.enable_x64(True):
            return self._value(jnp.asarray(x).astype(jnp.float64))

    def many(self, points: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, "points out"]:
        """Values at many points, where the inner network is a `Windowed`; see its `many`."""
        inner = self.network
        assert isinstance(inner, Windowed)
        return self.around(inner.many, points)

    def around(
        self,
        inner: Callable[[Float[np.ndarray, "points dim"]], np.ndarray],
        points: Float[np.ndarray, "points dim"],
    ) -> Float[np.ndarray, "points out"]:
        """Values at many points by `inner`, which evaluates the network; units in float64."""
        half, spread = (np.asarray(array, np.float64) for array in (self.half_width, self.spread))
        centre = _whole(self.centre, self.centre_rest)
        return _whole(self.mean, self.mean_rest) + spread * inner((points - centre) / half)

    def jet(self, x: Float[Array, " dim"]) -> "StandardizedJet":
        """The derivatives at one point, in the user's units, computed as they are asked for."""
        return StandardizedJet(self, x)

    def _value(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        value = jax.lax.stop_gradient(self.spread) * self.network(self.local(x))
        if self.mean_rest is not None:
            value = value + jax.lax.stop_gradient(self.mean_rest)
        return value + jax.lax.stop_gradient(self.mean)

    def local(self, x: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """One point in standard units."""
        away = x - jax.lax.stop_gradient(self.centre)
        if self.centre_rest is not None:
            away = away - jax.lax.stop_gradient(self.centre_rest)
        return away / jax.lax.stop_gradient(self.half_width)


def _whole(array: Array, rest: Array | None) -> Float[np.ndarray, " size"]:
    whole = np.asarray(array, np.float64)
    return whole if rest is None else whole + np.asarray(rest, np.float64)


class StandardizedJet:
    r"""The derivatives of a `Standardized` network: $\partial_v u = \sigma\,\partial_{v/h} n$.

    A network without a `jet` of its own is differentiated by nested forward mode.
    """

    def __init__(self, outer: Standardized, x: Float[Array, " dim"]):
        self._outer = outer
        self._scaled: dict[Any, tuple[Any, Array]] = {}
        with _precision(outer):
            local = outer.local(jnp.asarray(x).astype(outer.centre.dtype))
            make = getattr(outer.network, "jet", None)
            self._jet = Jet(outer.network, (), local) if make is None else make(local)

    def derivative(self, *directions: Float[Array, " dim"] | np.ndarray) -> Float[Array, " out"]:
        """The derivative along each of the directions in turn; the value for none."""
        with _precision(self._outer):
            found = self._jet.derivative(*map(self._local, directions))
            mean, spread = jax.lax.stop_gradient((self._outer.mean, self._outer.spread))
            return spread * found if directions else mean + spread * found

    def taylor(
        self, direction: Float[Array, " dim"] | np.ndarray, order: int
    ) -> tuple[Float[Array, " out"], ...]:
        """The value and the derivatives up to `order` along one direction."""
        return tuple(self.derivative(*([direction] * k)) for k in range(order + 1))

    def laplacian(self, seeds: Sequence[Any] | np.ndarray | Array) -> Float[Array, " out"]:
        """The sum of the second derivatives along the `seeds`, rows of length `dim`."""
        with _precision(self._outer):
            spread = jax.lax.stop_gradient(self._outer.spread)
            return spread * self._jet.laplacian([self._local(seed) for seed in seeds])

    def _local(self, direction: Float[Array, " dim"] | np.ndarray) -> Float[Array, " dim"]:
        # One array per direction, so that the inner jet knows it again.
        same = direction.tobytes() if isinstance(direction, np.ndarray) else id(direction)
        if same not in self._scaled:
            half = jax.lax.stop_gradient(self._outer.half_width)
            self._scaled[same] = direction, jnp.asarray(direction).astype(half.dtype) / half
        return self._scaled[same][1]


def _precision(outer: Standardized) -> AbstractContextManager:
    return jax.enable_x64(True) if outer.centre.dtype == jnp.float64 else nullcontext()
