"""The wave vectors present in scattered samples."""

import dataclasses
import itertools

import finufft
import numpy as np
import scipy.stats
from jaxtyping import Float

from repnet.spectrum._noise import scattered_noise
from repnet.spectrum._window import taper, taper_share


_FALSE_ALARM = 0.01  # chance that a spectrum of noise alone shows a bin of signal
_ROUNDS = 6  # of detection and subtraction
_PILOT = 30_000  # points that decide the taper
_MOST_MODES = 2**20
_TENSOR_POINTS = 8_192  # beyond three dimensions, where the transform is a dense product


@dataclasses.dataclass(frozen=True)
class Waves:
    """Wave vectors (radians per unit length) and their shares of the variance above the noise.

    `noise` is the standard deviation of the noise in units of the target's, `resolution` and
    `spacing` have one entry per axis, `taper` is the share of the window that was tapered, 0 for none.
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
        cycles, energy, noise, share = _tensor_waves(place, y)
        order[live] = _interaction(cycles, energy)
    vectors = np.zeros((len(cycles), x.shape[1]))
    vectors[:, live] = cycles * resolution[live]
    return Waves(vectors, energy, noise, resolution, _spacing(x, span, order), share)


def _spacing(x: np.ndarray, span: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Mean distance of distinct points along each axis when they fill `order` dimensions."""
    hashed = x @ np.random.default_rng(0).normal(size=x.shape[1])
    distinct = 1 + np.count_nonzero(np.diff(np.sort(hashed)))
    return np.where(span > 0, span, 1.0) / distinct ** (1 / order)


