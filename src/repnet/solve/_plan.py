"""Which solver for which problem: decided by small trials on the problem itself."""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Bool, Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.nn import MLP
from repnet.problem import Problem
from repnet.solve._apart import fit_apart, worth_apart
from repnet.solve._compare import global_errors, seen_by_windows
from repnet.solve._gradient import Gradient
from repnet.solve._least_squares import LeastSquares, solve_with
from repnet.solve._pilot import choose_features, default_width
from repnet.solve._radial import Radial, fit_radial, with_radial
from repnet.solve._regression import is_regression, require_regression
from repnet.solve._search import Pilot, clearly_worse
from repnet.solve._sized import sized_gradient
from repnet.solve._solution import RESULTS, Solution
from repnet.solve._together import Together
from repnet.solve._typical import ROUND_OFF, typical
from repnet.solve._window_fit import Choice, Target
from repnet.solve._windows import Windows, fit_chosen, try_windows
from repnet.solve.equations._check import check_problem
from repnet.solve.equations._elements import Elements, cut_at_will, solve_tied
from repnet.solve.equations._gauss_newton import GaussNewton
from repnet.solve.equations._piecewise import Tied
from repnet.solve.equations._slabs import Slabs, too_sharp
from repnet.solve.equations._space_time import SpaceTime
from repnet.solve.equations._space_time_elements import (
    SpaceTimeElements,
    evolves,
    solve_space_time,
)

Solver = (
    LeastSquares | Windows | Gradient | GaussNewton | Elements | SpaceTimeElements | Slabs | Radial
)

_WINDOWS_DIM = 4
_FEW = 64  # points too few to cut into windows
_EXACT = 1e-9  # a solve this good needs no comparison
_SOLVED = 1e-6  # residual of converged elements that needs no second solver: rounding is below
_BENDS = 3  # order of an equation up to which elements go first
_TRIAL_WIDTH = 512
_PREFER = 0.97  # how much better windows must be at the same points
_RADIAL = 100_000  # scattered points up to which radial units compete, which take seconds then,
_FINE = 1e-6  # where networks leave more than this
_BETTER = 0.9  # and radial units less than so much of it
_ALIKE = 3.0  # ratio of errors up to which windows and radial units share a target
_POOR = 0.2  # a direct solve that leaves this share of the target gives way to training


@dataclasses.dataclass(frozen=True)
class Decision:
    """The solver to run, full sentences that say why, and the errors that decided.

    `finish`: the rest of that solver's work, where the trials did the first part of it.
    """

    solver: Solver
    reasons: tuple[str, ...]
    numbers: dict[str, Any] = dataclasses.field(default_factory=dict)
    finish: Callable[[Problem], Solution] | None = None


def choose_solver(problem: Problem, network: Any, key: PRNGKeyArray) -> Decision:
    """Decide by the problem's kind, and between direct solvers of data by trials."""
    if network is not None:
        return _for_network(network)
    if is_regression(problem):
        require_regression(problem, "solve")
        return _by_trial(problem, key)
    if problem.unknowns is None:
        return _for_equation(problem, key)
    if any(term.values is not None for term in problem.terms.values()):
        return Decision(GaussNewton(), ("The problem has unknowns and data: Gauss–Newton.",))
    return Decision(Gradient(), ("The problem has unknowns: training by gradient descent.",))


def _for_network(network: Any) -> Decision:
    if isinstance(network, MLP) and not network.hidden:
        why = "The given network is linear in its read-out: least squares."
        return Decision(LeastSquares(), (why,))
    return Decision(Gradient(), ("The given network has hidden layers: gradient descent.",))


def _for_equation(problem: Problem, key: PRNGKeyArray) -> Decision:
    with jax.enable_x64(True):
        check_problem(problem)
    tied = cut_at_will(problem)
    if tied is not None:
        return _along_one_axis(tied, key)
    space_time = evolves(problem)
    if space_time is not None:
        return _in_space_and_time(space_time, key)
    return _by_layers(problem, key)


def _by_layers(problem: Problem, key: PRNGKeyArray) -> Decision:
    """One layer over the whole domain, or one per slab of time."""
    error = too_sharp(problem, key)
    if error is None:
        why = "A differential equation: solved directly for the read-out."
        return Decision(LeastSquares(), (why,))
    why = f"A nonlinear evolution that one layer leaves with a residual of {error:.1e}: marched."
    return Decision(Slabs(), (why,), {"trial": error})


