"""Inverse problems: Gauss–Newton on the unknowns, with the network's read-out eliminated."""

import dataclasses
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.nn._random import permutation
from repnet.problem import Problem
from repnet.solve.equations._blocks import (
    Block,
    data_rows,
    make_blocks,
    weighted_residuals,
)
from repnet.solve.equations._direct import check_linear, probe_network
from repnet.solve.equations._guess import data_band, filled
from repnet.solve.equations._layers import make_layer, units_for
from repnet.solve.equations._points import draw_points
from repnet.solve.equations._rows import Frame
from repnet.solve.equations._scan import scan
from repnet.solve.equations._start import fit_data, read_off
from repnet.solve.equations._unknowns import has_fields, with_layers
from repnet.solve.equations._varpro import Reduced, State
from repnet.spectrum import axis_spectra

_PILOT = 1.5  # units of the scan, times `units_for`
_SMOOTH = 0.75  # units of the fit of the data alone
_LAST = 3.0  # units of the first full fit
_GROW = 1.5
_EXACT = 1e-7  # a relative misfit of the data that needs no more units
_GAIN = 0.7  # more units must bring the misfit below this share
_LEAST, _MOST = 64, 1600
_KEEP = 3  # minima of the scan from which Gauss–Newton starts
_STEPS = 40
_HELD = 0.2  # share of the data that choose the frequencies of an unknown field
_FIELD_STEPS = 12
_FIELD_UNITS = 1.5
_WORSE = 2.0  # misfits of held-out data that grow so much end the search
_SAME = 1.02  # misfits of held-out data this close are the same


@dataclasses.dataclass(frozen=True)
class Found:
    """A solved inverse problem, with what was chosen on the way."""

    reduced: Reduced
    state: State
    omega: Float[np.ndarray, " dim"]
    units: int
    steps: int
    converged: bool
    tried: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Inverse:
    """One inverse problem and what stays the same while it is solved."""

    problem: Problem
    frame: Frame
    linear: bool
    omega: Float[np.ndarray, " dim"]
    key: PRNGKeyArray
    steps: int = _STEPS
    kind: Any = "sine"
    units: int = _MOST

    def reduced(self, units: int, tree: Any) -> tuple[Reduced, Any]:
        """The least-squares problem with a layer of so many units, and the layer.

        Where an equation is nonlinear the layer fits the data: weights and Newton's method start
        there.
        """
        layer_key, point_key = jax.random.split(self.key)
        network = make_layer(self.kind, self.problem.out_size, units, self.omega, key=layer_key)
        points = draw_points(self.problem, units, point_key)
        parts = make_blocks(self.problem, self.frame, network, tree, points)
        reduced = Reduced(parts, self.frame, self.linear)
        if self.linear:
            return reduced, network
        network = fit_data(reduced, network, tree)
        parts = make_blocks(self.problem, self.frame, network, tree, points)
        return dataclasses.replace(reduced, parts=parts), network

    def size(self, share: float) -> int:
        """Units: a share of what the band needs."""
        needed = np.clip(share * units_for(self.omega), _LEAST, _MOST)
        return min(int(needed), self.units)


def solve_inverse(problem: Problem, key: PRNGKeyArray, *, units: int | None, steps: int) -> Found:
    """Find the unknowns; call in float64 mode."""
    frame = Frame.of(problem)
    check_key, run_key, field_key = jax.random.split(key, 3)
    linear = check_linear(problem, frame, check_key)
    omega = band_of(problem, frame, check_key)
    inverse = Inverse(problem, frame, linear, omega, run_key, steps, units=units or _MOST)
    with one_blas_thread():
        if has_fields(problem.unknowns):
            tree, tried = _first_fields(inverse, field_key)
        else:
            tree, tried = _first_numbers(inverse)
        return _finish(inverse, tree, tried, units)


def band_of(problem: Problem, frame: Frame, key: PRNGKeyArray) -> Float[np.ndarray, " dim"]:
    """Largest angular frequency per axis of the data, the sources and the conditions."""
    _, omega = data_band(problem, frame, probe_network(problem, key))
    centre, half = np.asarray(frame.centre), np.asarray(frame.half_width)
    for term in problem.terms.values():
        if term.values is not None and len(term.points) > 2:
            spectra = axis_spectra((np.asarray(term.points) - centre) / half, term.values)
            omega = np.maximum(omega, [spectrum.omega_max for spectrum in spectra])
    return filled(omega)


