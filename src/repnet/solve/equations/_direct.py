"""Differential equations by least squares: frequencies, units and points chosen, then one solve."""

import dataclasses

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from repnet.nn import MLP
from repnet.problem import Problem, Region
from repnet.solve.equations._fit import Fit, fit
from repnet.solve.equations._guess import data_band, filled
from repnet.solve.equations._layers import Kind, make_layer, omega_of, units_for
from repnet.solve.equations._points import draw_points, points_of
from repnet.solve.equations._rows import Frame, on_boundary
from repnet.solve.equations._search import Omega, Search
from repnet.solve.equations._terms import is_affine

_PILOT = 400  # units of the small fits
_MOST = 3200  # units of the last one
_WORK = 1.5e11  # rows × coefficients² of the last one, about ten seconds
_GROW = 1.5
_GAIN = 0.5  # more units must bring the error below this share
_POOR = 0.05  # a fit with a larger error says little
_GENTLER = 0.7
_LAST = 1.2  # a last step smaller than this is joined to the one before
_TUNED = 1000  # units up to which frequencies are refined again
_FINE = (2.0**0.5,)
_GOOD = 1e-10  # an error that needs no more units
_FEW = 4  # points inside, below which no fewer are tried
_CONTRADICTED = 0.25  # a relative residual of conditions alone that no jump at a corner explains
_NARROW = 3.0 * np.pi  # a band that starts above this may hold everything


@dataclasses.dataclass(frozen=True)
class Direct:
    """The solved problem, with what was chosen on the way.

    - `omega`: angular frequencies per axis, radians per half-width; `low`: of the band, if any.
    - `trials`: of frequencies and numbers of units, as words and errors.
    - `contradict`: whether the conditions alone have no solution.
    """

    fit: Fit
    frame: Frame
    kind: Kind
    units: int
    omega: Omega
    low: Omega | None
    linear: bool
    trials: dict[str, float]
    contradict: bool = False


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the user fixed; `None` leaves the choice to the solver."""

    kind: Kind
    units: int | None = None
    scale: Omega | None = None
    directions: str = "isotropic"
    ridge: float | None = None


def solve_direct(problem: Problem, wanted: Wanted, key: PRNGKeyArray) -> Direct:
    """Choose and solve; call in float64 mode."""
    frame = Frame.of(problem)
    search_key, check_key = jax.random.split(key)
    units = min(wanted.units or _PILOT, _PILOT)
    linear = check_linear(problem, frame, check_key)
    search, omega = choose_frequencies(problem, frame, wanted, units, linear, search_key)
    if search.error(omega) > _POOR and conditions_contradict(search):
        return _chosen(search, omega, search.at(omega), _errors(search), contradict=True)
    return _enlarge(search, omega, wanted)


def check_linear(problem: Problem, frame: Frame, key: PRNGKeyArray) -> bool:
    """Whether every term is affine in the read-out."""
    network = probe_network(problem, key)
    points = draw_points(problem, 16, key)
    return all(is_affine(problem, frame, network, points).values())


def probe_network(problem: Problem, key: PRNGKeyArray) -> MLP:
    """A few units, to evaluate residuals with."""
    return make_layer("sine", problem.out_size, 8, np.full(problem.dim, np.pi), key=key)


def choose_frequencies(
    problem: Problem, frame: Frame, wanted: Wanted, units: int, linear: bool, key: PRNGKeyArray
) -> tuple[Search, Omega]:
    """The search with the best fit, and its frequencies in radians per half-width of the axes."""
    full = Search(
        problem,
        frame,
        wanted.kind,
        units,
        linear,
        key,
        directions=wanted.directions,
        ridge=wanted.ridge,
    )
    if wanted.scale is not None:
        fixed = dataclasses.replace(full, units=wanted.units or units)
        return fixed, omega_of(wanted.kind, wanted.scale)
    low, high = data_band(problem, frame, probe_network(problem, key))
    guess = filled(high)
    omega = full.refine(full.scan(guess, high > 0))
    if full.error(omega) > _POOR:  # too few units to tell: trust what the problem gives
        omega = np.where(high > 0, high, omega)
    narrow = np.where(low > _NARROW, low, 0.0)
    if isinstance(wanted.kind, str) and np.any(narrow > 0) and full.error(omega) > _GOOD:
        banded = dataclasses.replace(full, low=narrow, tried={})
        start = np.where(narrow > 0, high, np.minimum(guess, np.pi))
        other = banded.refine(banded.scan(start, narrow > 0))
        if banded.error(other) < full.error(omega):
            return banded, other
    return full, omega


def trial_error(problem: Problem, key: PRNGKeyArray) -> float | None:
    """Error of one small fit at the frequencies that the problem gives; `None` if it is linear."""
    with jax.enable_x64(True):
        frame = Frame.of(problem)
        if check_linear(problem, frame, key):
            return None
        _, high = data_band(problem, frame, probe_network(problem, key))
        return Search(problem, frame, "sine", _PILOT, False, key).error(filled(high))


def _enlarge(search: Search, omega: Omega, wanted: Wanted) -> Direct:
    """More units while they help, then gentler steps; the user's number of units if given."""
    best, trials = search.at(omega), _errors(search)
    most = _most_units(search.problem)
    size = wanted.units or max(int(_GROW * search.units), min(units_for(omega, search.low), most))
    while size != search.units and (wanted.units or best.error > _GOOD):
        larger = dataclasses.replace(search, units=size, tried={})
        tuned, before = omega, best.error
        if size <= _TUNED and wanted.scale is None:  # the pilot's few units favour low frequencies
            tuned = larger.refine(omega, _FINE)
        fit = larger.at(tuned)
        trials |= _errors(larger)
        if fit.error < before or wanted.units:
            best, search, omega = fit, larger, tuned
        done = fit.error > _GAIN * before and before < _POOR
        if wanted.units or done or size >= most:
            break
        size = most if _GROW * size > most / _LAST else int(_GROW * size)
    if not isinstance(wanted.kind, str) and wanted.scale is None:
        omega = _gentler(search, omega)
        best, trials = search.at(omega), trials | _errors(search)
    return _chosen(search, omega, best, trials)


