"""Numbers in a nonlinear evolution from data: Gauss–Newton on solutions that are marched."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.nn import Slabbed
from repnet.problem import Problem, Term
from repnet.solve.equations._blocks import is_data
from repnet.solve.equations._evolution import Evolution, evolution_of
from repnet.solve.equations._intervals import by_name, deviations
from repnet.solve.equations._slabs import March, Slabs, march_again, march_through, too_sharp
from repnet.solve.equations._terms import residuals
from repnet.solve.equations._unknowns import numbers, with_numbers

_COARSE = Slabs(units=300, tolerance=1e-3)  # of the first marches, and of the derivatives
_DIFFERENCES = (1e-2, 1e-1)  # of an unknown, relative, for its derivative
_FARTHEST = 0.5  # an unknown changes by at most this share in one step
_DAMPING = 1e-4  # where a step didn't help, relative to the unknown that the data tell most of
_MOST_DAMPING = 1e2
_NEAR = 1e-2  # a relative change of the unknowns that ends the coarse steps
_SETTLED = 1e-4  # and one that ends the fine ones
_UNCERTAIN = 0.2  # steps below this share of the standard deviation end either
_FINE_STEPS = 4


@dataclasses.dataclass
class Marched:
    """Unknowns found by marching.

    - `residual`: of the data, over their root mean square; `slopes`: its derivatives by the
      unknowns' numbers; `marches`: how many there were.
    - `errors`: relative residual of every term: of conditions and equations the largest of any
      slab, of data the root mean square.
    """

    unknowns: Any
    run: March
    residual: Float[np.ndarray, " data"]
    slopes: Float[np.ndarray, "data unknowns"]
    marches: int
    errors: dict[str, float]

    @property
    def network(self) -> Slabbed:
        """The solution for these unknowns."""
        return self.run.network

    @property
    def misfit(self) -> float:
        """Root mean square of the data's residuals, relative to that of the data."""
        return float(np.sqrt(np.mean(np.square(self.residual))))

    def intervals(self) -> dict[str, list[Any]]:
        r"""95 % intervals by name, from $s^2 (J^\top J)^{-1}$ with $s^2 = |r|^2/(n - p)$.

        Empty where no march came to its end.
        """
        if not (np.isfinite(self.residual).all() and np.isfinite(self.slopes).all()):
            return {}
        return by_name(self.unknowns, *_deviations(self.residual, self.slopes))


def needs_marching(problem: Problem, key: PRNGKeyArray) -> bool:
    """Whether the problem without its data is a nonlinear evolution that one layer can't hold."""
    return too_sharp(_forward(problem), key) is not None


def march_to_data(problem: Problem, key: PRNGKeyArray, steps: int) -> Marched:
    """Levenberg–Marquardt with derivatives by differences, kept up to date by Broyden's rule.

    First with coarse marches until the unknowns change little, then with fine ones.

    **Source:** Levenberg 1944; Broyden 1965; the least damping: this project.
    """
    search = _Search(evolution_of(_forward(problem)), _data(problem), key)
    row = numbers(search.evolution.unknowns)
    slopes = search.slopes(row, _COARSE)
    row, _ = search.descend(row, slopes, _COARSE, steps, _NEAR)
    slopes = search.slopes(row, _COARSE)
    fine = Slabs()
    row, slopes = search.descend(row, slopes, fine, _FINE_STEPS, _SETTLED)
    run, residual = search.at(row, fine)
    unknowns = with_numbers(search.evolution.unknowns, row)
    errors = _largest(run) | _sizes_by_term(search.data, residual)
    return Marched(unknowns, run, residual, slopes, len(search.known) + search.again, errors)


def _largest(run: March) -> dict[str, float]:
    found: dict[str, float] = {}
    for slab in run.slabs:
        for name, error in slab.errors.items():
            found[name] = max(found.get(name, 0.0), float(error))
    return found


def _sizes_by_term(data: dict[str, Term], residual: Float[np.ndarray, " data"]) -> dict[str, float]:
    ends = np.cumsum([np.asarray(term.values).size for term in data.values()])
    parts = np.split(residual, ends[:-1])
    sizes = [float(np.sqrt(np.mean(np.square(part)))) for part in parts]
    return dict(zip(data, sizes, strict=True))


def _data(problem: Problem) -> dict[str, Term]:
    return {name: term for name, term in problem.terms.items() if is_data(term)}


def _forward(problem: Problem) -> Problem:
    terms = {name: term for name, term in problem.terms.items() if not is_data(term)}
    return dataclasses.replace(problem, terms=terms)


