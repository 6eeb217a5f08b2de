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

    **Arguments:** `edges`: of the bands whose times to `fractions` are compared.

    **Raises:** `ValueError` where grids or times differ.

    **Source:** Wang, Yuan, Liu, Zhang and Cai 2025 compare the same histories; the measure is this
    project's.
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
