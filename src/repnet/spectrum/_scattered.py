"""The wave vectors present in scattered samples."""

import dataclasses

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet.spectrum._noise import chance_limit, pooled_noise
from repnet.spectrum._tensor import interaction, subset_waves, tensor_waves
from repnet.spectrum._window import alias_free, taper, taper_share

_ROUNDS = 6  # of detection and subtraction
_FAINT = 0.01  # share of the variance
_PILOT = 30_000  # points that decide the taper
_MOST_MODES = 2**20


@dataclasses.dataclass(frozen=True)
class Waves:
    """Wave vectors (radians per unit length) and their shares of the variance above the noise.

    `noise` is the standard deviation of the noise in units of the target's, `resolution` and
    `spacing` have one entry per axis, `taper` is the share of the window that was tapered, 0 for
    none.
    """

    vectors: Float[np.ndarray, "waves dim"]
    energy: Float[np.ndarray, " waves"]
    noise: float
    resolution: Float[np.ndarray, " dim"]
    spacing: Float[np.ndarray, " dim"]
    taper: float


def scattered_waves(
    x: Float[np.ndarray, "points dim"], y: Float[np.ndarray, "points out"]
) -> Waves:
    r"""Which waves $e^{ik\cdot x}$ scattered samples hold, and how much of their variance.

    Up to three dimensions: tapered, density-weighted non-uniform Fourier transforms. Waves that
    stand out of the floor that irregular sampling makes of all others are subtracted, the floor
    falls, and weaker ones come up (iterative thresholding).
    In more dimensions, where the samples are too few to fill a lattice of wave vectors, those
    with one, two, three and, in four dimensions, four components that are not zero are searched
    in turn.

    **Arguments:** `x` of shape `(points, dim)`; `y` of shape `(points, out)`, each output of zero
    mean and unit variance.

    **Source:** this project; after CLEAN (Högbom 1974) and hard thresholding (Blumensath & Davies
    2009).
    """
    x = x.astype(np.float64)
    low, span = x.min(axis=0), np.ptp(x, axis=0)
    live = span > 0
    place = (x[:, live] - low[live]) / span[live]
    order = np.full(x.shape[1], max(live.sum(), 1), float)
    resolution = 2 * np.pi / np.where(live, span, 1.0)
    if place.shape[1] == 0 or len(x) < 4:
        none = np.zeros((0, x.shape[1]))
        return Waves(none, np.zeros(0), 0.0, resolution, _spacing(x, span, order), 0.0)
    if place.shape[1] <= 3:
        cycles, energy, noise, share = _lattice_waves(place, y)
    else:
        cycles, energy, noise = tensor_waves(place, y)
        share = 0.0
        order[live] = interaction(cycles, energy)
    vectors = np.zeros((len(cycles), x.shape[1]))
    vectors[:, live] = cycles * resolution[live]
    return Waves(vectors, energy, noise, resolution, _spacing(x, span, order), share)


