"""Radial units about points: weights with the best ridge, and what points left out miss."""

import dataclasses
from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float, Int

from repnet.nn import RadialBasis
from repnet.nn._radial import KERNELS, radial_profile

ONE, BY_INPUT, ANY = "one width", "a width for every input", "widths along directions found"
_NEAR = np.array([0.7, 1.0, 1.4])  # of a width that others have said
_RIDGES = np.concatenate([10.0 ** np.arange(-14.0, -9.0), 10.0 ** np.arange(-9.0, 0.6, 0.5)])
_RANK = 1e-13  # of the largest eigenvalue of the kernel between some centres
_LEAST = 1e-6  # of 1 - leverage: rows that decide their own fit, of which nothing is known then
_BLOCK = 4096  # rows at a time
_TINY = 1e-300


@dataclasses.dataclass(frozen=True)
class Shape:
    """A kernel, and how far it reaches: its scaling, and which kind of widths that is."""

    kernel: str
    kind: str
    scaling: Float[np.ndarray, "dim dim"]

    @property
    def numbers(self) -> int:
        """How many numbers make the widths."""
        dim = len(self.scaling)
        return {ONE: 1, BY_INPUT: dim, ANY: dim**2}[self.kind]

    @property
    def widths(self) -> tuple[float, ...]:
        """The one width, that of every input, or those along the directions, the least first."""
        if self.kind == ANY:
            reach = np.linalg.svd(self.scaling, compute_uv=False)
        else:
            reach = np.diag(self.scaling)[: self.numbers]
        return tuple((1.0 / np.maximum(reach, _TINY)).tolist())

    def near(self) -> list["Shape"]:
        """The same with all widths somewhat smaller, as they are, and somewhat larger."""
        return [dataclasses.replace(self, scaling=self.scaling / factor) for factor in _NEAR]

    def between(
        self, x: Float[np.ndarray, "points dim"], centres: Float[np.ndarray, "units dim"]
    ) -> Float[np.ndarray, "points units"]:
        """The kernel at points about centres."""
        z, c = x @ self.scaling.T, centres @ self.scaling.T
        return radial_profile(self.kernel, scipy.spatial.distance.cdist(z, c, "sqeuclidean"), np)


@dataclasses.dataclass(frozen=True)
class Solved:
    """Units whose weights have the best ridge for every target.

    - `columns`: which targets these are.
    - `centres`, `weights`: of the units, `(units, dim)` and `(units, out)`.
    - `affine`: the polynomials beside them, `(1 + dim, out)`, the constant first.
    - `missed`: target less value at points left out one at a time, `(points, out)`.
    - `ridges`: `(out,)`; `unit` and `mean`: the largest of the eigenvalues, to which these are
      relative, and their mean.
    """

    shape: Shape
    columns: tuple[int, ...]
    centres: Float[np.ndarray, "units dim"]
    weights: Float[np.ndarray, "units out"]
    affine: Float[np.ndarray, "terms out"]
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

    def network(self, columns: list[int]) -> RadialBasis:
        """The network of some targets."""
        own = [self.columns.index(out) for out in columns]
        return RadialBasis(
            jnp.asarray(self.centres),
            jnp.asarray(self.shape.scaling),
            jnp.asarray(self.weights[:, own].T),
            jnp.asarray(self.affine[1:, own].T),
            jnp.asarray(self.affine[0, own]),
            self.shape.kernel,
        )


def about_all(
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
    columns: tuple[int, ...],
    shape: Shape,
) -> Solved:
    r"""Units about all points, for the targets in some columns of `y`.

    The weights are $w = B y$ with $B$ the inverse of $K + \lambda I$ on what polynomials leave, and
    a point left out misses $w_i/B_{ii}$.

    **Source:** Rippa 1999.
    """
    y = y[:, columns]
    matrix, polynomials = shape.between(x, x), polynomials_at(x, shape.kernel)
    rest = beside(polynomials)
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
    affine = _affine(polynomials, y - matrix @ weights - ridges * unit * weights, x.shape[1])
    mean = max(float(np.mean(values)), _TINY)
    return Solved(shape, columns, x, weights, affine, missed, ridges, unit, mean)


