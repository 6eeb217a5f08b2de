"""Waves in scattered samples of many dimensions, where no lattice of wave vectors is full."""

import itertools

import numpy as np

from repnet.spectrum._noise import chance_limit, pooled_noise
from repnet.spectrum._window import alias_free

_SUBSETS = 20  # sets of axes that are searched, in order of magnitude
_MOST_SUBSETS = 60  # of one order
_MOST_POINTS = 8_192  # for dense transforms
_REACH = {2: 32, 3: 12, 4: 10}  # cycles per span searched along each axis, by order


def tensor_waves(place: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Waves with few components that are not zero, lowest number of components first."""
    points, dim = place.shape
    if points > _MOST_POINTS:
        chosen = np.random.default_rng(0).choice(points, _MOST_POINTS, replace=False)
    else:
        chosen = np.arange(points)
    cycles, energy = [], []
    for order in range(1, (4 if dim == 4 else 3) + 1):
        rows = slice(None) if order == 1 else chosen
        for axes in itertools.islice(itertools.combinations(range(dim), order), _MOST_SUBSETS):
            found, strength = subset_waves(place[rows][:, axes], y[rows], order)
            full = np.zeros((len(found), dim))
            full[:, axes] = found
            cycles.append(full)
            energy.append(strength)
    energy = np.concatenate(energy)
    energy /= max(float(energy.sum()), 1.0)
    # What is left may be waves across several axes as well as noise: neighbours this far apart
    # cannot tell, so noise is reported only where there is nothing else.
    noise = 0.0 if energy.sum() > 0 else min(pooled_noise(place, y), 1.0)
    return np.concatenate(cycles), energy, noise


def interaction(cycles: np.ndarray, energy: np.ndarray) -> np.ndarray:
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


def subset_waves(place: np.ndarray, y: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Waves along exactly these axes that stand out of the shot noise of the sampling."""
    points = len(place)
    half = _REACH[order] if order > 1 else alias_free(place[:, 0], min(points // 4, 2_000))
    power = np.mean([_dense_power(place, column, half) for column in y.T], axis=0)
    floor = np.mean(y**2) / points
    peak = power > floor * chance_limit(_SUBSETS * power.size, 2.0 * y.shape[1])
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
    edge: list[slice | int] = [slice(None)] * power.ndim
    edge[axis] = 0 if shift == 1 else -1
    moved[tuple(edge)] = 0
    return moved


def _dense_power(place: np.ndarray, column: np.ndarray, half: int) -> np.ndarray:
    r"""$|\frac1n\sum_j y_j e^{-ik\cdot x_j}|^2$ on the whole lattice, by one matrix product."""
    if place.shape[1] == 1:
        import finufft  # late: `import repnet` stays quick

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