def _spacing(x: np.ndarray, span: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Mean distance of distinct points along each axis when they fill `order` dimensions."""
    hashed = x @ np.random.default_rng(0).normal(size=x.shape[1])
    distinct = 1 + np.count_nonzero(np.diff(np.sort(hashed)))
    return np.where(span > 0, span, 1.0) / distinct ** (1 / order)


def _lattice_waves(place: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    points, dim = place.shape
    modes = _modes(points, dim)
    upper = pooled_noise(place, y)
    pilot, few = slice(None), modes
    if points > 2 * _PILOT:
        # Thinning scattered points raises the floor, but makes no aliases as thinning a grid would.
        pilot = np.random.default_rng(0).choice(points, _PILOT, replace=False)
        few = modes if dim == 1 else _modes(_PILOT, dim)
    cycles, energy, _ = _thresholded(place[pilot], y[pilot], few, np.ones(dim), 1)
    share = np.array([taper_share(_top(np.abs(c), energy)) for c in cycles.T])
    # A million points leave a floor of a millionth: no round of subtraction is worth its time.
    rounds = _ROUNDS if points <= 50_000 else 4 if points <= 300_000 else 1
    cycles, energy, noise = _thresholded(place, y, modes, share, rounds)
    if dim > 1:
        faster, strength = _faster_waves(place, y, modes // 2)
        strength *= min(1.0, noise**2 / max(float(strength.sum()), 1e-300))
        cycles, energy = np.concatenate([cycles, faster]), np.concatenate([energy, strength])
        noise = float(np.sqrt(max(noise**2 - strength.sum(), 0.0)))
    # A wave faster than the mean spacing shows makes neighbours differ by as much as it holds; a
    # faint one is more often what the subtraction of others left.
    beyond = np.any(np.abs(cycles) > 0.5 * points ** (1 / dim), axis=1)
    if not _FAINT < energy[beyond].sum() < 4 * upper**2:
        cycles, energy = cycles[~beyond], energy[~beyond]
    return cycles, energy, min(noise, upper), float(share.max())


def _faster_waves(place: np.ndarray, y: np.ndarray, beyond: int) -> tuple[np.ndarray, np.ndarray]:
    """Waves along a single axis that are faster than the lattice's."""
    found, strengths = [np.zeros((0, place.shape[1]))], [np.zeros(0)]
    for k in range(place.shape[1]):
        cycles, energy = subset_waves(place[:, [k]], y, 1)
        fast = cycles[:, 0] > beyond
        full = np.zeros((int(fast.sum()), place.shape[1]))
        full[:, k] = cycles[fast, 0]
        found.append(full)
        strengths.append(energy[fast])
    return np.concatenate(found), np.concatenate(strengths)


def _modes(points: int, dim: int) -> int:
    """Modes along each axis: twice the mean sampling limit, which scattered points can see."""
    most = int(_MOST_MODES ** (1 / dim))
    return 2 * max(4, min(int(np.ceil(points ** (1 / dim))), most // 2))


def _top(cycles: np.ndarray, energy: np.ndarray) -> float:
    if energy.sum() <= 0:
        return 0.0
    order = np.argsort(cycles)
    total = np.cumsum(energy[order])
    return float(cycles[order][np.searchsorted(total, 0.999 * total[-1])])


def _thresholded(
    place: np.ndarray, y: np.ndarray, modes: int, share: np.ndarray, rounds: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Lattice waves (cycles per span), their energies, and the noise that is left."""
    points, dim = place.shape
    window = np.prod([taper(c, s) for c, s in zip(place.T, share, strict=True)], axis=0)
    weights = _density_weights(place)
    target = (window[:, None] * y).T.astype(np.complex128)
    transform = _Transform(place, weights, modes)
    size = max(float(np.sum(weights * window**2)), float(np.finfo(float).tiny))
    coefficients = np.zeros((len(target), *(modes,) * dim), np.complex128)
    support = np.zeros((modes,) * dim, bool)
    allowed = _alias_free_lattice(place, modes)
    rest, left = target, np.inf
    for _ in range(rounds):
        image = transform.to_waves(rest)
        power = np.mean(np.abs(image) ** 2, axis=0)
        floor = _floor(power, support | ~allowed, len(target))
        found = allowed & (power > floor * chance_limit(power.size, 2.0 * len(target)))
        now_support = _strongest(support | found, power, points // 3)
        trial = coefficients + image * now_support
        trial_rest = target - transform.to_points(trial)
        now_left = float(np.sum(weights * np.mean(np.abs(trial_rest) ** 2, axis=0))) / size
        if now_left > 0.98 * left:
            break
        settled = now_left > 0.8 * left and not np.any(found & ~support)
        coefficients, support, rest, left = trial, now_support, trial_rest, now_left
        if settled or left < 1e-8:
            break
    image = coefficients + transform.to_waves(rest)
    power = np.mean(np.abs(image) ** 2, axis=0)
    floor = _floor(
        np.mean(np.abs(image - coefficients) ** 2, axis=0), support | ~allowed, len(target)
    )
    power = np.where(allowed, power, floor)
    cycles, energy = _collect(power, support, floor, len(target))
    freedom = max(1.0 - support.sum() / points, 0.25)
    noise = float(np.sqrt(min(left, 1.0) / freedom))
    total = float(energy.sum())
    return cycles, energy * (max(1.0 - min(noise, 1.0) ** 2, 0.0) / total if total else 0), noise


def _alias_free_lattice(place: np.ndarray, modes: int) -> np.ndarray:
    """Which waves of the lattice are no images of slower ones."""
    allowed = np.ones((modes,) * place.shape[1], bool)
    size = np.abs(np.arange(modes) - modes // 2)
    for k, column in enumerate(place.T):
        inside = size <= alias_free(column, modes // 2)
        allowed &= inside.reshape([-1 if a == k else 1 for a in range(place.shape[1])])
    return allowed


class _Transform:
    """Weighted non-uniform Fourier transforms between points and a lattice of waves."""

    def __init__(self, place: np.ndarray, weights: np.ndarray, modes: int):
        self.dim = place.shape[1]
        self.modes = (modes,) * self.dim
        self.angles = [np.ascontiguousarray(2 * np.pi * c - np.pi) for c in place.T]
        self.weights = weights / weights.sum()
        # Waking a second thread costs more than it saves below some 100,000 points.
        many = len(place) >= 500_000
        self.options = {"eps": 1e-3 if many else 1e-6, "nthreads": 0 if many else 1}

    def to_waves(self, values: np.ndarray) -> np.ndarray:
        import finufft  # late: `import repnet` stays quick

        kind = {1: finufft.nufft1d1, 2: finufft.nufft2d1, 3: finufft.nufft3d1}[self.dim]
        strengths = np.ascontiguousarray(values * self.weights)
        out = kind(*self.angles, strengths, self.modes, isign=-1, **self.options)
        return out.reshape(len(values), *self.modes)

    def to_points(self, waves: np.ndarray) -> np.ndarray:
        import finufft  # late: `import repnet` stays quick

        kind = {1: finufft.nufft1d2, 2: finufft.nufft2d2, 3: finufft.nufft3d2}[self.dim]
        return kind(*self.angles, waves, isign=1, **self.options).reshape(len(waves), -1)


def _density_weights(place: np.ndarray) -> np.ndarray:
    """Share of the box that belongs to each point, so that clusters count no more than others."""
    points, dim = place.shape
    if dim == 1:
        order = np.argsort(place[:, 0])
        ordered = place[order, 0]
        middle = (ordered[1:] + ordered[:-1]) / 2
        cells = np.diff(np.concatenate([ordered[:1], middle, ordered[-1:]]))
        weights = np.empty(points)
        weights[order] = np.minimum(cells, 4.0 / points)
        return weights
    side = max(1, int((points / 40) ** (1 / dim)))
    cell = np.minimum((place * side).astype(int), side - 1)
    rows = np.ravel_multi_index(tuple(cell.T), (side,) * dim)
    counts = np.bincount(rows, minlength=side**dim)
    return 1.0 / np.maximum(counts[rows], 4)


def _strongest(support: np.ndarray, power: np.ndarray, most: int) -> np.ndarray:
    """The support, or its strongest bins where the points could not tell so many apart."""
    if support.sum() <= most:
        return support
    return support & (power >= np.sort(power[support])[-most])


def _floor(power: np.ndarray, support: np.ndarray, outputs: int) -> float:
    """Mean energy of the bins outside the support, from their median."""
    free = power[~support]
    median = scipy.stats.chi2.median(2 * outputs) / (2 * outputs)
    return float(np.median(free[:: max(1, free.size // 200_000)])) / median


def _collect(
    power: np.ndarray, support: np.ndarray, floor: float, outputs: int
) -> tuple[np.ndarray, np.ndarray]:
    """Bins of the support, and slabs of weak bins that only together rise above the floor."""
    modes, dim = power.shape[0], power.ndim
    axis = np.arange(modes) - modes // 2
    nodes = np.nonzero(support)
    cycles = np.stack([axis[n] for n in nodes], axis=1).astype(float)
    energy = np.maximum(power[nodes] - floor, 0.0)
    if dim == 1:
        return cycles, energy
    weak = np.where(support, 0.0, power - floor)
    others = power.size / modes
    slack = floor * (chance_limit(modes, 2.0 * outputs * others) - 1) * others
    for k in range(dim):
        slab = weak.sum(axis=tuple(a for a in range(dim) if a != k))
        rising = np.flatnonzero(slab > 3 * slack)
        extra = np.zeros((len(rising), dim))
        extra[:, k] = axis[rising]
        cycles = np.concatenate([cycles, extra])
        energy = np.concatenate([energy, slab[rising]])
    return cycles, energy
