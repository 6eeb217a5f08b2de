"""The error per band of frequencies: which scales a function has learnt."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import ArrayLike, Float

from repnet.judge._energy import Energy, grid_energy, scattered_energy
from repnet.judge._error import Function, as_columns, misfit
from repnet.problem import Box

ROUND_OFF = 1e-30
"""Share of the energy below which a band is empty: the square of float64's round-off."""

FEWEST = 8
"""Scattered points below which no mode but the mean is determined in 3 dimensions."""


@dataclass(frozen=True, eq=False)
class BandError:
    """Errors of a function per band of angular frequency.

    **Arguments:**

    - `edges`: angular frequencies, radians per unit length, ascending; band `i` is `edges[i]` to
      `edges[i + 1]`. On several axes, of the wave vector's length.
    - `of_total`: root of the error's energy in the band over the target's energy in all bands.
      Their squares add up to the square of the windowed relative L2 error where the bands cover
      all frequencies.
    - `of_band`: the same over the target's energy in the band; NaN where the target has none.
    - `share`: share of the target's energy that lies in the band.

    **Source:** this project.

    >>> x = np.linspace(-1, 1, 513)[:, None]
    >>> wave = np.sin(4 * np.pi * x)
    >>> error = band_error(lambda x: 0.9 * wave, x, wave, bands=[0, 100, 300])
    >>> error.of_band.round(4).tolist(), error.share.round(4).tolist()
    ([0.1, 0.1], [1.0, 0.0])
    >>> error.of_total.round(4).tolist()
    [0.1, 0.0]
    """

    edges: Float[np.ndarray, " edges"]
    of_total: Float[np.ndarray, " bands"]
    of_band: Float[np.ndarray, " bands"]
    share: Float[np.ndarray, " bands"]


def band_error(
    u: Function,
    x: ArrayLike,
    y: ArrayLike,
    bands: ArrayLike | Sequence[ArrayLike] | None = None,
    grid_shape: tuple[int, ...] | None = None,
    box: Box | None = None,
) -> BandError:
    r"""The relative L2 error of $u$ in every band of angular frequencies.

    $$e_b^2 = \sum_{|\omega| \in b} |\widehat{w(u - y)}(\omega)|^2 \Big/ \sum |\widehat{w
    y}(\omega)|^2$$

    with a Hann window $w$ against leakage: errors near the ends of the domain count little here.
    On a grid the transform is an FFT; on scattered points it is fitted by least squares, which
    resolves a mode for every 3 to 4 points. Outputs are added
    up.

    ```python
    >>> x = np.linspace(-1, 1, 513)[:, None]
    >>> low, high = np.sin(4 * np.pi * x), np.sin(64 * np.pi * x)
    >>> error = band_error(lambda x: low, x, low + high, bands=[0, 100, 300])
    >>> error.of_band.round(4).tolist()
    [0.0, 1.0]

    ```

    **Arguments:**

    - `u`: a function of points, shape `(points, dim)`.
    - `x`, `y`: points and values, shapes `(points, dim)` and `(points, out)`.
    - `bands`: edges of the bands, radians per unit length, ascending, from 0 or above; left out,
      octaves from two wavelengths per longest axis to the highest frequency there is.
    - `grid_shape`: sizes of the tensor grid whose nodes, in C order, are the points; left out, it
      is looked for.
    - `box`: for scattered points, the box they were drawn from; left out, the smallest that holds
      them.

    **Returns:** a `BandError`.

    **Raises:** `ValueError` where `u(x)` has another shape than `y`, where `grid_shape` does not
    fit the points, for edges that do not ascend, for points outside the box, and for scattered
    points on more than 3 axes.

    **Source:** this project.
    """
    x = as_columns(x)
    error, y = misfit("band_error", u, x, y)
    with np.errstate(over="ignore", invalid="ignore"):  # a network that diverged is judged NaN
        (omega, energy), lowest = energies(np.hstack([error, y]), x, grid_shape, box)
    edges = octaves(lowest, float(omega.max())) if bands is None else _checked(bands)
    outputs = y.shape[1]
    of_error = per_band(omega, energy[:, :outputs].sum(axis=1), edges)
    of_target = per_band(omega, energy[:, outputs:].sum(axis=1), edges)
    total = energy[:, outputs:].sum()
    held = of_target > ROUND_OFF * total
    with np.errstate(divide="ignore", invalid="ignore"):
        return BandError(
            edges,
            of_total=np.sqrt(of_error / total),
            of_band=np.where(held, np.sqrt(of_error / of_target), np.nan),
            share=of_target / total,
        )


