"""Radial basis functions about few scattered points, chosen by what those left out say."""

import dataclasses
from collections.abc import Callable, Sequence

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
from repnet.solve._regression import data_of, require_regression
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._standardize import standardization

_MOST = 2000  # points, which take a minute
_PILOT = 300  # points by which widths are chosen
_WIDTHS = 2.0 ** np.arange(-3.5, 2.5, 0.5)  # relative to the median distance
_RIDGES = np.concatenate([10.0 ** np.arange(-14.0, -9.0), 10.0 ** np.arange(-9.0, 0.6, 0.5)])
_TINY = 1e-300


@dataclasses.dataclass(frozen=True)
class RadialFit:
    """Radial units about all points of a regression in standard units.

    - `network`: the fit; `missed`: leave-one-out errors, target less value, `(points, out)`.
    - `kernels`: of every target; `widths`: of their kernels; `ridges`: relative to the largest
      eigenvalue of these.
    """

    network: RadialBasis | Beside
    missed: Float[np.ndarray, "points out"]
    kernels: tuple[str, ...]
    widths: tuple[float, ...]
    ridges: tuple[float, ...]

    @property
    def errors(self) -> Float[np.ndarray, " out"]:
        """The root mean square of what is missed, by target."""
        return _rms(self.missed)


def fit_radial(
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
    kernel: str | None,
    key: PRNGKeyArray,
) -> RadialFit:
    r"""Every target's kernel, width and ridge of the least leave-one-out error; in float64 mode.

    Of many points, some say which widths are tried with all. The weights are $w = B y$ with $B$ the
    inverse of $K + \lambda I$ on what polynomials leave, and a point left out misses $w_i/B_{ii}$.

    **Arguments:** `x`, `y`: in standard units, at least two points more than inputs.

    **Source:** Rippa 1999; Micchelli 1986 for the kernels.
    """
    some = np.sort(np.asarray(jax.random.permutation(key, len(x)))[:_PILOT])
    middle = float(np.median(scipy.spatial.distance.cdist(x[some], x[some]))) or 1.0
    widths, best = _WIDTHS * middle, [None] * y.shape[1]
    for name in KERNELS if kernel is None else [kernel]:
        tried = [_Solved.of(x[some], y[some], name, width) for width in widths]
        if len(some) < len(x):
            place = np.argmin([_rms(each.missed) for each in tried], axis=0)
            near = np.unique(np.clip(place[:, None] + np.array([-1, 0, 1]), 0, len(widths) - 1))
            tried = [_Solved.of(x, y, name, width) for width in widths[near]]
        best = [
            min((each for each in (had, *tried) if each), key=lambda each: each.error(out))
            for out, had in enumerate(best)
        ]
    return _joined(best, x, y)


def _joined(
    best: Sequence["_Solved"],
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
) -> RadialFit:
    """One network for all targets, of which those with the same kernel and width share units."""
    groups: dict[int, list[int]] = {}
    for out, each in enumerate(best):
        groups.setdefault(id(each), []).append(out)
    parts = [best[columns[0]].network(x, y, columns) for columns in groups.values()]
    order = np.argsort(np.concatenate(list(groups.values()))).tolist()
    network = parts[0] if len(parts) == 1 else Beside(parts, order=order)
    missed = np.stack([each.missed[:, out] for out, each in enumerate(best)], axis=1)
    kernels = tuple(each.kernel for each in best)
    widths = tuple(float(each.width) for each in best)
    ridges = tuple(float(each.ridges[out]) for out, each in enumerate(best))
    return RadialFit(network, missed, kernels, widths, ridges)


def _rms(errors: Float[np.ndarray, "points out"]) -> Float[np.ndarray, " out"]:
    return np.sqrt(np.mean(np.square(errors), axis=0))


@dataclasses.dataclass(frozen=True)
class _Solved:
    """Weights with the best ridge for every target, and what points left out miss with it.

    - `weights`: $w$, `(points, out)`; `missed`: as in `RadialFit`.
    - `ridges`: `(out,)`; `unit`: what they are relative to.
    """

    kernel: str
    width: float
    weights: Float[np.ndarray, "points out"]
    missed: Float[np.ndarray, "points out"]
    ridges: Float[np.ndarray, " out"]
    unit: float

    def error(self, out: int) -> float:
        """The root mean square of what is missed of one target."""
        return float(_rms(self.missed)[out])

    @staticmethod
    def of(
        x: Float[np.ndarray, "points dim"],
        y: Float[np.ndarray, "points out"],
        kernel: str,
        width: float,
    ) -> "_Solved":
        matrix = _kernel(x, kernel, width)
        rest = _beside_polynomials(_polynomials(x, KERNELS[kernel]))
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
        return _Solved(kernel, width, weights, missed, ridges, unit)

    def network(
        self,
        x: Float[np.ndarray, "points dim"],
        y: Float[np.ndarray, "points out"],
        columns: list[int],
    ) -> RadialBasis:
        """The network of some targets, with the polynomials that the weights leave."""
        weights = self.weights[:, columns]
        fitted = _kernel(x, self.kernel, self.width) @ weights
        left = y[:, columns] - fitted - self.ridges[columns] * self.unit * weights
        polynomials = _polynomials(x, KERNELS[self.kernel])
        affine = np.zeros((1 + x.shape[1], len(columns)))
        if polynomials.shape[1]:
            affine[: polynomials.shape[1]] = np.linalg.lstsq(polynomials, left)[0]
        return RadialBasis(
            jnp.asarray(x),
            jnp.asarray(self.width),
            jnp.asarray(weights.T),
            jnp.asarray(affine[1:].T),
            jnp.asarray(affine[0]),
            self.kernel,
        )


def _kernel(
    x: Float[np.ndarray, "points dim"], kernel: str, width: float
) -> Float[np.ndarray, "points points"]:
    square = scipy.spatial.distance.cdist(x, x, "sqeuclidean") / width**2
    return radial_profile(kernel, square, np)


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
    kinds = sorted({kernel.replace("_", " ") for kernel in fit.kernels})
    widths = " to ".join(f"{width:.2g}" for width in sorted({min(fit.widths), max(fit.widths)}))
    error = float(np.sqrt(np.mean(np.square(fit.errors))))
    reasons = (
        f"Radial units about all points, {' and '.join(kinds)}, {widths} half-widths wide.",
        f"Error at points left out one at a time: {error:.1e} of the target's rms.",
    )
    numbers = {
        "leave_one_out": error,
        "kernels": list(fit.kernels),
        "widths": list(fit.widths),
        "ridges": list(fit.ridges),
    }
    kind = f"{len(fit.missed)} radial units ({' and '.join(kinds)})"
    plan = Plan(kind, "Radial", None, reasons, numbers)
    return Solution(
        network,
        None,
        RESULTS.successful,
        {},
        plan,
        clock.seconds,
        compile_seconds=clock.compile_seconds,
    )
