"""Numbers in equations of one axis from data: elements and unknowns by Gauss–Newton together."""

import dataclasses
from collections.abc import Iterable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.problem import Problem, Term
from repnet.solve.equations._basis import Basis
from repnet.solve.equations._elements import Elements, first_edges, fit_elements, graded, smoothest
from repnet.solve.equations._intervals import by_name, deviations
from repnet.solve.equations._piecewise import PINNED, Piecewise, Tied, data_sizes, tied_of
from repnet.solve.equations._sweep import (
    Block,
    Swept,
    blocks_of,
    pinned_rows,
    pinned_sizes,
    swept,
    ties,
)
from repnet.solve.equations._unknowns import has_fields, numbers, with_numbers

_WEIGHTS = (10.0, 1.0, 0.1, 1e-2, 1e-3, 1e-4, 1e-5)  # of data, equations having 1
_NEAR = 1e-3  # relative change that ends the steps with all of them but the last
_SETTLED = 1e-9  # and with that
_HALVINGS = 10
_FARTHEST = 2.0  # an unknown changes by so many of its sizes at most: its sign may turn
_UNTOLD = 1e-10  # share of the best told direction of the unknowns below which one is not told
_STEPS = 15  # between changes of the elements
_ROUNDS = 3  # such changes while data pull
_LAST_ROUNDS = 12  # and at the end
_PER_ELEMENT = 12  # points of data in an element of the first try,
_BY_DATA = 16  # up to so many elements
_MOST = 2_000
_TOLERANCE = 1e-12  # residual of an element that no coefficients take away
_PULLED = 1e-3  # of the square of the data's weight, where that is more
_WORST = 1e-3  # elements whose residual is below that share of the largest stay whole
_FLOOR = 1e-9  # a residual below this that no longer halves is at its floor
_SOLVED = 1e-5  # residual of equations that hold
_ROUNDING = 1e-6  # a misfit below this is no noise
_CHANCE = 4.0  # standard deviations of the correlation of noise that is none


@dataclasses.dataclass(frozen=True)
class FromData:
    """Unknowns found with a solution by elements.

    - `left`: what the data miss, over their root mean square, by term.
    - `slopes`: derivatives of the same by the unknowns' numbers, up to a rotation; `freedom`: of
      the noise.
    - `errors`: residual of every term over its parts, of data over their size.
    - `steps`: of Gauss–Newton; `converged`: whether they settled.
    """

    piecewise: Piecewise
    left: dict[str, Float[np.ndarray, "points equations"]]
    slopes: Float[np.ndarray, "unknowns unknowns"]
    freedom: int
    errors: dict[str, float]
    steps: int
    converged: bool

    @property
    def misfit(self) -> float:
        """Root mean square of what the data miss, over theirs."""
        return float(np.sqrt(np.mean(np.square(self._all_left))))

    @property
    def equations(self) -> float:
        """The largest residual of an equation or condition, over its terms."""
        exact = [e for name, e in self.errors.items() if name not in self.piecewise.tied.data]
        largest = max(exact, default=0.0)
        return largest if np.isfinite(largest) else np.inf

    @property
    def solves(self) -> bool:
        """Whether the search settled on a solution of the equations."""
        return self.converged and self.equations < _SOLVED

    @property
    def explains(self) -> bool:
        """Whether it does, and what the data miss may be noise."""
        places = {name: self.piecewise.tied.pinned[name][:, 0] for name in self.left}
        return self.solves and (self.misfit < _ROUNDING or is_noise(places, self.left))

    @property
    def _all_left(self) -> Float[np.ndarray, " data"]:
        return np.concatenate([left.ravel() for left in self.left.values()])

    def intervals(self) -> dict[str, list[Any]]:
        r"""95 % intervals by name, from $s^2 (J^\top J)^{-1}$ with $s^2 = |r|^2/(n - p)$."""
        if not np.isfinite(self.slopes).all():
            return {}
        noise = float(np.linalg.norm(self._all_left)) / np.sqrt(self.freedom)
        return by_name(self.piecewise.unknowns, self.freedom, noise * deviations(self.slopes))


def is_noise(
    places: dict[str, Float[np.ndarray, " points"]],
    left: dict[str, Float[np.ndarray, "points equations"]],
) -> bool:
    r"""Whether what data along an axis miss is as good as uncorrelated from point to point.

    Of $n$ independent numbers, $\sum_i r_i r_{i+1} / \sum_i r_i^2$ has the deviation $1/\sqrt n$.

    >>> x = np.arange(100.0)
    >>> noise = np.random.default_rng(0).normal(size=(100, 1))
    >>> is_noise({"data": x}, {"data": noise})
    True
    >>> is_noise({"data": x}, {"data": np.sin(x / 9)[:, None]})
    False
    """
    along, count = 0.0, 0
    for name, part in left.items():
        part = part[np.argsort(places[name])]
        size = np.maximum(np.sum(np.square(part), axis=0), 1e-300)
        along += float(np.sum(np.sum(part[1:] * part[:-1], axis=0) / size)) * len(part)
        count += part.size
    return bool(along / count < _CHANCE / np.sqrt(count))


