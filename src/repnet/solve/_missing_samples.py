"""Missing samples of a record: networks beside what is learnt, by what both miss in such gaps."""

import dataclasses
import threading

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from repnet.nn import NodalCubic, Windowed
from repnet.solve._batches import Batch, Sampled
from repnet.solve._cover import Cover
from repnet.solve._kriging import spread_over
from repnet.solve._local import Blocks, Design, blocks_left_out
from repnet.solve._missing import FilledGaps, Gap
from repnet.solve._missing_nodes import Filled
from repnet.solve._pieces import Pieces
from repnet.solve._stacking import local_shares, stacked_share

_ALONE = Gap.alone(1, 1)  # of one missing sample, for which windows have decided already
_JUDGED = 400  # examples of a gap at which it is cut
_LEAST = 16  # gaps cut below which nothing is told by them
_SURE = 0.02  # least share of either, so that windows may still differ
_ALL = 0.95  # share of what is learnt beyond which it is left as it is
_INSIDE = 1e-3  # weight of a window below which it does not count at a place
_TINY = 1e-28  # squared errors that are none, in standard units


@dataclasses.dataclass(frozen=True)
class CutGaps:
    """What networks miss where gaps are cut, blended as windows are; threads may add at once.

    - `cut`: the node of a sample and the gap about it, `(cuts, 5)`, in lexical order.
    - `total`, `weight`: sums over the windows, `(cuts, out)`.
    """

    cut: Int[np.ndarray, "cuts 5"]
    total: Float[np.ndarray, "cuts out"]
    weight: Float[np.ndarray, "cuts out"]
    lock: threading.Lock

    @staticmethod
    def of(gaps: tuple[FilledGaps, ...], outputs: int) -> "CutGaps":
        """Sums that hold nothing yet, for some examples of gaps but single ones."""
        wanted = [np.zeros((0, 5), int)]
        for each in gaps:
            some = each.examples[spread_over(len(each.examples), _JUDGED)]
            if each.gap != _ALONE:
                wanted.append(np.stack([some, *(np.full(len(some), n) for n in each.gap)], axis=1))
        cut = np.unique(np.concatenate(wanted), axis=0)
        shape = len(cut), outputs
        return CutGaps(cut, np.zeros(shape), np.zeros(shape), threading.Lock())

    def add(
        self,
        batch: Batch,
        design: Design,
        ridges: Float[np.ndarray, " ridges"],
        share: Float[np.ndarray, "windows ridges out"],
    ) -> None:
        """Add what one layer misses in some windows, by its shares there."""
        held = np.broadcast_to(batch.mask, batch.site.shape)
        window, point = np.nonzero(held & (batch.weight > _INSIDE))
        site = batch.site[window, point]
        first = np.searchsorted(self.cut[:, 0], site)
        count = np.searchsorted(self.cut[:, 0], site, side="right") - first
        if not count.any():
            return
        window, point = np.repeat(window, count), np.repeat(point, count)
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        row = np.repeat(first, count) + within
        node, *gap = self.cut[row].T[..., None]
        step = batch.site[window] - node
        blocks = Blocks(window, point, held[window] & Gap(*gap).missing(step))
        errors = blocks_left_out(design, batch.mask, ridges, share, batch.y, blocks)
        weight = batch.weight[window, point][:, None]
        with self.lock:
            np.add.at(self.total, row, weight * errors)
            np.add.at(self.weight, row, weight * share.sum(axis=1)[window])

    def missed(
        self, examples: Int[np.ndarray, " examples"], gap: Gap, out: int
    ) -> Float[np.ndarray, " examples"]:
        """The blended errors of one output, target less value; NaN where none are known."""
        same = np.flatnonzero((self.cut[:, 1:] == gap).all(axis=1))
        of, asked = np.isin(examples, self.cut[same, 0]), np.full(len(examples), np.nan)
        row = same[np.searchsorted(self.cut[same, 0], examples[of])]
        weight = self.weight[row, out]
        empty = weight <= 0.0  # no network has a share there
        asked[of] = np.where(empty, np.nan, self.total[row, out] / np.where(empty, 1.0, weight))
        return asked


def with_missing_samples(
    network: Windowed,
    data: Sampled,
    pieces: Pieces,
    cover: Cover,
    share: Float[np.ndarray, "windows out"],
    cuts: CutGaps,
) -> Filled:
    """The network with missing samples moved to what is learnt of them, as their gaps ask for.

    The share that a window gives to what is learnt is decided by samples left out one by one. Where
    several are missing near to each other, it is decided anew by what networks and what is learnt
    miss where such gaps are cut.

    **Arguments:** `pieces`, `share`: the cubics through learnt values, and their share of the
    network; `cuts`: what its other parts miss.
    """
    if not len(cuts.cut):
        return Filled(network, 0.0, 0)
    assert data.grid is not None
    origin, step = np.asarray(data.grid.origin), np.asarray(data.grid.step)
    nodes = np.round((pieces.holes - origin[0]) / step[0]).astype(int)
    beside = pieces.function.many(pieces.holes[:, None]) - network.many(pieces.holes[:, None])
    part = pieces.share(cover, share, pieces.holes)
    more = np.zeros((data.site_count, share.shape[1]))
    for gap in pieces.gaps:
        networks = cuts.missed(gap.examples, gap.gap, gap.out)
        known = np.isfinite(networks)
        if known.sum() < _LEAST:
            continue
        at = origin[0] + step[0] * gap.examples[known]
        local = _shares(pieces, cover, at, networks[known], gap.missed[known])
        row = np.searchsorted(nodes, gap.holes)
        wanted, own = pieces.share(cover, local, pieces.holes[row])[:, 0], part[row, gap.out]
        own = np.where(own > _ALL, wanted, own)
        more[gap.holes, gap.out] = (wanted - own) / (1.0 - own) * beside[row, gap.out]
    if not more.any():
        return Filled(network, 0.0, 0)
    nodal = NodalCubic(jnp.asarray(origin), jnp.asarray(step), jnp.asarray(more), data.grid.size)
    moved = int(more.any(axis=1).sum())
    return Filled(dataclasses.replace(network, nodal=nodal), 0.0, moved)


def _shares(
    pieces: Pieces,
    cover: Cover,
    at: Float[np.ndarray, " examples"],
    first: Float[np.ndarray, " examples"],
    second: Float[np.ndarray, " examples"],
) -> Float[np.ndarray, "windows 1"]:
    """The second's share in every window, from the errors of both at places.

    Errors count relative to what both miss thereabouts, so that no rough part decides for all.
    """
    squares = np.square(np.stack([first, second], axis=1)) + _TINY
    mean = pieces.mean_by_window(cover, at, squares)
    size = pieces.share(cover, np.sqrt(mean.sum(axis=1, keepdims=True)), at)[:, 0]
    overall = np.clip(stacked_share(first / size, second / size), _SURE, 1.0 - _SURE)
    return local_shares(float(overall), mean[:, :1], mean[:, 1:])
