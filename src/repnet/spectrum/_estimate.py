"""Spectra of sampled targets, one per input axis or direction."""

import dataclasses

import jax
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float, Num

from repnet.spectrum._grid import (
    Grid,
    detect_grid,
    fill_holes,
    grid_of_shape,
    interpolated,
    on_grid,
)
from repnet.spectrum._noise import chance_limit, line_noise, plateau_noise
from repnet.spectrum._samples import as_samples, detrended
from repnet.spectrum._scattered import Waves, scattered_waves
from repnet.spectrum._window import blur, spread, taper_share, tukey

_SHARE = 0.999  # of the energy above the noise, below ω_max


@dataclasses.dataclass(frozen=True)
class Spectrum:
    r"""The energy of a target over angular frequency, along one axis or direction.

    `frequencies` ascend, in radians per unit length; `power` is the energy per bin above the noise
    floor and sums to the variance explained (mean over outputs, linear trend removed). 99.9 % of
    it lies below `omega_max`; `omega_rms` is $\sqrt{\sum\omega^2 P / \sum P}$. `noise` is the
    standard deviation of the noise in units of the target's. `resolution` is the distance of
    frequencies that the samples can tell apart, `spacing` the distance of samples, and `nyquist`
    $\pi / \mathtt{spacing}$.

    >>> x = np.linspace(-1.0, 1.0, 201)
    >>> (spectrum,) = axis_spectra(x, np.sin(20.0 * x))
    >>> spectrum.label, round(spectrum.omega_max), round(spectrum.nyquist, 1)
    ('axis 0', 20, 314.2)
    """

    frequencies: Float[np.ndarray, " bins"]
    power: Float[np.ndarray, " bins"]
    omega_max: float
    omega_rms: float
    noise: float
    resolution: float
    spacing: float
    nyquist: float
    label: str


def axis_spectra(
    x: Num[np.ndarray | jax.Array, "points dim"] | Num[np.ndarray | jax.Array, " points"],
    y: Num[np.ndarray | jax.Array, "points out"] | Num[np.ndarray | jax.Array, " points"],
    grid_shape: tuple[int, ...] | None = None,
) -> tuple[Spectrum, ...]:
    r"""The spectrum of samples along each input axis, whatever the samples' arrangement.

    On a grid (found by itself, holes and all) the mean over all lines of the tapered periodogram
    $|\sum_j w_j y_j e^{-i\omega x_j}|^2$, each line without its own linear trend. Scattered points
    go through non-uniform Fourier transforms; see `scattered_waves`. Linear trends count as no
    energy, differences between lines as energy at frequency 0.

    **Arguments:** `x`, points of shape `(points, dim)` or `(points,)`; `y`, targets of shape
    `(points, out)` or `(points,)`, whose outputs are pooled after scaling each to unit variance;
    `grid_shape`, sizes of a grid listed row by row, if known.

    **Returns:** one [`Spectrum`][repnet.spectrum.Spectrum] per axis.

    **Raises:** `ValueError` if shapes disagree or a value is not finite.

    **Source:** this project.

    >>> import numpy as np
    >>> from repnet.spectrum import axis_spectra
    >>> x = np.linspace(-1, 1, 1001)
    >>> (spectrum,) = axis_spectra(x, np.sin(2 * np.pi * x) + 0.3 * np.sin(100 * np.pi * x))
    >>> round(spectrum.omega_max / np.pi)
    100
    """
    x, y = as_samples(x, y)
    scaled, variance, rough = detrended(x, y)
    grid = grid_of_shape(x, grid_shape) if grid_shape is not None else detect_grid(x)
    labels = [f"axis {k}" for k in range(x.shape[1])]
    if variance == 0.0:
        return tuple(_flat(x[:, k], labels[k], len(x), x.shape[1]) for k in range(x.shape[1]))
    if grid is not None:
        return tuple(_of_target(s, rough) for s in _grid_spectra(grid, scaled, variance, labels))
    waves = _waves(x, scaled)
    return tuple(
        _of_target(_projected(waves, axis, variance, label), rough)
        for axis, label in zip(np.eye(x.shape[1]), labels, strict=True)
    )


def direction_spectra(
    x: Num[np.ndarray | jax.Array, "points dim"] | Num[np.ndarray | jax.Array, " points"],
    y: Num[np.ndarray | jax.Array, "points out"] | Num[np.ndarray | jax.Array, " points"],
    count: int = 8,
    *,
    seed: int,
) -> tuple[Spectrum, ...]:
    r"""The spectrum of samples along random directions: energy over $|n\cdot k|$.

    The energy of every wave vector $k$ of the target is counted at its component along the unit
    vector $n$, so a wave that runs across $n$ counts at frequency 0.

    **Arguments:** as for [`axis_spectra`][repnet.spectrum.axis_spectra]; `count`, how many
    directions, drawn uniformly from the sphere by `seed`.

    **Returns:** one [`Spectrum`][repnet.spectrum.Spectrum] per direction.

    **Source:** this project.

    >>> import numpy as np
    >>> from repnet.spectrum import direction_spectra
    >>> x = np.random.default_rng(0).uniform(-1, 1, (2000, 2))
    >>> spectra = direction_spectra(x, np.sin(30 * x[:, 0]), count=3, seed=1)
    >>> len(spectra), all(s.omega_max < 40 for s in spectra)
    (3, True)
    """
    x, y = as_samples(x, y)
    scaled, variance, rough = detrended(x, y)
    drawn = np.random.default_rng(seed).normal(size=(count, x.shape[1]))
    directions = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    labels = ["direction (" + ", ".join(f"{c:.2f}" for c in n) + ")" for n in directions]
    if variance == 0.0:
        return tuple(
            _flat(x @ n, label, len(x), x.shape[1])
            for n, label in zip(directions, labels, strict=True)
        )
    waves = sample_waves(x, scaled)
    return tuple(
        _of_target(_projected(waves, n, variance, label), rough)
        for n, label in zip(directions, labels, strict=True)
    )