def cut_for_data(problem: Problem) -> Tied | None:
    """The problem as `fit_to_data` takes it, or `None`; call in float64 mode."""
    if has_fields(problem.unknowns):
        return None
    try:
        return tied_of(problem, _double(problem.unknowns))
    except ValueError:
        return None


def fit_to_data(tied: Tied, key: PRNGKeyArray, steps: int) -> FromData:
    """Gauss–Newton from the unknowns' guess, in float64; at most `steps` between new elements.

    It starts from a function near the data, and makes it ever more a solution of the equations. In
    case that does not end well, it starts from the solution for the guess, where there is one.

    **Source:** Ramsay, Hooker, Campbell and Cao 2007 for the way from data to equations.
    """
    problem = tied.problem
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    basis = Basis.of(len(tied.orders), max(tied.orders), rng)
    count = sum(len(tied.pinned[name]) for name in tied.data)
    edges = first_edges(tied, _MOST, min(_BY_DATA, -(-count // _PER_ELEMENT)))
    with one_blas_thread():
        start = Piecewise.blank(tied, basis, graded(tied, edges), _double(problem.unknowns))
        first = _Search(smoothest(start), steps).through(_WEIGHTS)
        if first.explains or _free(start) > 0:
            return first
        forward = fit_elements(Elements(), tied_of(_known(problem)), key)
        if not forward.converged:
            return first
        start = dataclasses.replace(forward.piecewise, tied=tied, unknowns=start.unknowns)
        second = _Search(start, steps).through(_WEIGHTS)
    return min(first, second, key=lambda found: (not found.solves, found.misfit))


def _double(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), tree)


def _known(problem: Problem) -> Problem:
    """The problem without its data, its unknowns as guessed."""
    tree = _double(problem.unknowns)
    terms = {
        name: Term(lambda u, x, _, residual=term.residual: residual(u, x, tree), term.points)
        for name, term in problem.terms.items()
        if term.values is None
    }
    return dataclasses.replace(problem, terms=terms, unknowns=None)


def _free(found: Piecewise) -> int:
    """Numbers of a solution that no condition tells."""
    tied = found.tied
    told = [found.at_pinned(name)[0].size for name in tied.pinned if name not in tied.data]
    return max(0, sum(tied.orders) - sum(told))


@dataclasses.dataclass
class _Search:
    """Elements and unknowns on their way.

    - `whole`: sizes of the equations' rows, in the mean over the axis when the search began.
    """

    found: Piecewise
    most: int
    steps: int = 0
    settled: bool = False
    before: float = np.inf
    whole: Float[np.ndarray, " equations"] | None = None

    def through(self, weights: Iterable[float]) -> FromData:
        """With these weights of the data, one after the other."""
        sizes = np.stack([block.sizes for block in self._blocks()])
        share = self.found.halves / self.found.halves.sum()
        self.whole = np.sqrt(share @ np.square(sizes) / len(sizes))
        # Many data in an element count as much as a dozen: noise must not outweigh equations.
        count = sum(len(self.found.tied.pinned[name]) for name in self.found.tied.data)
        fewer = np.sqrt(min(1.0, _PER_ELEMENT * self.found.count / count))
        weight = float(fewer)
        for of_data in weights:
            weight, last = float(fewer * of_data), of_data == _WEIGHTS[-1]
            tolerance = max(_TOLERANCE, _PULLED * min(weight, 1.0) ** 2)
            for _ in range(_LAST_ROUNDS if last else _ROUNDS):
                self._descend(weight, _SETTLED if last else _NEAR)
                follows = of_data >= 1.0  # the data, noise and all
                if (follows or not self._refine(tolerance)) and (self.settled or not last):
                    break
            if not self.settled and of_data < 1.0:  # nor would it with less weight
                break
        return self._ended(weight)

    def _blocks(self) -> list[Block]:
        return blocks_of(self.found, np.arange(self.found.count), self.whole)

    def _descend(self, weight: float, near: float) -> None:
        """Steps of Gauss–Newton, shortened where they don't help."""
        self.settled = False
        for _ in range(min(_STEPS, self.most)):
            blocks = self._blocks()
            step = self._step(blocks, weight)
            if step is None:
                return
            loss = _Loss(self.found, np.stack([block.norms for block in blocks]), weight)
            before, size = loss(self.found), self._relative(step)
            self.steps += 1
            for halving in range(_HALVINGS):
                tried = self._moved(step, 0.5**halving)
                if loss(tried) < before:
                    self.found = tried
                    break
            else:
                self.settled = bool(size < np.sqrt(near))
                return
            if size < near:
                self.settled = True
                return

    def _step(self, blocks: list[Block], weight: float) -> Swept | None:
        """The step of least residual; `None` where an equation is not finite."""
        found, row = self.found, numbers(self.found.unknowns)
        pinned = pinned_rows(found, weight)
        finite = all(np.isfinite(block.triangle).all() for block in blocks)
        if not (finite and all(np.isfinite(rows).all() for rows in pinned.values())):
            return None
        return swept(blocks, pinned, ties(found), found.coefficients[0].size, partial(_move, row))

    def _relative(self, step: Swept) -> float:
        whole = self._moved(step, 1.0)
        share = np.linalg.norm(step.coefficients) / max(np.linalg.norm(whole.coefficients), 1e-300)
        unknowns = np.abs(step.unknowns) / _sizes(numbers(self.found.unknowns))
        return float(max(share, np.max(unknowns, initial=0.0)))

    def _moved(self, step: Swept, share: float) -> Piecewise:
        found = self.found
        row = numbers(found.unknowns) + share * step.unknowns
        change = share * step.coefficients.reshape(found.coefficients.shape)
        return dataclasses.replace(
            found,
            coefficients=found.coefficients + change,
            unknowns=with_numbers(found.unknowns, row),
        )

    def _refine(self, tolerance: float) -> bool:
        """Shorter elements where no coefficients solve the equations at all collocation points."""
        found, each = self.found, self.found.coefficients[0].size
        blocks = self._blocks()
        missed = np.array([np.linalg.norm(block.triangle[each:, -1]) for block in blocks])
        scale = np.array([np.max(block.sizes / block.norms) for block in blocks])
        largest = np.sqrt(np.max(np.sum(np.square(found.coefficients), axis=(1, 2))))
        missed = missed / (scale * max(float(largest), 1e-300) * np.sqrt(each))
        worst = float(missed.max())
        stuck = worst < _FLOOR and worst > 0.5 * self.before
        split = missed > max(tolerance, _WORST * worst)
        if stuck or not (np.isfinite(worst) and split.any()):
            return False
        if found.count + split.sum() > _MOST:
            return False
        self.before = worst
        self.found = found.values_on(np.sort(np.concatenate([found.edges, found.centres[split]])))
        return True

    def _ended(self, weight: float) -> FromData:
        found, tied = self.found, self.found.tied
        left = {name: found.at_pinned(name)[0] / data_sizes(tied, name) for name in tied.data}
        misfits = {name: float(np.sqrt(np.mean(np.square(part)))) for name, part in left.items()}
        step = self._step(self._blocks(), weight)
        row = numbers(found.unknowns)
        slopes = np.full((len(row), len(row)), np.nan) if step is None else step.slopes
        freedom = sum(part.size for part in left.values()) - _free(found) - len(row)
        return FromData(
            found,
            left,
            slopes / (weight * np.sqrt(found.coefficients[0].size)),
            max(1, freedom),
            found.relative() | misfits,
            self.steps,
            self.settled,
        )


def _move(row: np.ndarray, slopes: np.ndarray, left: np.ndarray) -> np.ndarray:
    """The unknowns' step of least residual, the smallest one where data don't tell them apart."""
    size = _sizes(row)
    share = np.linalg.lstsq(slopes * size, left, rcond=_UNTOLD)[0]
    return size * np.clip(share, -_FARTHEST, _FARTHEST)


def _sizes(row: Float[np.ndarray, " unknowns"]) -> Float[np.ndarray, " unknowns"]:
    return np.where(row != 0.0, np.abs(row), 1.0)


class _Loss:
    """The sum of the squares that a step makes least, with what rows are divided by held."""

    def __init__(
        self, found: Piecewise, norms: Float[np.ndarray, "elements equations"], weight: float
    ):
        self.norms, self.weight, self.sizes = norms, weight, pinned_sizes(found)

    def __call__(self, found: Piecewise) -> float:
        total = found.at_nodes(self.norms)
        for name in found.tied.pinned:
            value, _ = found.at_pinned(name)
            if name in found.tied.data:
                share = self.weight / data_sizes(found.tied, name)
            else:
                share = PINNED / self.sizes[name]
            total += float(np.sum(np.square(share * value)))
        each = found.coefficients[0].size
        total += sum(float(np.sum(np.square(tie.right))) for tie in ties(found)) / each
        return total if np.isfinite(total) else np.inf
