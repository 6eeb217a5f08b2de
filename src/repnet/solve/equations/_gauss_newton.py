"""Gauss–Newton for inverse problems: unknowns and network found together."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np
import optax
from jaxtyping import PRNGKeyArray

from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._gradient import Gradient
from repnet.solve._progress import AbstractProgress
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve.equations._blocks import is_data
from repnet.solve.equations._check import check_problem
from repnet.solve.equations._direct import check_linear
from repnet.solve.equations._element_data import FromData, cut_for_data, fit_to_data
from repnet.solve.equations._intervals import intervals
from repnet.solve.equations._inverse import Found, relative, solve_inverse
from repnet.solve.equations._judge import judge
from repnet.solve.equations._layers import scale_of
from repnet.solve.equations._marched import march_to_data, needs_marching
from repnet.solve.equations._piecewise import Tied
from repnet.solve.equations._points import draw_points
from repnet.solve.equations._rows import Frame

_STALLED = 0.3  # a misfit of the data above this share of them is no solution
_NOISY = 0.9  # but where what is left is as random as noise
_UNMET = 0.05  # nor is a residual of an equation above this share of its terms
_ROUNDING = 1e-6  # a misfit below this falls no further but by chance
_JUDGES = 100  # units' worth of fresh points that judge the equations
_DISAGREE = (
    "The equation and the data don't agree for any unknowns that were tried: give a first guess "
    "within a factor of 3, or check the equation."
)

_NO_NOISE = (
    "What the data miss goes on from point to point, as noise does not: the equation may lack "
    "something, or better unknowns lie farther from the first guess."
)


class GaussNewton(eqx.Module):
    r"""Unknowns and a network from an equation and data, by Gauss–Newton.

    $$\min_\theta \min_c \; w^2 |r_{equation}(c, \theta)|^2 + |r_{data}(c, \theta)|^2$$

    The network is one layer of sines; for given unknowns $\theta$ its read-out $c$ follows from
    least squares, so that only the unknowns are iterated (variable projection). Equations and
    conditions hold exactly and get a large weight $w$; data may be noisy. One or a few unknown
    numbers are first looked for between a third and three times their guess, since the misfit has
    many minima. A term counts as data where it has `values`. Unknown functions are layers whose
    frequencies are chosen by data that are held out.

    Unknown numbers of equations along one axis are found with a solution by elements, as `Elements`
    has them: it starts near the data and becomes a solution of the equations on the way. Every
    output counts by its own size. One layer is tried where that does not settle, and for linear
    equations where what the data miss is not as random as noise.

    Where the problem without its data is a nonlinear evolution that one layer can't hold, it is
    solved by `Slabs` for given unknowns, and Gauss–Newton iterates on those solutions.

    Unless a network is given, the plan's numbers hold 95 % `intervals` of the unknown numbers by
    name, from the Gauss–Newton Hessian and the noise that the data show.

    **Arguments:**

    - `units`: of the layer; chosen from the frequencies, and grown while it helps, if left out.
    - `steps`: at most so many.

    **Raises:** `ValueError` naming the argument at fault and, in `run`, where the problem has no
    unknowns or no data.

    **Source:** Golub and Pereyra 1973; Kaufman 1975; Marquardt 1963; for elements, Ramsay, Hooker,
    Campbell and Cao 2007.

    >>> import jax.numpy as jnp
    >>> from repnet.problem import Box, Term, observed, partial
    >>> x = np.linspace(0.0, 1.0, 40)
    >>> decay = Term(lambda u, x, unknowns: partial(u, 0)(x) + unknowns["rate"] * u(x))
    >>> data = observed(x, np.exp(-3.0 * x))
    >>> problem = Problem(Box(0.0, 1.0), {"decay": decay, "data": data}, {"rate": 2.0})
    >>> solution = GaussNewton().run(problem, key=jax.random.key(0))
    >>> round(solution.unknowns["rate"], 6)
    3.0
    """

    units: int | None = eqx.field(static=True, default=None)
    steps: int = eqx.field(static=True, default=40)

    def __check_init__(self) -> None:
        for name, value in (("units", self.units), ("steps", self.steps)):
            if value is not None and (isinstance(value, bool) or value < 1):
                raise ValueError(f"`GaussNewton({name}=...)` must be at least 1; got {value}.")

    def run(
        self,
        problem: Problem,
        network: Any = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Find the unknowns of a problem.

        **Arguments:** `network`: any network, whose parameters are then all iterated together with
        the unknowns, by Levenberg–Marquardt; a layer is chosen if it is left out.

        **Returns:** a `Solution` whose `unknowns` are floats, arrays and, for functions, networks.
        """
        _require(problem)
        if network is not None:
            # One step of no length goes before: Gauss–Newton is what ends a training.
            still = Gradient(1, optimiser=optax.set_to_zero(), finish=self.steps)
            return still.run(problem, network, key=key, progress=progress)
        with Clock() as clock, jax.enable_x64(True):
            check_problem(problem)
            found = self._found(problem, key)
        return Solution(
            found.network,
            jax.tree.map(_plain, found.unknowns, is_leaf=_is_network),
            RESULTS.successful if found.solved else RESULTS.stalled,
            {},
            found.plan,
            clock.seconds,
            clock.compile_seconds,
            found.steps,
        )

    def _found(self, problem: Problem, key: PRNGKeyArray) -> "_Answer":
        if self.units is not None:
            return _reduced(self, problem, key)
        tied = cut_for_data(problem)
        if tied is not None:
            return _along_one_axis(self, tied, key)
        if needs_marching(problem, key):
            return _marched(self, problem, key)
        return _reduced(self, problem, key)


