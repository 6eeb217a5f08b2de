"""Networks and radial units together, each with the share that errors left out give it."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from repnet._threads import one_blas_thread
from repnet.nn import MLP, Beside, RadialBasis, Sum, Windowed
from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._compare import layer_missed
from repnet.solve._least_squares import plan_of_layer, solved_layer
from repnet.solve._radial import RadialFit, plan_of_radial
from repnet.solve._search import Pilot
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._stacking import stacked_share
from repnet.solve._standardize import standardization
from repnet.solve._window_fit import Choice, Target, fit_windows
from repnet.solve._windows import plan_of_windows

_LEAST = 0.05  # a share below which a part is left out


@dataclasses.dataclass(frozen=True)
class Together:
    """A layer or windows, and radial units, that share the targets of a regression.

    - `shares`: of the radial units, for every target.
    - `missed`: leave-one-out errors of both together, `(points, out)`.
    - `first`: makes the layer or the windows in standard units; `plan`: what they are, and why.
    """

    radial: RadialFit
    shares: Float[np.ndarray, " out"]
    missed: Float[np.ndarray, "points out"]
    first: Callable[[Problem], Any]
    plan: Plan

    @staticmethod
    def of_layer(target: Target, pilot: Pilot, radial: RadialFit) -> "Together":
        """Shares by what both miss at points left out one at a time."""
        layer = layer_missed(pilot, target.data.x, target.data.y)
        told = np.sqrt(np.mean(np.square(layer), axis=0))
        layer = layer * np.maximum(1.0, pilot.between / np.maximum(told, np.finfo(float).tiny))
        shares, missed = _shared(layer, radial.missed)
        first = partial(solved_layer, pilot=pilot)
        return Together(radial, shares, missed, first, plan_of_layer(pilot))

    @staticmethod
    def of_windows(target: Target, choice: Choice, radial: RadialFit) -> "Together":
        """The same with windows, which are fitted for it."""
        with jax.enable_x64(True), one_blas_thread():
            fitted = fit_windows(target, choice, left_out=True)
        assert fitted.missed is not None
        known = np.isfinite(fitted.missed).all(axis=1)
        others = target.data.at_sites(radial.missed)[known]
        shares, missed = _shared(fitted.missed[known], others)
        network, plan = fitted.filled.network, plan_of_windows(choice, fitted)
        return Together(radial, shares, missed, lambda problem: network, plan)

    @property
    def errors(self) -> Float[np.ndarray, " out"]:
        """The root mean square of what is missed, by target."""
        return np.sqrt(np.mean(np.square(self.missed), axis=0))

    def finish(self, problem: Problem) -> Solution:
        """Fit what is not fitted yet to all rows, and join the two."""
        plan = self._plan() if self.shares.any() else self.plan
        with Clock() as clock, jax.enable_x64(True):
            network = self.first(problem)
            if self.shares.any():
                first = _scaled(network, 1.0 - self.shares)
                radial = _scaled(self.radial.network, self.shares)
                network = Sum([first, radial], out_size=len(self.shares))
            network = standardization(problem).wrap(network, double=True)
        return Solution(
            network,
            None,
            RESULTS.successful,
            {},
            plan,
            clock.seconds,
            compile_seconds=clock.compile_seconds,
        )

    def _plan(self) -> Plan:
        first, second = self.plan, plan_of_radial(self.radial)
        shares = [round(float(share), 3) for share in self.shares]
        words = " to ".join(f"{share:.2g}" for share in sorted({min(shares), max(shares)}))
        error = float(np.sqrt(np.mean(np.square(self.errors))))
        why = (
            f"The radial units have a share of {words}, the others the rest; together they miss "
            f"{error:.1e} of the target's rms at points left out one at a time."
        )
        numbers = {"share": shares, "leave_one_out": error}
        numbers |= {plan.solver: plan.numbers for plan in (first, second)}
        return Plan(
            f"{first.network} and {second.network}",
            f"{first.solver} and {second.solver}",
            first.scale,
            (why, *first.reasons, *second.reasons),
            numbers,
        )


def _shared(
    first: Float[np.ndarray, "points out"], second: Float[np.ndarray, "points out"]
) -> tuple[Float[np.ndarray, " out"], Float[np.ndarray, "points out"]]:
    """The second's share of every target, and what both miss together."""
    both = zip(first.T, second.T, strict=True)
    shares = np.array([stacked_share(*each) for each in both])
    shares = np.where(shares < _LEAST, 0.0, np.where(shares > 1.0 - _LEAST, 1.0, shares))
    return shares, first + shares * (second - first)


def _scaled(network: Any, shares: Float[np.ndarray, " out"]) -> Any:
    """A network whose every output is multiplied by a number."""
    match network:
        case MLP():
            return _multiplied(
                network, lambda each: (each.readout.weight, each.readout.bias), shares
            )
        case RadialBasis():
            return _multiplied(network, lambda each: (each.weight, each.slope, each.bias), shares)
        case Windowed():
            assert network.pieces is None  # which grids alone have,
            assert network.nodal is None  # and this
            everywhere = np.broadcast_to(shares, network.affine.shape[:2])
            readouts = tuple(part.times(everywhere) for part in network.parts)
            affine = network.affine * jnp.asarray(everywhere)[..., None]
            return dataclasses.replace(network, parts=readouts, affine=affine)
        case Beside():
            parts: list[Any] = list(network.parts)
            ends = np.cumsum([part.out_size for part in parts])[:-1]
            own = np.split(shares[np.argsort(network.order)], ends)
            scaled = [_scaled(part, each) for part, each in zip(parts, own, strict=True)]
            return Beside(scaled, order=network.order)
    raise TypeError(f"No share of a {type(network).__name__} can be taken.")


def _multiplied(network: Any, where: Any, shares: Float[np.ndarray, " out"]) -> Any:
    arrays = [
        array * jnp.asarray(shares.reshape(-1, *[1] * (array.ndim - 1))) for array in where(network)
    ]
    return eqx.tree_at(where, network, tuple(arrays))