def _of_target(spectrum: Spectrum, rough: float) -> Spectrum:
    """The noise in units of the target's standard deviation, trend included."""
    return dataclasses.replace(spectrum, noise=spectrum.noise * rough)


def _flat(column: np.ndarray, label: str, points: int, dim: int) -> Spectrum:
    span = float(np.ptp(column)) or 1.0
    spacing = span / max(points ** (1 / dim) - 1, 1)
    zero = np.zeros(1)
    return Spectrum(zero, zero, 0.0, 0.0, 0.0, 2 * np.pi / span, spacing, np.pi / spacing, label)


def _grid_spectra(
    grid: Grid, y: np.ndarray, variance: float, labels: list[str]
) -> tuple[Spectrum, ...]:
    lines = _lines(fill_holes(*on_grid(grid, y)))
    noise = _grid_noise(lines)
    return tuple(
        _line_spectrum(ln, step, noise, variance, label)
        if ln.shape[1] > 2
        else _flat(np.array([0.0, step * (ln.shape[1] - 1)]), label, ln.shape[1], 1)
        for ln, step, label in zip(lines, grid.step, labels, strict=True)
    )


def _lines(values: np.ndarray) -> list[np.ndarray]:
    """All lines of values along each axis of a grid; the outputs are on the last axis."""
    return [np.moveaxis(values, k, -1).reshape(-1, values.shape[k]) for k in range(values.ndim - 1)]


def _grid_noise(lines: list[np.ndarray]) -> float:
    """The least noise seen along any axis long enough to tell, as a standard deviation."""
    return min((_lines_noise(each) for each in lines if each.shape[1] >= 24), default=0.0)


def _lines_noise(lines: np.ndarray) -> float:
    rest, _ = _without_lines(lines)
    taper = tukey(rest.shape[1], 1.0)
    power = _periodogram(rest, taper, rest.shape[1])
    floor = float(np.sqrt(plateau_noise(power, 2.0 * min(len(lines), 1_000))))
    local = line_noise(rest)
    # The floor is the better measured of the two, but jumps also have one.
    return floor if local > 0.5 * floor else local


