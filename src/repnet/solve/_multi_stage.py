"""Training in stages: every network is fitted to what the sum of those before it leaves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.random as jr
import numpy as np
from jaxtyping import PRNGKeyArray

from repnet.nn._check import check_count
from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._fresh import Fresh, FreshData, fresh
from repnet.solve._least_squares import LeastSquares
from repnet.solve._progress import AbstractProgress
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._stage import Stage, StageSolver, correct, stage
from repnet.solve.equations._equation import EXACT, STALLED

_GOING = 0.9  # a stage that leaves more than this share of the residual is the last
_GROW = 2  # units: what remains oscillates as fast as those before can follow
_RIDGE = 1e-9  # in one dimension: large read-outs leave rounding that no stage can remove
_LEAST = 1e-15  # a relative residual that is all rounding


@dataclass(frozen=True)
class MultiStage:
    r"""A sum of networks, each fitted to what those before leave: $u = \sum_k \varepsilon_k u_k$.

    The first stage solves the problem. Every later one solves for the correction $v$ in
    $u_0 + \varepsilon v$, where the residual, divided by its size $\varepsilon$, is of order 1
    again: for data $y - u_0(x)$, for an equation $r(u_0 + \varepsilon v)/\varepsilon$ in all
    terms. Its slope scale and its units are chosen anew, from the spectrum of that residual and by
    small fits; so are the features drawn. `LeastSquares` with a `width` has twice as many units in
    each stage, and on equations in one dimension a ridge of 1e-9 if none is given: no stage needs
    all digits there, and small read-outs round less. Without a `width` the first stage has all the
    units that it needs and keeps its digits. The sum of stages with the least residual at
    fresh points is returned; a stage that hardly lowers it ends the solve. The sum is evaluated in
    float64, whatever its networks were trained in.

    Equations that are affine in the solution are corrected exactly. Nonlinear ones are corrected
    about the sum so far, which `LeastSquares` does by Newton's method.

    **Arguments:**

    - `solver`: of the first stage, `LeastSquares(...)` or `Gradient(...)`.
    - `later`: of the stages after it; `None` is the same again.
    - `stages`: the most that are tried.
    - `target`: relative residual at fresh points at which to end; a solve that doesn't reach it is
      `stalled`. `None` asks for none.
    - `hold_out`: share of a regression's rows that judge the stages and are not fitted.

    **Raises:** `ValueError` naming the argument at fault, and, in `run`, for problems with unknowns
    and for operators.

    **Source:** Wang and Lai 2024, "Multi-stage neural networks: function approximator of machine
    precision"; the scale by small fits, the judge and least squares: this project.

    >>> import numpy as np
    >>> from repnet import regression, solve
    >>> x = np.linspace(-1.0, 1.0, 801)
    >>> solver = MultiStage(LeastSquares(96, activation=jax.numpy.tanh))
    >>> solution = solve(regression(x, np.sin(20.0 * x)), solver=solver, key=jr.key(0))
    >>> len(solution.history["residual"]) > 1
    True
    """

    solver: Any = field(default_factory=LeastSquares)
    later: Any = None
    stages: int = 3
    target: float | None = None
    hold_out: float = 0.1

    def __post_init__(self) -> None:
        for name, solver in (("solver", self.solver), ("later", self.later)):
            if not (isinstance(solver, StageSolver) or (name == "later" and solver is None)):
                raise ValueError(
                    f"`MultiStage({name}=...)` must be `LeastSquares(...)` or `Gradient(...)`; "
                    f"got {solver if isinstance(solver, type) else type(solver).__name__}."
                )
        check_count("MultiStage", "stages", self.stages)
        if self.target is not None and not (math.isfinite(self.target) and self.target > 0):
            raise ValueError(
                f"`MultiStage(target=...)` must be finite and positive; got {self.target}."
            )
        if not 0.0 < self.hold_out < 1.0:
            raise ValueError(f"`MultiStage(hold_out=...)` must lie in (0, 1); got {self.hold_out}.")

    def run(
        self,
        problem: Problem,
        network: Any = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Solve in stages.

        Ctrl-C ends the solve with the best sum until then, after the first stage at the earliest
        where that is a direct solve.

        **Arguments:** `network`: of the first stage; the later ones have the default ones of their
        solver.
        """
        _require(problem)
        fresh_key, first_key, *keys = jr.split(key, self.stages + 1)
        with Clock() as clock:
            with jax.enable_x64(True):
                judge = fresh(problem, self.hold_out, fresh_key)
            solver = self._solver(0, judge)
            first = solver.run(judge.fitted, network, key=first_key, progress=progress)
            with jax.enable_x64(True):
                tried = [stage(judge, None, first, 1.0)]
            stopped = self._refine(judge, tried, keys, progress)
            with jax.enable_x64(True):
                best = min(tried, key=lambda each: each.residual)
                field = problem.field(judge.wrap(best.sum))
        return Solution(
            field,
            None,
            RESULTS.interrupted if stopped else self._result(judge, tried[0], best),
            history_of(tried),
            _plan(tried, best, judge),
            clock.seconds,
            clock.compile_seconds,
            sum(each.solution.steps for each in tried),
            first.initial,
        )

    def _refine(
        self,
        judge: Fresh,
        tried: list[Stage],
        keys: Sequence[PRNGKeyArray],
        progress: AbstractProgress | None,
    ) -> bool:
        """Append stages while they help; whether Ctrl-C ended that."""
        for number, key in enumerate(keys, 1):
            last = tried[-1]
            if last.solution.result is RESULTS.interrupted:
                return True
            if not (self.target or _LEAST) < last.residual < math.inf:
                return False
            try:
                tried.append(correct(self._solver(number, judge), judge, last, key, progress))
            except KeyboardInterrupt:
                return True
            if tried[-1].residual > _GOING * last.residual:
                break
        return tried[-1].solution.result is RESULTS.interrupted

    def _solver(self, number: int, judge: Fresh) -> StageSolver:
        """The solver of a stage: more units where those of the first are given, a mild ridge."""
        solver = self.solver if number == 0 or self.later is None else self.later
        if not isinstance(solver, LeastSquares):
            return solver
        width, scale, ridge = solver.width, solver.scale, solver.ridge
        if number > 0 and self.later is None:
            width, scale = None if width is None else width * _GROW**number, None
        if ridge is None and width is not None and _equation_in_1d(judge):
            ridge = _RIDGE
        return LeastSquares(
            width,
            activation=solver.activation,
            scale=None if scale is None else np.asarray(scale),
            directions=solver.directions,
            ridge=ridge,
        )

    def _result(self, judge: Fresh, first: Stage, best: Stage) -> RESULTS:
        if first.solution.result is RESULTS.nonfinite:
            return RESULTS.nonfinite
        limit = EXACT if first.solution.result is RESULTS.stalled else STALLED
        if self.target is not None:
            limit = self.target
        elif isinstance(judge, FreshData):
            limit = math.inf
        return RESULTS.successful if best.residual <= limit else RESULTS.stalled


