"""Missing nodes of a grid of several inputs: windows beside the field's own covariance."""

import dataclasses
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int

from repnet.nn import NodalCubic, Windowed
from repnet.solve._batches import Sampled
from repnet.solve._cover import Cover
from repnet.solve._gaps import steadied, wide_gaps
from repnet.solve._kriging import Field, krige_holes
from repnet.solve._stacking import Missed

_WHOLE = 0.99  # of the windows at a place: all of them, but for rounding


class Filled(NamedTuple):
    """A network that gives missing nodes too, and what they are filled by.

    - `kriged`: mean share of the field's own covariance in nodes that are near to samples.
    - `in_gaps`: number of nodes in wide gaps, which are held by their rims; of a record, of samples
      missing in gaps of several, which follow what is learnt from the rest of it.
    """

    network: Windowed
    kriged: float
    in_gaps: int


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


def with_missing_nodes(network: Windowed, data: Sampled, missed: Missed) -> Filled:
    """The network with missing nodes moved towards what the field's own covariance says of them.

    In wide gaps, which no sample is near to, it is held by what their rim lets expect.

    **Arguments:** `data`: with missing nodes; `missed`: by some windows, with their neighbours.
    """
    assert data.grid is not None
    values, known = data.nodes
    origin, step = np.asarray(data.grid.origin), np.asarray(data.grid.step)
    filled = values.copy()
    filled[~known] = network.many(origin + np.argwhere(~known) * step)
    out_size = values.shape[-1]
    wide, held = wide_gaps(known), np.zeros(known.shape, bool)
    errors = missed.mean(_WHOLE).reshape(filled.shape)
    more, shares = np.zeros_like(filled), np.zeros(out_size)
    for out in range(out_size):
        field, change, gaps = Field(filled[..., out], known), more[..., out], wide.copy()
        found = krige_holes(field, errors[..., out])
        if found is not None:
            place = tuple(found.holes.T)
            shares[out], gaps[place] = found.share, False
            change[place] = found.share * (found.values - field.values[place])
        held |= gaps
        if gaps.any():
            change[gaps] = steadied(field, gaps) - field.values[gaps]
    if not more.any():
        return Filled(network, 0.0, 0)
    rows = jnp.asarray(more.reshape(-1, out_size))
    nodal = NodalCubic(jnp.asarray(origin), jnp.asarray(step), rows, data.grid.size)
    network = dataclasses.replace(network, nodal=nodal)
    return Filled(network, float(np.mean(shares)), int(held.sum()))