def _line_spectrum(
    lines: np.ndarray, step: float, noise: float, variance: float, label: str
) -> Spectrum:
    samples = lines.shape[1]
    rest, removed = _without_lines(lines)
    length = int(scipy.fft.next_fast_len(2 * samples, True) or 2 * samples)
    frequencies = 2 * np.pi * np.arange(length // 2 + 1) / (length * abs(step))
    resolution = 2 * np.pi / (samples * abs(step))

    def tapered(share: float) -> np.ndarray:
        raw = _periodogram(rest, tukey(samples, share), length)
        power = _signal(raw, noise, 2.0 * len(lines))
        power[0] += removed
        return power

    share = taper_share(_top(frequencies, tapered(1.0), 1.0, resolution) / resolution)
    power = tapered(share)
    return _spectrum(frequencies, power, share, noise, resolution, abs(step), variance, label)


def _without_lines(lines: np.ndarray) -> tuple[np.ndarray, float]:
    """Each line without its own linear trend, and the variance removed."""
    place = np.linspace(-1, 1, lines.shape[1])
    slope = lines @ place / (place @ place)
    rest = lines - lines.mean(axis=1, keepdims=True) - slope[:, None] * place
    return rest, max(float(np.mean(lines**2) - np.mean(rest**2)), 0.0)


def _periodogram(lines: np.ndarray, taper: np.ndarray, length: int) -> np.ndarray:
    """One-sided energy per bin, mean over lines, that sums to the lines' mean variance."""
    total = np.zeros(length // 2 + 1)
    for block in np.array_split(lines, max(1, lines.size * length // lines.shape[1] // 4_000_000)):
        transform = np.asarray(scipy.fft.rfft(block * taper, length, axis=1))
        total += np.sum(np.abs(transform) ** 2, axis=0)
    total[1 : (length + 1) // 2] *= 2
    energy = float(np.mean(lines**2))
    return total * (energy / total.sum()) if total.sum() > 0 else total


def _signal(power: np.ndarray, noise: float, freedom: float) -> np.ndarray:
    """What rises above the noise floor further than noise itself would."""
    floor = noise**2 / len(power)
    if floor == 0:
        return power.copy()
    limit = floor * chance_limit(len(power), min(freedom, 1e4))
    return np.where(power > limit, power - floor, 0.0)


def _top(frequencies: np.ndarray, power: np.ndarray, share: float, resolution: float) -> float:
    """Below which 99.9 % of the energy lies, less the blur of the taper.

    If the uppermost band holds a part p of the energy, the quantile lies where the tail of that
    band's own blur is 0.001 / p.
    """
    total = np.cumsum(power)
    if total[-1] <= 0:
        return 0.0
    total /= total[-1]
    edges = frequencies + (frequencies[1] if len(frequencies) > 1 else 0.0) / 2
    top = float(np.interp(_SHARE, total, edges))
    broad = spread(share, 1 - _SHARE) if share > 0 else 0.0
    for _ in range(2 if share > 0 else 0):
        band = 1 - float(np.interp(top - 2 * broad * resolution, edges, total, left=0.0))
        broad = spread(share, round((1 - _SHARE) / max(band, 2 * (1 - _SHARE)), 4))
    return max(top - broad * resolution, min(top, resolution / 2))


def _spectrum(
    frequencies: np.ndarray,
    power: np.ndarray,
    share: float,
    noise: float,
    resolution: float,
    spacing: float,
    variance: float,
    label: str,
) -> Spectrum:
    top = _top(frequencies, power, share, resolution)
    total = float(power.sum())
    square = float(power @ frequencies**2) / total if total > 0 else 0.0
    rms = np.sqrt(max(square - (blur(share) * resolution) ** 2, 0.0)) if share > 0 else square**0.5
    return Spectrum(
        frequencies=frequencies,
        power=power * variance,
        omega_max=top,
        omega_rms=min(float(rms), top),
        noise=noise if noise > 1e-5 else 0.0,
        resolution=resolution,
        spacing=spacing,
        nyquist=np.pi / spacing,
        label=label,
    )


def sample_waves(x: np.ndarray, y: np.ndarray) -> Waves:
    """The wave vectors of detrended samples, on a grid or scattered."""
    grid = detect_grid(x)
    return _waves(x, y) if grid is None else _grid_waves(grid, y)


def _waves(x: np.ndarray, y: np.ndarray) -> Waves:
    """Waves in scattered samples, through an interpolation where they are too few to stand out."""
    waves = scattered_waves(x, y)
    missing = 1.0 - waves.noise**2 - float(waves.energy.sum())
    # Neighbours that agree hold a signal, even if no wave rises above the shot noise.
    if missing < 0.3 or waves.noise > 0.6 or x.shape[1] > 3 or len(x) > 20_000:
        return waves
    grid, values = interpolated(x.astype(np.float64), y)
    smooth = _grid_waves(grid, values)
    return dataclasses.replace(
        waves, vectors=smooth.vectors, energy=smooth.energy, taper=smooth.taper
    )


def _grid_waves(grid: Grid, y: np.ndarray) -> Waves:
    """The energy of every wave vector on a grid, from one transform over all its axes."""
    values = fill_holes(*on_grid(grid, y))
    dim = len(grid.size)
    step = np.where(np.asarray(grid.step) == 0, 1.0, np.abs(grid.step))
    noise = _grid_noise(_lines(values))
    for k, samples in enumerate(grid.size):
        shape = [1] * (dim + 1)
        shape[k] = samples
        values = values * tukey(samples, 0.5 if samples > 8 else 0.0).reshape(shape)
    transform = np.asarray(scipy.fft.fftn(values, axes=tuple(range(dim))))
    energy = np.mean(np.abs(transform) ** 2, axis=-1).ravel()
    energy *= 1.0 / energy.sum()
    power = _signal(energy, noise, 2.0 * y.shape[1])
    kept = np.flatnonzero(power > 0)
    axes = [2 * np.pi * scipy.fft.fftfreq(m, h) for m, h in zip(grid.size, step, strict=True)]
    nodes = np.unravel_index(kept, grid.size)
    vectors = np.stack([axis[node] for axis, node in zip(axes, nodes, strict=True)], axis=1)
    span = step * np.asarray(grid.size)
    return Waves(vectors, power[kept], noise, 2 * np.pi / span, step, 0.5)


def _projected(waves: Waves, direction: np.ndarray, variance: float, label: str) -> Spectrum:
    """The energy of all waves over their component along a unit vector."""
    along = np.abs(waves.vectors @ direction)
    # A box of sides L and samples h seen along n: the resolution and spacing of its projections.
    resolution = float(1 / np.sqrt(np.sum((direction / waves.resolution) ** 2)))
    spacing = float(np.sqrt(np.sum((direction * waves.spacing) ** 2)))
    bins = max(int(np.ceil(along.max(initial=0.0) / resolution)), 1) + 1
    place = np.minimum(np.rint(along / resolution).astype(int), bins)
    power = np.bincount(place, weights=waves.energy, minlength=bins + 1)
    frequencies = resolution * np.arange(len(power))
    return _spectrum(
        frequencies, power, waves.taper, waves.noise, resolution, spacing, variance, label
    )
