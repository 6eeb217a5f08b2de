"""Which solver for which problem: decided by small trials on the problem itself."""

from typing import Any

import jax
import numpy as np
from jaxtyping import PRNGKeyArray

from repnet.nn import MLP
from repnet.problem import Problem
from repnet.solve._gradient import Gradient
from repnet.solve._least_squares import LeastSquares, choose_features, default_width
from repnet.solve._regression import data_of, require_regression
from repnet.solve._windows import Windows, try_windows
from repnet.spectrum import axis_spectra

Choice = tuple[LeastSquares | Windows | Gradient, tuple[str, ...], dict[str, Any]]

_WINDOWS_DIM = 4
_FEW = 64  # points too few to cut into windows
_EXACT = 1e-9  # a solve this good needs no comparison
_TRIAL_WIDTH = 512
_NOISY = 0.01  # with more noise than this, trials differ less than what they measure
_PREFER = {True: 0.7, False: 0.95}  # if noisy or not: how much better windows must be
_POOR = 0.2  # a direct solve that leaves this share of the target gives way to training


def choose_solver(problem: Problem, network: Any, key: PRNGKeyArray) -> Choice:
    """The solver to run, full sentences that say why, and the errors that decided."""
    if network is not None:
        return _for_network(network)
    try:
        require_regression(problem, "a direct solve")
    except ValueError as reason:
        return Gradient(), (f"Training by gradient descent: {reason}",), {}
    return _by_trial(problem, key)


def _for_network(network: Any) -> Choice:
    if isinstance(network, MLP) and not network.hidden:
        return LeastSquares(), ("The given network is linear in its read-out: least squares.",), {}
    return Gradient(), ("The given network has hidden layers: gradient descent.",), {}


def _by_trial(problem: Problem, key: PRNGKeyArray) -> Choice:
    (term,) = problem.terms.values()
    points, dim = term.points.shape
    errors: dict[str, float] = {}
    per_window = None
    if dim <= _WINDOWS_DIM and points >= _FEW:
        per_window, errors["windows"] = try_windows(problem, key)
        if errors["windows"] < _EXACT:
            return Windows(per_window), (_words(errors),), {"trials": errors}
    x, y = data_of(problem)
    spectra = axis_spectra(x, y)
    width = min(_TRIAL_WIDTH, default_width(np.array([s.omega_max for s in spectra]), points))
    dense = LeastSquares(width)
    with jax.enable_x64(True):
        errors["least_squares"] = choose_features(dense, problem, None, key).error
    noisy = max(spectrum.noise for spectrum in spectra) > _NOISY
    if errors.get("windows", np.inf) < _PREFER[noisy] * errors["least_squares"]:
        return Windows(per_window), (_words(errors),), {"trials": errors}
    if min(errors.values()) > _POOR and points >= 1000 and dim > 1:
        deep = Gradient(batch=2048 if points > 4096 else None)
        why = "Both direct solves leave too much, so a deep network is trained."
        return deep, (_words(errors), why), {"trials": errors}
    return dense, (_words(errors),), {"trials": errors}


def _words(errors: dict[str, float]) -> str:
    listed = ", ".join(f"{name.replace('_', ' ')} {error:.1e}" for name, error in errors.items())
    return f"Relative error in trials on points held out: {listed}."
