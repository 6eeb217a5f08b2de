"""Reference solutions of the Allen–Cahn and Korteweg–de Vries equations, kept per process."""

import functools
import math

import numpy as np
from jaxtyping import Complex, Float

from repnet.problem.zoo._evolve import etdrk4
from repnet.problem.zoo._interpolate import PeriodicTable

DURATION = 1.0


def allen_cahn_series(
    diffusion: float, reaction: float, *, samples: int = 2048, every: int = 4, count: int = 500
) -> Complex[np.ndarray, "times modes"]:
    r"""Fourier coefficients of $u_t = d\,u_{xx} - r u^3 + r u$, $u(x, 0) = x^2 \cos \pi x$.

    The initial data have a kink at the seam $x = \pm 1$. Their exact coefficients are used,

    $$c_k = \frac{I_{k+1} + I_{k-1}}{4}, \quad I_m = \int_{-1}^1 x^2 \cos(m \pi x)\, dx
      = \frac{4 (-1)^m}{m^2 \pi^2}, \quad I_0 = \tfrac23,$$

    rather than those of samples, so that the cut-off alone is an error, and diffusion ends it.

    **Arguments:** `diffusion`, d; `reaction`, r; `samples` of the grid in space; `every`, steps
    between two of the `count` times that are kept.

    **Returns:** real-FFT coefficients of samples at $x_i = -1 + 2i/n$, `(count + 1, n/2 + 1)`.

    **Source:** Raissi et al. 2019, section 4.1, for the problem; this project for the start.
    """
    mode = np.arange(samples // 2 + 1)
    initial = samples * (-1.0) ** mode * (_moment(mode + 1) + _moment(mode - 1)) / 4.0
    linear = reaction - diffusion * (np.pi * mode) ** 2

    def nonlinear(v: np.ndarray) -> np.ndarray:
        return -reaction * np.fft.rfft(np.fft.irfft(v) ** 3)

    step = DURATION / (every * count)
    return etdrk4(initial.astype(complex), linear, nonlinear, step, every, count)


def _moment(mode: np.ndarray) -> np.ndarray:
    """The integral of x² cos(mπx) over [-1, 1]."""
    safe = np.where(mode == 0, 1, mode)
    return np.where(mode == 0, 2.0 / 3.0, 4.0 * (-1.0) ** mode / (safe * np.pi) ** 2)


def korteweg_de_vries_series(
    dispersion: float, *, samples: int = 1024, every: int = 40, count: int = 500
) -> Complex[np.ndarray, "times modes"]:
    r"""Fourier coefficients of $u_t + u u_x + \delta^2 u_{xxx} = 0$, $u(x, 0) = \cos \pi x$.

    **Arguments:** `dispersion`, δ; the others as for `allen_cahn_series`.

    **Returns:** real-FFT coefficients of samples at $x_i = -1 + 2i/n$, `(count + 1, n/2 + 1)`.

    **Source:** Zabusky and Kruskal 1965 for the problem, Kassam and Trefethen 2005 for the rule.
    """
    wave = np.pi * np.arange(samples // 2 + 1)
    wave[-1] = 0.0  # the odd derivatives of the highest cosine vanish at the samples
    grid = -1.0 + 2.0 * np.arange(samples) / samples

    def nonlinear(v: np.ndarray) -> np.ndarray:
        return -0.5j * wave * np.fft.rfft(np.fft.irfft(v) ** 2)

    initial = np.fft.rfft(np.cos(np.pi * grid))
    step = DURATION / (every * count)
    return etdrk4(initial, 1j * dispersion**2 * wave**3, nonlinear, step, every, count)


@functools.lru_cache(maxsize=4)
def allen_cahn_table(diffusion: float, reaction: float) -> PeriodicTable:
    """The Allen–Cahn reference, computed once per process.

    The fronts are √(2d/r) wide: 1,024 modes resolve them to 1e-11 down to d/r = 5e-6.
    """
    samples = 2048
    while samples < 2048 * math.sqrt(5e-6 * reaction / diffusion):
        samples *= 2
    series = allen_cahn_series(diffusion, reaction, samples=samples)
    return PeriodicTable.from_series(series, DURATION, 2 * samples)


@functools.lru_cache(maxsize=4)
def korteweg_de_vries_table(dispersion: float) -> PeriodicTable:
    """The Korteweg–de Vries reference, computed once per process."""
    return PeriodicTable.from_series(korteweg_de_vries_series(dispersion), DURATION, 4096)


def allen_cahn_solution(
    points: Float[np.ndarray, "points 2"], diffusion: float, reaction: float
) -> Float[np.ndarray, "points 1"]:
    """The Allen–Cahn reference at any points; its initial data are exact."""
    x, t = points[:, :1], points[:, 1:]
    start = x**2 * np.cos(np.pi * x)
    return np.where(t == 0.0, start, allen_cahn_table(diffusion, reaction)(points))
