"""What a record's values are to their neighbours, learnt where known and used where missing."""

import dataclasses
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from repnet.solve._alike import Alike, Gap, Record
from repnet.solve._stacking import stacked_share

_SIDE = 3  # known samples on either side that a cubic depends on
_FURTHEST = 32  # steps to the furthest of them
_PATTERNS = 256  # of which places are known that are learnt from: the most frequent
_LEAST = 32  # examples of a pattern below which it is left to the cubics
_MOST = 2**14  # examples and outputs of a pattern together, evenly spread over the record
_RIDGES = 10.0 ** np.arange(-7.0, 1.5, 0.5)  # relative to the number of examples
_JUDGED = 1000  # examples of a gap by which its filling is judged
_GAPS = 24  # kinds of gaps for which places that look alike are asked: the most frequent
_LONG = 10**5  # samples and outputs beyond which they are not, for time


@dataclasses.dataclass(frozen=True)
class FilledGaps:
    """Holes of one output with the same gap about them, and what is missed where it is cut.

    - `gap`: steps to the next samples; `out`: which output.
    - `holes`: nodes that are filled, shape `(holes,)`.
    - `examples`: nodes of samples with such samples about them, shape `(examples,)`.
    - `missed`: at these without all that lies in the gap, target less value, `(examples,)`.
    """

    gap: Gap
    out: int
    holes: Int[np.ndarray, " holes"]
    examples: Int[np.ndarray, " examples"]
    missed: Float[np.ndarray, " examples"]


@dataclasses.dataclass(frozen=True)
class Missing:
    """Values of the nodes that hold no sample, and what the same rule gives at those that do.

    - `nodes`: which ones are filled, shape `(filled,)`.
    - `values`: there, shape `(filled, out)`.
    - `left_out`: at every sample, in the order of the nodes, without it; as the cubics have it
      where too few others are like it, shape `(samples, out)`.
    - `gaps`: the frequent kinds of gaps, each output's by itself.
    """

    nodes: Int[np.ndarray, " filled"]
    values: Float[np.ndarray, "filled out"]
    left_out: Float[np.ndarray, "samples out"]
    gaps: tuple[FilledGaps, ...]


def fill_missing(
    nodes: Int[np.ndarray, " samples"],
    y: Float[np.ndarray, "samples out"],
    cubics: Float[np.ndarray, "samples out"],
) -> Missing | None:
    r"""Values between the samples of a grid with holes, by what the whole record has in common.

    A place is described by its pattern: how far its two nearest known nodes on either side are.
    Wherever the record knows a value and the nodes of the pattern about it, the error there of
    Akima's cubic through the three known nodes on either side is an example; ridge regression on
    the pattern's four values, centred at the cubic's, learns it, one pattern and one output at a
    time. The ridge minimizes the leave-one-out error, and where none lowers that of the cubics,
    they stay. Then kernel regression on what is further around (`_alike.Record`), which knows
    places that look alike, has the share that its leave-one-out errors give it.

    **Arguments:** `nodes`: of the samples, increasing integers; `y`: their values; `cubics`: what
    Akima's cubics are at every sample without it.

    **Returns:** `None` where no node is missing or no hole is like the rest of the record.

    **Source:** this project; missing samples from linear prediction: Janssen, Veldhuis and Vries
    1986.
    """
    near = _Neighbourhoods.of(nodes, y)
    if near.known.all():
        return None
    kinds, kind, count = np.unique(
        near.offsets[:, 1:-1], axis=0, return_inverse=True, return_counts=True
    )
    result, learnt = near.record.copy(), np.zeros(len(near.known), bool)
    for number in np.argsort(-count)[:_PATTERNS]:
        members = np.flatnonzero(kind.ravel() == number)
        found = _learn(near, kinds[number], members)
        if found is not None:
            result[near.places[members]] = found
            learnt[near.places[members]] = True
    filled = np.flatnonzero(learnt & ~near.known)
    if not len(filled):
        return None
    gaps: list[FilledGaps] = []
    if near.record.size <= _LONG:
        for out in range(y.shape[1]):
            gaps += _ask_alike(near, result[:, out], learnt, out)
    left_out = np.where(learnt[nodes, None], result[nodes], cubics)
    return Missing(filled, result[filled], left_out, tuple(gaps))


