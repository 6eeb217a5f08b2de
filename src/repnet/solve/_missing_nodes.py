"""Missing nodes of a grid of several inputs: windows beside the field's own covariance."""

import dataclasses

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int

from repnet.nn import NodalCubic, Windowed
from repnet.solve._batches import Sampled
from repnet.solve._cover import Cover
from repnet.solve._kriging import Field, krige_holes
from repnet.solve._stacking import Missed

_WHOLE = 0.99  # of the windows at a place: all of them, but for rounding


def misses_nodes(data: Sampled) -> bool:
    """Whether the data lie on a grid of several inputs, some of whose nodes hold no sample."""
    return data.x.shape[1] > 1 and data.grid is not None and not data.grid.full


def judging_windows(
    cover: Cover, pilots: Int[np.ndarray, " pilots"]
) -> Bool[np.ndarray, " windows"]:
    """Windows by whose errors their share is decided: the pilots and their neighbours.

    Half a spacing around a pilot, these are all that have a weight.
    """
    judging = np.zeros(cover.counts, bool)
    for node in cover.node[pilots]:
        judging[tuple(slice(max(0, place - 1), place + 2) for place in node)] = True
    return judging.ravel()


def with_kriged_nodes(network: Windowed, data: Sampled, missed: Missed) -> tuple[Windowed, float]:
    """The network with missing nodes moved towards what the field's own covariance says of them.

    **Arguments:** `data`: with missing nodes; `missed`: by some windows, with their neighbours.

    **Returns:** the network, and the mean share of the covariance in these nodes.
    """
    assert data.grid is not None
    values, known = data.nodes
    origin, step = np.asarray(data.grid.origin), np.asarray(data.grid.step)
    filled = values.copy()
    filled[~known] = network.many(origin + np.argwhere(~known) * step)
    out_size = values.shape[-1]
    errors = np.full((known.size, out_size), np.nan)
    at_sites = missed.mean(_WHOLE)
    errors[: len(at_sites)] = at_sites
    more, shares = np.zeros_like(filled), np.zeros(out_size)
    for out in range(out_size):
        found = krige_holes(Field(filled[..., out], known), errors[:, out].reshape(known.shape))
        if found is not None:
            place = tuple(found.holes.T)
            shares[out] = found.share
            more[(*place, out)] = found.share * (found.values - filled[(*place, out)])
    if not shares.any():
        return network, 0.0
    rows = jnp.asarray(more.reshape(-1, out_size))
    nodal = NodalCubic(jnp.asarray(origin), jnp.asarray(step), rows, data.grid.size)
    return dataclasses.replace(network, nodal=nodal), float(np.mean(shares))
