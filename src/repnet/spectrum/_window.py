"""Tapers, and how much they blur a line."""

import functools

import numpy as np
from jaxtyping import Float


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
    samples, padding = 2048, 8
    kernel = np.abs(np.fft.rfft(tukey(samples, share), padding * samples)) ** 2
    above = np.cumsum(kernel[::-1])[::-1] / (2 * kernel.sum() - kernel[0])
    return float(np.argmax(above <= beyond)) / padding


def taper_share(cycles: float) -> float:
    """The share to taper for a signal of that many cycles: six of them under either end.

    A shorter taper would blur the highest frequency by more than a few percent of itself; a
    longer one would hide what happens near the ends, where a chirp has its highest frequency.
    """
    return min(1.0, round(12.0 / max(cycles, 12.0), 3) or 1e-3)
