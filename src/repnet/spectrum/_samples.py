"""Samples as arrays, checked, and without their linear trend."""

import numpy as np
import numpy.typing as npt
from jaxtyping import Float


def as_samples(
    x: npt.ArrayLike, y: npt.ArrayLike
) -> tuple[Float[np.ndarray, "points dim"], Float[np.ndarray, "points out"]]:
    """Both as finite float64 arrays of two axes and equal length, or a `ValueError`."""
    arrays = []
    for name, value in (("x", x), ("y", y)):
        array = np.asarray(value)
        if array.dtype != np.float32:  # its coarser rounding is remembered by `detect_grid`
            array = array.astype(np.float64)
        array = array[:, None] if array.ndim == 1 else array
        if array.ndim != 2 or array.shape[0] < 1 or array.shape[1] < 1:
            raise ValueError(
                f"`{name}` must have shape (points, columns) or (points,) and hold at least one "
                f"point; got {np.shape(value)}."
            )
        bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
        if len(bad):
            raise ValueError(
                f"`{name}` must be finite; row {bad[0]} holds {array[bad[0]].tolist()}."
            )
        arrays.append(array)
    if len(arrays[0]) != len(arrays[1]):
        raise ValueError(
            f"`x` and `y` must have as many rows as each other; got {len(arrays[0])} and "
            f"{len(arrays[1])}."
        )
    return arrays[0], arrays[1].astype(np.float64)


def detrended(
    x: Float[np.ndarray, "points dim"], y: Float[np.ndarray, "points out"]
) -> tuple[Float[np.ndarray, "points live"], float, float]:
    """Outputs without linear trend at unit variance; their mean variance; their share of y's rms.

    The share is that of the root mean square deviation from the mean that the trend leaves.
    """
    low, high = x.min(axis=0).astype(float), x.max(axis=0).astype(float)
    centred = (x - (low + high) / 2) / np.where(high > low, (high - low) / 2, 1.0)
    plane = np.concatenate([np.ones((len(x), 1)), centred], axis=1)
    gram = plane.T @ plane
    slopes = np.linalg.lstsq(gram, plane.T @ y, rcond=1e-12)[0]
    rest = y - plane @ slopes
    variance = np.mean(rest**2, axis=0)
    live = variance > (1e-12 * np.max(np.abs(y), axis=0, initial=0.0)) ** 2
    if not live.any():
        return np.zeros((len(y), 1)), 0.0, 0.0
    whole = np.maximum(np.var(y[:, live], axis=0), variance[live])
    rough = float(np.sqrt(np.mean(variance[live] / whole)))
    return (
        rest[:, live] / np.sqrt(variance[live]),
        float(np.sum(variance[live]) / y.shape[1]),
        rough,
    )
