"""What a report draws, saved beside the record: few enough numbers for a small page."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.spatial import KDTree

from repnet.data import Dataset
from repnet.report._density import crossing_positions, density
from repnet.report._measure import layout_of
from repnet.report._targets import MOST_TARGETS, name_of
from repnet.report._view import (
    Function,
    column_of,
    lifted,
    moving_inputs,
    of_target,
    over_inputs,
)
from repnet.solve import Solution
from repnet.spectrum import Spectrum

Arrays = dict[str, np.ndarray]
MOST_LINE = 3_000  # points of a curve
MOST_POINTS = 4_000  # points of a cloud
MOST_PIXELS = 420  # per axis of a map
SLICE = 201  # points of a slice through many dimensions
WAVES = 10  # shortest wavelengths in the close-up of a curve


def arrays_of(
    data: Dataset,
    train: Dataset,
    test: Dataset | None,
    solutions: Mapping[str, Solution],
    predicted: Mapping[str, Float[np.ndarray, "points out"]],
    spectra: tuple[Spectrum, ...],
) -> Arrays:
    """Everything that the figures of a run need.

    **Arguments:**

    - `data`, `train`, `test`: the whole set and its two parts.
    - `solutions`: name to solution, the main one first.
    - `predicted`: name to values at `data.x`.
    - `spectra`: of the data, one per axis.

    **Returns:** name to array; names of methods follow a colon, as in `fit:RepNet`. Names of the
    second target begin with `target:1:`, and so on; at most 4 are drawn.
    """
    arrays = spectrum_arrays(spectra)
    for target in range(min(data.y.shape[1], MOST_TARGETS)):
        shown, learnt = of_target(data, target), of_target(train, target)
        held = None if test is None else of_target(test, target)
        functions = {name: column_of(each, target) for name, each in solutions.items()}
        values = {name: each[:, [target]] for name, each in predicted.items()}
        found = _fits(shown, learnt, held, functions, values, spectra)
        arrays |= {name_of(target) + name: array for name, array in found.items()}
    for name, solution in solutions.items():
        arrays |= _densities(name, solution, moving_inputs(data))
    return arrays


def _fits(
    data: Dataset,
    train: Dataset,
    test: Dataset | None,
    solutions: Mapping[str, Function],
    predicted: Mapping[str, np.ndarray],
    spectra: tuple[Spectrum, ...],
) -> Arrays:
    """One target and its fits."""
    moving = moving_inputs(data)
    shown = over_inputs(data, moving)
    functions = {name: lifted(each, data, moving) for name, each in solutions.items()}
    arrays = {} if test is None else _heldout(test, moving, solutions)
    match layout_of(data):
        case "line":
            return arrays | _line(shown, functions, predicted, spectra[moving[0]])
        case "map":
            return arrays | _map(shown, predicted)
        case "scatter":
            return arrays | _scatter(over_inputs(train, moving), functions)
    return arrays | _slices(data, moving, solutions)


def spectrum_arrays(spectra: tuple[Spectrum, ...]) -> Arrays:
    """Frequencies and power per axis, neighbouring bins added up where there are many."""
    arrays: Arrays = {}
    for axis, spectrum in enumerate(spectra):
        group = max(1, len(spectrum.power) // 1_000)
        starts = np.arange(0, len(spectrum.power), group)
        arrays[f"frequencies:{axis}"] = spectrum.frequencies[starts]
        arrays[f"power:{axis}"] = np.add.reduceat(spectrum.power, starts)
    return arrays


def data_arrays(data: Dataset) -> Arrays:
    """The data alone, for a diagnosis without a fit."""
    arrays: Arrays = {}
    for target in range(min(data.y.shape[1], MOST_TARGETS)):
        found = _values(of_target(data, target))
        arrays |= {name_of(target) + name: array for name, array in found.items()}
    return arrays


def _values(data: Dataset) -> Arrays:
    """One target alone."""
    shown = over_inputs(data, moving_inputs(data))
    match layout_of(data):
        case "line":
            return _curve("data", shown.x[:, 0], shown.y[:, 0])
        case "map":
            return _map(shown, {})
        case _:
            rows = spread_rows(len(shown.x), MOST_POINTS)
            return {"points": shown.x[rows], "values": shown.y[rows, 0]}


def spread_rows(count: int, most: int) -> np.ndarray:
    """At most so many row numbers, drawn once and for all, ascending."""
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def envelope(values: Float[np.ndarray, " points"], most: int = MOST_LINE) -> np.ndarray:
    """Row numbers that keep a long curve's outline: lowest and highest of every bucket.

    >>> envelope(np.array([0.0, 5.0, 1.0, 2.0, -3.0, 1.0, 0.0, 0.0]), most=4).tolist()
    [0, 1, 4, 5]
    """
    if len(values) <= most:
        return np.arange(len(values))
    buckets = np.array_split(np.arange(len(values)), most // 2)
    ends = [(b[np.argmin(values[b])], b[np.argmax(values[b])]) for b in buckets]
    return np.unique(ends)


def _curve(name: str, x: np.ndarray, y: np.ndarray) -> Arrays:
    order = np.argsort(x, kind="stable")
    rows = order[envelope(y[order])]
    return {f"{name}_x": x[rows], f"{name}_y": y[rows]}


def _line(
    data: Dataset,
    solutions: Mapping[str, Function],
    predicted: Mapping[str, np.ndarray],
    spectrum: Spectrum,
) -> Arrays:
    """The curve, the fits, their errors, and a close-up on a fine grid."""
    x, y = data.x[:, 0], data.y[:, 0]
    arrays = _curve("data", x, y)
    for name, values in predicted.items():
        arrays |= {f"fit_{k}:{name}": v for k, v in _pair(_curve("c", x, values[:, 0])).items()}
        error = _curve("c", x, values[:, 0] - y)
        arrays |= {f"error_{k}:{name}": v for k, v in _pair(error).items()}
    lower, upper = _close_up(x, y, spectrum)
    inside = np.flatnonzero((x >= lower) & (x <= upper))
    inside = inside[spread_rows(len(inside), MOST_LINE)]
    arrays |= {"zoom_data_x": x[inside], "zoom_data_y": y[inside]}
    arrays["zoom_x"] = np.linspace(lower, upper, 1_001)
    for name, solution in solutions.items():
        arrays[f"zoom_fit:{name}"] = solution(arrays["zoom_x"][:, None])[:, 0]
    return arrays


def _pair(curve: Arrays) -> Arrays:
    return {"x": curve["c_x"], "y": curve["c_y"]}


def _close_up(x: np.ndarray, y: np.ndarray, spectrum: Spectrum) -> tuple[float, float]:
    """A window of some wavelengths around the place where the data vary most."""
    lower, upper = float(x.min()), float(x.max())
    wave = 2 * np.pi / spectrum.omega_max if spectrum.omega_max > 0 else upper - lower
    length = max(WAVES * wave, 24 * spectrum.spacing)
    if length >= 0.8 * (upper - lower):
        return lower, upper
    order = np.argsort(x, kind="stable")
    change = np.abs(np.diff(y[order]))
    edges = np.arange(lower, upper, length)
    bucket = np.searchsorted(edges, x[order][1:], side="right") - 1
    strongest = int(np.argmax(np.bincount(bucket, change, len(edges))))
    start = min(float(edges[strongest]), upper - length)
    return start, start + length


def _map(data: Dataset, predicted: Mapping[str, np.ndarray]) -> Arrays:
    """Truth and fits on the grid, thinned to at most 420 nodes per axis."""
    assert data.grid_shape is not None
    strides = tuple(slice(None, None, -(-size // MOST_PIXELS)) for size in data.grid_shape)

    def thin(column: np.ndarray) -> np.ndarray:
        return column.reshape(data.grid_shape)[strides]

    arrays = {"truth": thin(data.y[:, 0]).astype(np.float32)}
    for axis in range(2):
        arrays[f"extent:{axis}"] = data.x[[0, -1], axis]
    for name, values in predicted.items():
        arrays[f"fit:{name}"] = thin(values[:, 0]).astype(np.float32)
        # From float64, so that errors below float32's rounding of the values are kept.
        arrays[f"error:{name}"] = thin(values[:, 0] - data.y[:, 0]).astype(np.float32)
    return arrays


def _scatter(train: Dataset, solutions: Mapping[str, Function]) -> Arrays:
    """The points, and the fits on a fine grid where points are near."""
    rows = spread_rows(len(train.x), MOST_POINTS)
    arrays = {"points": train.x[rows], "values": train.y[rows, 0]}
    lower, upper = train.x.min(axis=0), train.x.max(axis=0)
    axes = [np.linspace(a, b, 181) for a, b in zip(lower, upper, strict=True)]
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    far = _far_from(train.x, nodes, np.where(upper > lower, upper - lower, 1.0))
    for axis in range(2):
        arrays[f"extent:{axis}"] = axes[axis][[0, -1]]
    for name, solution in solutions.items():
        values = solution(nodes)[:, 0]
        arrays[f"fit:{name}"] = np.where(far, np.nan, values).reshape(181, 181).astype(np.float32)
    return arrays


def _far_from(points: np.ndarray, nodes: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Nodes that lie well outside the cloud of points, where a fit means nothing."""
    distance = KDTree(points / span).query(nodes / span)[0]
    return distance > 3.0 / np.sqrt(len(points))


