"""Radial basis functions about few scattered points, chosen by what those left out say."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float, PRNGKeyArray

from repnet._threads import one_blas_thread
from repnet.nn import Beside, RadialBasis
from repnet.nn._check import check_choice
from repnet.nn._radial import KERNELS, radial_profile
from repnet.problem import Problem
from repnet.solve._clock import Clock
from repnet.solve._progress import AbstractProgress
from repnet.solve._radial_scaling import Evidence, width_along_directions, width_by_input
from repnet.solve._regression import data_of, require_regression
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._standardize import standardization

_MOST = 2000  # points, which take a minute
_PILOT = 300  # points by which kernels and widths are chosen
_WIDTHS = 2.0 ** np.arange(-3.5, 2.5, 0.5)  # relative to the median distance
_NEAR = np.array([0.7, 1.0, 1.4])  # of a width that others have said
_RIDGES = np.concatenate([10.0 ** np.arange(-14.0, -9.0), 10.0 ** np.arange(-9.0, 0.6, 0.5)])
_OF_THEIR_OWN = 4  # targets up to which each has widths by input and directions of its own
_TINY = 1e-300
_ONE, _BY_INPUT, _ANY = "one width", "a width for every input", "widths along directions found"


@dataclasses.dataclass(frozen=True)
class RadialFit:
    """Radial units about all points of a regression in standard units.

    - `network`: the fit; `missed`: leave-one-out errors, target less value, `(points, out)`.
    - `costs`: how many times as large errors are told, for the numbers that make a target's widths.
    - `kernels`: of every target; `kinds`: what its widths are; `widths`: the least and the largest,
      in half-widths of the data; `ridges`: relative to the largest eigenvalue of the kernel.
    """

    network: RadialBasis | Beside
    missed: Float[np.ndarray, "points out"]
    costs: Float[np.ndarray, " out"]
    kernels: tuple[str, ...]
    kinds: tuple[str, ...]
    widths: tuple[tuple[float, float], ...]
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

    The weights are $w = B y$ with $B$ the inverse of $K + \lambda I$ on what polynomials leave, and
    a point left out misses $w_i/B_{ii}$. Widths for every input, and along any directions, are
    those of the most evidence, and compete with one width for all. So that more numbers are chosen
    only for a gain that they don't bring by chance, the mean square of what $n$ points miss counts
    $n^{k/n}$ times where $k$ numbers make the widths. Of many points, some choose.

    **Arguments:** `x`, `y`: in standard units, at least two points more than inputs.

    **Source:** Rippa 1999; Micchelli 1986 for the kernels; Schwarz 1978 for what numbers cost.
    """
    some = np.sort(np.asarray(jax.random.permutation(key, len(x)))[:_PILOT])
    outs = list(range(y.shape[1]))
    best: list[dict[str, _Solved]] = [{} for _ in outs]  # by what the widths are
    for found in _candidates(x[some], y[some], KERNELS if kernel is None else [kernel]):
        kind = found.shape.kind
        for out in found.columns:
            if kind not in best[out] or found.score(out) < best[out][kind].score(out):
                best[out][kind] = found
    if len(some) < len(x):
        again = {id(each): each.near(x, y) for kinds in best for each in kinds.values()}
        tried = [[found for each in kinds.values() for found in again[id(each)]] for kinds in best]
    else:
        tried = [list(kinds.values()) for kinds in best]
    chosen = [min(tried[out], key=lambda each, out=out: each.score(out)) for out in outs]
    return _joined(chosen, x, y)


def _candidates(
    x: Float[np.ndarray, "points dim"], y: Float[np.ndarray, "points out"], kernels: Iterable[str]
) -> Iterator["_Solved"]:
    """One width for all targets and inputs, and those of the most evidence, about these points."""
    points, dim = x.shape
    middle = float(np.median(scipy.spatial.distance.cdist(x, x))) or 1.0
    outs = tuple(range(y.shape[1]))
    alone = [(out,) for out in outs] if len(outs) <= _OF_THEIR_OWN else [outs]
    for name in kernels:
        of_one = [
            _Solved.of(x, y, outs, _Shape(name, _ONE, np.eye(dim) / (width * middle)))
            for width in _WIDTHS
        ]
        yield from of_one
        for columns in alone:
            if dim > 1 and 2 * dim <= points:
                start = min(of_one, key=lambda each, columns=columns: each.total(columns))
                for shape in _learnt(x, y[:, columns], start.shape, start.log_ridge(columns)):
                    yield from (_Solved.of(x, y, columns, near) for near in shape.near())


