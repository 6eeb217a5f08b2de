"""Many small networks under overlapping windows, blended into one."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from repnet.nn._first import AbstractFirstLayer
from repnet.nn._nodal import NodalCubic
from repnet.nn._piecewise import PiecewiseCubic


class LocalReadout(eqx.Module):
    """One first layer shared by many windows, and a read-out for each of them.

    - `layer`: a first layer on the local box $[-1, 1]^d$.
    - `weight`: read-outs, shape `(rows, out, width)`; row 0 is zero.
    - `row`: the row of every window, shape `(windows,)`; 0 where a window doesn't use this layer.

    >>> import jax.random as jr
    >>> from repnet.nn import Linear
    >>> layer = Linear(1, 4, activation=jnp.cos, key=jr.key(0))
    >>> weight = jnp.stack([jnp.zeros((1, 4)), jnp.ones((1, 4))])
    >>> part = LocalReadout(layer, weight, row=jnp.array([1, 0]))
    >>> [part(jnp.array(window), jnp.zeros(1)).tolist() for window in (0, 1)]
    [[4.0], [0.0]]
    """

    layer: AbstractFirstLayer
    weight: Float[Array, "rows out width"]
    row: Int[Array, " windows"]

    def __call__(self, window: Int[Array, ""], local: Float[Array, " dim"]) -> Float[Array, " out"]:
        """What this layer adds in one window at one local point."""
        return self.weight[self.row[window]] @ self.layer(local)

    def many(
        self, window: Int[np.ndarray, " pairs"], local: Float[np.ndarray, "pairs dim"]
    ) -> Float[np.ndarray, "pairs out"]:
        """The same at a local point of each window; equal windows must be neighbours."""
        row, weight = np.asarray(self.row)[window], np.asarray(self.weight)
        features = _features(self.layer, local)
        values = np.empty((len(window), weight.shape[1]))
        ends = np.flatnonzero(np.diff(row, append=-1)) + 1
        for first, end in itertools.pairwise([0, *ends]):
            values[first:end] = features[first:end] @ weight[row[first]].T
        return values

    def times(self, factor: Float[np.ndarray, "windows out"]) -> "LocalReadout":
        """The same with what it adds multiplied by a factor of each window and output."""
        of_row = np.ones(self.weight.shape[:2])
        of_row[np.asarray(self.row)] = factor
        return LocalReadout(self.layer, self.weight * of_row[..., None], self.row)


class SharedPieces(eqx.Module):
    """One function between the samples of one input, of which every window takes its share.

    - `function`: of the whole domain's coordinate.
    - `share`: of every window and output, shape `(windows, out)`; 0 where it isn't used.

    >>> line = PiecewiseCubic(jnp.array([0.0, 1.0]), jnp.array([[[0.0], [0.0], [2.0], [0.0]]]))
    >>> pieces = SharedPieces(line, share=jnp.array([[1.0], [0.0]]))
    >>> [pieces(jnp.array(window), jnp.array([0.5])).tolist() for window in (0, 1)]
    [[1.0], [0.0]]
    """

    function: PiecewiseCubic
    share: Float[Array, "windows out"]

    def __call__(self, window: Int[Array, ""], x: Float[Array, " 1"]) -> Float[Array, " out"]:
        """What it adds in one window at one point of the domain."""
        return self.share[window] * self.function(x)


class Windowed(eqx.Module):
    r"""Local networks under a partition of unity: $u(x) = \sum_k w_k(x)\, u_k((x - c_k)/r_k)$.

    The windows stand on a tensor grid with the given spacing. Their weights are products of
    $w(\tau) = 1 - 35\tau^4 + 84\tau^5 - 70\tau^6 + 20\tau^7$ for
    $\tau = |x - x_k|/\text{spacing} \le 1$, which sum to one and have three continuous derivatives.
    At a point only the $2^d$ windows with a non-zero weight are evaluated. Beyond the outermost
    windows the nearest ones extrapolate.

    - `parts`: the local networks' layers and read-outs, added up.
    - `affine`: the local networks' affine parts, shape `(windows, out, 1 + dim)`.
    - `centre`, `radius`: $c_k$ and $r_k$ of the local coordinates, shape `(windows, dim)`.
    - `start`, `spacing`: where the windows stand per axis, shape `(dim,)`.
    - `counts`: windows per axis; an axis with one window has no blending.
    - `pieces`: cubics between the samples of one input, which add to the local networks.
    - `nodal`: what is added at nodes of a grid that hold no sample.

    **Source:** this project, after partition-of-unity and finite-basis networks
    (Moseley, Markham and Nissen-Meyer 2023).

    >>> network = Windowed(
    ...     parts=(),
    ...     affine=jnp.array([[[1.0, 0.0]], [[3.0, 0.0]]]),
    ...     centre=jnp.array([[0.0], [1.0]]),
    ...     radius=jnp.ones((2, 1)),
    ...     start=jnp.zeros(1),
    ...     spacing=jnp.ones(1),
    ...     counts=(2,),
    ... )
    >>> network.many(np.array([[0.0], [0.5], [1.0]])).tolist()
    [[1.0], [2.0], [3.0]]
    """

    parts: tuple[LocalReadout, ...]
    affine: Float[Array, "windows out columns"]
    centre: Float[Array, "windows dim"]
    radius: Float[Array, "windows dim"]
    start: Float[Array, " dim"]
    spacing: Float[Array, " dim"]
    counts: tuple[int, ...] = eqx.field(static=True)
    pieces: SharedPieces | None = None
    nodal: NodalCubic | None = None

    @property
    def in_size(self) -> int:
        """Number of inputs."""
        return len(self.counts)

    @property
    def out_size(self) -> int:
        """Number of outputs."""
        return self.affine.shape[1]

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        """The blended value at one point, shape `(out,)`."""
        last = jnp.asarray(self.counts) - 1
        place = jnp.clip((x - self.start) / self.spacing, 0, last)
        first = jnp.clip(jnp.floor(place).astype(int), 0, jnp.maximum(last - 1, 0))
        total = jnp.zeros(self.out_size, place.dtype)
        for corner in itertools.product(*(range(min(2, count)) for count in self.counts)):
            node = first + jnp.asarray(corner)
            window = _flat(node, self.counts)
            weight = jnp.prod(jnp.where(last > 0, blend(place - node), 1.0))
            total = total + weight * self._local(window, x)
        return total if self.nodal is None else total + self.nodal(x)

    def many(self, points: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, "points out"]:
        """The values at many points, window by window: far fewer memory reads than `vmap`."""
        values = np.zeros((len(points), self.out_size))
        window, point, weight = _pairs(self, points)
        local = (points[point] - np.asarray(self.centre)[window]) / np.asarray(self.radius)[window]
        found = np.zeros((len(window), self.out_size))
        for some in _slices(len(window), _MOST_PAIRS):
            columns = np.concatenate([np.ones((len(local[some]), 1)), local[some]], axis=1)
            found[some] = np.einsum("poc,pc->po", np.asarray(self.affine)[window[some]], columns)
            if self.pieces is not None:
                share = np.asarray(self.pieces.share)[window[some]]
                found[some] += share * self.pieces.function.many(points[point[some]])
        for part in self.parts:
            used = np.flatnonzero(np.asarray(part.row)[window])
            for some in _slices(len(used), _pairs_at_once(part.layer.width)):
                found[used[some]] += part.many(window[used[some]], local[used[some]])
        np.add.at(values, point, weight[:, None] * found)
        return values if self.nodal is None else values + self.nodal.many(points)

    def _local(self, window: Int[Array, ""], x: Float[Array, " dim"]) -> Float[Array, " out"]:
        local = (x - self.centre[window]) / self.radius[window]
        value = self.affine[window] @ jnp.concatenate([jnp.ones(1, local.dtype), local])
        for part in self.parts:
            value = value + part(window, local)
        return value if self.pieces is None else value + self.pieces(window, x)


_FEATURES = 2**21  # numbers computed at once, 16 MB of them: many more leave the cache
_FEWEST_PAIRS, _MOST_PAIRS = 512, 16384


def _pairs_at_once(width: int) -> int:
    """Points in windows evaluated at once: one compiled shape, what is computed fits the cache.

    >>> [_pairs_at_once(width) for width in (48, 345, 768)]
    [16384, 4096, 2048]
    """
    wanted = 2 ** int(np.log2(_FEATURES / width))
    return min(max(wanted, _FEWEST_PAIRS), _MOST_PAIRS)


def _slices(count: int, size: int) -> list[slice]:
    return [slice(first, first + size) for first in range(0, count, size)]


def _pairs(
    network: Windowed, points: Float[np.ndarray, "points dim"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All windows with a weight at each point, sorted by window: windows, points, weights."""
    counts = np.asarray(network.counts)
    place = (points - np.asarray(network.start)) / np.asarray(network.spacing)
    place = np.clip(place, 0, counts - 1)
    below = np.floor(np.nan_to_num(place)).astype(int)  # a value at NaN is NaN by its weight
    first = np.clip(below, 0, np.maximum(counts - 2, 0))
    windows, weights = [], []
    for corner in itertools.product(*(range(min(2, count)) for count in network.counts)):
        node = first + np.asarray(corner)
        t = np.where(counts > 1, np.minimum(np.abs(place - node), 1.0), 0.0)
        weights.append(np.prod(1.0 - t**4 * (35.0 - t * (84.0 - t * (70.0 - 20.0 * t))), axis=1))
        windows.append(np.ravel_multi_index(tuple(node.T), network.counts))
    window, weight = np.concatenate(windows), np.concatenate(weights)
    order = np.argsort(window, kind="stable")
    return window[order], order % len(points), weight[order]


