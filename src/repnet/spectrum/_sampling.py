"""The sampling doctor: are there enough samples for the frequencies they show?"""

import dataclasses
import difflib
from typing import Literal

import jax
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float, Num

from repnet.spectrum._estimate import Spectrum, axis_spectra
from repnet.spectrum._grid import detect_grid
from repnet.spectrum._samples import as_samples

_LEAST = 2.0  # points per shortest wavelength: the sampling theorem
_ENOUGH = 6.0  # points per shortest wavelength that a fit needs between its samples
_PILE = 0.2  # energy density next to the Nyquist frequency over the mean density
_GAP = {1: 0.5, 2: 1.0, 3: 1.0}  # largest empty interval or ball, in wavelengths, by dimension
Level = Literal["ok", "warning", "error"]
_LEVELS: tuple[Level, ...] = ("ok", "warning", "error")


@dataclasses.dataclass(frozen=True)
class SamplingReport:
    """What the doctor found: `level` is the gravest of the `findings`, each a full sentence.

    `points_per_wavelength` has one entry per axis, infinite where the target does not vary;
    `spectra` are the estimates that it rests on.

    >>> x = np.linspace(0.0, 1.0, 101)
    >>> report = check_sampling(x, np.sin(2 * np.pi * 22 * x))
    >>> report.level, len(report.findings), len(report.spectra)
    ('warning', 1, 1)
    """

    points_per_wavelength: tuple[float, ...]
    level: Level
    findings: tuple[str, ...]
    spectra: tuple[Spectrum, ...]


def check_sampling(
    x: Num[np.ndarray | jax.Array, "points dim"] | Num[np.ndarray | jax.Array, " points"],
    y: Num[np.ndarray | jax.Array, "points out"] | Num[np.ndarray | jax.Array, " points"],
    grid_shape: tuple[int, ...] | None = None,
    split: str = "training",
) -> SamplingReport:
    r"""Whether samples resolve their own target: $2\pi / (\omega_{\max} h)$ points per wavelength.

    Fewer than 2 points per shortest wavelength on any axis is an error, fewer than 6 a warning.
    A wave that a *grid* samples too coarsely looks like a slower one, so the doctor also looks at
    the energy next to the Nyquist frequency: if it does not fall off there, part of it has been
    folded back, which is an error. (One pure tone that folds back to a low frequency cannot be
    told from the slow wave; only another grid can tell.) Gaps, clusters and contradictory
    duplicates are warnings.

    **Arguments:** `x`, `y`, `grid_shape` as for
    [`axis_spectra`][repnet.spectrum.axis_spectra]; `split`, `"training"` or `"test"`, names the
    points in the findings.

    **Returns:** a [`SamplingReport`][repnet.spectrum.SamplingReport].

    **Raises:** `ValueError` for an unknown split, disagreeing shapes or values that are not finite.

    **Source:** this project; the bound of 2 is the sampling theorem's.

    >>> import numpy as np
    >>> from repnet.spectrum import check_sampling
    >>> x = np.linspace(0, 1, 101)
    >>> check_sampling(x, np.sin(2 * np.pi * 5 * x)).level
    'ok'
    >>> report = check_sampling(x, np.sin(2 * np.pi * 22 * x))
    >>> report.level, round(report.points_per_wavelength[0], 1)
    ('warning', 4.6)
    """
    if split not in ("training", "test"):
        near = difflib.get_close_matches(split, ("training", "test"), 1, 0.0)[0]
        raise ValueError(
            f'`split` must be "training" or "test"; got "{split}" (did you mean "{near}"?).'
        )
    x, y = as_samples(x, y)
    spectra = axis_spectra(x, y, grid_shape)
    gridded = grid_shape is not None or detect_grid(x) is not None
    found: list[tuple[Level, str]] = [
        finding
        for axis, spectrum in enumerate(spectra)
        for finding in _axis_findings(axis, spectrum, split, gridded)
    ]
    found += _duplicates(x, y, split)
    found += _gaps(x, spectra, split)
    if not gridded:
        found += _clusters(x, split)
    found += _noise(spectra, split)
    gravity = max((_LEVELS.index(level) for level, _ in found), default=0)
    return SamplingReport(
        points_per_wavelength=tuple(map(_points_per_wavelength, spectra)),
        level=_LEVELS[gravity],
        findings=tuple(sentence for _, sentence in found),
        spectra=spectra,
    )


def _points_per_wavelength(spectrum: Spectrum) -> float:
    if spectrum.omega_max <= 0:
        return float("inf")
    return 2 * np.pi / (spectrum.omega_max * spectrum.spacing)


