"""Equations of one axis by one layer per element, with elements as short as they need be."""

import dataclasses
import itertools
import math
from collections.abc import Callable

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._progress import AbstractProgress
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve.equations._basis import Basis
from repnet.solve.equations._check import check_problem
from repnet.solve.equations._equation import STALLED
from repnet.solve.equations._march import march
from repnet.solve.equations._piecewise import Piecewise, Tied, tied_of
from repnet.solve.equations._sweep import Block, blocks_of, pinned_rows, swept, ties
from repnet.solve.equations._unknowns import numbers

_FIRST = 8  # elements of the first try, at least
_RADIANS = 12.0  # of those in one element
_NARROW = 40  # halvings at most of the elements at the ends
_FAINT = 1e-3  # weight of being smooth beside conditions and data, where a first guess is made
_WORST = 1e-3  # elements whose residual is below that share of the largest stay whole
_FLOOR = 1e-9  # a residual below this that no longer halves is at its floor
_STEPS = 30
_HALVINGS = 8
_SETTLED = 1e-9  # relative change of the coefficients at which Newton's method ends


class Elements(eqx.Module):
    r"""One layer of sines per element of an axis, tied where elements meet, all solved at once.

    For ordinary differential equations, and systems of them, that vary on several scales: sharp
    layers, thousands of oscillations, long nonlinear evolutions. Elements whose residual between
    the collocation points is above the tolerance are halved. A linear problem is one orthogonal
    sweep over all elements. A nonlinear one with all conditions at the begin is marched, element
    after element, by Newton's method; one with conditions elsewhere takes Newton's method on all.

    **Arguments:**

    - `tolerance`: of an element's residual, relative to what the largest coefficients could make.
    - `most`: number of elements at which the solver gives up; those solved at once count as often
      as there are pairs of outputs.

    **Raises:** `ValueError` where an argument is not positive, and, in `run`, where the problem has
    several axes, unknowns, equations on a part of the domain, or residuals that tie distant points.

    **Source:** this project; least-squares collocation on elements goes back to Ascher 1978.

    >>> Elements(tolerance=1e-8).tolerance
    1e-08
    """

    tolerance: float = eqx.field(static=True, default=1e-12)
    most: int = eqx.field(static=True, default=20_000)

    def __check_init__(self):
        for name in ("tolerance", "most"):
            number = getattr(self, name)
            if not (np.isfinite(number) and number > 0):
                raise ValueError(f"`Elements({name}=...)` must be positive; got {number}.")

    def run(
        self,
        problem: Problem,
        network: Callable | None = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Solve a problem of one axis; `network` must be left out."""
        del progress  # the number of elements is not known before the end
        if network is not None:
            raise ValueError("`Elements` makes its own networks; leave `network` out.")
        with Clock() as clock, jax.enable_x64(True):
            check_problem(problem)
            tied = tied_of(problem)
        return clock.added_to(solve_tied(self, tied, key))


def solve_tied(wishes: Elements, tied: Tied, key: PRNGKeyArray) -> Solution:
    """Choose elements, solve, and say how."""
    with Clock() as clock, jax.enable_x64(True), one_blas_thread():
        fit = fit_elements(wishes, tied, key)
        field = tied.problem.field(fit.piecewise.network())
    return Solution(
        field,
        None,
        RESULTS.successful if fit.converged and fit.error <= STALLED else RESULTS.stalled,
        {},
        _plan(fit),
        clock.seconds,
        clock.compile_seconds,
    )


def cut_at_will(problem: Problem) -> Tied | None:
    """The problem as `Elements` takes it, or `None`.

    >>> from repnet.problem import zoo
    >>> cut_at_will(zoo.make("poisson1d_ms")).orders
    (2,)
    >>> cut_at_will(zoo.make("helmholtz2d")) is None
    True
    """
    try:
        with jax.enable_x64(True):
            return tied_of(problem)
    except ValueError:
        return None


@dataclasses.dataclass(frozen=True)
class ElementFit:
    """The solved elements.

    - `errors`: residual of every term relative to its parts, between the collocation points.
    - `method`: in words; `converged`: whether the end was reached and Newton's method settled.
    """

    piecewise: Piecewise
    errors: dict[str, float]
    method: str
    converged: bool

    @property
    def error(self) -> float:
        """Root of the sum of their squares; infinite where the equations are not finite."""
        total = math.hypot(*self.errors.values())
        return total if math.isfinite(total) else math.inf


def fit_elements(wishes: Elements, tied: Tied, key: PRNGKeyArray) -> ElementFit:
    """Choose elements and solve; call in float64 mode."""
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    basis = Basis.of(len(tied.orders), max(tied.orders), rng)
    if tied.linear or not tied.from_start:
        found, settled = _refined(wishes, tied, basis, linear=tied.linear)
        method = "one sweep" if tied.linear else "Newton's method"
    else:
        found, settled = march(tied, basis, wishes.tolerance, wishes.most)
        method = "marched by Newton's method"
    return ElementFit(found, found.relative(), method, settled)


def _refined(wishes: Elements, tied: Tied, basis: Basis, *, linear: bool) -> tuple[Piecewise, bool]:
    """Halve the elements with large residuals until there are none, or halving no longer helps."""
    most = max(_FIRST, wishes.most // len(tied.orders) ** 2)
    coarse = first_edges(tied, most)
    found = Piecewise.blank(tied, basis, graded(tied, coarse))
    if not linear:
        found = smoothest(found)
    kept: dict[tuple[float, float], Block] = {}
    before = np.inf
    while True:
        if linear:
            found, blocks, settled = *_swept(found, kept), True
        else:
            found, blocks, settled = _newton(found)
        missed = _missed(found, blocks)
        largest = float(missed.max())
        stuck = largest < _FLOOR and largest > 0.5 * before
        split = missed > max(wishes.tolerance, _WORST * largest)
        if not split.any() or stuck or not np.isfinite(largest):
            if linear:
                found = _ungraded(found, coarse[[1, -2]], max(wishes.tolerance, largest), kept)
                # Once more, for what rounding left.
                found = _changed(found, blocks_of(found, np.arange(found.count)))
            return found, settled
        if found.count + split.sum() > most:
            return found, False
        before = largest
        edges = np.sort(np.concatenate([found.edges, found.centres[split]]))
        found = Piecewise.blank(tied, basis, edges) if linear else found.values_on(edges)


def first_edges(tied: Tied, most: int, least: int = _FIRST) -> Float[np.ndarray, " edges"]:
    """Eight elements, and more where the equation's own waves are short."""
    places = np.linspace(*tied.ends, len(tied.rates) + 1)
    density = max(_FIRST, least) + np.max(np.abs(np.imag(tied.rates)), axis=1) * 2.0 / _RADIANS
    total = np.concatenate([[0.0], np.cumsum(density)]) / len(density)
    count = int(np.ceil(min(total[-1], most / 2)))
    return np.interp(np.linspace(0.0, total[-1], count + 1), total, places)


def graded(tied: Tied, edges: Float[np.ndarray, " edges"]) -> Float[np.ndarray, " more"]:
    """Ever narrower elements at ends where the equation's exponents are steep: for its layers."""
    (begin, end), half = tied.ends, tied.problem.domain.half_width[0]
    steep = np.max(np.abs(tied.rates[[0, -1]]), axis=1) / half
    shares = 0.5 ** np.arange(1, _NARROW)
    first, last = edges[1] - begin, end - edges[-2]
    left = begin + first * shares[first * shares * steep[0] > _RADIANS / 2.0]
    right = end - last * shares[last * shares * steep[1] > _RADIANS / 2.0]
    return np.unique(np.concatenate([edges, left, right]))


def _ungraded(
    found: Piecewise,
    stops: Float[np.ndarray, " 2"],
    tolerance: float,
    kept: dict[tuple[float, float], Block],
) -> Piecewise:
    """Without the narrow elements at an end where there is no layer."""
    for inner in (found.edges < stops[0], found.edges > stops[1]):
        inner[[0, -1]] = False
        if not inner.any():
            continue
        whole = Piecewise.blank(found.tied, found.basis, found.edges[~inner])
        whole, blocks = _swept(whole, kept)
        if _missed(whole, blocks).max() <= tolerance:
            return _ungraded(whole, stops, tolerance, kept)
    return found


def smoothest(found: Piecewise) -> Piecewise:
    """The smoothest function near conditions and data; the same as before where it has no value."""
    typical = np.tile(found.basis.typical, len(found.tied.orders))
    others = np.zeros((len(typical), numbers(found.unknowns).size + 1))
    rows = np.concatenate([np.diag(_FAINT / typical), others], axis=1)
    blocks = [Block(rows, np.ones(0), np.ones(0))] * found.count
    pinned = pinned_rows(found, of_data=1.0)
    if not all(np.all(np.isfinite(part)) for part in pinned.values()):
        return found
    step = swept(blocks, pinned, ties(found), len(typical), _still)
    return found.having(found.coefficients + step.coefficients.reshape(found.coefficients.shape))


def _still(slopes: np.ndarray, left: np.ndarray) -> np.ndarray:
    """No change of the unknowns."""
    del slopes
    return np.zeros_like(left)


def _changed(found: Piecewise, blocks: list[Block]) -> Piecewise:
    """The coefficients of least residual; the same as before where the rows are not finite."""
    pinned = pinned_rows(found)
    rows = itertools.chain((block.triangle for block in blocks), pinned.values())
    if not all(np.all(np.isfinite(part)) for part in rows):
        return found
    change = swept(blocks, pinned, ties(found), found.coefficients[0].size).coefficients
    return found.having(found.coefficients + change.reshape(found.coefficients.shape))


def _swept(
    found: Piecewise, kept: dict[tuple[float, float], Block]
) -> tuple[Piecewise, list[Block]]:
    """The linear problem solved; rows of elements met before are not made again."""
    names = list(zip(found.edges[:-1].tolist(), found.edges[1:].tolist(), strict=True))
    new = np.array([place for place, name in enumerate(names) if name not in kept], int)
    if len(new):
        made = blocks_of(found, new)
        kept.update({names[place]: block for place, block in zip(new, made, strict=True)})
    blocks = [kept[name] for name in names]
    return _changed(found, blocks), blocks


def _newton(found: Piecewise) -> tuple[Piecewise, list[Block], bool]:
    """Gauss–Newton on all coefficients, halving steps that don't descend."""
    everywhere = np.arange(found.count)
    for _ in range(_STEPS):
        blocks = blocks_of(found, everywhere)
        target = _changed(found, blocks)
        norms = np.stack([block.norms for block in blocks])
        loss = _loss(found, norms)
        change = target.coefficients - found.coefficients
        size = np.linalg.norm(change) / max(np.linalg.norm(target.coefficients), 1e-300)
        for halving in range(_HALVINGS):
            tried = found.having(found.coefficients + 0.5**halving * change)
            if _loss(tried, norms) < loss:
                found = tried
                break
        else:
            return found, blocks, bool(size < np.sqrt(_SETTLED))
        if size < _SETTLED:
            return found, blocks, True
    return found, blocks_of(found, everywhere), False


def _loss(found: Piecewise, norms: Float[np.ndarray, "elements equations"]) -> float:
    total = float(np.sum(np.square(found.missed(norms))))
    total += sum(float(np.sum(np.square(found.at_pinned(n)[0]))) for n in found.tied.pinned)
    return total if np.isfinite(total) else np.inf


def _missed(found: Piecewise, blocks: list[Block]) -> Float[np.ndarray, " elements"]:
    """Every element's residual, relative to what the largest coefficients could make."""
    sizes = np.sqrt(np.sum(np.square(found.coefficients), axis=(1, 2)))
    missed = found.missed(np.stack([block.norms for block in blocks]))
    return missed / max(float(sizes.max()), 1e-300)


def _plan(fit: ElementFit) -> Plan:
    found = fit.piecewise
    lengths = np.diff(found.edges)
    units = found.basis.mix.shape[0] - 1
    reasons = [
        f"{found.count} elements, {lengths.min():.2g} to {lengths.max():.2g} long, halved where "
        "the residual between collocation points was large.",
        f"Residual between the collocation points, relative to the equations' terms: "
        f"{fit.error:.1e}.",
    ]
    if found.edges[-1] < found.tied.ends[1]:
        reasons.append(
            f"The solution ends at {found.edges[-1]:.4g}: no element from there on, however short, "
            "met the tolerance."
        )
    elif math.isinf(fit.error):
        reasons.append("The equations are not finite on the way: another form of them may be.")
    elif not fit.converged:
        reasons.append("Newton's method or the number of elements came to its limit.")
    numbers = {
        "residual": fit.error,
        "residuals": fit.errors,
        "elements": found.count,
        "reached": float((found.edges[-1] - found.tied.ends[0]) / np.diff(found.tied.ends)[0]),
        "shortest": float(lengths.min()),
        "longest": float(lengths.max()),
    }
    network = f"{found.count} elements of {units} sine units"
    return Plan(network, f"Elements, {fit.method}", None, tuple(reasons), numbers)
