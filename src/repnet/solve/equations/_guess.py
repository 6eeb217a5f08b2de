"""What the data of an equation say about its solution's frequencies, before any fit."""

import numpy as np
from jaxtyping import Float

from repnet.nn import MLP
from repnet.problem import Problem, Region, Term
from repnet.solve.equations._rows import Frame, readout_size, with_readout
from repnet.solve.equations._terms import residuals
from repnet.spectrum import Spectrum, axis_spectra

_LINES = 12
_NODES = 4096
_QUIET = 1e-3  # lines with less than this share of the loudest one's rms say nothing
_LEAST = 1e-2  # share of the energy below the low end of a band


def data_band(
    problem: Problem, frame: Frame, network: MLP
) -> tuple[Float[np.ndarray, " dim"], Float[np.ndarray, " dim"]]:
    r"""Lowest and highest angular frequency per axis of what the terms give.

    With the field at zero a residual is what is given: the source, the boundary values, the initial
    state. Each is sampled on lines through its region, along every axis in which the region
    extends, and 99.9 % of its energy lies between the two.

    **Returns:** two arrays in radians per half-width; zeros along axes of which nothing is known.
    """
    silent = with_readout(network, np.zeros(readout_size(network)))
    low = np.full(problem.dim, np.inf)
    high = np.zeros(problem.dim)
    for term in problem.terms.values():
        for axis, spectrum in _spectra(problem, term, frame, silent):
            low[axis] = min(low[axis], _low_end(spectrum))
            high[axis] = max(high[axis], spectrum.omega_max)
    return np.where(np.isfinite(low), low, 0.0), high


def filled(omega: Float[np.ndarray, " dim"]) -> Float[np.ndarray, " dim"]:
    """Frequencies with the largest of them, or a quarter wave, where nothing is known.

    >>> filled(np.array([3.0, 0.0])).tolist()
    [3.0, 3.0]
    """
    return np.where(omega > 0, omega, max(float(omega.max()), 0.5 * np.pi))


def _low_end(spectrum: Spectrum) -> float:
    below = np.cumsum(spectrum.power)
    if below[-1] <= 0:
        return 0.0
    return float(spectrum.frequencies[np.searchsorted(below, _LEAST * below[-1])])


def _spectra(problem: Problem, term: Term, frame: Frame, silent: MLP) -> list[tuple[int, Spectrum]]:
    if not (term.points is None or isinstance(term.points, Region)):
        return []
    found = []
    region = problem.domain if term.points is None else term.points
    assert isinstance(region, Region)
    pieces = getattr(region, "pieces", (region,))
    for piece in pieces:
        for axis in range(problem.dim):
            if piece.finite or piece.upper[axis] <= piece.lower[axis]:
                continue
            spectrum = _along(problem, term, frame, silent, piece, axis)
            if spectrum is not None:
                found.append((axis, spectrum))
    return found


def _along(
    problem: Problem, term: Term, frame: Frame, silent: MLP, piece: Region, axis: int
) -> Spectrum | None:
    """Spectrum of what is given on lines along one axis, over the whole length of the box."""
    rng = np.random.default_rng(0)
    start = rng.uniform(piece.lower, piece.upper, (_LINES, problem.dim))
    nodes = np.linspace(-1.0, 1.0, _NODES)
    lines = np.repeat(start[:, None, :], _NODES, axis=1)
    domain = problem.domain
    lines[:, :, axis] = domain.centre[axis] + domain.half_width[axis] * nodes
    x = lines.reshape(-1, problem.dim)
    given = residuals(Term(term.residual, x), frame, silent, problem.unknowns, x)
    values = np.moveaxis(given.reshape(_LINES, _NODES, -1), 1, 0).reshape(_NODES, -1)
    values = values - values.mean(axis=0)
    loud = np.sqrt(np.mean(np.square(values), axis=0))
    if not np.all(np.isfinite(loud)) or loud.max() <= 1e-12 * (1.0 + np.abs(given).max()):
        return None
    (spectrum,) = axis_spectra(nodes, values[:, loud > _QUIET * loud.max()])
    return spectrum