def _axis_findings(
    axis: int, spectrum: Spectrum, split: str, gridded: bool
) -> list[tuple[Level, str]]:
    density = _points_per_wavelength(spectrum)
    findings: list[tuple[Level, str]] = []
    if density < _ENOUGH:
        level: Level = "error" if density < _LEAST else "warning"
        rule = (
            "fewer than 2 cannot tell a wave from a slower one"
            if density < _LEAST
            else "a fit needs 6 to be right between its points"
        )
        wanted = 2 * np.pi / spectrum.omega_max / _ENOUGH
        findings.append(
            (
                level,
                f"Axis {axis}: the {split} points lie {spectrum.spacing:.3g} apart and the "
                f"shortest wavelength of the target is {2 * np.pi / spectrum.omega_max:.3g}, "
                f"which makes {density:.2g} points per wavelength; {rule}. Sample this axis at "
                f"least every {wanted:.3g}, or smooth the target first.",
            )
        )
    pile = _pile(spectrum) if gridded else 0.0
    if pile > _PILE:
        findings.append(
            (
                "error",
                f"Axis {axis}: the energy of the {split} targets does not fall off toward the "
                f"highest frequency that their grid can show ({spectrum.nyquist:.3g} rad per unit "
                f"length): the last tenth of the band is {pile:.2g} times as full as the mean, so "
                f"that faster waves have been folded back among the slow ones. Sample this axis "
                f"more densely than every {spectrum.spacing:.3g}.",
            )
        )
    return findings


def _pile(spectrum: Spectrum) -> float:
    """Energy density in the last tenth of the band over the mean density, trend-like bins apart."""
    inside = (spectrum.frequencies > spectrum.resolution) & (
        spectrum.frequencies <= spectrum.nyquist * (1 + 1e-9)
    )
    last = inside & (spectrum.frequencies >= 0.9 * spectrum.nyquist)
    if last.sum() < 2 or spectrum.power.sum() <= 0:
        return 0.0
    return float(spectrum.power[last].mean() / (spectrum.power.sum() / inside.sum()))


def _duplicates(x: np.ndarray, y: np.ndarray, split: str) -> list[tuple[Level, str]]:
    order = np.lexsort(x.T)
    same = np.all(x[order[1:]] == x[order[:-1]], axis=1)
    if not same.any():
        return []
    apart = np.abs(np.diff(y[order], axis=0))[same]
    contradict = np.any(apart > 1e-9 * np.maximum(np.std(y, axis=0), 1e-300), axis=1)
    count = int(same.sum())
    if not contradict.any():
        return [("ok", f"{count} of the {split} points repeat another one with the same target.")]
    return [
        (
            "warning",
            f"{count} of the {split} points repeat another one, {int(contradict.sum())} with a "
            f"different target (by up to {apart.max():.3g}); no function fits both, and the best "
            "fit is their mean. Average them, or check where they come from.",
        )
    ]


def _gaps(x: np.ndarray, spectra: tuple[Spectrum, ...], split: str) -> list[tuple[Level, str]]:
    dim = x.shape[1]
    omega = np.array([s.omega_max for s in spectra])
    if dim > 3 or not omega.any():
        return []
    waves = x.astype(np.float64) * omega / (2 * np.pi)  # in wavelengths
    if dim == 1:
        ordered = np.sort(waves[:, 0])
        steps = np.diff(ordered)
        widest = int(np.argmax(steps)) if len(steps) else 0
        gap = float(steps.max(initial=0.0))
        where = np.sort(x[:, 0])[widest : widest + 2].mean(keepdims=True)
        usual = float(np.median(steps)) if len(steps) else 0.0
    else:
        probes = np.random.default_rng(0).uniform(x.min(axis=0), x.max(axis=0), (1_000, dim))
        distance, _ = scipy.spatial.KDTree(waves).query(probes * omega / (2 * np.pi))
        gap, usual = 2 * float(distance.max()), 2 * float(np.median(distance))
        where = probes[np.argmax(distance)]
    # An even but coarse sampling is the business of the points per wavelength.
    if gap <= _GAP[dim] or gap <= 2.5 * usual:
        return []
    place = ", ".join(f"{c:.3g}" for c in where)
    return [
        (
            "warning",
            f"The {split} points leave a gap of {gap:.2g} of the shortest wavelength around "
            f"({place}); beyond {_GAP[dim]:g} the fit has nothing to hold on to there. Add points "
            "in it, or read no result from it.",
        )
    ]


def _clusters(x: Float[np.ndarray, "points dim"], split: str) -> list[tuple[Level, str]]:
    points, dim = x.shape
    span = np.ptp(x, axis=0)
    if points < 20 or dim > 3 or not np.all(span > 0):
        return []
    place = (x - x.min(axis=0)) / span
    asked = place[:: max(1, points // 4_000)]
    distance, _ = scipy.spatial.KDTree(place).query(asked, k=2)
    ball = np.pi ** (dim / 2) / scipy.special.gamma(dim / 2 + 1)
    even = (np.log(2) / (points * ball)) ** (1 / dim)  # median of a Poisson process
    ratio = float(np.median(distance[:, 1])) / even
    if ratio >= 0.3:
        return []
    return [
        (
            "warning",
            f"The {split} points are clustered: half of them have a neighbour nearer than "
            f"{ratio:.2g} times what evenly scattered points would have, so that the points per "
            "wavelength hold in the clusters only. Spread new points over the rest.",
        )
    ]


def _noise(spectra: tuple[Spectrum, ...], split: str) -> list[tuple[Level, str]]:
    noise = max(s.noise for s in spectra)
    if noise < 0.7:
        return []
    return [
        (
            "warning",
            f"{noise**2:.0%} of the variance of the {split} targets looks like noise; above 50 % "
            "a fit learns little. Either the targets are noisy, or they vary faster than the "
            "points can show: sample a small part densely to find out.",
        )
    ]
