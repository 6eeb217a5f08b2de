"""The first layer and the ridge of a least-squares fit, chosen on a part of the data."""

import dataclasses
import math
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.problem import Problem
from repnet.solve._directions import ACTIVE
from repnet.solve._families import ACTIVELY, band_sines, bent_units, steps, waves
from repnet.solve._finish import double
from repnet.solve._regression import data_of, largest_frequencies
from repnet.solve._search import TELL_NOISE, Pilot, Search, each_can_judge
from repnet.spectrum import ActiveDirections, active_directions

if TYPE_CHECKING:
    from repnet.solve._least_squares import LeastSquares

_AMONG_FEW = 512  # units at most where several inputs have fewer points
_ROUGH = 3e-3  # error above which every row judges
_TINY = 1e-5  # errors that held-out rows no longer tell apart, if they differ by less than
_ALIKE = 2.0


def choose_features(
    solver: "LeastSquares",
    problem: Problem,
    network: Any,
    key: PRNGKeyArray,
    *,
    rival: Float[np.ndarray, " out"] | None = None,
    band: Float[np.ndarray, " dim"] | None = None,
) -> Pilot:
    """Choose first layer and ridge on held-out rows; call in float64 mode.

    Where few rows tell a rough or noisy target, a fifth of them is too little to judge by: then
    every row does, left out in turn. `rival`: every target's error with another solver; scales are
    not searched for layers that are clearly worse. `band`: the targets' largest frequencies, where
    they are known.
    """
    x, y = data_of(problem)
    with one_blas_thread():
        if network is None:
            band = largest_frequencies(x, y) if band is None else band
            width = solver.width or default_width(band, len(x))
            judge = partial(_choose, solver, law=_law_of(solver, x, y), band=band)
        else:
            require_features(network)
            width = network.readout.weight.shape[1]
            judge = partial(Search.judge_given, network=jax.tree.map(double, network))

        def choose(*, each: bool) -> Pilot:
            search = Search(x, y, width, ridge=solver.ridge, rival=rival, each=each, key=key)
            return judge(search)

        if len(x) >= TELL_NOISE:
            best = choose(each=False)
            units = best.network.readout.weight.shape[1]
            if best.error <= _ROUGH or not each_can_judge(len(x), x.shape[1], units):
                return best
        return choose(each=True)


def _choose(
    solver: "LeastSquares",
    search: Search,
    *,
    law: ActiveDirections | None,
    band: Float[np.ndarray, " dim"],
) -> Pilot:
    dim, each, pilots = len(band), search.each, []
    if solver.activation is None and solver.scale is None:
        pilots.extend(waves(search, law))
        pilots.extend(band_sines(search, factor * band) for factor in (1.0, 1.8))
    if law is None or solver.directions is None:
        directions = _fixed(solver.directions)
        pilots.extend(steps(solver, search, band, lambda key: directions))
    if law is not None:
        along = np.full(dim, law.omega_max)
        draw = partial(law.draw, search.width)
        pilots.extend(steps(solver, search, along, lambda key: draw(key=key), pilots))
    if each and search.quick and dim == 1 and solver.scale is None:
        bent = bent_units(solver, search, band, pilots)
        pilots += [] if bent is None else [bent]
    best = search.for_all_rows(_best(search, pilots))
    tried = {f"{p.name} {p.steepest:.4g}": p.typical for p in pilots}
    why = (law.reason(),) if law is not None and best.name.endswith(ACTIVELY) else best.why
    return dataclasses.replace(
        best, tried=tried, trials=sum(pilot.trials for pilot in pilots), why=why
    )


def _law_of(solver: "LeastSquares", x: np.ndarray, y: np.ndarray) -> ActiveDirections | None:
    return active_directions(x, y) if solver.directions in (None, ACTIVE) else None


def _fixed(directions: str | None) -> str:
    return "mixed" if directions in (None, ACTIVE) else directions


def _best(search: Search, pilots: list[Pilot]) -> Pilot:
    """The best of all whose error holds between the samples, too; `pilots` gets those errors."""
    checked: set[int] = set()
    while True:
        best = _middle(pilots)
        place = next(i for i, pilot in enumerate(pilots) if pilot is best)
        if place in checked:
            return best
        checked.add(place)
        pilots[place] = search.checked(best)


def _middle(pilots: list[Pilot]) -> Pilot:
    """The least error; where it is near round-off, the middle scale of those like it.

    Held-out rows tell such errors apart no longer, and scales at the lower end of what is equally
    good lose far more than those above.
    """
    best = min(pilots, key=lambda pilot: pilot.typical)
    if best.typical > _TINY or best.scale is None:
        return best
    alike = [p for p in pilots if p.name == best.name and p.typical < _ALIKE * best.typical]
    return sorted(alike, key=lambda pilot: pilot.steepest)[len(alike) // 2]


def default_width(band: Float[np.ndarray, " dim"], points: int) -> int:
    """Units for a target of the given band: 10 per wavelength, and their product over axes."""
    dim = len(band)
    ball = np.pi ** (dim / 2) / math.gamma(dim / 2 + 1)
    modes = ball * float(np.prod(2.0 * band / (2.0 * np.pi) + 2.0))
    most = 1024 if points > 1024 else max(16, points)
    if dim > 1:  # random directions are met by few units each: more of them interpolate better
        most = max(most, min(4 * points, _AMONG_FEW))
    return int(np.clip(5 * modes, 64, max(64, most)))


def require_features(network: Any) -> None:
    if not (hasattr(network, "features") and hasattr(network, "readout")):
        raise ValueError(
            "`LeastSquares` needs a network with `features` and a linear `readout`, such as "
            f"`repnet.nn.MLP`; got {type(network).__name__}."
        )
