"""A spectrum that changes in time, of the model or of real training, and what is read from it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float

from repnet.theory._spectral_grid import SpectralGrid


@dataclass(frozen=True, eq=False)
class SpectralHistory:
    r"""The spectrum $\hat e(\xi, t)$ of an error at some times.

    - `times`: ascending, the first one 0; of gradient flow, so learning rate times steps.
    - `parts`: the parts of `grid`, shape `(times, parts, cells)`.

    >>> grid, times = SpectralGrid(10.0, 20), np.array([0.0, 1.0, 2.0])
    >>> parts = np.exp(-times)[:, None, None] * np.ones((1, 2, 20), complex)
    >>> history = SpectralHistory(grid, times, parts)
    >>> history.time_to(0.5, [0.0, 5.0, 10.0]).round(4).tolist()
    [0.6931, 0.6931]
    """

    grid: SpectralGrid
    times: Float[np.ndarray, " times"]
    parts: Complex[np.ndarray, "times parts cells"]

    def energy(self) -> Float[np.ndarray, " times"]:
        r"""$\|e\|^2$, the integral of the squared error, at every time."""
        return np.einsum("pc,tpc->t", self.grid.weight, np.abs(self.parts) ** 2)

    def band_norms(self, edges: Sequence[float]) -> Float[np.ndarray, "times bands"]:
        r"""$\|e\|$ within each band of $|\xi|$, at every time.

        **Arguments:** `edges`: ascending; band `i` is `edges[i]` to `edges[i + 1]`. A cell that an
        edge cuts counts in shares.
        """
        edge = checked_edges(edges)
        low, high = self.grid.faces[:-1], self.grid.faces[1:]
        overlap = np.minimum(high, edge[1:, None]) - np.maximum(low, edge[:-1, None])
        share = np.clip(overlap, 0.0, None) / self.grid.step
        energy = np.einsum("pc,tpc->tc", self.grid.weight, np.abs(self.parts) ** 2)
        return np.sqrt(energy @ share.T)

    def time_to(self, fraction: float, edges: Sequence[float]) -> Float[np.ndarray, " bands"]:
        """The time at which each band's norm is down to a fraction of its first value.

        Infinity where it does not come down that far.
        """
        return time_to_fraction(self.times, self.band_norms(edges), fraction)

    def magnitude(self) -> Float[np.ndarray, "times cells"]:
        r"""Root mean square of $|\hat e|$ over directions, at every time and centre."""
        share = np.ones(len(self.grid.parities))
        if self.grid.dim == 2:
            share[1:] = 2.0  # the modes of negative number
        return np.sqrt(np.einsum("p,tpc->tc", share, np.abs(self.parts) ** 2))


def time_to_fraction(
    times: Float[np.ndarray, " times"], norms: Float[np.ndarray, "times bands"], fraction: float
) -> Float[np.ndarray, " bands"]:
    r"""When each column first comes down to a fraction of its first entry.

    Between two times the logarithm of the norm is taken to be linear.

    **Arguments:** `times`: ascending; `norms`: one column per band; `fraction`: between 0 and 1.

    **Returns:** one time per band, infinity where the norm never came down that far.

    **Raises:** `ValueError` for a fraction outside (0, 1), or not one time per row.

    **Source:** this project.

    >>> times = np.array([0.0, 1.0, 2.0])
    >>> norms = np.exp(-np.outer(times, [1.0, 0.1]))
    >>> time_to_fraction(times, norms, 0.5).round(4).tolist()
    [0.6931, inf]
    """
    if not 0.0 < fraction < 1.0:
        raise ValueError(
            f"`time_to_fraction(fraction=...)` must lie between 0 and 1; got {fraction}."
        )
    if len(times) != len(norms) or not len(times):
        raise ValueError(
            "`time_to_fraction(times=...)` needs one time per row of norms, and at least one; got"
            f" {len(times)} for {len(norms)} rows."
        )
    return np.array([_crossing(times, column, fraction) for column in norms.T])


def _crossing(times: np.ndarray, norm: np.ndarray, fraction: float) -> float:
    goal = fraction * norm[0]
    below = np.flatnonzero(norm <= goal)
    if not len(below) or norm[0] == 0.0:
        return float("inf")
    after = below[0]
    if norm[after] == 0.0:
        return float(times[after])
    fall = np.log(norm[after - 1] / norm[after])
    share = np.log(norm[after - 1] / goal) / fall if fall > 0 else 1.0
    return float(times[after - 1] + share * (times[after] - times[after - 1]))


def checked_edges(edges: Sequence[float] | np.ndarray) -> Float[np.ndarray, " edges"]:
    """Edges of bands as an ascending array from 0 or above.

    >>> checked_edges([0.0, 2.5]).tolist()
    [0.0, 2.5]
    """
    edge = np.asarray(edges, np.float64)
    if edge.ndim != 1 or len(edge) < 2 or not edge[0] >= 0 or not np.all(np.diff(edge) > 0):
        raise ValueError(
            "`edges` must be at least 2 ascending frequencies from 0 or above; got"
            f" {edge.tolist()}."
        )
    return edge


def checked_times(owner: str, times: Sequence[float] | np.ndarray) -> Float[np.ndarray, " times"]:
    """Times as an array that ascends from 0.

    >>> checked_times("descend", [0.0, 1.0]).tolist()
    [0.0, 1.0]
    """
    found = np.asarray(times, np.float64)
    if found.ndim != 1 or len(found) < 2 or found[0] != 0 or not np.all(np.diff(found) > 0):
        raise ValueError(
            f"`{owner}(times=...)` must be at least 2 times that ascend from 0; got"
            f" {found.tolist()[:5] if found.ndim == 1 else f'shape {found.shape}'}."
        )
    return found
