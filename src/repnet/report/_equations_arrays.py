"""What the report of a differential equation draws: values on lines and planes, spectra."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from repnet.problem import Problem, Region, Term
from repnet.report._arrays import spread_rows
from repnet.report._equations import field_values, residual_at
from repnet.solve import Solution

Arrays = dict[str, np.ndarray]
PER_WAVE = 12.0  # nodes per shortest wavelength, where that is known
LINE = (1_001, 6_001)  # fewest and most nodes of a line
PLANE = (121, 361)  # and per axis of a plane
COARSE = 121  # nodes per axis of a residual map
MOST_DATA = 2_000
MOST_BINS = 600
_KAISER = 22.0  # side lobes below float64's round-off in energy
PLACES = (0.0, 0.5, 1.0)  # of planes along the last axis, in three and more dimensions


def equation_arrays(solution: Solution, problem: Problem) -> Arrays:
    """Everything that the figures of a solved equation need.

    **Returns:** name to array. Values have shape `(nodes, out)` on a line and `(nodes, nodes,
    out)` on each plane, NaN outside of the domain.
    """
    arrays = _line(solution, problem) if problem.dim == 1 else _planes(solution, problem)
    return {**arrays, **_data(problem), **_unknown_fields(solution, problem)}


def _line(solution: Solution, problem: Problem) -> Arrays:
    (lower,), (upper,) = problem.domain.lower, problem.domain.upper
    x = np.linspace(lower, upper, _nodes(problem, 0, LINE))[:, None]
    arrays = {"x:0": x[:, 0], "value:0": np.asarray(solution(x), np.float64)}
    if problem.exact is not None:
        arrays["exact:0"] = np.asarray(problem.exact(x))
        arrays["error:0"] = arrays["value:0"] - arrays["exact:0"]
    for name, term in _inside(problem):
        arrays[f"residual:0:{name}"] = residual_at(solution, term, x)
    return {**arrays, **_spectra(arrays, [x[:, 0]])}


def _planes(solution: Solution, problem: Problem) -> Arrays:
    """Planes of the first two axes; in more dimensions at three places of the last axis."""
    axes = [_axis(problem, axis, _nodes(problem, axis, PLANE)) for axis in (0, 1)]
    coarse = [_axis(problem, axis, COARSE) for axis in (0, 1)]
    arrays: Arrays = {"x:0": axes[0], "x:1": axes[1]}
    for plane, place in enumerate(PLACES if problem.dim > 2 else PLACES[:1]):
        points, kept = _nodes_of(problem, axes, place)
        values = np.asarray(solution(points[kept]), np.float64)
        arrays[f"value:{plane}"] = _spread_out(values, kept, axes)
        arrays[f"place:{plane}"] = points[0, 2:]
        if problem.exact is not None:
            truth = np.asarray(problem.exact(points[kept]))
            arrays[f"exact:{plane}"] = _spread_out(truth, kept, axes)
            arrays[f"error:{plane}"] = arrays[f"value:{plane}"] - arrays[f"exact:{plane}"]
        points, kept = _nodes_of(problem, coarse, place)
        for name, term in _inside(problem):
            found = residual_at(solution, term, points[kept])
            arrays[f"residual:{plane}:{name}"] = _spread_out(found, kept, coarse)
    arrays |= _spectra(arrays, axes)
    return {k: v.astype(np.float32) if v.ndim == 3 else v for k, v in arrays.items()}


def _nodes(problem: Problem, axis: int, limits: tuple[int, int]) -> int:
    """Enough nodes for the shortest wavelength that the exact solution is known to have."""
    wavelengths = getattr(problem.exact, "wavelengths", None)
    length = 2.0 * problem.domain.half_width[axis]
    wanted = limits[0] if wavelengths is None else PER_WAVE * length / wavelengths[axis]
    return int(np.clip(wanted, *limits)) | 1  # odd: the middle is a node


def _axis(problem: Problem, axis: int, count: int) -> Float[np.ndarray, " nodes"]:
    return np.linspace(problem.domain.lower[axis], problem.domain.upper[axis], count)


def _nodes_of(
    problem: Problem, axes: list[np.ndarray], place: float
) -> tuple[Float[np.ndarray, "nodes dim"], np.ndarray]:
    """The nodes of a plane, and which of them lie in the domain."""
    first, second = np.meshgrid(*axes, indexing="ij")
    points = np.tile(problem.domain.centre, (first.size, 1))
    points[:, 0], points[:, 1] = first.ravel(), second.ravel()
    if problem.dim > 2:
        ends = problem.domain.lower[-1], problem.domain.upper[-1]
        points[:, -1] = ends[0] + place * (ends[1] - ends[0])
    return points, problem.domain.contains(points)


def _spread_out(values: np.ndarray, kept: np.ndarray, axes: list[np.ndarray]) -> np.ndarray:
    full = np.full((len(kept), values.shape[1]), np.nan)
    full[kept] = values
    return full.reshape(len(axes[0]), len(axes[1]), -1)


def _inside(problem: Problem) -> list[tuple[str, Term]]:
    """The equations: terms that hold throughout a solid."""
    return [
        (name, term)
        for name, term in problem.terms.items()
        if isinstance(term.points, Region) and term.points.manifold_dim == problem.dim
    ]


def _spectra(arrays: Mapping[str, np.ndarray], axes: list[np.ndarray]) -> Arrays:
    """Energy of solution and error over frequency, summed over planes and outputs."""
    found: Arrays = {}
    for axis, x in enumerate(axes):
        for what in ("value", "exact", "error"):
            planes = [v for name, v in arrays.items() if name.startswith(f"{what}:")]
            if planes:
                omega, energy = line_energy(x, planes, axis)
                found |= {f"omega:{axis}": omega, f"energy_{what}:{axis}": energy}
    return found


def line_energy(
    x: Float[np.ndarray, " nodes"], planes: list[np.ndarray], axis: int
) -> tuple[Float[np.ndarray, " bins"], Float[np.ndarray, " bins"]]:
    r"""Mean energy over angular frequency of all full lines along an axis.

    $|\sum_j w_j u_j e^{-\mathrm i\omega x_j}|^2$ with a Kaiser window $w$ of unit energy, so that
    a wave of amplitude 1 has the total energy 1/2; other frequencies leak below 1e-16 of it.
    Lines that leave the domain are left out; neighbouring bins are added up where there are many.

    >>> x = np.linspace(0.0, 1.0, 401)
    >>> omega, energy = line_energy(x, [np.sin(40 * np.pi * x)[:, None]], 0)
    >>> round(float(omega[np.argmax(energy)] / np.pi)), round(float(energy.sum()), 2)
    (40, 0.5)
    """
    lines = np.concatenate([np.moveaxis(plane, axis, 0).reshape(len(x), -1) for plane in planes], 1)
    lines = lines[:, np.isfinite(lines).all(axis=0)]
    window = np.kaiser(len(x), _KAISER)
    waves = np.fft.rfft(window[:, None] * lines, axis=0)
    omega = 2.0 * np.pi * np.fft.rfftfreq(len(x), x[1] - x[0])
    power = 2.0 / (len(x) * np.sum(window**2))
    energy = power * np.mean(np.square(np.abs(waves)), axis=1) if lines.size else 0.0 * omega
    group = max(1, len(omega) // MOST_BINS)
    starts = np.arange(0, len(omega), group)
    return omega[starts], np.add.reduceat(energy, starts)


def _data(problem: Problem) -> Arrays:
    """Points and values of data terms, at most 2,000 of each."""
    arrays: Arrays = {}
    for name, term in problem.terms.items():
        if isinstance(term.points, np.ndarray) and term.values is not None:
            rows = spread_rows(len(term.points), MOST_DATA)
            arrays |= {
                f"data_points:{name}": term.points[rows],
                f"data_values:{name}": term.values[rows],
            }
    return arrays


def _unknown_fields(solution: Solution, problem: Problem) -> Arrays:
    """Unknown functions on the line through the middle of the domain along its first axis."""
    found, truth = solution.unknowns, problem.exact_unknowns
    if not isinstance(found, Mapping):
        return {}
    points = np.tile(problem.domain.centre, (LINE[0], 1))
    points[:, 0] = _axis(problem, 0, LINE[0])
    arrays: Arrays = {}
    for name, unknown in found.items():
        if callable(unknown):
            arrays[f"field_x:{name}"] = points[:, 0]
            arrays[f"field:{name}"] = field_values(unknown, points)
            known: Any = truth.get(name) if isinstance(truth, Mapping) else None
            if callable(known):
                arrays[f"field_exact:{name}"] = field_values(known, points)
    return arrays
