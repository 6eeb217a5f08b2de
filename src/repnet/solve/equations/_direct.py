"""Differential equations by least squares: frequencies, units and points chosen, then one solve."""

import dataclasses
from contextlib import AbstractContextManager, nullcontext

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from repnet.nn import MLP
from repnet.problem import Problem
from repnet.solve._threads import one_blas_thread
from repnet.solve.equations._fit import Fit
from repnet.solve.equations._guess import data_band
from repnet.solve.equations._layers import Kind, make_layer, omega_of, units_for
from repnet.solve.equations._points import draw_points
from repnet.solve.equations._rows import Frame, is_affine
from repnet.solve.equations._search import Omega, Search

_PILOT = 400  # units of the small fits
_MOST = 3200  # units of the last one
_GROW = 1.5
_GAIN = 0.5  # more units must bring the error below this share
_GOOD = 1e-11  # an error that needs no more units
_NARROW = 3.0 * np.pi  # a band that starts above this may hold everything


@dataclasses.dataclass(frozen=True)
class Direct:
    """The solved problem, with what was chosen on the way.

    - `omega`: angular frequencies per axis, radians per half-width; `low`: of the band, if any.
    - `trials`: of frequencies and numbers of units, as words and errors.
    """

    fit: Fit
    frame: Frame
    kind: Kind
    units: int
    omega: Omega
    low: Omega | None
    linear: bool
    trials: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the user fixed; `None` leaves the choice to the solver."""

    kind: Kind
    units: int | None = None
    scale: Omega | None = None
    directions: str = "mixed"
    ridge: float | None = None


def solve_direct(problem: Problem, wanted: Wanted, key: PRNGKeyArray) -> Direct:
    """Choose and solve; call in float64 mode."""
    frame = Frame.of(problem)
    search_key, check_key = jax.random.split(key)
    units = min(wanted.units or _PILOT, _PILOT)
    linear = check_linear(problem, frame, check_key)
    with one_blas_thread():
        search, omega = _choose(problem, frame, wanted, units, linear, search_key)
    return _enlarge(search, omega, wanted)


def check_linear(problem: Problem, frame: Frame, key: PRNGKeyArray) -> bool:
    """Whether every term is affine in the read-out."""
    network = _probe(problem, key)
    points = draw_points(problem, 16, key)
    return all(is_affine(problem, frame, network, points).values())


def _probe(problem: Problem, key: PRNGKeyArray) -> MLP:
    return make_layer("sine", problem.out_size, 8, np.full(problem.dim, np.pi), key=key)


def _choose(
    problem: Problem, frame: Frame, wanted: Wanted, units: int, linear: bool, key: PRNGKeyArray
) -> tuple[Search, Omega]:
    if wanted.scale is not None:
        fixed = Search(
            problem,
            frame,
            wanted.kind,
            wanted.units or units,
            linear,
            key,
            None,
            wanted.directions,
            wanted.ridge,
        )
        return fixed, omega_of(wanted.kind, wanted.scale)
    low, high = data_band(problem, frame, _probe(problem, key))
    guess = np.where(high > 0, high, max(float(high.max()), 0.5 * np.pi))

    def search(lows: Omega | None) -> Search:
        return Search(
            problem, frame, wanted.kind, units, linear, key, lows, wanted.directions, wanted.ridge
        )

    full = search(None)
    omega = full.refine(full.scan(guess, high > 0))
    narrow = np.where(low > _NARROW, low, 0.0)
    if isinstance(wanted.kind, str) and np.any(narrow > 0) and full.error(omega) > _GOOD:
        banded = search(narrow)
        start = np.where(narrow > 0, high, np.minimum(guess, np.pi))
        other = banded.refine(banded.scan(start, narrow > 0))
        if banded.error(other) < full.error(omega):
            return banded, other
    return full, omega


def _enlarge(search: Search, omega: Omega, wanted: Wanted) -> Direct:
    """More units while they help, unless the user gave their number."""
    trials = {_name(tried, search.units): fit.error for tried, fit in search.tried.items()}
    best, units = search.at(omega), search.units
    asked = wanted.units
    size = asked or max(int(_GROW * units), min(units_for(omega, search.low), _MOST))
    while asked != units and (asked is not None or (best.error > _GOOD and size <= _MOST)):
        larger = dataclasses.replace(search, units=size, tried={})
        with _threads(size):
            fit = larger.at(omega)
        trials[_name(tuple(omega), size)] = fit.error
        gained = fit.error < _GAIN * best.error
        if fit.error < best.error or asked is not None:
            best, units, search = fit, size, larger
        if asked is not None or not gained:
            break
        size = int(_GROW * size)
    return Direct(best, search.frame, wanted.kind, units, omega, search.low, search.linear, trials)


def _threads(units: int) -> AbstractContextManager:
    return one_blas_thread() if units <= 2 * _PILOT else nullcontext()


def _name(omega: tuple[float, ...], units: int) -> str:
    return f"{units} units, {', '.join(f'{w:.3g}' for w in omega)}"