def _in_space_and_time(problem: SpaceTime, key: PRNGKeyArray) -> Decision:
    """Elements; layers where they leave more than rounding, and the better of the two."""
    why = "An evolution along one axis of space: slab by slab of time, element by element."
    elements = solve_space_time(SpaceTimeElements(), problem, key)
    residuals = {"elements": _left(elements)}
    ended = elements.plan.numbers["reached"] < 1.0 and not problem.linear  # no layer goes beyond
    if ended or _solves(elements):
        finish = partial(_as_found, elements)
        return Decision(SpaceTimeElements(), (why,), {"tried_solvers": residuals}, finish)
    others = _by_layers(problem.problem, key)
    layers = others.solver.run(problem.problem, key=key)
    residuals["layers"] = _left(layers)
    words = f" Residuals: {_listed(residuals)}."
    numbers = {**others.numbers, "tried_solvers": residuals}
    if _best({"elements": elements, "layers": layers}) == "elements":
        finish = partial(_as_found, elements)
        return Decision(SpaceTimeElements(), (why + words,), numbers, finish)
    reasons = (others.reasons[0] + words, *others.reasons[1:])
    return Decision(others.solver, reasons, numbers, partial(_as_found, layers))


def _along_one_axis(tied: Tied, key: PRNGKeyArray) -> Decision:
    """Elements; one layer where they leave more than rounding, and the better of the two."""
    solvers: dict[str, Solver] = {"elements": Elements(), "one layer": LeastSquares()}
    run = {
        "elements": partial(solve_tied, Elements(), tied, key),
        "one layer": partial(LeastSquares().run, tied.problem, key=key),
    }
    if max(tied.orders) > _BENDS:  # many elements lose digits to high derivatives
        run = dict(reversed(run.items()))
    solutions: dict[str, Solution] = {}
    for name, solved in run.items():
        solutions[name] = solved()
        if _solves(solutions[name]):
            break
        if solutions[name].plan.numbers.get("reached", 1.0) < 1.0:  # no layer goes beyond, either
            break
    best = _best(solutions)
    residuals = {name: _left(solution) for name, solution in solutions.items()}
    why = "A differential equation along one axis: solved directly, element by element."
    if best == "one layer":
        why = "A differential equation: solved directly for the read-out."
    if len(residuals) > 1:
        why += f" Residuals: {_listed(residuals)}."
    finish = partial(_as_found, solutions[best])
    return Decision(solvers[best], (why,), {"tried_solvers": residuals}, finish)


def _solves(solution: Solution) -> bool:
    """Whether rounding is all that a solution leaves."""
    return _left(solution) < _SOLVED and solution.result is RESULTS.successful


def _best(solutions: dict[str, Solution]) -> str:
    failed = {name: found.result is not RESULTS.successful for name, found in solutions.items()}
    return min(solutions, key=lambda name: (failed[name], _left(solutions[name])))


def _listed(residuals: dict[str, float]) -> str:
    return ", ".join(f"{name} {residual:.1e}" for name, residual in residuals.items())


def _left(solution: Solution) -> float:
    return float(solution.plan.numbers["residual"])


def _as_found(solution: Solution, problem: Problem) -> Solution:
    del problem
    return solution


@dataclasses.dataclass(frozen=True)
class _Trial:
    """What trials of networks decided, and what is to be expected of every target.

    - `decision`: the best of the networks; `errors`: of every target with it.
    - `windows`: their trial, where there was one; `by_windows`: whether they alone are the best.
    - `layer`: the one layer, where that is the best.
    """

    decision: Decision
    errors: Float[np.ndarray, " out"]
    windows: Choice | None
    layer: Pilot | None = None
    by_windows: bool = False


def _by_trial(problem: Problem, key: PRNGKeyArray) -> Decision:
    target = Target.of(problem)
    trial = _of_networks(problem, target, key)
    points, dim = target.data.x.shape
    scattered = dim + 2 < points <= _RADIAL and dim > 1 and target.data.grid is None
    if not scattered or typical(trial.errors, ROUND_OFF) < _FINE:
        return trial.decision
    with jax.enable_x64(True), one_blas_thread():
        fit = fit_radial(target.data.x, target.data.y, None, jax.random.fold_in(key, 3))
    errors = fit.errors
    if trial.windows is not None:
        errors = seen_by_windows(trial.windows, target.data.x, fit.missed)
    if trial.layer is not None:
        return _together(trial, errors, Together.of_layer(target, trial.layer, fit))
    ratio = typical(errors, ROUND_OFF) / typical(trial.errors, ROUND_OFF)
    if trial.windows is not None and trial.by_windows and 1.0 / _ALIKE < ratio < _ALIKE:
        return _together(trial, errors, Together.of_windows(target, trial.windows, fit))
    tried = {**trial.decision.numbers["trials"], "radial": typical(errors, ROUND_OFF)}
    enough = _BETTER * typical(trial.errors, ROUND_OFF)
    if isinstance(trial.decision.solver, Gradient):
        enough = min(enough, _POOR)
    if typical(errors, ROUND_OFF) < enough:
        finish = partial(with_radial, fit)
        return Decision(Radial(), (_words(tried),), {"trials": tried}, finish)
    reasons = (_words(tried), *trial.decision.reasons[1:])
    return dataclasses.replace(trial.decision, reasons=reasons, numbers={"trials": tried})


