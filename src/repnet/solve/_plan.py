"""Which solver for which problem: decided by small trials on the problem itself."""

from typing import Any

import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.nn import MLP
from repnet.problem import Problem
from repnet.solve._compare import global_errors
from repnet.solve._gradient import Gradient
from repnet.solve._least_squares import LeastSquares
from repnet.solve._pilot import choose_features, default_width
from repnet.solve._regression import is_regression, require_regression
from repnet.solve._sized import sized_gradient
from repnet.solve._typical import typical
from repnet.solve._window_fit import Target
from repnet.solve._windows import Windows, try_windows
from repnet.solve.equations._gauss_newton import GaussNewton
from repnet.solve.equations._slabs import Slabs, too_sharp

Solver = LeastSquares | Windows | Gradient | GaussNewton | Slabs
Choice = tuple[Solver, tuple[str, ...], dict[str, Any]]

_WINDOWS_DIM = 4
_FEW = 64  # points too few to cut into windows
_EXACT = 1e-9  # a solve this good needs no comparison
_TRIAL_WIDTH = 512
_PREFER = 0.97  # how much better windows must be at the same points
_ROUND_OFF = 1e-14
_POOR = 0.2  # a direct solve that leaves this share of the target gives way to training


def choose_solver(problem: Problem, network: Any, key: PRNGKeyArray) -> Choice:
    """The solver to run, full sentences that say why, and the errors that decided."""
    if network is not None:
        return _for_network(network)
    if is_regression(problem):
        require_regression(problem, "solve")
        return _by_trial(problem, key)
    if problem.unknowns is None:
        return _for_equation(problem, key)
    if any(term.values is not None for term in problem.terms.values()):
        return GaussNewton(), ("The problem has unknowns and data: Gauss–Newton.",), {}
    return Gradient(), ("The problem has unknowns: training by gradient descent.",), {}


def _for_network(network: Any) -> Choice:
    if isinstance(network, MLP) and not network.hidden:
        return LeastSquares(), ("The given network is linear in its read-out: least squares.",), {}
    return Gradient(), ("The given network has hidden layers: gradient descent.",), {}


def _for_equation(problem: Problem, key: PRNGKeyArray) -> Choice:
    direct = LeastSquares(), ("A differential equation: solved directly for the read-out.",), {}
    error = too_sharp(problem, key)
    if error is None:
        return direct
    why = f"A nonlinear evolution that one layer leaves with a residual of {error:.1e}: marched."
    return Slabs(), (why,), {"trial": error}


def _by_trial(problem: Problem, key: PRNGKeyArray) -> Choice:
    windows_key, layer_key, rows_key = jax.random.split(key, 3)
    target = Target.of(problem)
    points, dim = target.data.x.shape
    errors: dict[str, float] = {}
    windows = None
    if dim <= _WINDOWS_DIM and points >= _FEW:
        windows = try_windows(target, windows_key)
        errors["windows"] = _typical(windows.errors)
        if windows.error < _EXACT:
            return Windows(windows.cut.per_window), (_words(errors),), {"trials": errors}
    dense = LeastSquares(min(_TRIAL_WIDTH, default_width(target.band, points)))
    with jax.enable_x64(True):
        pilot = choose_features(dense, problem, None, layer_key)
    errors["least_squares"] = _typical(pilot.errors)
    if windows is not None:
        found = global_errors(target, windows, pilot, rows_key)
        errors["least_squares"] = _typical(np.maximum(found, pilot.between))
        if errors["windows"] < _PREFER * errors["least_squares"]:
            return Windows(windows.cut.per_window), (_words(errors),), {"trials": errors}
    if min(errors.values()) > _POOR and points >= 1000 and dim > 1:
        deep = sized_gradient(problem)
        why = "Both direct solves leave too much, so a deep network is trained."
        return deep, (_words(errors), why), {"trials": errors}
    return dense, (_words(errors),), {"trials": errors}


def _typical(errors: Float[np.ndarray, " out"]) -> float:
    """Of errors measured by different solvers, which lose different digits to round-off."""
    return typical(np.maximum(errors, _ROUND_OFF))


def _words(errors: dict[str, float]) -> str:
    listed = ", ".join(f"{name.replace('_', ' ')} {error:.1e}" for name, error in errors.items())
    return f"Relative error in trials on points held out: {listed}."
