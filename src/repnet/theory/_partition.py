"""Where a network's partition points lie, and how steep its units are."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from repnet.nn import AbstractFirstLayer

Point = ArrayLike | Sequence[float | int]


@runtime_checkable
class HasFirst(Protocol):
    """A network with a first layer."""

    first: AbstractFirstLayer


def first_layer(network: object) -> AbstractFirstLayer:
    """The first layer of a network, of a wrapper around a network, or the layer itself.

    **Raises:** `TypeError` for a network without one.

    >>> import jax.random as jr
    >>> from repnet.nn import RepNet
    >>> first_layer(RepNet(1, scale=9.0, key=jr.key(0))).width
    256
    """
    if isinstance(network, AbstractFirstLayer):
        return network
    if isinstance(network, HasFirst) and isinstance(network.first, AbstractFirstLayer):
        return network.first
    inner = getattr(network, "network", None)
    if inner is None:
        raise TypeError(
            "`network` must have a first layer (an attribute `first` that is an"
            f" `AbstractFirstLayer`); got {type(network).__name__}."
        )
    return first_layer(inner)


def slope_scales(network: object) -> Float[Array, " units"]:
    r"""Slope scale of every first-layer unit, $|w_i|$ of $z_i = w_i \cdot x + b_i$.

    **Arguments:** `network`: any network with a first layer, before or after training.

    **Returns:** shape `(units,)`, in radians per unit of the input that the layer sees.

    **Source:** this project.

    >>> import jax.random as jr
    >>> from repnet.nn import RepLinear
    >>> slope_scales(RepLinear(1, 3, scale=8.0, key=jr.key(0))).tolist()
    [8.0, 8.0, 8.0]
    """
    weight, _ = first_layer(network).affine()
    return jnp.linalg.norm(weight, axis=1)


def partition_points(network: object) -> Float[Array, " units"]:
    r"""Partition points $-b_i/w_i$ of a network of one input.

    A unit without slope has none: its point is infinite, or not a number where its bias is 0 too.

    **Returns:** shape `(units,)`.

    **Raises:** `ValueError` for a network of several inputs.

    **Source:** this project.

    >>> import jax.random as jr
    >>> from repnet.nn import RepLinear
    >>> points = partition_points(RepLinear(1, 50, scale=8.0, key=jr.key(0)))
    >>> bool(jnp.all(jnp.abs(points) <= 1.02 + 1e-6))
    True
    """
    first = first_layer(network)
    if first.in_size != 1:
        raise ValueError(
            "`partition_points(network)` needs a network of one input; got"
            f" {first.in_size}. Use `crossing_density` along a line."
        )
    weight, bias = first.affine()
    return -bias / weight[:, 0]


def partition_density(network: object, edges: Point) -> Float[Array, " bins"]:
    r"""Number of partition points per unit length in each bin.

    **Arguments:**

    - `network`: a network of one input, before or after training.
    - `edges`: increasing edges of the bins, shape `(bins + 1,)`.

    **Returns:** shape `(bins,)`. Times the bins' lengths it sums to the number of partition points
    between the first and last edge; points elsewhere are not counted.

    **Source:** this project.

    >>> import jax.random as jr
    >>> from repnet.nn import RepLinear
    >>> layer = RepLinear(1, 102, scale=8.0, key=jr.key(0))
    >>> partition_density(layer, jnp.array([-1.02, 0.0, 1.02])).tolist()
    [50.0, 50.0]
    """
    return _density(partition_points(network), jnp.asarray(edges))


def crossings(network: object, start: Point, end: Point) -> Float[Array, " units"]:
    r"""Where the line from `start` to `end` crosses each unit's hyperplane.

    $$\tau_i = -\frac{w_i\cdot a + b_i}{w_i\cdot(e - a)}$$

    is the position of the crossing as a share of the way, between 0 and 1 within the segment. A
    unit whose hyperplane is parallel to the line has an infinite one, or not a number.

    **Arguments:** `start`, `end`: $a$ and $e$, shape `(dim,)`.

    **Returns:** shape `(units,)`.

    **Source:** this project.

    >>> import jax.random as jr
    >>> from repnet.nn import RepLinear
    >>> layer = RepLinear(2, 4, scale=8.0, directions="axis", key=jr.key(0))
    >>> jnp.isfinite(crossings(layer, [-1.0, 0.0], [1.0, 0.0])).tolist()
    [True, False, True, False]
    """
    first = first_layer(network)
    weight, bias = first.affine()
    ends = [_corner(name, value, first.in_size) for name, value in (("start", start), ("end", end))]
    at_start, at_end = (weight @ point + bias for point in ends)
    along = weight @ (ends[1] - ends[0])
    return jnp.where(along == 0.0, jnp.inf, -at_start / (at_end - at_start))


def crossing_density(
    network: object, start: Point, end: Point, bins: int = 50
) -> Float[Array, " bins"]:
    """Number of hyperplane crossings per unit length along a line, in equal bins.

    **Arguments:**

    - `network`: a network of any number of inputs, before or after training.
    - `start`, `end`: ends of the segment, shape `(dim,)`.
    - `bins`: number of bins.

    **Returns:** shape `(bins,)`; times the bins' length it sums to the number of units whose
    hyperplane crosses the segment.

    **Source:** this project.

    >>> import jax.random as jr
    >>> from repnet.nn import RepLinear
    >>> layer = RepLinear(2, 102, scale=8.0, directions="axis", key=jr.key(0))
    >>> crossing_density(layer, [-1.02, 0.0], [1.02, 0.0], bins=1).tolist()
    [25.0]
    """
    length = jnp.linalg.norm(jnp.asarray(end, dtype=float) - jnp.asarray(start, dtype=float))
    share = jnp.linspace(0.0, 1.0, bins + 1)
    return _density(crossings(network, start, end), share) / length


def _corner(name: str, value: Point, in_size: int) -> Float[Array, " dim"]:
    point = jnp.asarray(value, dtype=float)
    if point.shape != (in_size,):
        raise ValueError(
            f"`crossings({name}=...)` must have one coordinate per input, shape ({in_size},);"
            f" got {point.shape}."
        )
    return point


def _density(points: Array, edges: Array) -> Float[Array, " bins"]:
    if edges.ndim != 1 or edges.shape[0] < 2 or not bool(jnp.all(jnp.diff(edges) > 0)):
        raise ValueError(
            f"`edges` must be increasing, of shape (bins + 1,); got shape {edges.shape}."
        )
    # Points without a place would otherwise be counted in the last bin.
    inside = (points >= edges[0]) & (points <= edges[-1])
    counts, _ = jnp.histogram(jnp.where(inside, points, edges[0]), bins=edges, weights=inside)
    return counts / jnp.diff(edges)