def _interaction(cycles: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """How many axes the fastest waves along each axis run across, on average.

    An additive target is sampled by all points along each axis, whatever the dimension.
    """
    size = np.abs(cycles)
    crossed = np.count_nonzero(size, axis=1)
    fast = (size >= 0.7 * size.max(axis=0, initial=0.0)) & (size > 0)
    weight = np.where(fast, energy[:, None], 0.0)
    total = weight.sum(axis=0)
    mean = weight.T @ crossed / np.where(total > 0, total, 1.0)
    return np.where(total > 0, mean, cycles.shape[1])


def _lattice_waves(
    place: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float, float]:
    points, dim = place.shape
    modes = _modes(points, dim)
    upper = _upper_noise(place, y)
    pilot, few = slice(None), modes
    if points > 2 * _PILOT and dim > 1:
        # Thinning scattered points raises the floor, but makes no aliases as thinning a grid would.
        pilot = np.random.default_rng(0).choice(points, _PILOT, replace=False)
        few = _modes(_PILOT, dim)
    cycles, energy, _ = _thresholded(place[pilot], y[pilot], few, np.ones(dim), 1)
    share = np.array([taper_share(_top(np.abs(c), energy)) for c in cycles.T])
    # A million points leave a floor of a millionth: no round of subtraction is worth its time.
    rounds = _ROUNDS if points <= 300_000 else 1
    cycles, energy, noise = _thresholded(place, y, modes, share, rounds)
    if dim > 1:
        faster, strength = _faster_waves(place, y, modes // 2)
        cycles, energy = np.concatenate([cycles, faster]), np.concatenate([energy, strength])
        noise = float(np.sqrt(max(noise**2 - strength.sum(), 0.0)))
    return cycles, energy, min(noise, upper), float(share.max())


def _faster_waves(
    place: np.ndarray, y: np.ndarray, beyond: int
) -> tuple[np.ndarray, np.ndarray]:
    """Waves along a single axis that are faster than the lattice's."""
    found, strengths = [np.zeros((0, place.shape[1]))], [np.zeros(0)]
    for k in range(place.shape[1]):
        cycles, energy = _subset_waves(place[:, [k]], y, 1)
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


def _upper_noise(place: np.ndarray, y: np.ndarray) -> float:
    return float(np.sqrt(np.mean(scattered_noise(place, y) ** 2)))


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
    size = float(np.sum(weights * window**2))
    coefficients = np.zeros((len(target), *(modes,) * dim), np.complex128)
    support = np.zeros((modes,) * dim, bool)
    rest, left = target, np.inf
    for _ in range(rounds):
        image = transform.to_waves(rest)
        power = np.mean(np.abs(image) ** 2, axis=0)
        floor = _floor(power, support, len(target))
        found = power > floor * _limit(power.size, 2 * len(target))
        if support.sum() + found.sum() > points // 4:
            break
        now_support = support | found
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
    floor = _floor(np.mean(np.abs(image - coefficients) ** 2, axis=0), support, len(target))
    cycles, energy = _collect(power, support, floor, len(target))
    freedom = max(1.0 - support.sum() / points, 0.25)
    noise = float(np.sqrt(min(left, 1.0) / freedom))
    total = float(energy.sum())
    return cycles, energy * (max(1.0 - min(noise, 1.0) ** 2, 0.0) / total if total else 0), noise


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
        kind = {1: finufft.nufft1d1, 2: finufft.nufft2d1, 3: finufft.nufft3d1}[self.dim]
        strengths = np.ascontiguousarray(values * self.weights)
        out = kind(*self.angles, strengths, self.modes, isign=-1, **self.options)
        return out.reshape(len(values), *self.modes)

    def to_points(self, waves: np.ndarray) -> np.ndarray:
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


def _limit(bins: int, freedom: float) -> float:
    """How far above the mean floor a bin must rise not to be the work of chance."""
    return float(scipy.stats.chi2.isf(_FALSE_ALARM / bins, freedom)) / freedom


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
    slack = floor * (_limit(modes, 2.0 * outputs * others) - 1) * others
    for k in range(dim):
        slab = weak.sum(axis=tuple(a for a in range(dim) if a != k))
        rising = np.flatnonzero(slab > 3 * slack)
        extra = np.zeros((len(rising), dim))
        extra[:, k] = axis[rising]
        cycles = np.concatenate([cycles, extra])
        energy = np.concatenate([energy, slab[rising]])
    return cycles, energy


def _tensor_waves(
    place: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Waves with few components that are not zero, lowest number of components first."""
    points, dim = place.shape
    if points > _TENSOR_POINTS:
        chosen = np.random.default_rng(0).choice(points, _TENSOR_POINTS, replace=False)
    else:
        chosen = np.arange(points)
    cycles, energy = [], []
    for order in range(1, (4 if dim == 4 else 3) + 1):
        rows = slice(None) if order == 1 else chosen
        for axes in itertools.islice(itertools.combinations(range(dim), order), 60):
            found, strength = _subset_waves(place[rows][:, axes], y[rows], order)
            full = np.zeros((len(found), dim))
            full[:, axes] = found
            cycles.append(full)
            energy.append(strength)
    energy = np.concatenate(energy)
    explained = min(float(energy.sum()), 1.0)
    energy = energy * (explained / max(float(energy.sum()), 1e-300))
    noise = min(_upper_noise(place, y), float(np.sqrt(1 - explained)))
    return np.concatenate(cycles), energy, noise, 0.0


def _subset_waves(
    place: np.ndarray, y: np.ndarray, order: int
) -> tuple[np.ndarray, np.ndarray]:
    """Waves along exactly these axes that stand out of the shot noise of the sampling."""
    points = len(place)
    half = {1: min(points // 4, 2_000), 2: 32, 3: 12, 4: 10}[order]
    power = np.mean([_dense_power(place, column, half) for column in y.T], axis=0)
    floor = np.mean(y**2) / points
    peak = power > floor * _limit(100 * power.size, 2 * y.shape[1])  # many subsets are searched
    axes = _waves_of(half, order)
    for k, axis in enumerate(axes):
        shape = [1] * order
        shape[k] = len(axis)
        peak &= axis.reshape(shape) != 0
        for shift in (1, -1):
            peak &= power >= _shifted(power, k, shift)
    nodes = np.nonzero(peak)
    cycles = np.stack([axis[n] for axis, n in zip(axes, nodes, strict=True)], axis=1)
    return cycles.astype(float), 2 * (power[nodes] - floor)


def _waves_of(half: int, order: int) -> list[np.ndarray]:
    """Cycles along each axis; a real target's other half space mirrors this one."""
    return [np.arange(half + 1), *[np.arange(-half, half + 1)] * (order - 1)]


def _shifted(power: np.ndarray, axis: int, shift: int) -> np.ndarray:
    moved = np.roll(power, shift, axis=axis)
    edge = [slice(None)] * power.ndim
    edge[axis] = 0 if shift == 1 else -1
    moved[tuple(edge)] = 0
    return moved


def _dense_power(place: np.ndarray, column: np.ndarray, half: int) -> np.ndarray:
    r"""$|\frac1n\sum_j y_j e^{-ik\cdot x_j}|^2$ on the whole lattice, by one matrix product."""
    if place.shape[1] == 1:
        angles = 2 * np.pi * place[:, 0] - np.pi
        out = finufft.nufft1d1(angles, column.astype(complex), 2 * half + 1, eps=1e-5, nthreads=1)
        return np.abs(out[half:] / len(place)) ** 2
    axes = _waves_of(half, place.shape[1])
    factors = [
        np.exp(-2j * np.pi * np.outer(c, wave)).astype(np.complex64)
        for c, wave in zip(place.T, axes, strict=True)
    ]
    split = len(factors) // 2
    left, right = _outer(factors[:split]), _outer(factors[split:])
    out = (left * column[:, None].astype(np.float32)).T @ right / len(place)
    return np.abs(out.reshape([len(wave) for wave in axes])) ** 2


def _outer(factors: list[np.ndarray]) -> np.ndarray:
    product = factors[0]
    for factor in factors[1:]:
        product = (product[:, :, None] * factor[:, None, :]).reshape(len(product), -1)
    return product
