"""Radial basis functions about scattered points, chosen by what points left out say."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

import equinox as eqx
import jax
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float, Int, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.nn import Beside, RadialBasis
from repnet.nn._check import check_choice
from repnet.nn._radial import KERNELS
from repnet.nn._random import permutation
from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._progress import AbstractProgress
from repnet.solve._radial_scaling import Evidence, width_along_directions, width_by_input
from repnet.solve._radial_units import (
    ANY,
    BY_INPUT,
    ONE,
    Shape,
    Solved,
    about_all,
    about_some,
    orthonormal,
    polynomials_at,
)
from repnet.solve._regression import data_of, require_regression
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._standardize import standardization

_MOST = 100_000  # points
_ALL = 1000  # points up to which all are centres, and the number of centres of more
_PILOT = 300  # points by which kernels and widths are found
_CHOOSERS, _CHOOSING_CENTRES = 2000, 500  # of many points: those by which widths are chosen
_WIDTHS = 2.0 ** np.arange(-3.5, 2.5, 0.5)  # relative to the median distance
_OF_THEIR_OWN = 4  # targets up to which each has widths by input and directions of its own


@dataclasses.dataclass(frozen=True)
class RadialFit:
    """Radial units about points of a regression in standard units.

    - `network`: the fit; `missed`: leave-one-out errors, target less value, `(points, out)`.
    - `costs`: how many times as large errors are told, for the numbers that make a target's widths.
    - `units`: how many centres; `kernels`: of every target; `kinds`: what its widths are.
    - `widths`: of every target, in half-widths of the data; `ridges`: relative to the largest
      eigenvalue of the kernel.
    """

    network: RadialBasis | Beside
    missed: Float[np.ndarray, "points out"]
    costs: Float[np.ndarray, " out"]
    units: int
    kernels: tuple[str, ...]
    kinds: tuple[str, ...]
    widths: tuple[tuple[float, ...], ...]
    ridges: tuple[float, ...]

    @property
    def errors(self) -> Float[np.ndarray, " out"]:
        """The root mean square of what is missed, by target."""
        return np.sqrt(np.mean(np.square(self.missed), axis=0))

    @property
    def told(self) -> float:
        """The error to expect, over all targets."""
        return float(np.sqrt(np.mean(np.square(self.costs * self.errors))))


def fit_radial(
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
    kernel: str | None,
    key: PRNGKeyArray,
) -> RadialFit:
    r"""Every target's kernel, widths and ridge of the least leave-one-out error; in float64 mode.

    Widths for every input, and along any directions, are those of the most evidence, and compete
    with one width for all. So that more numbers are chosen only for a gain that they don't bring by
    chance, the mean square of what $n$ points miss counts $n^{k/n}$ times where $k$ numbers make
    the widths. Of many points some choose, and of more than a thousand as many are centres.

    **Arguments:** `x`, `y`: in standard units, at least two points more than inputs.

    **Source:** Rippa 1999; Micchelli 1986 for the kernels; Schwarz 1978 for what numbers cost.
    """
    order = permutation(key, len(x))
    some = np.sort(order[:_PILOT])
    found = list(_candidates(x[some], y[some], KERNELS if kernel is None else [kernel]))
    tried = [_best_by_kind(found, out) for out in range(y.shape[1])]
    if len(x) > _ALL:
        return _joined(_about_some(tried, x, y, order))
    if len(x) > len(some):
        tried = _again(
            tried, lambda each: [about_all(x, y, each.columns, near) for near in each.shape.near()]
        )
    return _joined(_best(tried))


def _about_some(
    tried: list[list[Solved]],
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
    order: Int[np.ndarray, " points"],
) -> list[Solved]:
    """Every target's best units about some of the points; fewer of both choose their widths."""
    rows, centres = order[:_CHOOSERS], np.arange(_CHOOSING_CENTRES)

    def solve(each: Solved, shape: Shape) -> Solved:
        return about_some(x[rows], y[rows], each.columns, shape, centres)

    best = _best(_again(tried, lambda each: [solve(each, each.shape)]))
    alone = [[each] for each in best]
    best = _best(_again(alone, lambda each: [solve(each, near) for near in each.shape.near()]))
    last = _again(
        [[each] for each in best],
        lambda each: [about_some(x, y, each.columns, each.shape, order[:_ALL])],
    )
    return _best(last)