def octaves(lowest: float, highest: float) -> Float[np.ndarray, " edges"]:
    r"""Edges 0, $2\sqrt2\,\omega_0$, $4\sqrt2\,\omega_0$, … up to the highest frequency.

    A wave that fits a power of two times into the longest axis lies in the middle of its band.
    The first band is as wide as the window can tell apart.

    ```python
    >>> octaves(1.0, 10.0).round(2).tolist()
    [0.0, 2.83, 5.66, 10.0]

    ```

    **Arguments:**

    - `lowest`: $\omega_0$, the frequency of one wave along the longest axis.
    - `highest`: the highest frequency, included in the last band.
    """
    inner = []
    edge = 2 * np.sqrt(2) * lowest
    while edge < highest / np.sqrt(2):
        inner.append(edge)
        edge *= 2
    return np.array([0.0, *inner, highest if highest > 0 else lowest])


def energies(
    values: np.ndarray, x: np.ndarray, grid_shape: tuple[int, ...] | None, box: Box | None
) -> tuple[Energy, float]:
    """Energy per mode, and the frequency of one wave along the longest axis."""
    shape = grid_of(x) if grid_shape is None and box is None else grid_shape
    if shape is not None:
        steps = _steps(x, shape)
        lengths = [size * step for size, step in zip(shape, steps, strict=True)]
        return grid_energy(values, shape, steps), 2 * np.pi / max(lengths)
    if len(x) < FEWEST:
        raise ValueError(
            f"`band_error(x=...)` needs at least {FEWEST} scattered points; got {len(x)}."
        )
    if x.shape[1] > 3:
        raise ValueError(
            "`band_error(x=...)` must have at most 3 axes where the points are no grid; "
            f"got {x.shape[1]}."
        )
    box = _bounding_box(x) if box is None else box
    outside = int(np.count_nonzero(~box.contains(x)))
    if outside:
        raise ValueError(f"`band_error(box=...)` must hold every point; {outside} lie outside.")
    return scattered_energy(values, x, box), 2 * np.pi / float(2 * box.half_width.max())


def grid_of(x: Float[np.ndarray, "points dim"]) -> tuple[int, ...] | None:
    """The sizes of the uniform tensor grid whose nodes in C order are the points, if they are one.

    ```python
    >>> grid_of(np.array([[0.0, 5.0], [0.0, 6.0], [0.0, 7.0], [2.0, 5.0], [2.0, 6.0], [2.0, 7.0]]))
    (2, 3)

    ```
    """
    shape = tuple(len(np.unique(column)) for column in x.T)
    if np.prod(shape, dtype=np.float64) != len(x) or min(shape) < 2:
        return None
    return shape if _misplaced(x, shape) is None else None


def _steps(x: np.ndarray, shape: tuple[int, ...]) -> list[float]:
    """The spacing along every axis of a grid that the points must form."""
    if len(shape) != x.shape[1] or np.prod(shape) != len(x) or min(shape) < 2:
        raise ValueError(
            f"`band_error(grid_shape=...)` must have {x.shape[1]} sizes of at least 2 with product "
            f"{len(x)}; got {shape}."
        )
    axis = _misplaced(x, shape)
    if axis is not None:
        raise ValueError(
            f"`band_error(grid_shape=...)` must be a uniform grid in C order; axis {axis} is not."
        )
    return [abs(last - first) / (n - 1) for first, last, n in zip(x[0], x[-1], shape, strict=True)]


def _misplaced(x: np.ndarray, shape: tuple[int, ...]) -> int | None:
    """The first axis along which points are not where a uniform grid has its nodes."""
    for axis, size in enumerate(shape):
        ideal = np.linspace(x[0, axis], x[-1, axis], size)
        slack = 1e-3 * abs(ideal[1] - ideal[0])  # float32 coordinates are rounded
        across = [1] * len(shape)
        across[axis] = size
        if np.any(np.abs(x[:, axis].reshape(shape) - ideal.reshape(across)) > slack) or slack == 0:
            return axis
    return None


def _bounding_box(x: np.ndarray) -> Box:
    lower, upper = x.min(axis=0), x.max(axis=0)
    if np.any(lower == upper):
        axis = int(np.argmax(lower == upper))
        raise ValueError(
            "`band_error(x=...)` must vary along every axis; "
            f"axis {axis} is {lower[axis]} throughout."
        )
    return Box(lower, upper)


def _checked(bands: ArrayLike | Sequence[ArrayLike]) -> Float[np.ndarray, " edges"]:
    edges = np.asarray(bands, np.float64)
    if edges.ndim != 1 or len(edges) < 2 or edges[0] < 0 or not np.all(np.diff(edges) > 0):
        raise ValueError(
            "`band_error(bands=...)` must be at least 2 ascending edges from 0 or above; "
            f"got {edges.tolist()}."
        )
    return edges


def per_band(omega: np.ndarray, energy: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Sums over `edges[i] <= ω < edges[i + 1]`; the last edge belongs to the last band."""
    band = np.searchsorted(edges, omega, side="right") - 1
    band[omega == edges[-1]] = len(edges) - 2
    inside = (band >= 0) & (band < len(edges) - 1)
    # Not `np.histogram`: it takes differences of a running sum, which drowns small energies.
    return np.bincount(band[inside], energy[inside], len(edges) - 1)
