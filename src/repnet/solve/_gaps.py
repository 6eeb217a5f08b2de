"""Wide gaps of a grid, where no sample is near: networks held by what their rim lets expect."""

from collections.abc import Callable, Iterator

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Bool, Float, Int

from repnet.solve._kriging import GOLDEN, Field, spread_over

_WIDE = 2.0  # steps from a gap's middle to the next sample
_NEIGHBOURS = 50  # samples that a value in a gap is made from
_KERNELS = "linear", "thin_plate_spline", "cubic"
_GROWTH = 1.5  # of the distances from the rim that are told apart
_MOVES, _ASKED = 8, 500  # places that gaps are moved to; samples asked in each
_SMALL = 16  # nodes of a gap below which it is weighed together with others

Values = Callable[
    [Int[np.ndarray, "samples dim"], np.ndarray, Int[np.ndarray, "asked dim"]], np.ndarray
]


def wide_gaps(known: Bool[np.ndarray, "*size"]) -> Bool[np.ndarray, "*size"]:
    """Nodes of gaps that are so wide that a node in them is two steps from the next sample.

    >>> wide_gaps(np.array([[1, 0, 0, 0, 1, 0, 0, 1]], bool)).astype(int).tolist()
    [[0, 1, 1, 1, 0, 0, 0, 0]]
    """
    gap, count = scipy.ndimage.label(~known, np.ones((3,) * known.ndim))
    far = scipy.ndimage.distance_transform_edt(~known)
    furthest = scipy.ndimage.maximum(far, gap, np.arange(count + 1))
    return ~known & (np.asarray(furthest)[gap] >= _WIDE)


def steadied(field: Field, gaps: Bool[np.ndarray, "*size"]) -> Float[np.ndarray, " nodes"]:
    r"""Values in gaps: the field's own there, drawn to an interpolation of the samples around.

    Of some interpolations (radial functions of the nearest samples, and the mean of all) the one is
    taken that errs least where the same gaps are cut elsewhere. What it misses there, $e^2$ at
    every distance from the rim, is known; what the field misses is not, but where both err on their
    own, their difference has the mean square $e^2 + s^2$. So does the field weigh
    $e^2/(e^2 + s^2)$, gap by gap, and never more than a half: nothing says that it errs less.

    **Arguments:** `field`: with estimates in its gaps; `gaps`: where they are in question.

    **Returns:** one value for each such node, in their order.

    **Source:** this project; the estimate of $s^2$ is that of DerSimonian and Laird 1986.
    """
    samples, asked = np.argwhere(field.known), np.argwhere(gaps)
    y = field.values[field.known]
    own = field.values[gaps]
    if len(samples) <= _NEIGHBOURS:
        return own
    kinds = (*map(_radial, _KERNELS), _mean)
    expected = _squares_in(gaps, field, kinds)
    best = int(np.argmin(expected.mean(axis=1)))
    other, error = kinds[best](samples, y, asked), expected[best]
    gap = scipy.ndimage.label(gaps, np.ones((3,) * gaps.ndim))[0][gaps]
    gap[np.bincount(gap)[gap] < _SMALL] = 0
    count = np.maximum(np.bincount(gap), 1)
    ratio = np.bincount(gap, np.square(own - other) / error) / count
    share = 1.0 / np.maximum(ratio, 2.0)[gap]
    return share * own + (1.0 - share) * other


def _radial(kernel: str) -> Values:
    def values(samples: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
        x, at = samples.astype(float), asked.astype(float)
        try:
            return scipy.interpolate.RBFInterpolator(x, y, _NEIGHBOURS, kernel=kernel)(at)
        except np.linalg.LinAlgError:  # neighbours on one line, with no plane through them
            return scipy.interpolate.RBFInterpolator(x, y, _NEIGHBOURS, kernel="linear")(at)

    return values


def _mean(samples: np.ndarray, y: np.ndarray, asked: np.ndarray) -> np.ndarray:
    del samples
    return np.full(len(asked), y.mean())


def _squares_in(
    gaps: Bool[np.ndarray, "*size"], field: Field, kinds: tuple[Values, ...]
) -> Float[np.ndarray, "kinds nodes"]:
    """Mean squared errors of some interpolations to expect at every node of the gaps.

    The gaps are moved over the field, and the samples in them left out.
    """
    places, squares = [], []
    for moved in _moved(gaps):
        known = field.known & ~moved
        out = field.known & moved
        if not out.any() or known.sum() <= _NEIGHBOURS:
            continue
        far = _place_of(known)
        samples, asked = np.argwhere(known), np.argwhere(out)
        asked = asked[spread_over(len(asked), _ASKED)]
        here = tuple(asked.T)
        found = [kind(samples, field.values[known], asked) for kind in kinds]
        places.append(far[here])
        squares.append(np.square(np.stack(found) - field.values[here]))
    tiny = np.finfo(float).tiny
    asked = _place_of(field.known)[gaps]
    if not places:
        return np.full((len(kinds), len(asked)), max(field.values[field.known].var(), tiny))
    place = np.concatenate(places)
    count = np.bincount(place)
    held = np.flatnonzero(count)
    told = [np.bincount(place, each)[held] / count[held] for each in np.hstack(squares)]
    mean = np.log(np.maximum(told, tiny))
    return np.exp(np.stack([np.interp(asked, held, each) for each in mean]))


def _place_of(known: Bool[np.ndarray, "*size"]) -> Int[np.ndarray, "*size"]:
    """How far every node is from the next sample, in steps that grow with the distance."""
    far = scipy.ndimage.distance_transform_edt(~known)
    return np.floor(np.log(np.maximum(far, 1.0)) / np.log(_GROWTH)).astype(int)


def _moved(gaps: Bool[np.ndarray, "*size"]) -> Iterator[Bool[np.ndarray, "*size"]]:
    """The gaps elsewhere; what leaves the grid comes in on its other side."""
    axes = tuple(range(gaps.ndim))
    for number in range(1, 1 + _MOVES):
        part = np.modf(number * GOLDEN ** np.arange(1, 1 + gaps.ndim))[0]
        shift = tuple(int(n) for n in np.round(part * gaps.shape))
        yield np.roll(gaps, shift, axes)
