"""Between the grid points of a reference solution."""

import dataclasses

import numpy as np
from jaxtyping import Complex, Float, Int

_STENCIL = 12  # points of the local rules, which are of degree 11


@dataclasses.dataclass(frozen=True, eq=False)
class PeriodicTable:
    r"""A function of $(x, t)$, $x \in [-1, 1)$ periodic, $t \in [0, T]$, from its Fourier series.

    `values[j, i]` is the function at $x_i = -1 + 2i/n$, $t_j = jT/m$; between them, Lagrange
    interpolation of degree 11 along either axis on the 12 nearest points.

    ```python
    >>> series = np.zeros((20, 9), complex)
    >>> series[:, 1] = -0.5 * 16  # cos(pi (x + 1)) = -cos(pi x), times -1
    >>> table = PeriodicTable.from_series(series, 1.0, 256)
    >>> bool(np.allclose(table(np.array([[0.3, 0.7]])), np.cos(0.3 * np.pi), atol=1e-13))
    True

    ```

    **Source:** this project.
    """

    values: Float[np.ndarray, "times places"]
    duration: float

    @classmethod
    def from_series(
        cls, series: Complex[np.ndarray, "times modes"], duration: float, places: int
    ) -> "PeriodicTable":
        """From real-FFT coefficients of samples at $x_i$, padded with zeros to `places` points."""
        samples = 2 * (series.shape[1] - 1)
        values = np.fft.irfft(series, n=places, axis=1) * (places / samples)
        return cls(values, duration)

    def __call__(self, points: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, "points 1"]:
        times, places = self.values.shape
        x = (points[:, 0] + 1.0) * (places / 2.0)
        t = points[:, 1] * ((times - 1) / self.duration)
        columns, across = _stencil(x, None)
        rows, along = _stencil(t, times)
        total = np.zeros(len(points))
        for row, weight in zip(rows.T, along.T, strict=True):
            line = sum(
                a * self.values[row, c % places] for a, c in zip(across.T, columns.T, strict=True)
            )
            total += weight * line
        return total[:, None]


def _stencil(
    position: Float[np.ndarray, " points"], count: int | None
) -> tuple[Int[np.ndarray, "points stencil"], Float[np.ndarray, "points stencil"]]:
    """The nearest grid points of each position, in grid steps, and their Lagrange weights."""
    start = np.floor(position).astype(np.int64) - _STENCIL // 2 + 1
    if count is not None:
        start = np.clip(start, 0, count - _STENCIL)
    nodes = np.arange(_STENCIL)
    distance = (position - start)[:, None] - nodes
    weights = np.empty_like(distance)
    for k in nodes:
        others = nodes != k
        weights[:, k] = np.prod(distance[:, others] / (k - nodes[others]), axis=1)
    return start[:, None] + nodes, weights