def _equation_in_1d(judge: Fresh) -> bool:
    return not isinstance(judge, FreshData) and judge.fitted.dim == 1


def _require(problem: Problem) -> None:
    if problem.unknowns is not None:
        raise ValueError("`MultiStage` takes problems without `unknowns`; leave `solver` out.")
    if any(hasattr(term.residual, "solver") for term in problem.terms.values()):
        raise ValueError("`MultiStage` takes data and equations, no operators; leave `solver` out.")


def history_of(tried: Sequence[Stage]) -> dict[str, np.ndarray]:
    r"""The residual of the sum after every stage, and the losses of trainings one after the other.

    A later stage's loss is that of its normalized problem times the square of the normalization,
    so that all are in the units of the first.
    """
    history = {
        "stage": np.arange(1, len(tried) + 1),
        "residual": np.array([each.residual for each in tried]),
    }
    trained = [each for each in tried if "loss" in each.solution.history]
    if trained:
        starts = np.cumsum([0, *(each.solution.steps for each in trained)])
        records = [(each.solution.history, _unit(each) / _unit(trained[0])) for each in trained]
        steps = [each["step"] + start for (each, _), start in zip(records, starts, strict=False)]
        history["step"] = np.concatenate(steps)
        history["loss"] = np.concatenate([each["loss"] * unit**2 for each, unit in records])
    return history


def _unit(each: Stage) -> float:
    """What a stage's outputs are multiplied by, and so its residuals, where these are affine."""
    return float(np.sqrt(np.mean(np.square(each.part.spread))))


def _plan(tried: Sequence[Stage], best: Stage, judge: Fresh) -> Plan:
    """What every stage was and did, in words and numbers."""
    kept = len(best.sum.parts)
    rows, before = [], None
    for number, each in enumerate(tried, 1):
        plan = each.solution.plan
        rows.append(
            {
                "network": plan.network,
                "solver": plan.solver,
                "scale": plan.scale,
                "factor": _unit(each),
                "before": before,
                "after": each.residual,
                "kept": number <= kept,
            }
        )
        before = each.residual
    where = "rows held out" if isinstance(judge, FreshData) else "points that were not fitted"
    first = tried[0].solution.plan
    left = {"residual": best.residual, "residuals": best.errors, "stages": rows}
    network = first.network if kept == 1 else f"a sum of {kept} networks, first {first.network}"
    return Plan(
        network,
        f"MultiStage, {first.solver}",
        first.scale,
        tuple(_words(number, row, where) for number, row in enumerate(rows, 1)),
        {**first.numbers, **left},
    )


def _words(number: int, row: dict[str, Any], where: str) -> str:
    scale = "" if row["scale"] is None else f", scale {', '.join(f'{s:.3g}' for s in row['scale'])}"
    fell = "" if row["before"] is None else f"from {row['before']:.1e} to "
    left = "" if row["kept"] else " and is left out"
    return (
        f"Stage {number}, {row['network']}{scale}: relative residual at {where} "
        f"{fell}{row['after']:.1e}{left}."
    )