def _learnt(
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
    shape: "_Shape",
    log_ridge: float,
) -> Iterator["_Shape"]:
    """Widths for every input, and along any directions where the points are enough."""
    columns = _polynomials(x, KERNELS[shape.kernel])
    evidence = Evidence(x, y, shape.kernel, _beside_polynomials(columns))
    scaling, log_ridge = width_by_input(evidence, 1.0 / shape.scaling[0, 0], log_ridge)
    yield _Shape(shape.kernel, _BY_INPUT, scaling)
    if 2 * scaling.size <= len(x):
        scaling, _ = width_along_directions(evidence, scaling, log_ridge)
        yield _Shape(shape.kernel, _ANY, scaling)


def _joined(
    best: Sequence["_Solved"],
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
) -> RadialFit:
    """One network for all targets, of which those with the same kernel and widths share units."""
    groups: dict[int, list[int]] = {}
    for out, each in enumerate(best):
        groups.setdefault(id(each), []).append(out)
    parts = [best[columns[0]].network(x, y, columns) for columns in groups.values()]
    order = np.argsort(np.concatenate(list(groups.values()))).tolist()
    network = parts[0] if len(parts) == 1 else Beside(parts, order=order)
    missed = [each.missed_of(out) for out, each in enumerate(best)]
    return RadialFit(
        network,
        np.stack(missed, axis=1),
        np.array([each.cost for each in best]),
        kernels=tuple(each.shape.kernel for each in best),
        kinds=tuple(each.shape.kind for each in best),
        widths=tuple(each.shape.widths for each in best),
        ridges=tuple(each.ridge(out) for out, each in enumerate(best)),
    )


@dataclasses.dataclass(frozen=True)
class _Shape:
    """A kernel, and how far it reaches: its scaling, and which kind of widths that is."""

    kernel: str
    kind: str
    scaling: Float[np.ndarray, "dim dim"]

    @property
    def numbers(self) -> int:
        """How many numbers make the widths."""
        dim = len(self.scaling)
        return {_ONE: 1, _BY_INPUT: dim, _ANY: dim**2}[self.kind]

    @property
    def widths(self) -> tuple[float, float]:
        """The least and the largest, of all directions."""
        reach = np.linalg.svd(self.scaling, compute_uv=False)
        return float(1.0 / max(reach[0], _TINY)), float(1.0 / max(reach[-1], _TINY))

    def near(self) -> list["_Shape"]:
        """The same with all widths somewhat smaller, as they are, and somewhat larger."""
        return [dataclasses.replace(self, scaling=self.scaling / factor) for factor in _NEAR]


