"""Spectral diffusion beside the training that it models."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.theory._compare import Discrepancy, compare_histories
from repnet.theory._descent import TensorPoints, descend, measured_history
from repnet.theory._diffusion import spectral_diffusion, spectral_grid
from repnet.theory._history import SpectralHistory
from repnet.theory._sine import SineEnsemble
from repnet.theory._waves import WindowedWaves

_POINTS_PER_WAVE = 5.0  # of the highest frequency of target and units
_STABLE = 1.0  # rate times the largest relaxation rate, at most; descent converges below 2


@dataclass(frozen=True, eq=False)
class DiffusionRun:
    """The model's history, the measured one, and how far they are apart.

    >>> import jax
    >>> ensemble, waves = SineEnsemble((1.0, 2.0)), WindowedWaves((1.0,), width=0.8)
    >>> times, key = np.linspace(0.0, 2.0, 9), jax.random.key(0)
    >>> found = diffusion_run(ensemble, waves, times, units=256, half_width=4.0, key=key)
    >>> found.model.parts.shape == found.measured.parts.shape
    True
    """

    model: SpectralHistory
    measured: SpectralHistory
    discrepancy: Discrepancy


def diffusion_run(
    ensemble: SineEnsemble,
    waves: WindowedWaves,
    times: Float[np.ndarray, " times"],
    *,
    units: int,
    half_width: float,
    draw: str = "sobol",
    signs: bool = True,
    rate: float | None = None,
    modelled: SineEnsemble | None = None,
    key: PRNGKeyArray,
) -> DiffusionRun:
    r"""Train a network of the ensemble by gradient descent, and solve the model for the same.

    **Arguments:**

    - `ensemble`, `waves`: the network's law and the target.
    - `times`: learning rate times steps, ascending from 0, at which the spectra are compared.
    - `units`, `draw`, `signs`, `key`: of the network; see `SineEnsemble.draw`.
    - `half_width`: $L$, of the domain $[-L, L]^d$ of training.
    - `rate`: the learning rate; left out, half of what is surely stable, at most 0.02.
    - `modelled`: another ensemble for the model, to see what an assumption is worth.

    **Returns:** a `DiffusionRun`.

    **Raises:** `ValueError` where target and ensemble differ in dimension.

    **Source:** Wang, Yuan, Liu, Zhang and Cai 2025, section 5, for the experiment; the measures
    are this project's.

    >>> import jax
    >>> ensemble, waves = SineEnsemble((1.0, 2.0)), WindowedWaves((1.0,), width=0.8)
    >>> times, key = np.linspace(0.0, 2.0, 9), jax.random.key(0)
    >>> found = diffusion_run(ensemble, waves, times, units=256, half_width=4.0, key=key)
    >>> found.discrepancy.trajectory < 0.1
    True
    """
    if waves.dim != ensemble.dim:
        raise ValueError(
            f"`diffusion_run(waves=...)` must have the dimension of the ensemble, {ensemble.dim};"
            f" got {waves.dim}."
        )
    modelled = ensemble if modelled is None else modelled
    grid = spectral_grid(modelled, waves.highest, half_width, ensemble.dim)
    model = spectral_diffusion(modelled, lambda xi: -waves.transform(xi), times, grid)
    points = training_points(ensemble, waves, half_width)
    network = ensemble.draw(units, draw=draw, signs=signs, key=key)
    pace = stable_rate(ensemble, half_width) if rate is None else rate
    _, error = descend(
        network, waves(points.points), points, times, rate=pace, trained=tuple(ensemble.trained)
    )
    measured = measured_history(error, points, times, grid)
    return DiffusionRun(model, measured, compare_histories(model, measured, band_edges(waves)))


def training_points(
    ensemble: SineEnsemble, waves: WindowedWaves, half_width: float
) -> TensorPoints:
    """Points on the domain that resolve target and units.

    >>> waves = WindowedWaves((10.0,), width=0.8)
    >>> training_points(SineEnsemble((1.0, 8.0)), waves, 4.0).per_axis
    288
    """
    highest = max(waves.highest, 0.65 * ensemble.reach)  # units beyond 3.5 σ are a few in 10,000
    count = int(np.ceil(_POINTS_PER_WAVE * highest * 2 * half_width / (2 * np.pi)))
    if ensemble.dim == 1:
        return TensorPoints(half_width, 16 * max(int(np.ceil(count / 16)) + 6, 8))
    return TensorPoints(half_width, max(count + 8, 32), ensemble.dim)


def stable_rate(ensemble: SineEnsemble, half_width: float) -> float:
    r"""A learning rate at which descent follows the flow: the largest rate's inverse, or 0.02.

    The operator's largest eigenvalue is at most $c_R\max R + c_W\,d L^2\max D$.

    >>> stable_rate(SineEnsemble((1.0,)), 4.0)
    0.02
    """
    xi = np.linspace(0.0, ensemble.reach, 512)
    largest = 0.0
    for parity in ("even", "odd"):
        reaction, diffusion = ensemble.coefficients(parity)
        spread = ensemble.dim * half_width**2 * ensemble.diffusion(xi).max()
        largest = max(largest, reaction * ensemble.reaction(xi).max() + diffusion * spread)
    return min(0.02, _STABLE / largest)


def band_edges(waves: WindowedWaves) -> list[float]:
    """Bands with one wave each: edges midway between the lengths of the wave vectors.

    >>> band_edges(WindowedWaves((1.0, 4.0, 10.0), width=0.8))
    [0.0, 2.5, 7.0, 20.0]
    """
    lengths = waves.lengths
    return [0.0, *(0.5 * (lengths[:-1] + lengths[1:])).tolist(), waves.highest]


def require_wide(ensemble: SineEnsemble, waves: WindowedWaves, half_width: float) -> None:
    r"""Refuse a domain that the window or the widest kernel does not fit into.

    The model's domain is infinite; $L \ge 3\ell + 1/(\alpha_{\min}\sigma)$ comes near enough.

    **Raises:** `ValueError` that says how wide the domain must be.

    **Source:** this project.

    >>> require_wide(SineEnsemble((1.0,)), WindowedWaves((1.0,), width=0.8), 4.0)
    """
    least = 3.0 * waves.width + 5.5 / (min(ensemble.scales) * ensemble.weights.reach)
    if not half_width >= least:
        raise ValueError(
            f"`half_width` must be at least {least:.3g}, three windows and the length of the"
            f" lowest scale's kernel, for the model's infinite domain; got {half_width:g}. Narrow"
            " the window, widen the domain or raise the lowest scale."
        )
