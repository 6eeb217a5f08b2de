"""How far a predicted spectrum is from the one that training showed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from repnet.theory._history import SpectralHistory


@dataclass(frozen=True, eq=False)
class Discrepancy:
    r"""The distance of a model from real training, relative to the latter.

    - `trajectory`: $\big(\iint|\Delta\hat e|^2 / \iint|\hat e_{GD}|^2\big)^{1/2}$ over frequency
      and time.
    - `final`: the same at the last time alone.
    - `times`: per band, fraction by fraction, the model's and the measured time to reach a
      fraction of the band's first norm; shape `(fractions, bands, 2)`.

    >>> found = Discrepancy(0.1, 0.2, (0.5,), np.array([[[3.0, 2.0], [5.0, np.inf]]]))
    >>> found.ratios.tolist()
    [[1.5, nan]]
    """

    trajectory: float
    final: float
    fractions: tuple[float, ...]
    times: Float[np.ndarray, "fractions bands 2"]

    @property
    def ratios(self) -> Float[np.ndarray, "fractions bands"]:
        """Predicted time over measured time; not a number where either was not reached."""
        predicted, measured = self.times[..., 0], self.times[..., 1]
        reached = np.isfinite(predicted) & np.isfinite(measured)
        safe = np.where(reached, measured, 1.0)
        return np.where(reached, np.where(reached, predicted, 1.0) / safe, np.nan)


def compare_histories(
    model: SpectralHistory,
    measured: SpectralHistory,
    edges: Sequence[float],
    fractions: Sequence[float] = (0.5, 0.2, 0.1),
) -> Discrepancy:
    """The discrepancy of two histories on one grid and at the same times.

    **Arguments:**

    - `model`, `measured`: of one grid, at the same times.
    - `edges`: of the bands whose times to `fractions` are compared, radians per unit length.

    **Returns:** a `Discrepancy`, relative to `measured`.

    **Raises:** `ValueError` where grids or times differ.

    **Source:** Wang, Yuan, Liu, Zhang and Cai 2025 compare the same histories; the measure is this
    project's.

    >>> from repnet.theory import SpectralGrid
    >>> grid, times = SpectralGrid(10.0, 20), np.linspace(0.0, 4.0, 41)
    >>> def decaying(rate):
    ...     parts = np.exp(-rate * times)[:, None, None] * np.ones((1, 2, 20), complex)
    ...     return SpectralHistory(grid, times, parts)
    >>> found = compare_histories(decaying(1.0), decaying(0.5), [0.0, 10.0], fractions=(0.5,))
    >>> found.ratios.round(6).tolist()
    [[0.5]]
    """
    if model.grid != measured.grid or not np.array_equal(model.times, measured.times):
        raise ValueError(
            "`compare_histories(measured=...)` must have the grid and the times of the model."
        )
    weight = model.grid.weight
    apart = np.sum(weight * np.abs(model.parts - measured.parts) ** 2, axis=(1, 2))
    size = np.sum(weight * np.abs(measured.parts) ** 2, axis=(1, 2))
    trajectory = np.trapezoid(apart, model.times) / np.trapezoid(size, model.times)
    times = [
        np.stack([history.time_to(fraction, edges) for history in (model, measured)], axis=-1)
        for fraction in fractions
    ]
    return Discrepancy(
        float(np.sqrt(trajectory)),
        float(np.sqrt(apart[-1] / size[-1])),
        tuple(fractions),
        np.array(times),
    )