@dataclasses.dataclass(frozen=True)
class _Solved:
    """Weights with the best ridge for every target, and what points left out miss with it.

    - `columns`: which targets these are.
    - `weights`: $w$, `(points, out)`; `missed`: as in `RadialFit`.
    - `ridges`: `(out,)`; `unit` and `mean`: the largest of the eigenvalues, to which these are
      relative, and their mean.
    """

    shape: _Shape
    columns: tuple[int, ...]
    weights: Float[np.ndarray, "points out"]
    missed: Float[np.ndarray, "points out"]
    ridges: Float[np.ndarray, " out"]
    unit: float
    mean: float

    @property
    def cost(self) -> float:
        """How many times as large errors count, for the numbers that make the widths."""
        points = len(self.missed)
        return float(points ** (self.shape.numbers / (2.0 * points)))

    def missed_of(self, out: int) -> Float[np.ndarray, " points"]:
        """What is missed of one target."""
        return self.missed[:, self.columns.index(out)]

    def score(self, out: int) -> float:
        """The root mean square of what is missed of one target, times what the widths cost."""
        return self.cost * float(np.sqrt(np.mean(np.square(self.missed_of(out)))))

    def total(self, columns: tuple[int, ...]) -> float:
        """The product of what is missed of some targets, as a logarithm."""
        return float(np.sum(np.log([max(self.score(out), _TINY) for out in columns])))

    def ridge(self, out: int) -> float:
        """The ridge of one target."""
        return float(self.ridges[self.columns.index(out)])

    def log_ridge(self, columns: tuple[int, ...]) -> float:
        """The mean logarithm of some targets' ridges, relative to the mean eigenvalue."""
        ridges = np.array([self.ridge(out) for out in columns])
        return float(np.mean(np.log(ridges * self.unit / self.mean)))

    def near(
        self, x: Float[np.ndarray, "points dim"], y: Float[np.ndarray, "points out"]
    ) -> list["_Solved"]:
        """The same about other points, with widths that are near."""
        return [_Solved.of(x, y, self.columns, shape) for shape in self.shape.near()]

    @staticmethod
    def of(
        x: Float[np.ndarray, "points dim"],
        y: Float[np.ndarray, "points out"],
        columns: tuple[int, ...],
        shape: _Shape,
    ) -> "_Solved":
        """The solve for the targets in some columns of `y`."""
        y = y[:, columns]
        rest = _beside_polynomials(_polynomials(x, KERNELS[shape.kernel]))
        matrix = _kernel(x, shape)
        values, vectors = np.linalg.eigh(rest.T @ matrix @ rest)
        values, vectors = np.maximum(values, 0.0), rest @ vectors
        unit = max(float(values[-1]), _TINY)
        inside, squared = vectors.T @ y, np.square(vectors)
        least = np.full(y.shape[1], np.inf)
        weights, missed, ridges = np.zeros_like(y), y.copy(), np.full(y.shape[1], _RIDGES[-1])
        for ridge in _RIDGES:
            inverse = 1.0 / (values + ridge * unit)
            found = vectors @ (inverse[:, None] * inside)
            errors = found / np.maximum(squared @ inverse, _TINY)[:, None]
            square = np.mean(np.square(errors), axis=0)
            better = square < least
            least = np.where(better, square, least)
            weights[:, better], missed[:, better] = found[:, better], errors[:, better]
            ridges[better] = ridge
        mean = max(float(np.mean(values)), _TINY)
        return _Solved(shape, columns, weights, missed, ridges, unit, mean)

    def network(
        self,
        x: Float[np.ndarray, "points dim"],
        y: Float[np.ndarray, "points out"],
        columns: list[int],
    ) -> RadialBasis:
        """The network of some targets, with the polynomials that the weights leave."""
        own = [self.columns.index(out) for out in columns]
        weights, kernel = self.weights[:, own], self.shape.kernel
        fitted = _kernel(x, self.shape) @ weights
        left = y[:, columns] - fitted - self.ridges[own] * self.unit * weights
        polynomials = _polynomials(x, KERNELS[kernel])
        affine = np.zeros((1 + x.shape[1], len(columns)))
        if polynomials.shape[1]:
            affine[: polynomials.shape[1]] = np.linalg.lstsq(polynomials, left)[0]
        return RadialBasis(
            jnp.asarray(x),
            jnp.asarray(self.shape.scaling),
            jnp.asarray(weights.T),
            jnp.asarray(affine[1:].T),
            jnp.asarray(affine[0]),
            kernel,
        )


def _kernel(
    x: Float[np.ndarray, "points dim"], shape: _Shape
) -> Float[np.ndarray, "points points"]:
    z = x @ shape.scaling.T
    square = scipy.spatial.distance.cdist(z, z, "sqeuclidean")
    return radial_profile(shape.kernel, square, np)


def _polynomials(
    x: Float[np.ndarray, "points dim"], degree: int
) -> Float[np.ndarray, "points columns"]:
    """A one for degree 0, the inputs with it for degree 1, nothing below."""
    return np.concatenate([np.ones((len(x), 1)), x], axis=1)[:, : (0, 1, None)[degree + 1]]


def _beside_polynomials(
    columns: Float[np.ndarray, "points columns"],
) -> Float[np.ndarray, "points rest"]:
    """An orthonormal basis of what is orthogonal to the columns."""
    if not columns.shape[1]:
        return np.eye(len(columns))
    left, singular, _ = np.linalg.svd(columns)
    return left[:, int(np.sum(singular > 1e-10 * singular[0])) :]


class Radial(eqx.Module):
    r"""Radial basis functions about every point: for few scattered points of several inputs.

    Kernel, width and ridge have the least leave-one-out error, which is exact. The cost is the cube
    of the number of points. The result is a `nn.RadialBasis`, or several beside each other where
    targets differ.

    **Arguments:** `kernel`: one of `RadialBasis`'s; all compete if left out.

    **Raises:** `ValueError` for an unknown kernel, and, in `run`, for more than 2,000 points, fewer
    than two more than inputs, or a problem that is not a regression.

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
    ends = f"{np.min(fit.widths):.2g}", f"{np.max(fit.widths):.2g}"
    widths = f"{' and '.join(sorted(set(fit.kinds)))}: {' to '.join(dict.fromkeys(ends))}"
    reasons = (
        f"Radial units about all points, {' and '.join(kinds)}, {widths} half-widths.",
        f"Error at points left out one at a time: {fit.told:.1e} of the target's rms.",
    )
    numbers = {
        "leave_one_out": fit.told,
        "kernels": list(fit.kernels),
        "kinds": list(fit.kinds),
        "widths": [list(ends) for ends in fit.widths],
        "ridges": list(fit.ridges),
    }
    kind = f"{len(fit.missed)} radial units ({' and '.join(kinds)})"
    return Plan(kind, "Radial", None, reasons, numbers)
