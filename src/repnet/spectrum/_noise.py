"""How much of a target is noise: white, spread over all samples, and without structure."""

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

_FALSE_ALARM = 0.002  # chance that a spectrum of noise alone shows a bin of signal
_MAD = 0.6744897501960817  # median of |ξ| for ξ ~ N(0, 1)


def line_noise(lines: Float[np.ndarray, "lines samples"]) -> float:
    r"""Standard deviation of white noise on uniformly sampled lines, an upper estimate.

    The median of $|\Delta^p y| / \sqrt{\binom{2p}{p}}$ over all samples, divided by 0.6745, for the
    order $p \le 8$ where it is least: differences remove what is smooth, the median ignores jumps.

    **Arguments:** `lines` of shape `(lines, samples)`.

    **Returns:** the estimate; for noise-free smooth samples it is close to 0.

    **Source:** Donoho & Johnstone 1994 (median at the finest scale), with differences of rising
    order in place of wavelets.

    >>> import numpy as np
    >>> y = np.sin(np.linspace(0, 9, 500)) + 0.1 * np.random.default_rng(0).normal(size=500)
    >>> 0.08 < line_noise(y[None]) < 0.12
    True
    """
    estimates = []
    for order in range(1, 9):
        if lines.shape[1] <= order:
            break
        lines_of_order = np.diff(lines, n=order, axis=1)
        typical = np.median(np.abs(lines_of_order))
        estimates.append(typical / _MAD / np.sqrt(scipy.special.binom(2 * order, order)))
    return float(min(estimates, default=0.0))


def plateau_noise(power: Float[np.ndarray, " bins"], freedom: float) -> float:
    """Share of the energy in a flat floor under the upper half of a one-sided spectrum.

    Zero where the spectrum falls to its end, as under a jump, a kink or rough ground.

    **Arguments:** `power` per bin of equal width; `freedom`, degrees of freedom of each bin (two
    for a single periodogram).

    **Returns:** floor times number of bins, in units of `power.sum()`'s.

    **Source:** this project: medians over the last two quarters of the band or, where a signal
    reaches into the first of them, over the last two eighths.
    """
    bins = len(power)
    to_mean = freedom / (2 * scipy.special.gammaincinv(freedom / 2, 0.5))
    for part, slope in ((4, 1.3), (8, 1.15)):
        width = bins // part
        if width < 3:
            break
        before, last = power[-2 * width : -width], power[-width:]
        # Standard error of the logarithm of a ratio of two medians of `width` bins.
        error = 1.44 * np.sqrt(4.0 / (freedom * width))
        if np.median(before) <= np.median(last) * slope * np.exp(3.5 * error):
            return to_mean * float(np.median(power[-2 * width :])) * bins
    return 0.0


def scattered_noise(
    x: Float[np.ndarray, "points dim"], y: Float[np.ndarray, "points out"]
) -> Float[np.ndarray, " out"]:
    r"""Standard deviation of white noise on scattered samples, an upper estimate.

    Each point's distance from the plane through its nearest neighbours, over the standard
    deviation that white noise of unit size would give it; the median over the points over 0.6745.

    **Arguments:** `x` of shape `(points, dim)`, in units of similar sample distance along each
    axis; `y` of shape `(points, out)`.

    **Returns:** one estimate per output, shape `(out,)`.

    **Source:** Gasser, Sroka & Jennen-Steinmetz 1986 for pseudo-residuals in one dimension.
    """
    points, dim = x.shape
    neighbours = 2 * dim + 2
    if points < neighbours + 2:
        return np.zeros(y.shape[1])
    block = _block(x, 40_000)
    x, y = x[block], y[block]
    asked = np.arange(0, len(x), max(1, len(x) // 4_000))
    near = np.asarray(scipy.spatial.KDTree(x).query(x[asked], k=neighbours + 1)[1])
    offsets = x[near[:, 1:]] - x[asked][:, None]
    scale = np.abs(offsets).max(axis=(1, 2), keepdims=True)
    plane = np.concatenate(
        [np.ones((len(asked), neighbours, 1)), offsets / np.where(scale > 0, scale, 1)], axis=2
    )
    weights = np.linalg.pinv(plane, rcond=1e-6)[:, 0]  # the plane's value at the point
    apart = y[asked] - np.einsum("pk,pko->po", weights, y[near[:, 1:]])
    apart /= np.sqrt(1 + np.sum(weights**2, axis=1))[:, None]
    return np.median(np.abs(apart), axis=0) / _MAD


def pooled_noise(x: Float[np.ndarray, "points dim"], y: Float[np.ndarray, "points out"]) -> float:
    """Root mean square of `scattered_noise` over the outputs."""
    return float(np.sqrt(np.mean(scattered_noise(x, y) ** 2)))


def chance_limit(bins: int, freedom: float) -> float:
    """How far above its mean the largest of so many bins of pure noise may rise by chance.

    Each bin is distributed as χ² with `freedom` degrees of freedom over `freedom`.
    """
    return float(scipy.stats.chi2.isf(_FALSE_ALARM / bins, freedom)) / freedom


def _block(x: np.ndarray, most: int) -> np.ndarray:
    """Rows of a box around the middle that holds about `most` of the points, all if fewer."""
    if len(x) <= most:
        return np.arange(len(x))
    share = (most / len(x)) ** (1 / x.shape[1])
    low, high = x.min(axis=0), x.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    inside = np.flatnonzero(np.all(np.abs(x - middle) <= share * half, axis=1))
    return inside if len(inside) > most // 10 else np.arange(0, len(x), len(x) // most)
