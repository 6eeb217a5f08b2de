"""The solution's angular frequency along each axis, by small fits judged on held-out points."""

import dataclasses

import jax
import numpy as np
from jaxtyping import Bool, Float, PRNGKeyArray

from repnet.nn import MLP
from repnet.problem import Problem
from repnet.solve.equations._fit import Fit, fit
from repnet.solve.equations._layers import Kind, make_layer, units_for
from repnet.solve.equations._points import draw_points
from repnet.solve.equations._rows import Frame

_OCTAVES = 9  # of the first scan along the diagonal, from a quarter wave on
_BETTER = 0.8  # a fit is better where its error is below this share of the other's
_FACTORS = (4.0, 2.0, 2.0, 2.0**0.5)  # moves along each axis, one round after the other
_SPARSE = 64  # a band that needs so many times the units tells nothing
_SMALL = 1e-3  # an error that shows the frequencies to be about right
_FLOOR = 1e-11  # errors below this are not told apart
_HELD = 200  # units' worth of points that judge
_LEAST, _MOST = 0.05, 1e4  # radians per half-width

Omega = Float[np.ndarray, " dim"]


@dataclasses.dataclass
class Search:
    """Fits of one problem at many frequencies, each remembered.

    **Arguments:**

    - `kind`: of the layer, see `make_layer`; `low`: the low ends of its band.
    - `units`: of the fits.
    - `linear`: whether the problem is affine in the read-out.
    """

    problem: Problem
    frame: Frame
    kind: Kind
    units: int
    linear: bool
    key: PRNGKeyArray
    low: Omega | None = None
    directions: str = "isotropic"
    ridge: float | None = None
    tried: dict[tuple[float, ...], Fit] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.layer_key, point_key, held_key = jax.random.split(self.key, 3)
        self.points = draw_points(self.problem, self.units, point_key)
        self.held = draw_points(self.problem, _HELD, held_key)

    def at(self, omega: Omega) -> Fit:
        """The fit with a layer for these frequencies, in radians per half-width."""
        name = tuple(float(w) for w in np.round(omega, 9))
        if name not in self.tried:
            self.tried[name] = fit(
                self.problem,
                self.frame,
                self.layer(omega),
                self.points,
                self.held,
                linear=self.linear,
                ridge=self.ridge,
                unknowns=self.problem.unknowns,
            )
        return self.tried[name]

    def layer(self, omega: Omega) -> MLP:
        """The network of these frequencies, its read-out not yet fitted."""
        return make_layer(
            self.kind,
            self.problem.out_size,
            self.units,
            np.asarray(omega),
            low=self.low,
            directions=self.directions,
            key=self.layer_key,
        )

    def error(self, omega: Omega) -> float:
        """Its error, cut off at round-off."""
        return max(self.at(omega).error, _FLOOR)

    def scan(self, guess: Omega, known: Bool[np.ndarray, " dim"]) -> Omega:
        """The guess, or a better one found octave by octave.

        First along the axes of which the problem's data say nothing (not `known`) with the others
        at the guess; then, if the errors are still large, along all axes together.
        """
        best = np.asarray(guess, float)
        fixed = np.zeros(len(best), bool) if self.low is None else self.low > 0
        for held in (known | fixed, fixed):
            if held.all() or self.error(best) < _SMALL:
                continue
            for octave in range(_OCTAVES):
                if self.error(best) <= _FLOOR:
                    return best
                other = np.where(held, guess, 0.5 * np.pi * 2.0**octave)
                if octave and units_for(other, self.low) > _SPARSE * self.units:
                    break
                if self.error(other) < _BETTER * self.error(best):
                    best = other
        return best

    def refine(self, best: Omega, factors: tuple[float, ...] = _FACTORS) -> Omega:
        """From there axis by axis, by smaller and smaller factors."""
        for factor in factors:
            for axis in range(self.problem.dim):
                if self.low is not None and self.low[axis] > 0:
                    continue
                if self.error(best) <= _FLOOR:
                    return best
                best = self._along(best, axis, factor)
        return best

    def _along(self, best: Omega, axis: int, factor: float) -> Omega:
        for step in (factor, 1.0 / factor):
            reached = self._downhill(best, axis, step)
            if reached is not best:
                return reached
        return best

    def _downhill(self, best: Omega, axis: int, step: float) -> Omega:
        while True:
            other = best.copy()
            other[axis] *= step
            inside = _LEAST <= other[axis] <= _MOST
            if not inside or self.error(other) >= _BETTER * self.error(best):
                return best
            best = other