def _first_numbers(inverse: Inverse) -> tuple[Any, dict[str, Any]]:
    tree = with_layers(inverse.problem, inverse.kind, inverse.omega, 1, inverse.key)
    reduced, network = inverse.reduced(inverse.size(_PILOT), tree)
    if not inverse.linear:
        return read_off(reduced, fit_data(reduced, network, tree), tree), {}
    starts, tried = scan(lambda t: reduced.settle(network, t), tree, inverse.omega, _KEEP)
    ends = [reduced.minimize(reduced.settle(network, t), inverse.steps)[0] for t in starts]
    best = min(ends, key=lambda state: state.misfit)
    return best.tree, {"scan": tried}


def _first_fields(inverse: Inverse, key: PRNGKeyArray) -> tuple[Any, dict[str, Any]]:
    """Fields of the frequencies with which data that were held out are met best."""
    layer_key, hold_key = jax.random.split(key)
    levels = np.pi * 2.0 ** np.arange(-1, 12)
    top = 2.0 * float(inverse.omega.max())
    scores: dict[float, float] = {}
    trees = {}
    for level in levels[levels <= max(top, np.pi)]:
        omega = level * inverse.omega / inverse.omega.max()
        # Powers of two, so that few shapes are compiled.
        units = max(16, 1 << int(np.ceil(np.log2(_FIELD_UNITS * units_for(omega)))))
        tree = with_layers(inverse.problem, inverse.kind, omega, units, layer_key)
        reduced, network = inverse.reduced(inverse.size(_LAST), tree)
        kept, held = _held_out(reduced.parts, hold_key)
        fit = dataclasses.replace(reduced, parts=kept)
        small, coarse = inverse.reduced(inverse.size(_SMOOTH), tree)
        smooth, _ = _held_out(small.parts, hold_key)
        coarse = fit_data(dataclasses.replace(small, parts=smooth), coarse, tree)
        tree = read_off(small, coarse, tree)
        state, _, _ = fit.minimize(fit.settle(network, tree), _FIELD_STEPS)
        scores[float(level)] = _misfit(dataclasses.replace(reduced, parts=held), state)
        trees[float(level)] = state.tree
        if scores[float(level)] > _WORSE * min(scores.values()):
            break
    least = min(scores.values())
    chosen = next(level for level, score in scores.items() if score <= _SAME * least)
    return trees[chosen], {"field frequencies": {f"{w:.4g}": s for w, s in scores.items()}}


def _held_out(parts: Any, key: PRNGKeyArray) -> tuple[list[Block], list[Block]]:
    kept, held = [], []
    for block in parts:
        if not block.data:
            kept.append(block)
            continue
        order = permutation(key, block.points)
        count = max(1, int(_HELD * len(order)))
        held.append(block.at(np.sort(order[:count])))
        kept.append(block.at(np.sort(order[count:])))
    return kept, held


def _misfit(reduced: Reduced, state: State) -> float:
    left = weighted_residuals(reduced.parts, state.network, state.tree)
    return float(np.sqrt(np.mean(np.square(left))))


def _finish(inverse: Inverse, tree: Any, tried: dict[str, Any], units: int | None) -> Found:
    """Gauss–Newton with all data, and more units while they help."""
    size = units or inverse.size(_LAST)
    best: Found | None = None
    while True:
        reduced, network = inverse.reduced(size, tree)
        state, steps, converged = reduced.minimize(reduced.settle(network, tree), inverse.steps)
        found = Found(reduced, state, inverse.omega, size, steps, converged, tried)
        gained = best is None or relative(found) < _GAIN * relative(best)
        if best is None or relative(found) < relative(best):
            best = found
        size = int(_GROW * size)
        if units is not None or not gained or size > _MOST or relative(best) < _EXACT:
            return best
        tree = state.tree


def relative(found: Found) -> float:
    """Misfit of the data over their size."""
    where = data_rows(found.reduced.parts)
    values = np.concatenate(
        [(block.term.values * block.weight).ravel() for block in found.reduced.parts if block.data]
    )
    return float(np.linalg.norm(found.state.residual[where]) / np.linalg.norm(values))