def _features(
    layer: AbstractFirstLayer, local: Float[np.ndarray, "pairs dim"]
) -> Float[np.ndarray, "pairs width"]:
    most = _pairs_at_once(layer.width)
    size = most if len(local) > most // 16 else most // 16
    padded = np.zeros((size, local.shape[1]))
    padded[: len(local)] = local
    with jax.enable_x64(True):
        return np.asarray(_compiled_features(layer, jnp.asarray(padded)))[: len(local)]


@eqx.filter_jit
def _compiled_features(layer: AbstractFirstLayer, points: Array) -> Array:
    return jax.vmap(layer)(points)


def blend(offset: Float[Array, "..."]) -> Float[Array, "..."]:
    r"""The window $w(\tau)$ with $w(0) = 1$, $w(\pm 1) = 0$ and $w(\tau) + w(1 - \tau) = 1$.

    >>> blend(jnp.array([0.0, 0.5, 1.0])).tolist()
    [1.0, 0.5, 0.0]
    """
    t = jnp.minimum(jnp.abs(offset), 1.0)
    return 1.0 - t**4 * (35.0 - t * (84.0 - t * (70.0 - 20.0 * t)))


def _flat(node: Int[Array, " dim"], counts: tuple[int, ...]) -> Int[Array, ""]:
    flat = node[0]
    for axis in range(1, len(counts)):
        flat = flat * counts[axis] + node[axis]
    return flat