class _Answer(NamedTuple):
    """A field, unknowns, and how they were found."""

    network: Callable
    unknowns: Any
    plan: Plan
    steps: int
    solved: bool

    @property
    def misfit(self) -> float:
        """Of the data, relative to their size."""
        return self.plan.numbers["misfit"]

    @property
    def equations(self) -> float:
        """The largest residual of an equation, relative to its terms."""
        return self.plan.numbers["equations"]


def _agree(misfit: float, equations: float, most: float = _STALLED) -> bool:
    """Whether data and equations are both met, data but for so much of their size."""
    return misfit < most and equations < _UNMET


def _along_one_axis(wishes: GaussNewton, tied: Tied, key: PRNGKeyArray) -> _Answer:
    """Elements; one layer as well where it may find more, and the better of the two.

    That is where elements don't end in a solution, or, since one layer looks for unknowns all
    around their guess where equations are linear, where what the data miss is no noise.
    """
    problem = tied.problem
    found = fit_to_data(tied, key, wishes.steps)
    elements = _by_elements(problem, found)
    linear = check_linear(problem, Frame.of(problem), key)
    if found.explains or (found.solves and not linear):
        return elements
    layer = _reduced(wishes, problem, key)
    exact = layer.equations < found.equations or not found.solves
    better = layer.solved and (not elements.solved or (exact and layer.misfit < elements.misfit))
    return layer if better else elements


def _by_elements(problem: Problem, found: FromData) -> _Answer:
    """Elements and unknowns found together."""
    lengths = np.diff(found.piecewise.edges)
    numbers = {
        "misfit": found.misfit,
        "equations": found.equations,
        "residuals": found.errors,
        "intervals": found.intervals(),
        "elements": found.piecewise.count,
    }
    reasons = [
        f"An equation along one axis: {found.piecewise.count} elements, {lengths.min():.2g} to "
        f"{lengths.max():.2g} long, and the unknowns together, from a function near the data on.",
        f"Misfit of the data: {found.misfit:.1e} of their size; of the equations at points that "
        f"were not fitted: {found.equations:.1e} of theirs.",
    ]
    agree = _agree(found.misfit, found.equations, _NOISY if found.explains else _STALLED)
    if not found.solves:
        reasons.append("The last steps did not settle: a nearer first guess may help.")
    elif not found.explains:
        reasons.append(_NO_NOISE)
    if not agree:
        reasons.append(_DISAGREE)
    units = found.piecewise.basis.mix.shape[0] - 1
    network = f"{found.piecewise.count} elements of {units} sine units"
    solver = f"GaussNewton on elements, {found.steps} steps"
    plan = Plan(network, solver, None, tuple(reasons), numbers)
    field = problem.field(found.piecewise.network())
    return _Answer(field, found.piecewise.unknowns, plan, found.steps, agree and found.solves)