def _chosen(
    search: Search, omega: Omega, best: Fit, trials: dict[str, float], *, contradict: bool = False
) -> Direct:
    return Direct(
        best,
        search.frame,
        search.kind,
        search.units,
        omega,
        search.low,
        search.linear,
        trials,
        contradict,
    )


def conditions_contradict(search: Search) -> bool:
    """Whether the conditions on boundaries can't hold together, whatever the equation.

    A layer with at least twice as many units as rows meets conditions at a few points exactly,
    unless they ask for two things at one point: terms on the same region share their points.
    """
    problem = search.problem
    terms = {
        name: term
        for name, term in problem.terms.items()
        if isinstance(term.points, Region) and on_boundary(problem, term)
    }
    if not terms:
        return False
    alone = dataclasses.replace(problem, terms=terms)
    inside, points, rows = 2 * search.units, {}, search.units
    while 2 * rows > search.units and inside > _FEW:
        inside //= 2
        points = {n: points_of(alone, term, inside, search.key) for n, term in terms.items()}
        rows = sum(len(x) for x in points.values()) * problem.out_size
    waves = np.full(problem.dim, np.pi * search.units)  # any two points apart are told apart
    probe = make_layer("sine", problem.out_size, search.units, waves, key=search.key)
    met = fit(
        alone,
        search.frame,
        probe,
        points,
        points,
        linear=search.linear,
        unknowns=problem.unknowns,
    )
    return max(met.errors.values()) > _CONTRADICTED


def _most_units(problem: Problem) -> int:
    """The most units whose last solve stays within the work allowed."""
    return min(_MOST, int((_WORK / 3.0 / problem.out_size**3) ** (1.0 / 3.0)))


def _gentler(search: Search, omega: Omega) -> Omega:
    """Lower slope scales while the error falls: the more units, the less steep they need be."""
    while search.at(omega).error > _GOOD:
        lower = _GENTLER * (omega + np.pi) - np.pi
        if search.at(lower).error >= search.at(omega).error:
            break
        omega = lower
    return omega


def _errors(search: Search) -> dict[str, float]:
    return {_name(tried, search.units): fit.error for tried, fit in search.tried.items()}


def _name(omega: tuple[float, ...], units: int) -> str:
    return f"{units} units, {', '.join(f'{w:.3g}' for w in omega)}"