@dataclasses.dataclass
class _Search:
    """Marches at several values of the unknowns and derivatives there, each remembered."""

    evolution: Evolution
    data: dict[str, Term]
    key: PRNGKeyArray
    known: dict[tuple, tuple[March, np.ndarray]] = dataclasses.field(default_factory=dict)
    derived: dict[tuple, np.ndarray] = dataclasses.field(default_factory=dict)
    again: int = 0

    def at(
        self, row: Float[np.ndarray, " unknowns"], wishes: Slabs
    ) -> tuple[March, Float[np.ndarray, " data"]]:
        """The march with these unknowns and the data's residuals; infinite where it failed."""
        name = (wishes, *map(float, row))
        if name not in self.known:
            self.known[name] = self._march(row, wishes)
        return self.known[name]

    def _march(self, row: np.ndarray, wishes: Slabs) -> tuple[March, np.ndarray]:
        run = march_through(wishes, self._evolution(row), self.key)
        return run, self._residuals(run, row)

    def _evolution(self, row: np.ndarray) -> Evolution:
        unknowns = with_numbers(self.evolution.unknowns, row)
        return dataclasses.replace(self.evolution, unknowns=unknowns)

    def _residuals(self, run: March, row: np.ndarray) -> np.ndarray:
        if not run.finished:
            return np.full(sum(np.asarray(term.values).size for term in self.data.values()), np.inf)
        unknowns = with_numbers(self.evolution.unknowns, row)
        return np.concatenate([_residual(run, term, unknowns) for term in self.data.values()])

    def slopes(
        self, row: Float[np.ndarray, " unknowns"], wishes: Slabs
    ) -> Float[np.ndarray, "data unknowns"]:
        """Derivatives of the residuals, by a march in the same slabs for every unknown."""
        name = (wishes, *map(float, row))
        if name not in self.derived:
            columns = [self._slope(row, place, wishes) for place in range(len(row))]
            self.derived[name] = np.stack(columns, axis=1)
        return self.derived[name]

    def _slope(self, row: np.ndarray, place: int, wishes: Slabs) -> Float[np.ndarray, " data"]:
        """A difference above the marches' own errors, or the larger one."""
        run, here = self.at(row, wishes)
        change, by = np.zeros_like(here), 1.0
        for share in _DIFFERENCES:
            moved, by = row.copy(), share * _sizes(row)[place]
            moved[place] += by
            again = march_again(wishes, self._evolution(moved), run, self.key)
            self.again += 1
            with np.errstate(invalid="ignore"):  # of marches that did not come to their end
                change = self._residuals(again, moved) - here
            if np.sqrt(np.mean(np.square(change))) > wishes.tolerance:
                break
        return change / by

    def descend(
        self,
        row: Float[np.ndarray, " unknowns"],
        slopes: Float[np.ndarray, "data unknowns"],
        wishes: Slabs,
        steps: int,
        near: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Better unknowns, and the derivatives there; the same where no march comes to its end."""
        _, left = self.at(row, wishes)
        damping, stale = 0.0, False
        for _ in range(steps):
            if not (np.isfinite(left).all() and np.isfinite(slopes).all()):
                break  # no march came to its end: nothing to follow
            size = _sizes(row)
            move = size * _step(slopes * size, left, damping)
            _, reached = self.at(row + move, wishes)
            if np.isfinite(reached).all():
                share = move / size
                miss = reached - left - slopes @ move
                slopes = slopes + np.outer(miss, share / size) / np.sum(np.square(share))
            if np.linalg.norm(reached) < np.linalg.norm(left):
                row, left, stale = row + move, reached, True
                damping /= 10.0
            elif stale:
                slopes, stale = self.slopes(row, _COARSE), False
            else:
                damping = max(100.0 * damping, _DAMPING)
            if damping > _MOST_DAMPING or not np.isfinite(slopes).all():
                break
            _, deviation = _deviations(left, slopes)
            whole = np.linalg.lstsq(slopes * size, left, rcond=None)[0]
            small = np.abs(size * whole) < np.maximum(near * size, _UNCERTAIN * deviation)
            if small.all():
                break
        return row, slopes


def _step(
    slopes: Float[np.ndarray, "data unknowns"], left: Float[np.ndarray, " data"], damping: float
) -> Float[np.ndarray, " unknowns"]:
    r"""Relative changes $m$ of the unknowns that minimize $|r + Jm|^2 + \rho^2 |m|^2$, clipped.

    $\rho = e/m_0$, where $m_0$ is how far unknowns may go and $e = \sum_i |J_i| m_i^2$ estimates
    what a linear model leaves out of the step without damping. So an unknown that the data hardly
    tell of stays where it is until the others have settled: what they leave out would move it.
    `damping` is the least $\rho^2$, relative to the largest $|J_i|^2$.
    """
    norms = np.linalg.norm(slopes, axis=0)
    whole = np.clip(np.linalg.lstsq(slopes, -left, rcond=None)[0], -_FARTHEST, _FARTHEST)
    ridge = max(norms @ np.square(whole) / _FARTHEST, np.sqrt(damping) * norms.max())
    stacked = np.vstack([slopes, ridge * np.eye(len(whole))])
    right = -np.concatenate([left, np.zeros(len(whole))])
    return np.clip(np.linalg.lstsq(stacked, right, rcond=None)[0], -_FARTHEST, _FARTHEST)


def _deviations(
    left: Float[np.ndarray, " data"], slopes: Float[np.ndarray, "data unknowns"]
) -> tuple[int, Float[np.ndarray, " unknowns"]]:
    """Degrees of freedom of the noise, and the standard deviations of the unknowns."""
    count, width = slopes.shape
    freedom = max(1, count - width)
    noise = np.linalg.norm(left) / np.sqrt(freedom)
    return freedom, noise * deviations(slopes)


def _sizes(row: Float[np.ndarray, " unknowns"]) -> Float[np.ndarray, " unknowns"]:
    return np.where(row != 0.0, np.abs(row), 1.0)


def _residual(run: March, term: Term, unknowns: Any) -> Float[np.ndarray, " data"]:
    """Residuals of one term's data, over the root mean square of the data."""
    x, values = np.asarray(term.points), np.asarray(term.values)
    place = np.clip(np.searchsorted(run.starts, x[:, -1], side="right") - 1, 0, None)
    left = np.zeros_like(values)
    for number in np.unique(place):
        slab, rows = run.slabs[number], place == number
        part = Term(term.residual, x[rows], values[rows])
        left[rows] = residuals(part, slab.frame, slab.network, unknowns, x[rows])
    return left.ravel() / max(float(np.sqrt(np.mean(np.square(values)))), 1e-300)