def _best_by_kind(found: Sequence[Solved], out: int) -> list[Solved]:
    """The best of every kind of widths for one target."""
    best: dict[str, Solved] = {}
    for each in found:
        kind = each.shape.kind
        if out in each.columns and (kind not in best or each.score(out) < best[kind].score(out)):
            best[kind] = each
    return list(best.values())


def _best(tried: Sequence[Sequence[Solved]]) -> list[Solved]:
    """The best for every target, of those tried for it."""
    return [min(some, key=lambda each, out=out: each.score(out)) for out, some in enumerate(tried)]


def _again(
    tried: Sequence[Sequence[Solved]], solve: Callable[[Solved], list[Solved]]
) -> list[list[Solved]]:
    """What comes of solving again, once for targets that share units."""
    distinct = {id(each): each for some in tried for each in some}
    solved = {name: solve(each) for name, each in distinct.items()}
    return [[found for each in some for found in solved[id(each)]] for some in tried]


def _candidates(
    x: Float[np.ndarray, "points dim"], y: Float[np.ndarray, "points out"], kernels: Iterable[str]
) -> Iterator[Solved]:
    """One width for all targets and inputs, and those of the most evidence, about these points."""
    points, dim = x.shape
    middle = float(np.median(scipy.spatial.distance.cdist(x, x))) or 1.0
    outs = tuple(range(y.shape[1]))
    alone = [(out,) for out in outs] if len(outs) <= _OF_THEIR_OWN else [outs]
    for name in kernels:
        of_one = [
            about_all(x, y, outs, Shape(name, ONE, np.eye(dim) / (width * middle)))
            for width in _WIDTHS
        ]
        yield from of_one
        for columns in alone:
            if dim > 1 and 2 * dim <= points:
                start = min(of_one, key=lambda each, columns=columns: each.total(columns))
                for shape in _learnt(x, y[:, columns], start.shape, start.log_ridge(columns)):
                    yield from (about_all(x, y, columns, near) for near in shape.near())


def _learnt(
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
    shape: Shape,
    log_ridge: float,
) -> Iterator[Shape]:
    """Widths for every input, and along any directions where the points are enough."""
    evidence = Evidence(x, y, shape.kernel, orthonormal(polynomials_at(x, shape.kernel)))
    scaling, log_ridge = width_by_input(evidence, 1.0 / shape.scaling[0, 0], log_ridge)
    yield Shape(shape.kernel, BY_INPUT, scaling)
    if 2 * scaling.size <= len(x):
        scaling, _ = width_along_directions(evidence, scaling, log_ridge)
        yield Shape(shape.kernel, ANY, scaling)


def _joined(best: Sequence[Solved]) -> RadialFit:
    """One network for all targets, of which those with the same kernel and widths share units."""
    groups: dict[int, list[int]] = {}
    for out, each in enumerate(best):
        groups.setdefault(id(each), []).append(out)
    parts = [best[columns[0]].network(columns) for columns in groups.values()]
    order = np.argsort(np.concatenate(list(groups.values()))).tolist()
    network = parts[0] if len(parts) == 1 else Beside(parts, order=order)
    missed = [each.missed_of(out) for out, each in enumerate(best)]
    return RadialFit(
        network,
        np.stack(missed, axis=1),
        np.array([each.cost for each in best]),
        units=max(len(each.centres) for each in best),
        kernels=tuple(each.shape.kernel for each in best),
        kinds=tuple(each.shape.kind for each in best),
        widths=tuple(each.shape.widths for each in best),
        ridges=tuple(each.ridge(out) for out, each in enumerate(best)),
    )