def _reduced(wishes: GaussNewton, problem: Problem, key: PRNGKeyArray) -> _Answer:
    """One layer for the whole domain, its read-out eliminated."""
    found = solve_inverse(problem, key, units=wishes.units, steps=wishes.steps)
    ends = intervals(found.reduced, found.state)
    held = draw_points(problem, _JUDGES, key)
    errors = judge(problem, found.reduced.frame, found.state.network, held, found.state.tree)
    network = found.reduced.frame.field(found.state.network)
    plan = _plan(problem, found, errors, ends)
    solved = _agree(plan.numbers["misfit"], plan.numbers["equations"])
    return _Answer(network, found.state.tree, plan, found.steps, solved)


def _marched(wishes: GaussNewton, problem: Problem, key: PRNGKeyArray) -> _Answer:
    """Solutions that are marched for given unknowns."""
    found = march_to_data(problem, key, wishes.steps)
    residual = max(slab.error for slab in found.run.slabs)
    numbers = {
        "misfit": found.misfit,
        "equations": residual,
        "residuals": found.errors,
        "intervals": found.intervals(),
        "marches": found.marches,
    }
    reasons = [
        "A nonlinear evolution that one layer can't hold: solved for given unknowns slab by slab "
        f"of time, {found.marches} times.",
        f"Misfit of the data: {found.misfit:.1e} of their size; of the equations at points that "
        f"were not fitted: {residual:.1e} of theirs.",
    ]
    solved = _agree(found.misfit, residual)
    if not solved:
        reasons.append(_DISAGREE)
    count, units = len(found.run.slabs), found.run.units
    network = f"{count} slabs of {units} units"
    plan = Plan(network, "GaussNewton on marches in time", None, tuple(reasons), numbers)
    return _Answer(problem.field(found.network), found.unknowns, plan, found.marches, solved)


def _require(problem: Problem) -> None:
    if problem.unknowns is None:
        raise ValueError("`GaussNewton` finds `unknowns`; the problem has none: leave it out.")
    if not any(is_data(term) for term in problem.terms.values()):
        raise ValueError(
            "`GaussNewton` needs data: a term with `values`, such as `observed(x, y)`; "
            f"got the terms {sorted(problem.terms)}."
        )


def _is_network(leaf: Any) -> bool:
    return not eqx.is_array(leaf) and callable(leaf)


def _plain(leaf: Any) -> Any:
    """Numbers as floats, arrays as NumPy's, networks as they are."""
    if not eqx.is_array(leaf):
        return leaf
    return float(leaf) if leaf.ndim == 0 else np.asarray(leaf)


def _plan(problem: Problem, found: Found, errors: dict[str, float], ends: dict[str, Any]) -> Plan:
    waves = ", ".join(f"{w / np.pi:.3g}" for w in found.omega)
    misfit = relative(found)
    unmet = max((e for name, e in errors.items() if not is_data(problem.terms[name])), default=0.0)
    numbers = {"misfit": misfit, "equations": unmet, "residuals": errors, "intervals": ends}
    numbers |= found.tried
    reasons = [
        f"Frequencies up to {waves} half waves per half-width of the domain's axes: those of the "
        "data, the sources and the conditions.",
        f"Misfit of the data: {misfit:.1e} of their size; of the equations at fresh points: "
        f"{unmet:.1e} of theirs.",
    ]
    if "scan" in found.tried:
        count = len(found.tried["scan"]["misfits"])
        reasons.append(f"The unknowns started from the best of {count} values on a grid.")
    if not _agree(misfit, unmet):
        reasons.append(_DISAGREE)
    if not found.converged and misfit > _ROUNDING:
        reasons.append(
            f"The misfit still fell when {found.steps} steps were over: more of them, or a nearer "
            "first guess, may find better unknowns."
        )
    scale = tuple(float(s) for s in scale_of("sine", found.omega))
    solver = f"GaussNewton, {found.steps} steps after the first guess"
    return Plan(f"one layer of {found.units} sine units", solver, scale, tuple(reasons), numbers)
