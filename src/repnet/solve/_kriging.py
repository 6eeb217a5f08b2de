"""Missing nodes of a grid from those around them, by the covariance that the field itself has."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Bool, Float, Int

from repnet.solve._stacking import stacked_share

_NEAR = 64  # nodes looked at, at most
_PATCHES = 20_000  # places at which the covariance is averaged
_JUDGED = 3_000  # samples left out, one by one
_NUGGETS = 10.0 ** np.arange(-5.0, -1.0)  # relative to the mean variance of the nodes looked at
_EQUAL = 1e-24  # of the mean square: a variance that is round-off
_UNUSUAL = 0.99  # quantile of the judged samples' variances beyond which a hole is left alone
_BLOCK = 1024  # places solved for at once
_THREADS = 2
GOLDEN = 0.5 * (5.0**0.5 - 1.0)


@dataclasses.dataclass(frozen=True)
class Field:
    """One output on the nodes of a grid.

    - `values`: at every node, `(*size,)`, samples or what stands in for them.
    - `known`: which of them are samples.
    """

    values: Float[np.ndarray, "*size"]
    known: Bool[np.ndarray, "*size"]


@dataclasses.dataclass(frozen=True)
class Kriging:
    r"""Ordinary kriging: the linear estimate of least variance whose weights sum to one.

    The covariances are means over patches of the field itself, each less its own mean: constants,
    which the weights do not see, are all that is lost, and the matrix is positive semidefinite.

    - `offsets`: the nodes looked at, nearest first, `(near, dim)`.
    - `among`: their covariances, `(near, near)`; `with_own`: those with the place itself,
      `(near,)`; `own`: its variance.

    **Source:** Matheron 1963; Cressie 1993.
    """

    offsets: Int[np.ndarray, "near dim"]
    among: Float[np.ndarray, "near near"]
    with_own: Float[np.ndarray, " near"]
    own: float

    @staticmethod
    def of(field: Field) -> "Kriging | None":
        """That of a field; `None` where its grid is too small, or its values are all equal."""
        size = field.values.shape
        offsets = _offsets(size)
        around = np.concatenate([np.zeros((1, len(size)), int), offsets])
        reach = np.abs(around).max(axis=0)
        inner = tuple(n - 2 * int(r) for n, r in zip(size, reach, strict=True))
        if min(inner) < 1 or np.prod(inner) < 4 * len(around):
            return None
        chosen = spread_over(int(np.prod(inner)), _PATCHES)
        place = np.stack(np.unravel_index(chosen, inner), axis=1) + reach
        patch = field.values[tuple(np.moveaxis(place[:, None] + around, -1, 0))]
        patch = patch - patch.mean(axis=1, keepdims=True)
        covariance = patch.T @ patch / len(patch)
        if np.mean(np.diag(covariance)) <= _EQUAL * np.mean(np.square(field.values)):
            return None
        return Kriging(offsets, covariance[1:, 1:], covariance[1:, 0], float(covariance[0, 0]))

    def at(
        self, field: Field, places: Int[np.ndarray, "places dim"], nugget: float
    ) -> tuple[Float[np.ndarray, " places"], Float[np.ndarray, " places"]]:
        """Values at nodes from the samples near them, without their own, and their variances.

        NaN where no sample is near. `nugget`: added to all variances, relative to their mean.
        """
        values, variances = np.full(len(places), np.nan), np.full(len(places), np.inf)

        def work(start: int) -> None:
            some = slice(start, start + _BLOCK)
            values[some], variances[some] = self._solved(field, places[some], nugget)

        with ThreadPoolExecutor(_THREADS) as pool:
            for _ in pool.map(work, range(0, len(places), _BLOCK)):
                pass
        return values, variances

    def _solved(
        self, field: Field, places: Int[np.ndarray, "places dim"], nugget: float
    ) -> tuple[Float[np.ndarray, " places"], Float[np.ndarray, " places"]]:
        node = places[:, None] + self.offsets
        last = np.asarray(field.values.shape) - 1
        inside = np.all((node >= 0) & (node <= last), axis=2)
        at = tuple(np.moveaxis(np.clip(node, 0, last), -1, 0))
        known = field.known[at] & inside
        near = len(self.offsets)
        each = np.arange(near)
        # Nodes without a sample get an equation of their own, whose weight is zero.
        matrix = np.zeros((len(places), near + 1, near + 1))
        matrix[:, :near, :near] = np.where(known[:, :, None] & known[:, None], self.among, 0.0)
        unit = float(np.mean(np.diag(self.among)))
        matrix[:, each, each] += np.where(known, nugget * unit, unit)
        matrix[:, :near, near] = matrix[:, near, :near] = known * unit
        some = known.any(axis=1)
        matrix[~some, near, near] = 1.0
        right = np.concatenate([known * self.with_own, np.full((len(places), 1), unit)], axis=1)
        weight = np.linalg.solve(matrix, right[..., None])[:, :near, 0]
        spread = np.einsum("pn,nm,pm->p", weight, self.among, weight, optimize=True)
        variance = self.own - 2.0 * weight @ self.with_own + spread
        value = np.sum(weight * np.where(known, field.values[at], 0.0), axis=1)
        return np.where(some, value, np.nan), np.where(some, variance, np.inf)


@dataclasses.dataclass(frozen=True)
class Kriged:
    """Which holes are like the samples that kriging was judged by, what it has there, its share.

    - `holes`: nodes, `(holes, dim)`; `values`: there, `(holes,)`.
    - `share`: in a mixture with what stood there before.
    """

    holes: Int[np.ndarray, "holes dim"]
    values: Float[np.ndarray, " holes"]
    share: float


def krige_holes(field: Field, missed: Float[np.ndarray, "*size"]) -> Kriged | None:
    """Values in the holes of a field, as far as they are nearer than those that stand in for them.

    **Arguments:** `field`: with other estimates in its holes; `missed`: what these miss at the
    samples where they are left out, target less value; NaN where that isn't known.

    **Returns:** `None` where kriging has no share.
    """
    kriging = Kriging.of(field)
    samples = np.argwhere(field.known & np.isfinite(missed))
    holes = np.argwhere(~field.known)
    if kriging is None or len(samples) < _NEAR or not len(holes):
        return None
    judged = samples[spread_over(len(samples), _JUDGED)]
    target, first = field.values[tuple(judged.T)], missed[tuple(judged.T)]
    best, least = None, np.inf
    for nugget in _NUGGETS:
        values, variances = kriging.at(field, judged, float(nugget))
        held = np.isfinite(values)
        error = np.mean(np.square(target - values)[held]) if held.any() else np.inf
        if error < least:
            best, least = (float(nugget), held, target - values, variances), error
    if best is None:
        return None
    nugget, held, second, variances = best
    share = stacked_share(first[held], second[held])
    if share == 0.0:
        return None
    values, variance = kriging.at(field, holes, nugget)
    usual = variance <= np.quantile(variances[held], _UNUSUAL)
    return Kriged(holes[usual], values[usual], share)


def _offsets(size: tuple[int, ...]) -> Int[np.ndarray, "near dim"]:
    """Whole shells of nodes about a place, nearest first, as many as there may be."""
    reach = [min(int(_NEAR**0.5) // 2, (n - 1) // 2) for n in size]
    every = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), axis=-1)
    every = every.reshape(-1, len(size))
    square = np.sum(np.square(every), axis=1)
    count = np.cumsum(np.bincount(square))  # nodes up to every distance, the place included
    furthest = np.flatnonzero(count <= _NEAR + 1).max()
    chosen = np.flatnonzero((square > 0) & (square <= furthest))
    return every[chosen[np.argsort(square[chosen], kind="stable")]]


def spread_over(count: int, most: int) -> Int[np.ndarray, " some"]:
    """Some of so many numbers, increasing and at no regular distance."""
    if count <= most:
        return np.arange(count)
    return np.unique((np.modf(np.arange(most) * GOLDEN)[0] * count).astype(int))
