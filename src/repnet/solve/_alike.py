"""A record's values from places that look alike: kernel regression over the samples around."""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Bool, Float, Int

from repnet.solve._kriging import spread_over
from repnet.solve._local import without_blocks

_SIDES = 8, 32, 128  # nodes on either side that are looked at
_WIDTHS = 2.0 ** np.arange(-1.0, 3.0)  # of the kernel, relative to the median distance
_MOST, _FEW = 1000, 500  # examples, evenly spread: that learn, and that choose the view
_SHARED = 8  # outputs beyond which they share what so many have
_LEAST = 64  # examples below which nothing is learnt
_RIDGES = 10.0 ** np.arange(-6.0, 1.5, 0.5)
_BLOCK = 4096  # places answered at once
_CUT, _CUTS = 8_000, 200  # examples left out, all blocks together; blocks at least


class Gap(NamedTuple):
    """What is missing about a node: all between the two nearest samples on either side of it.

    Steps from the node to these samples, at least one, the second ones beyond the first.
    """

    left: int
    right: int
    second_left: int
    second_right: int

    @staticmethod
    def alone(left: int, right: int) -> "Gap":
        """One with samples beyond its ends."""
        return Gap(left, right, left + 1, right + 1)

    @property
    def samples(self) -> Int[np.ndarray, " 4"]:
        """Steps from the node to the samples, increasing."""
        return np.array([-self.second_left, -self.left, self.right, self.second_right])

    def missing(self, steps: Int[np.ndarray, "*some"]) -> Bool[np.ndarray, "*some"]:
        """Whether what is so many steps from the node is missing, as the node itself is."""
        between = (steps > -self.second_left) & (steps < self.second_right)
        return between & (steps != -self.left) & (steps != self.right)


class View(NamedTuple):
    """How many nodes on either side are looked at, and how near is alike: in median distances."""

    side: int
    width: float


@dataclasses.dataclass(frozen=True)
class Alike:
    """What kernel regression has at some places, each without its own value.

    - `values`: there, shape `(asked,)`.
    - `examples`: some of the places learnt from, increasing, `(examples,)`.
    - `missed`: errors at these where the gap is cut, target less value, `(examples,)`.
    """

    values: Float[np.ndarray, " asked"]
    examples: Int[np.ndarray, " examples"]
    missed: Float[np.ndarray, " examples"]