def about_some(
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
    columns: tuple[int, ...],
    shape: Shape,
    centres: Int[np.ndarray, " units"],
) -> Solved:
    r"""Units about some of the points, fitted to all of them in blocks of rows.

    In a basis in which the kernel between the centres is the identity this is a ridge regression,
    whose errors at points left out are $e_i/(1 - h_i)$, with $h$ the diagonal of the hat matrix.

    **Source:** the subset of regressors: Rasmussen and Williams 2006, section 8.3.1; Allen 1974.
    """
    y, chosen = y[:, columns], x[centres]
    rest = beside(polynomials_at(chosen, shape.kernel))
    values, vectors = np.linalg.eigh(rest.T @ shape.between(chosen, chosen) @ rest)
    kept = values > _RANK * max(float(values[-1]), _TINY)
    lift = rest @ (vectors[:, kept] / np.sqrt(values[kept]))
    polynomials = polynomials_at(x, shape.kernel)
    flat = orthonormal(polynomials)
    left = y - flat @ (flat.T @ y)
    rank = lift.shape[1]
    moments, cross = np.zeros((rank, rank)), np.zeros((rank, y.shape[1]))
    across = np.zeros((flat.shape[1], rank))
    for rows in _blocks(len(x)):
        features = shape.between(x[rows], chosen) @ lift
        moments += features.T @ features
        cross += features.T @ left[rows]
        across += flat[rows].T @ features
    spectrum, basis = np.linalg.eigh(moments - across.T @ across)
    spectrum = np.maximum(spectrum, 0.0)
    unit = max(float(spectrum[-1]), _TINY) if rank else 1.0
    inverse = 1.0 / (spectrum[:, None] + _RIDGES * unit)
    turned = inverse[:, :, None] * (basis.T @ cross)[:, None]  # (rank, ridges, out)
    errors = np.empty((len(x), *turned.shape[1:]))
    for rows in _blocks(len(x)):
        features = (shape.between(x[rows], chosen) @ lift - flat[rows] @ across) @ basis
        held = np.square(flat[rows]).sum(axis=1)[:, None] + np.square(features) @ inverse
        freedom = (1.0 - held)[..., None]
        residual = left[rows][:, None] - np.tensordot(features, turned, 1)
        said = residual / np.maximum(freedom, _LEAST)
        errors[rows] = np.where(freedom > _LEAST, said, left[rows][:, None])
    best = np.argmin(np.mean(np.square(errors), axis=0), axis=0)
    each = np.arange(y.shape[1])
    found = basis @ turned[:, best, each]
    affine = _affine(polynomials, flat @ (flat.T @ y - across @ found), x.shape[1])
    missed, ridges = errors[:, best, each], _RIDGES[best]
    mean = max(float(np.mean(spectrum)), _TINY) if rank else 1.0
    return Solved(shape, columns, chosen, lift @ found, affine, missed, ridges, unit, mean)


def polynomials_at(
    x: Float[np.ndarray, "points dim"], kernel: str
) -> Float[np.ndarray, "points columns"]:
    """What a kernel leaves to the affine part: nothing, a one, or a one and the inputs."""
    columns = (0, 1, None)[KERNELS[kernel] + 1]
    return np.concatenate([np.ones((len(x), 1)), x], axis=1)[:, :columns]


def beside(columns: Float[np.ndarray, "points columns"]) -> Float[np.ndarray, "points rest"]:
    """An orthonormal basis of what is orthogonal to the columns."""
    if not columns.shape[1]:
        return np.eye(len(columns))
    left, singular, _ = np.linalg.svd(columns)
    return left[:, int(np.sum(singular > 1e-10 * singular[0])) :]


def orthonormal(
    columns: Float[np.ndarray, "points columns"],
) -> Float[np.ndarray, "points rank"]:
    """An orthonormal basis of the columns."""
    if not columns.shape[1]:
        return columns
    left, singular, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, : int(np.sum(singular > 1e-10 * singular[0]))]


def _affine(
    polynomials: Float[np.ndarray, "points columns"],
    left: Float[np.ndarray, "points out"],
    dim: int,
) -> Float[np.ndarray, "terms out"]:
    """The polynomials' weights for what units leave, and zeros for what a kernel has not."""
    affine = np.zeros((1 + dim, left.shape[1]))
    if polynomials.shape[1]:
        affine[: polynomials.shape[1]] = np.linalg.lstsq(polynomials, left)[0]
    return affine


def _blocks(count: int) -> Iterator[slice]:
    for start in range(0, count, _BLOCK):
        yield slice(start, start + _BLOCK)