def _slices(data: Dataset, moving: tuple[int, ...], solutions: Mapping[str, Function]) -> Arrays:
    """The fits along every axis with an extent, through the middle of the box."""
    arrays: Arrays = {}
    for axis in moving:
        line = np.linspace(data.x[:, axis].min(), data.x[:, axis].max(), SLICE)
        arrays[f"slice_x:{axis}"] = line
        for name, solution in solutions.items():
            along = lifted(solution, data, (axis,))
            arrays[f"slice_fit:{axis}:{name}"] = along(line[:, None])[:, 0]
    return arrays


def _heldout(test: Dataset, moving: tuple[int, ...], solutions: Mapping[str, Function]) -> Arrays:
    rows = spread_rows(len(test.x), MOST_POINTS)
    arrays = {"heldout_points": test.x[rows][:, list(moving)], "heldout_true": test.y[rows, 0]}
    for name, solution in solutions.items():
        arrays[f"heldout_fit:{name}"] = solution(test.x[rows])[:, 0]
    return arrays


def _densities(name: str, solution: Solution, moving: tuple[int, ...]) -> Arrays:
    """Density of partition points per moving axis, after and, where it was trained, before."""
    networks: dict[str, Any] = {"after": solution.network, "before": solution.initial}
    arrays: Arrays = {}
    for axis in moving:
        for when, network in networks.items():
            found = None if network is None else crossing_positions(network, axis)
            if found is not None:
                arrays[f"density_{when}:{axis}:{name}"] = density(found)
    return arrays