class Radial(eqx.Module):
    r"""Radial basis functions about points: for scattered points of several inputs.

    Kernel, widths and ridge have the least leave-one-out error, which is exact. Up to 1,000 points
    are all centres; of more, 1,000 are, and the cost is linear in the number of points. The result
    is a `nn.RadialBasis`, or several beside each other where targets differ.

    **Arguments:** `kernel`: one of `RadialBasis`'s; all compete if left out.

    **Raises:** `ValueError` for an unknown kernel, and, in `run`, for more than 100,000 points,
    fewer than two more than inputs, or a problem that is not a regression.

    **Source:** Rippa 1999.

    >>> from repnet.problem import regression
    >>> x = np.random.default_rng(0).uniform(-1.0, 1.0, (100, 2))
    >>> solution = Radial("gaussian").run(regression(x, np.cos(x.sum(1))), key=jax.random.key(0))
    >>> bool(abs(solution(0.5 * x)[:, 0] - np.cos(0.5 * x.sum(1))).max() < 1e-4)
    True
    """

    kernel: str | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        if self.kernel is not None:
            check_choice("Radial", "kernel", self.kernel, KERNELS)

    def run(
        self,
        problem: Problem,
        network: Callable | None = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Fit a regression problem; `network` must be left out."""
        del progress  # a direct solve has no steps to report
        if network is not None:
            raise ValueError("`Radial` makes its own network; leave `network` out.")
        require_regression(problem, "Radial")
        x, y = data_of(problem)
        if not x.shape[1] + 2 <= len(x) <= _MOST:
            raise ValueError(
                f"`Radial` takes {x.shape[1] + 2} to {_MOST:,} points of {x.shape[1]} inputs; "
                f"the problem has {len(x):,}."
            )
        with Clock() as clock, jax.enable_x64(True), one_blas_thread():
            fit = fit_radial(x, y, self.kernel, key)
        return clock.added_to(with_radial(fit, problem))


def with_radial(fit: RadialFit, problem: Problem) -> Solution:
    """The fit in the user's units."""
    with Clock() as clock, jax.enable_x64(True):
        network = standardization(problem).wrap(fit.network, double=True)
    return Solution(
        network,
        None,
        RESULTS.successful,
        {},
        plan_of_radial(fit),
        clock.seconds,
        compile_seconds=clock.compile_seconds,
    )


def plan_of_radial(fit: RadialFit) -> Plan:
    """What was chosen, and why."""
    kinds = sorted({kernel.replace("_", " ") for kernel in fit.kernels})
    where = "all points" if fit.units == len(fit.missed) else f"{fit.units:,} of the points"
    widths = "; ".join(
        dict.fromkeys(
            f"{kind}: {_words(own)}" for kind, own in zip(fit.kinds, fit.widths, strict=True)
        )
    )
    reasons = (
        f"Radial units about {where}, {' and '.join(kinds)}, {widths} half-widths.",
        f"Error at points left out one at a time: {fit.told:.1e} of the target's rms.",
    )
    numbers = {
        "leave_one_out": fit.told,
        "kernels": list(fit.kernels),
        "kinds": list(fit.kinds),
        "widths": [list(ends) for ends in fit.widths],
        "ridges": list(fit.ridges),
    }
    kind = f"{fit.units} radial units ({' and '.join(kinds)})"
    return Plan(kind, "Radial", None, reasons, numbers)


def _words(widths: Sequence[float]) -> str:
    """Widths in half-widths of the data, of which large ones are all the same.

    >>> _words([0.25, 3.0, 5000.0])
    '0.25, 3, over 100'
    """
    return ", ".join("over 100" if width > 100.0 else f"{width:.2g}" for width in widths)