@dataclasses.dataclass(frozen=True)
class Record:
    r"""One output of a record with holes, and values in them that serve as neighbours.

    What is learnt is a sample less the line through the ends of a gap about it; what it is learnt
    from are nodes on either side that are not missing in such a gap, less that line's value,
    weighed with the inverse root of their distance. The kernel is
    $\exp(-d^2/2w^2) + \langle p, q\rangle/\overline{\langle p,p\rangle}$, a linear predictor and
    what differs from it where patches are alike; its ridge has the least error where gaps are cut:
    with an example go all others that are missing in the gap about it, which would tell what is
    there. These errors are exact.

    - `values`: at every node, `(nodes,)`; `known`: which are samples; `held`: which are samples, or
      holes with a value.
    - `outputs`: how many such records share the work.

    **Source:** kernel ridge regression: Saunders, Gammerman and Vovk 1998; patches that look alike:
    Buades, Coll and Morel 2005.
    """

    values: Float[np.ndarray, " nodes"]
    known: Bool[np.ndarray, " nodes"]
    held: Bool[np.ndarray, " nodes"]
    outputs: int = 1

    def view(self, gap: Gap) -> View | None:
        """That of the least error where gaps are cut; a wider one must win by two standard errors.

        **Returns:** `None` with too few examples, or with equal ones.
        """
        examples = self._examples(gap, _FEW)
        if len(examples) < _LEAST:
            return None
        _, together = _cut(gap, examples, examples[:0])
        best, least = None, np.full(len(together), np.inf)
        for side in _SIDES:
            patches, line = self._patches(gap, side, examples)
            target = self.values[examples] - line
            found = _regressions(patches, target, _WIDTHS, together)
            found = min(found, key=lambda each: np.mean(np.square(each.missed)), default=None)
            if found is None:
                return None
            gain = least - np.square(found.missed)
            if best is None or gain.mean() > 2.0 * gain.std() / np.sqrt(len(gain)):
                best, least = View(side, found.width), np.square(found.missed)
        return best

    def alike(self, gap: Gap, view: View, asked: Int[np.ndarray, " asked"]) -> Alike | None:
        """Values at nodes with such a gap about them, learnt wherever its ends are known.

        Samples among those `asked` have what others say where the gap is cut about them.

        **Returns:** `None` with too few examples, or with equal ones.
        """
        examples = self._examples(gap, _MOST)
        if len(examples) < _LEAST:
            return None
        cut, together = _cut(gap, examples, asked)
        patches, line = self._patches(gap, view.side, examples)
        target = self.values[examples] - line
        for learnt in _regressions(patches, target, np.array([view.width]), together):
            values = np.empty(len(asked))
            for start in range(0, len(asked), _BLOCK):
                some = slice(start, start + _BLOCK)
                patches, line = self._patches(gap, view.side, asked[some])
                values[some] = line + learnt(patches)
            own = np.isin(asked, cut)
            row = np.searchsorted(cut, asked[own])
            values[own] = self.values[asked[own]] - learnt.missed[row]
            return Alike(values, cut, learnt.missed)
        return None

    def _examples(self, gap: Gap, most: int) -> Int[np.ndarray, " examples"]:
        """Samples with samples at the ends of such a gap, evenly spread over the record."""
        found = np.flatnonzero(self.known)
        found = found[(found >= gap.left) & (found + gap.right < len(self.known))]
        found = found[self.known[found - gap.left] & self.known[found + gap.right]]
        most = min(most, _SHARED * most // self.outputs)
        return found[:: max(1, -(-len(found) // most))]

    def _patches(
        self, gap: Gap, side: int, places: Int[np.ndarray, " places"]
    ) -> tuple[Float[np.ndarray, "places both"], Float[np.ndarray, " places"]]:
        """The weighed nodes about every place, and the line's values there."""
        step = np.arange(side)
        offset = np.concatenate([-gap.left - step[::-1], gap.right + step])
        at = places[:, None] + offset
        inside = (at >= 0) & (at < len(self.values))
        at = np.clip(at, 0, len(self.values) - 1)
        left, right = self.values[at[:, side - 1]], self.values[at[:, side]]
        line = (gap.right * left + gap.left * right) / (gap.left + gap.right)
        seen = inside & self.held[at] & ~gap.missing(offset)
        about = np.where(seen, self.values[at] - line[:, None], 0.0)
        return about / np.sqrt(np.abs(offset)), line


def _cut(
    gap: Gap, examples: Int[np.ndarray, " examples"], wanted: Int[np.ndarray, " wanted"]
) -> tuple[Int[np.ndarray, " cuts"], Int[np.ndarray, "cuts block"]]:
    """Examples about which a gap is cut, those wanted with them, and what each takes with it.

    **Returns:** the examples, increasing, and rows among all: its own first, then those of others
    missing in the gap, then -1.
    """
    first = np.searchsorted(examples, examples - gap.second_left, side="right")
    last = np.searchsorted(examples, examples + gap.second_right)
    widest = int((last - first).max())
    row = spread_over(len(examples), max(_CUTS, _CUT // widest))
    row = np.union1d(row, np.flatnonzero(np.isin(examples, wanted)))
    block = np.minimum(first[row, None] + np.arange(widest), last[row, None] - 1)
    others = gap.missing(examples[block] - examples[row, None]) & (block != row[:, None])
    others[:, 1:] &= block[:, 1:] > block[:, :-1]  # the last one once
    block = -np.sort(-np.where(others, block, -1), axis=1)
    block = block[:, : others.sum(axis=1).max()]
    return examples[row], np.concatenate([row[:, None], block], axis=1)


@dataclasses.dataclass(frozen=True)
class _Regression:
    """Kernel ridge regression.

    - `patches`: learnt from, `(examples, both)`; `weight`: of each, `(examples,)`.
    - `width`: of the Gaussian, in median distances `middle`; `size`: mean square of a patch.
    - `missed`: errors where gaps are cut, `(cuts,)`.
    """

    patches: Float[np.ndarray, "examples both"]
    weight: Float[np.ndarray, " examples"]
    width: float
    middle: float
    size: float
    missed: Float[np.ndarray, " cuts"]

    def __call__(self, asked: Float[np.ndarray, "asked both"]) -> Float[np.ndarray, " asked"]:
        distance = scipy.spatial.distance.cdist(asked, self.patches)
        kernel = np.exp(-0.5 * np.square(distance / (self.width * self.middle)))
        return kernel @ self.weight + asked @ (self.patches.T @ self.weight) / self.size


def _regressions(
    patches: Float[np.ndarray, "examples both"],
    target: Float[np.ndarray, " examples"],
    widths: Float[np.ndarray, " widths"],
    together: Int[np.ndarray, "cuts block"],
) -> Iterator[_Regression]:
    """The regression of every width, with the ridge that has the least error where gaps are cut.

    None where most patches are equal. `together`: the rows that each cut leaves out, or -1.
    """
    distance = scipy.spatial.distance.cdist(patches, patches)
    middle = float(np.median(distance))
    if middle <= 0.0:
        return
    size = float(np.mean(np.sum(np.square(patches), axis=1)))
    linear = patches @ patches.T / size
    for width in widths:
        kernel = np.exp(-0.5 * np.square(distance / (width * middle))) + linear
        values, vectors = np.linalg.eigh(kernel)
        inverse = 1.0 / (np.maximum(values, 0.0) + _RIDGES[:, None])
        weights = inverse * (vectors.T @ target) @ vectors.T
        missed = _missed(vectors, inverse, weights, together)
        best = np.argmin(np.mean(np.square(missed), axis=1))
        yield _Regression(patches, weights[best], float(width), middle, size, missed[best])


def _missed(
    vectors: Float[np.ndarray, "examples examples"],
    inverse: Float[np.ndarray, "ridges examples"],
    weights: Float[np.ndarray, "ridges examples"],
    together: Int[np.ndarray, "cuts block"],
) -> Float[np.ndarray, "ridges cuts"]:
    r"""The first error of every block $s$ that is left out, $(B_{ss}^{-1} w_s)_1$.

    $B = V D V^\top$ is the kernel's inverse and $w$ the weights. Members of a block are near to
    each other, so that a band of $B$ is all that is asked for.
    """
    real = together >= 0
    block = np.where(real, together, together[:, :1])
    first = np.minimum(block[:, :, None], block[:, None, :])
    apart = np.abs(block[:, :, None] - block[:, None, :])
    band = np.zeros((len(inverse), 1 + apart.max(), len(vectors)))
    for step in range(band.shape[1]):
        ahead = vectors[step:]
        band[:, step, : len(ahead)] = inverse @ (vectors[: len(ahead)] * ahead).T
    missed = np.empty((len(inverse), len(block)))
    for place, (near, weight) in enumerate(zip(band, weights, strict=True)):
        errors = without_blocks(near[apart, first], weight[block][..., None], real)
        missed[place] = errors[:, 0, 0]
    return missed