@dataclasses.dataclass(frozen=True)
class _Neighbourhoods:
    """Every node with three samples near enough on either side, and where these are.

    - `known`: which nodes hold samples, `(nodes,)`; `record`: their values, `(nodes, out)`.
    - `places`: the nodes with such neighbours, increasing, `(places,)`.
    - `offsets`: from them to the six samples, `(places, 6)`.
    """

    known: Bool[np.ndarray, " nodes"]
    record: Float[np.ndarray, "nodes out"]
    places: Int[np.ndarray, " places"]
    offsets: Int[np.ndarray, "places 6"]

    @staticmethod
    def of(
        nodes: Int[np.ndarray, " samples"], y: Float[np.ndarray, "samples out"]
    ) -> "_Neighbourhoods":
        every = np.arange(int(nodes[-1]) + 1)
        known, record = np.zeros(len(every), bool), np.zeros((len(every), y.shape[1]))
        known[nodes], record[nodes] = True, y
        before = np.searchsorted(nodes, every)  # samples to the left of a place
        after = np.searchsorted(nodes, every, side="right")
        inside = (before >= _SIDE) & (after <= len(nodes) - _SIDE)
        places, step = every[inside], np.arange(_SIDE)
        left = nodes[before[inside, None] - _SIDE + step]
        right = nodes[after[inside, None] + step]
        offsets = np.concatenate([left, right], axis=1) - places[:, None]
        near = np.abs(offsets).max(axis=1, initial=0) <= _FURTHEST
        return _Neighbourhoods(known, record, places[near], offsets[near])

    def like(self, pattern: Int[np.ndarray, " 4"]) -> Int[np.ndarray, " examples"]:
        """Rows of the samples that know the nodes of a pattern about them."""
        at = self.places[:, None] + pattern
        inside = (at[:, 0] > 0) & (at[:, -1] < len(self.known) - 1)  # a sample is beyond
        held = self.known[np.clip(at, 0, len(self.known) - 1)].all(axis=1)
        rows = np.flatnonzero(inside & held & self.known[self.places])
        most = max(_LEAST, _MOST // self.record.shape[1])
        return rows[:: max(1, -(-len(rows) // most))]

    def seen(
        self, pattern: Int[np.ndarray, " 4"], rows: Int[np.ndarray, " rows"]
    ) -> tuple[Float[np.ndarray, "rows out"], Float[np.ndarray, "rows 4 out"]]:
        """The cubic at some places through a pattern and a sample beyond, and the pattern's values.

        Nodes within the pattern that other places know more of are not looked at.
        """
        places = self.places[rows, None]
        # The samples beyond the pattern, as near as there are: where it leaves out known nodes,
        # they are further than a place's own.
        nodes = np.flatnonzero(self.known)
        first = np.maximum(np.searchsorted(nodes, places + pattern[0]) - 1, 0)
        last = np.searchsorted(nodes, places + pattern[-1], side="right")
        ends = [nodes[first] - places, nodes[np.minimum(last, len(nodes) - 1)] - places]
        inner = np.broadcast_to(pattern, (len(rows), len(pattern)))
        offsets = np.concatenate([ends[0], inner, ends[1]], axis=1)
        values = self.record[places + offsets]
        return akima_between(offsets.astype(float), values), values[:, 1:-1]


def _learn(
    near: _Neighbourhoods, pattern: Int[np.ndarray, " 4"], members: Int[np.ndarray, " members"]
) -> Float[np.ndarray, "members out"] | None:
    """Values at the places of one pattern, each without its own; `None` with too few examples."""
    examples = near.like(pattern)
    if len(examples) < _LEAST:
        return None
    base, about = near.seen(pattern, examples)
    values, asked = near.seen(pattern, members)
    features, asked = about - base[:, None], asked - values[:, None]
    target = near.record[near.places[examples]] - base
    own = np.isin(members, examples)
    row = np.searchsorted(examples, members[own])
    for out in range(values.shape[1]):
        fit, without = _ridge(features[:, :, out], target[:, out])
        more = asked[:, :, out] @ fit
        more[own] = without[row]
        values[:, out] += more
    return values


def _ask_alike(
    near: _Neighbourhoods,
    result: Float[np.ndarray, " nodes"],
    learnt: Bool[np.ndarray, " nodes"],
    out: int,
) -> list[FilledGaps]:
    """Mix into what is learnt of an output what places that look alike have, where that is nearer.

    **Arguments:** `result`: what is learnt where `learnt`; overwritten.
    """
    values = np.where(near.known, near.record[:, out], result)
    record = Record(values, near.known, near.known | learnt, near.record.shape[1])
    of, missing = learnt[near.places], ~near.known[near.places]
    gap_of, kinds = _gaps(near, of & missing)
    view, gaps = None, []
    for gap in kinds:
        view = view or record.view(gap)
        same = of & (gap_of == gap).all(axis=1)
        members = near.places[same]
        found = record.alike(gap, view, members) if view else None
        cut = _cut(near, gap, found, out)
        if cut is not None and found is not None:
            result[members] += cut.share * (found.values - result[members])
        if cut is not None:
            holes = near.places[same & missing]
            gaps.append(FilledGaps(gap, out, holes, cut.examples, cut.missed))
    return gaps


def _gaps(
    near: _Neighbourhoods, holes: Bool[np.ndarray, " places"]
) -> tuple[Int[np.ndarray, "places 4"], list[Gap]]:
    """The gap about every place, and the kinds of gaps about holes that are asked for.

    All frequent ends of gaps come first. What else is missing beyond them counts where there is
    room for the kind; elsewhere a gap is taken as one alone.
    """
    steps = np.abs(near.offsets[:, [_SIDE - 1, _SIDE, _SIDE - 2, _SIDE + 1]])
    alone = np.concatenate([steps[:, :2], steps[:, :2] + 1], axis=1)
    ends = _most_frequent(alone[holes], _GAPS)
    wider = holes & (steps != alone).any(axis=1)
    special = _most_frequent(steps[wider], _GAPS - len(ends))
    known = (steps[:, None] == special).all(axis=2).any(axis=1)
    kinds = [Gap(*(int(step) for step in kind)) for kind in (*ends, *special)]
    return np.where(known[:, None], steps, alone), kinds


def _most_frequent(
    rows: Int[np.ndarray, "rows columns"], most: int
) -> Int[np.ndarray, "kinds columns"]:
    """The kinds of rows, the most frequent first."""
    kinds, count = np.unique(rows, axis=0, return_counts=True)
    return kinds[np.argsort(-count, kind="stable")[:most]]


class _CutGap(NamedTuple):
    """Where a gap was cut, what is missed there, and the share of places that look alike in it."""

    examples: Int[np.ndarray, " examples"]
    missed: Float[np.ndarray, " examples"]
    share: float


def _cut(near: _Neighbourhoods, gap: Gap, found: Alike | None, out: int) -> _CutGap | None:
    """What the ridge of such a gap and places that look alike miss, by the share of the latter.

    The share is that which both's errors give; without any that look alike, it is zero.
    """
    rows = near.like(gap.samples)
    if found is not None:
        rows = rows[np.isin(near.places[rows], found.examples)]
    if len(rows) < _LEAST:
        return None
    rows = rows[:: max(1, -(-len(rows) // _JUDGED))]
    cubic, about = near.seen(gap.samples, rows)
    target = near.record[near.places[rows], out] - cubic[:, out]
    _, without = _ridge((about - cubic[:, None])[:, :, out], target)
    missed, share = target - without, 0.0
    if found is not None:
        alike = found.missed[np.searchsorted(found.examples, near.places[rows])]
        share = stacked_share(missed, alike)
        missed += share * (alike - missed)
    return _CutGap(near.places[rows], missed, share)


def akima_between(
    x: Float[np.ndarray, "places 6"], y: Float[np.ndarray, "places 6 out"]
) -> Float[np.ndarray, "places out"]:
    """Akima's cubic at zero through six samples each, three on either side of it.

    **Source:** Akima 1970.
    """
    chord = np.diff(y, axis=1) / np.diff(x, axis=1)[..., None]
    bend = np.abs(np.diff(chord, axis=1))
    weight = bend[:, [2, 3]], bend[:, [0, 1]]  # of the chords on the left and right of a sample
    total = weight[0] + weight[1]
    flat = total <= 1e-9 * bend.max(axis=1, keepdims=True)
    left, right = chord[:, [1, 2]], chord[:, [2, 3]]
    mean = (weight[0] * left + weight[1] * right) / np.where(flat, 1.0, total)
    slope = np.where(flat, (left + right) / 2.0, mean)
    wide = (x[:, 3] - x[:, 2])[:, None]
    t = -x[:, 2, None] / wide
    rise = slope[:, 0] * (1.0 - t) - slope[:, 1] * t - chord[:, 2] * (1.0 - 2.0 * t)
    return y[:, 2] + t * wide * (chord[:, 2] + (1.0 - t) * rise)


def _ridge(
    features: Float[np.ndarray, "examples 4"], target: Float[np.ndarray, " examples"]
) -> tuple[Float[np.ndarray, " 4"], Float[np.ndarray, " examples"]]:
    """The weights of the best ridge, and what each example has by leaving it out; or zeros."""
    size = np.sqrt(np.mean(np.square(features), axis=0))
    size = np.where(size > 0, size, 1.0)
    left, singular, right = np.linalg.svd(features / size, full_matrices=False)
    seen, squares = left.T @ target, np.square(singular)
    best = np.mean(np.square(target)), np.zeros(len(size)), np.zeros(len(target))
    for ridge in _RIDGES * len(target):
        shrunk = squares / (squares + ridge)
        leverage = np.square(left) @ shrunk
        rest = (target - left @ (shrunk * seen)) / np.maximum(1.0 - leverage, 1e-12)
        error = np.mean(np.square(rest))
        if error < best[0]:
            best = error, right.T @ (singular / (squares + ridge) * seen), target - rest
    return best[1] / size, best[2]
