"""Tapers, and how much they blur a line."""

import functools

import numpy as np
from jaxtyping import Float

_SAMPLES, _PADDING = 2048, 8


def tukey(samples: int, share: float) -> Float[np.ndarray, " samples"]:
    """Cosine-tapered window: `share` of the samples lies under its two ends (1: Hann, 0: none).

    >>> tukey(5, 1.0).round(3).tolist()
    [0.095, 0.655, 1.0, 0.655, 0.095]
    """
    return taper((np.arange(samples) + 0.5) / samples, share)


def taper(place: Float[np.ndarray, "*points"], share: float) -> Float[np.ndarray, "*points"]:
    """The same window at any places in [0, 1]."""
    if share <= 0:
        return np.ones_like(place)
    edge = np.minimum(place, 1 - place)
    return np.sin(0.5 * np.pi * np.clip(2 * edge / share, 0.0, 1.0)) ** 2


@functools.lru_cache(maxsize=256)
def spread(share: float, beyond: float = 1e-3) -> float:
    """How far above a line, in units of 2π/span, all but `beyond` of its energy lies when tapered.

    >>> 1.0 < spread(1.0) < 2.0
    True
    """
    kernel = _kernel(share)
    above = np.cumsum(kernel[::-1])[::-1] / (2 * kernel.sum() - kernel[0])
    return float(np.argmax(above <= beyond)) / _PADDING


@functools.lru_cache(maxsize=256)
def blur(share: float) -> float:
    r"""Root mean square width that a taper lends to a line, in units of 2π/span.

    $\frac{1}{2\pi}\sqrt{\int w'^2 / \int w^2}$ on a unit span; $1/\sqrt3$ for Hann.

    >>> round(blur(1.0), 3)
    0.577
    """
    window = tukey(_SAMPLES, share)
    slope = np.diff(window, prepend=0.0, append=0.0) * _SAMPLES
    return float(np.sqrt(np.sum(slope**2) / np.sum(window**2)) / (2 * np.pi))


def taper_share(cycles: float) -> float:
    """The share to taper for a signal of that many cycles: six of them under either end.

    A shorter taper would blur the highest frequency by more than a few percent of itself; a
    longer one would hide what happens near the ends, where a chirp has its highest frequency.
    """
    return min(1.0, round(12.0 / max(cycles, 12.0), 3) or 1e-3)


def alias_free(place: Float[np.ndarray, " points"], most: int) -> int:
    r"""How many cycles per span samples at places in [0, 1] can tell from fewer, up to `most`.

    Places near the nodes of a grid of m cells repeat themselves: $|\sum_j e^{2\pi i m x_j}|$ is
    close to the number of points, and what lies beyond m/2 is an image of what lies below.

    >>> alias_free((np.arange(50) + 0.01) / 50, 100)
    25
    >>> alias_free(np.random.default_rng(0).uniform(size=50), 100)
    100
    """
    import finufft  # late: `import repnet` stays quick

    angles = np.ascontiguousarray(2 * np.pi * place - np.pi)
    ones = np.ones(len(place), np.complex128)
    window = finufft.nufft1d1(angles, ones, 4 * most + 1, eps=1e-4, nthreads=1)
    image = np.abs(np.asarray(window)[2 * most :] / len(place)) ** 2
    peaks = np.flatnonzero(image[4:] > 0.25) + 4
    # Clusters also repeat themselves, but from the first wave on.
    if len(peaks) == 0 or image[2 : peaks[0] - 1].mean() > 0.1:
        return most
    return max(min(most, int(peaks[0]) // 2), 2)


@functools.lru_cache(maxsize=32)
def _kernel(share: float) -> np.ndarray:
    return np.abs(np.fft.rfft(tukey(_SAMPLES, share), _PADDING * _SAMPLES)) ** 2
