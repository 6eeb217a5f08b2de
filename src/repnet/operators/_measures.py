"""Errors of predicted responses: per record, with median and quartiles over records."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

PERIODS = np.geomspace(0.1, 3.0, 30)  # seconds, of the response spectrum
EDGES = (
    0.0,
    0.25,
    0.5,
    1.0,
    2.0,
    4.0,
    8.0,
)  # of the bands, in multiples of the structure's frequency
PLACES = 20  # times at which the growth of the error is taken
_EMPTY = 1e-8  # share of the energy below which a band has no error


def response_errors(
    found: Float[np.ndarray, "records samples"],
    truth: Float[np.ndarray, "records samples"],
    ends: Sequence[int],
    step: float,
) -> dict[str, Float[np.ndarray, " records"]]:
    r"""Errors of displacement records.

    - `relative_l2`: $\|\hat u - u\| / \|u\|$.
    - `peak`: $|\max|\hat u| - \max|u||$ over $\max|u|$.
    - `residual`: $|\hat u - u|$ at the record's end over $\max|u|$.
    - `spectrum`: relative L2 error of the response spectrum over periods of 0.1 to 3 s.

    **Arguments:** `ends`: samples of each record; what lies behind counts for nothing.

    >>> truth = np.sin(np.arange(400)[None] / 10.0)
    >>> errors = response_errors(1.1 * truth, truth, [400], 0.01)
    >>> {name: round(float(value[0]), 3) for name, value in errors.items()}
    {'relative_l2': 0.1, 'peak': 0.1, 'residual': 0.081, 'spectrum': 0.1}
    """
    with np.errstate(over="ignore", invalid="ignore"):  # of roll-outs that ran away
        rows = [_one(f[:end], t[:end], step) for f, t, end in zip(found, truth, ends, strict=True)]
    table = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return {name: np.where(np.isfinite(found), found, np.inf) for name, found in table.items()}


def _one(found: np.ndarray, truth: np.ndarray, step: float) -> dict[str, float]:
    peak = float(np.abs(truth).max())
    spectra = [response_spectrum(each, step) for each in (found, truth)]
    return {
        "relative_l2": _relative(found, truth),
        "peak": abs(float(np.abs(found).max()) - peak) / peak,
        "residual": abs(float(found[-1] - truth[-1])) / peak,
        "spectrum": _relative(*spectra),
    }


def _relative(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


def response_spectrum(
    displacement: Float[np.ndarray, " samples"],
    step: float,
    periods: Float[np.ndarray, " periods"] = PERIODS,
    damping: float = 0.05,
) -> Float[np.ndarray, " periods"]:
    r"""Peak displacement of linear oscillators that stand on what moves by `displacement`.

    $$\hat w(\omega) = \frac{\omega^2}{\omega_0^2 - \omega^2 + 2 i \zeta \omega_0 \omega}\,
    \hat u(\omega)$$

    by Fourier transform, the motion followed by as much rest, so that nothing wraps around.

    **Source:** Chopra, Dynamics of Structures, chapter 6.

    >>> still = response_spectrum(np.zeros(100), 0.01)
    >>> float(still.max())
    0.0
    """
    size = 2 * len(displacement)
    omega = 2.0 * np.pi * np.fft.rfftfreq(size, step)
    moved = np.fft.rfft(displacement, size)
    own = 2.0 * np.pi / np.asarray(periods)[:, None]
    transfer = omega**2 / (own**2 - omega**2 + 2j * damping * own * omega)
    return np.abs(np.fft.irfft(transfer * moved, size)[:, : len(displacement)]).max(axis=1)


def band_errors(
    found: Float[np.ndarray, "records samples"],
    truth: Float[np.ndarray, "records samples"],
    ends: Sequence[int],
    step: float,
    period: float,
) -> Float[np.ndarray, "records bands"]:
    """Relative L2 error per band of frequencies, in multiples of one over the period.

    The bands' edges are 0, ¼, ½, 1, 2, 4 and 8; NaN where a record has no energy in a band.
    """
    rows = []
    for f, t, end in zip(found, truth, ends, strict=True):
        place = np.fft.rfftfreq(end, step) * period
        error = np.square(np.abs(np.fft.rfft(f[:end] - t[:end])))
        energy = np.square(np.abs(np.fft.rfft(t[:end])))
        band = np.digitize(place, EDGES) - 1
        sums = [
            (error[band == index].sum(), energy[band == index].sum())
            for index in range(len(EDGES) - 1)
        ]
        rows.append([
            np.sqrt(e / own) if own > _EMPTY * energy.sum() else np.nan for e, own in sums
        ])  # fmt: skip
    return np.array(rows)


def error_growth(
    found: Float[np.ndarray, "records samples"],
    truth: Float[np.ndarray, "records samples"],
    ends: Sequence[int],
) -> Float[np.ndarray, "records places"]:
    """The rms error up to each twentieth of a record, over the record's peak.

    >>> error_growth(np.ones((1, 40)), np.zeros((1, 40)) + 2.0, [40]).shape
    (1, 20)
    """
    rows = []
    for f, t, end in zip(found, truth, ends, strict=True):
        square = np.cumsum(np.square(f[:end] - t[:end])) / np.arange(1, end + 1)
        places = np.linspace(0, end - 1, PLACES + 1).astype(int)[1:]
        rows.append(np.sqrt(square[places]) / np.abs(t[:end]).max())
    return np.array(rows)


def quartiles(
    errors: Mapping[str, Float[np.ndarray, " records"]],
) -> dict[str, dict[str, float]]:
    """Quartiles, median and worst of each error.

    >>> quartiles({"peak": np.array([1.0, 2.0, 3.0])})["peak"]["median"]
    2.0
    """
    return {
        name: {
            "lower": float(np.percentile(values, 25)),
            "median": float(np.median(values)),
            "upper": float(np.percentile(values, 75)),
            "worst": float(values.max()),
        }
        for name, values in errors.items()
    }