def _of_networks(problem: Problem, target: Target, key: PRNGKeyArray) -> _Trial:
    windows_key, layer_key, rows_key = jax.random.split(key, 3)
    points, dim = target.data.x.shape
    errors: dict[str, float] = {}
    windows, rival = None, None
    if dim <= _WINDOWS_DIM and points >= _FEW:
        windows = try_windows(target, windows_key)
        errors["windows"] = typical(windows.errors, ROUND_OFF)
        rival = windows.errors
        if windows.error < _EXACT:
            return _Trial(_windowed(target, windows, errors), rival, windows, by_windows=True)
    dense = LeastSquares(min(_TRIAL_WIDTH, default_width(target.band, points)))
    with jax.enable_x64(True):
        pilot = choose_features(dense, problem, None, layer_key, rival=rival, band=target.band)
    of_one_layer = pilot.errors
    errors["least_squares"] = typical(of_one_layer, ROUND_OFF)
    if windows is not None:
        if clearly_worse(pilot.errors, windows.errors):  # also at the same points
            decision = _windowed(target, windows, errors)
            return _Trial(decision, windows.errors, windows, by_windows=True)
        found = global_errors(target, windows, pilot, rows_key)
        of_one_layer = np.maximum(found, pilot.between)
        errors["least_squares"] = typical(of_one_layer, ROUND_OFF)
        if worth_apart(windows.errors, of_one_layer):
            second = of_one_layer < windows.errors
            apart_key = jax.random.fold_in(rows_key, 1)
            apart = _apart(Windows(), dense, second, errors, apart_key)
            return _Trial(apart, np.minimum(of_one_layer, windows.errors), windows)
        if errors["windows"] < _PREFER * errors["least_squares"]:
            decision = _windowed(target, windows, errors)
            return _Trial(decision, windows.errors, windows, by_windows=True)
    if min(errors.values()) > _POOR and points >= 1000 and dim > 1:
        deep = sized_gradient(problem)
        why = "Both direct solves leave too much, so a deep network is trained."
        trained = Decision(deep, (_words(errors), why), {"trials": errors})
        return _Trial(trained, of_one_layer, windows)
    finish = partial(solve_with, pilot)
    decision = Decision(dense, (_words(errors),), {"trials": errors}, finish)
    return _Trial(decision, of_one_layer, windows, pilot)


def _together(trial: _Trial, radial: Float[np.ndarray, " out"], both: Together) -> Decision:
    """Networks, radial units, or both; `radial`: the latter's errors."""
    tried = trial.decision.numbers["trials"]
    tried = {**tried, "radial": typical(radial, ROUND_OFF)}
    reasons, numbers = (_words(tried), *trial.decision.reasons[1:]), {"trials": tried}
    if not both.shares.any():
        return dataclasses.replace(
            trial.decision, reasons=reasons, numbers=numbers, finish=both.finish
        )
    if np.all(both.shares == 1.0):
        return Decision(Radial(), reasons[:1], numbers, partial(with_radial, both.radial))
    return dataclasses.replace(
        trial.decision, reasons=reasons[:1], numbers=numbers, finish=both.finish
    )


def _windowed(target: Target, choice: Choice, errors: dict[str, float]) -> Decision:
    finish = partial(fit_chosen, target, choice)
    solver = Windows(choice.cut.per_window)
    return Decision(solver, (_words(errors),), {"trials": errors}, finish)


def _apart(
    windows: Windows,
    dense: LeastSquares,
    second: Bool[np.ndarray, " out"],
    errors: dict[str, float],
    key: PRNGKeyArray,
) -> Decision:
    """Each target by its better solver; the better one for all where that can't be."""
    finish = partial(fit_apart, solvers=(windows, dense), second=second, key=key)
    best = windows if errors["windows"] < errors["least_squares"] else dense
    why = "Targets differ in which solver fits them best, and each is fitted by its own."
    return Decision(best, (_words(errors), why), {"trials": errors}, finish)


def _words(errors: dict[str, float]) -> str:
    listed = ", ".join(f"{name.replace('_', ' ')} {error:.1e}" for name, error in errors.items())
    return f"Relative error in trials on points held out: {listed}."
