"""Ridge regression in many windows at once, for all ridges, and the leave-one-out errors of each.

Arrays carry the windows in front. The factorizations are LAPACK's through NumPy, which lets threads
work side by side; the features come from JAX.
"""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from repnet._svd import thin_svd
from repnet.nn import AbstractFirstLayer

AFFINE = 10.0  # weight of the affine columns against the features: nearly free of the ridge
_SLIGHT = 1e-3  # share of a ridge that is not solved for by itself
_MINOR = 0.05  # share of a ridge without which errors of blocks are told
_FEW = 0.4  # of a window's points may be missing where it takes its neighbours' factors


@dataclasses.dataclass(frozen=True)
class Design:
    """Features and weighted affine columns at the points of some windows.

    The leading axis has length 1 where all windows see the same points.

    - `matrix`: shape `(windows, points, width + 1 + dim)`.
    - `level`: weight of the affine columns, shape `(windows,)`.
    - `width`: number of features.
    """

    matrix: Float[np.ndarray, "geometries points columns"]
    level: Float[np.ndarray, " geometries"]
    width: int

    @property
    def unit(self) -> Float[np.ndarray, " geometries"]:
        """The mean diagonal of the kernels: ridges are in units of it."""
        return np.square(self.matrix).sum(axis=2).mean(axis=1)

    def take(self, rows: Int[np.ndarray, " some"]) -> "Design":
        """That of some windows; points that all windows share stay as they are."""
        if len(self.matrix) == 1:
            return self
        return Design(self.matrix[rows], self.level[rows], self.width)


def make_design(
    layer: AbstractFirstLayer, local: Float[np.ndarray, "windows points dim"]
) -> Design:
    """The design of every window, from its points in local coordinates."""
    windows, points, dim = local.shape
    features = feature_values(layer, local.reshape(-1, dim)).reshape(windows, points, -1)
    level = AFFINE * np.sqrt(np.square(features).sum(axis=2).mean(axis=1))
    affine = level[:, None, None] * np.concatenate([np.ones((windows, points, 1)), local], axis=2)
    return Design(np.concatenate([features, affine], axis=2), level, layer.width)


_CHUNK = 4096  # points: one compiled shape for all windows of a layer


def feature_values(
    layer: AbstractFirstLayer, points: Float[np.ndarray, "all dim"]
) -> Float[np.ndarray, "all width"]:
    """The layer at points, chunk by chunk."""
    values = np.empty((len(points), layer.width))
    for first in range(0, len(points), _CHUNK):
        chunk = points[first : first + _CHUNK]
        padded = np.zeros((_CHUNK if len(points) > 256 else 256, points.shape[1]))
        padded[: len(chunk)] = chunk
        values[first : first + len(chunk)] = np.asarray(
            _compiled_features(layer, jnp.asarray(padded))
        )[: len(chunk)]
    return values


@eqx.filter_jit
def _compiled_features(layer: AbstractFirstLayer, points: Array) -> Array:
    return jax.vmap(layer)(points)


@dataclasses.dataclass(frozen=True)
class Factors:
    r"""Eigenvectors and values of the kernels $K = \Phi\Phi^\top$.

    - `vectors`: $V$, `(windows, points, rank)`; `values`: `(windows, rank)`.
    - `right`, `singular`: the SVD's other half where it was asked for, else `None`.
    - `held`: which points windows hold, `(windows, points)`, where all share the factors of the
      kernel at all points and each misses a few of them; else `None`.
    """

    vectors: np.ndarray
    values: np.ndarray
    right: np.ndarray | None = None
    singular: np.ndarray | None = None
    held: Bool[np.ndarray, "windows points"] | None = None

    def take(self, rows: Int[np.ndarray, " some"]) -> "Factors":
        """Those of some windows; factors that all windows share stay as they are."""
        if self.held is not None:
            return dataclasses.replace(self, held=self.held[rows])
        if len(self.vectors) == 1:
            return self
        right = None if self.right is None else self.right[rows]
        singular = None if self.singular is None else self.singular[rows]
        return Factors(self.vectors[rows], self.values[rows], right, singular)


def misses_few(mask: Bool[np.ndarray, "masks points"]) -> Bool[np.ndarray, " masks"]:
    """Windows that hold enough of their points for one factorization at all of them."""
    return mask.mean(axis=1) >= 1.0 - _FEW


def kernels(geometries: int, mask: Bool[np.ndarray, "masks points"], precise: bool) -> int:
    """How many kernels `factorize` takes apart: one per geometry, or one per window."""
    one = geometries == 1 and not precise and bool(misses_few(mask).all())
    return 1 if one else max(geometries, len(mask))


def factorize(design: Design, mask: Bool[np.ndarray, "masks points"], precise: bool) -> Factors:
    """The factors of every window, or of all at once where they share points and mask.

    The kernel squares the condition number: without `precise`, good to 1e-8 of the target. That is
    enough where data are rough or noisy, at a fraction of the time.
    """
    if precise:
        rows = design.matrix * mask[..., None]
        vectors, singular, right = thin_svd(rows)
        return Factors(vectors, singular**2, right, singular)
    kernel = design.matrix @ design.matrix.swapaxes(1, 2)
    if kernels(len(kernel), mask, precise) < len(mask):
        values, vectors = np.linalg.eigh(kernel)
        return Factors(vectors, np.maximum(values, 0.0), held=mask)
    kernel = kernel * (mask[:, :, None] & mask[:, None, :])
    # Missing points get a unit of their own: as zeros they would mix with the kernel's null space.
    kernel += (design.unit[:, None] * ~mask)[:, :, None] * np.eye(mask.shape[1])
    values, vectors = np.linalg.eigh(kernel)
    return Factors(vectors, np.maximum(values, 0.0))


def leave_one_out(
    design: Design,
    factors: Factors,
    ridges: Float[np.ndarray, " ridges"],
    weight: Float[np.ndarray, "windows points"],
    y: Float[np.ndarray, "windows points out"],
) -> Float[np.ndarray, "windows ridges out"]:
    r"""Weighted leave-one-out errors $\sum_i w_i (\alpha_i / (K + \lambda I)^{-1}_{ii})^2$.

    **Source:** Allen 1974 (PRESS); Golub, Heath and Wahba 1979.
    """
    alpha, diagonal = _dual(factors, ridges * design.unit[:, None], y)
    return np.einsum("wp,wpro->wro", weight, np.square(alpha / diagonal[..., None]), optimize=True)


def left_out(
    design: Design,
    factors: Factors,
    ridges: Float[np.ndarray, " ridges"],
    share: Float[np.ndarray, "windows ridges out"],
    y: Float[np.ndarray, "windows points out"],
) -> Float[np.ndarray, "windows points out"]:
    """Leave-one-out errors at every point, target less value, averaged over ridges by shares."""
    alpha, diagonal = _dual(factors, ridges * design.unit[:, None], y)
    return np.einsum("wpro,wro->wpo", alpha / diagonal[..., None], share)


def _dual(
    factors: Factors,
    shift: Float[np.ndarray, "geometries ridges"],
    y: Float[np.ndarray, "windows points out"],
) -> tuple[
    Float[np.ndarray, "windows points ridges out"], Float[np.ndarray, "kernels points ridges"]
]:
    r"""$\alpha = (K + \lambda I)^{-1} y$ and the diagonal of the inverse, for every $\lambda$."""
    if factors.held is not None:
        return _downdated(factors, factors.held, shift[0], y)
    vectors = factors.vectors
    inverse = 1.0 / (factors.values[:, :, None] + shift[:, None, :])
    inside = vectors.swapaxes(1, 2) @ y
    _, points, rank = vectors.shape
    spectral = inverse[..., None] * inside[:, :, None, :]
    alpha = vectors @ spectral.reshape(len(spectral), rank, -1)
    alpha = alpha.reshape(len(alpha), points, -1, y.shape[-1])
    squared = np.square(vectors)
    diagonal = squared @ inverse
    if rank < points:  # on the rest of the space K is zero
        alpha = alpha + (y - vectors @ inside)[:, :, None, :] / shift[:, None, :, None]
        diagonal = diagonal + (1.0 - squared.sum(axis=2))[..., None] / shift[:, None, :]
    return alpha, diagonal


def _downdated(
    factors: Factors,
    held: Bool[np.ndarray, "windows points"],
    shift: Float[np.ndarray, " ridges"],
    y: Float[np.ndarray, "windows points out"],
) -> tuple[
    Float[np.ndarray, "windows points ridges out"], Float[np.ndarray, "windows points ridges"]
]:
    r"""`_dual` of windows that miss a few of the points at which one kernel was factorized.

    With $B = (K + \lambda I)^{-1}$ at all points and $m$ those missing, the inverse at the others
    $o$ is the Schur complement $B_{oo} - B_{om} B_{mm}^{-1} B_{mo}$.
    """
    vectors, values = factors.vectors[0], factors.values[0]
    most = np.sum(~held, axis=1).max()
    missing = np.argsort(held, axis=1, kind="stable")[:, :most]  # those held fill up shorter rows
    real = ~np.take_along_axis(held, missing, axis=1)
    alpha = np.empty((*held.shape, len(shift), y.shape[-1]))
    diagonal = np.empty((*held.shape, len(shift)))
    identity = np.eye(most) * ~real[:, None, :]
    for place, ridge in enumerate(shift):
        inverse = (vectors / (values + ridge)) @ vectors.T
        across = inverse[missing] * real[..., None]
        inside = np.take_along_axis(across, missing[:, None, :], axis=2) * real[:, None, :]
        # An inverse and a product: many right-hand sides take NumPy's solve longer than both.
        solved = np.linalg.inv(inside + identity) @ across
        found = inverse @ y
        at_missing = np.take_along_axis(found, missing[..., None], axis=1)
        alpha[:, :, place] = found - solved.swapaxes(1, 2) @ at_missing
        removed = np.einsum("wmp,wmp->wp", across, solved)
        diagonal[:, :, place] = np.where(held, np.diagonal(inverse) - removed, 1.0)
    return alpha * held[:, :, None, None], diagonal


def _solved(
    design: Design,
    held: Bool[np.ndarray, "windows points"],
    shift: Float[np.ndarray, " ridges"],
    share: Float[np.ndarray, "windows ridges out"],
    y: Float[np.ndarray, "windows points out"],
) -> Float[np.ndarray, "windows points out"]:
    r"""$(K + \lambda I)^{-1} y$ at the points that each window holds, averaged over ridges."""
    share = _without_slight(share, _SLIGHT)
    kernel = design.matrix[0] @ design.matrix[0].T
    total = np.zeros_like(y)
    for place in np.flatnonzero(share.any(axis=(0, 2))):
        used = np.flatnonzero(share[:, place].any(axis=1))
        shifted = _shifted(kernel[None], held[used], shift[[place]], design.unit)
        total[used] += share[used, place][:, None] * np.linalg.solve(shifted, y[used])
    return held[..., None] * total


def _without_slight(
    share: Float[np.ndarray, "windows ridges out"], slight: float
) -> Float[np.ndarray, "windows ridges out"]:
    """Shares of ridges of which the slight ones are the others'."""
    whole = share.sum(axis=1, keepdims=True)
    share = np.where(share < slight * whole, 0.0, share)
    return share * whole / np.maximum(share.sum(axis=1, keepdims=True), 1e-300)


@dataclasses.dataclass(frozen=True)
class Blocks:
    """Points at which others are left out with them.

    - `window`, `point`: which point of which window, shape `(blocks,)`.
    - `out`: all that is left out, the point with it, shape `(blocks, points)`.
    """

    window: Int[np.ndarray, " blocks"]
    point: Int[np.ndarray, " blocks"]
    out: Bool[np.ndarray, "blocks points"]


def blocks_left_out(
    design: Design,
    mask: Bool[np.ndarray, "masks points"],
    ridges: Float[np.ndarray, " ridges"],
    share: Float[np.ndarray, "windows ridges out"],
    y: Float[np.ndarray, "windows points out"],
    blocks: Blocks,
) -> Float[np.ndarray, "blocks out"]:
    r"""Errors at points without their blocks, target less value, averaged over ridges by shares.

    With $B = (K + \lambda I)^{-1}$ at the points that a window holds, errors in a block $s$ that is
    left out are $B_{ss}^{-1} (B y)_s$. Good to 1e-8 of the target: kernels are inverted. Ridges of
    minor shares count as the others.
    """
    share, held = _without_slight(share, _MINOR), np.broadcast_to(mask, y.shape[:2])
    kernel = design.matrix @ design.matrix.swapaxes(1, 2)
    shift = ridges * design.unit[:, None]
    most = blocks.out.sum(axis=1).max()
    members = np.argsort(~blocks.out, axis=1, kind="stable")[:, :most]
    real = np.take_along_axis(blocks.out, members, axis=1)
    place_of_own = np.argmax(members == blocks.point[:, None], axis=1)
    asked = np.unique(blocks.window)
    total = np.zeros((len(members), y.shape[2]))
    for place in np.flatnonzero(share[asked].any(axis=(0, 2))):
        used = asked[share[asked, place].any(axis=1)]
        own = used if len(kernel) > 1 else np.zeros(1, int)
        shifted = _shifted(kernel[own], held[used], shift[own, place], design.unit[own])
        inverse = np.linalg.inv(shifted)
        some = np.flatnonzero(np.isin(blocks.window, used))
        row, block = np.searchsorted(used, blocks.window[some])[:, None], members[some]
        among = inverse[row[..., None], block[:, :, None], block[:, None, :]]
        errors = without_blocks(among, (inverse @ y[used])[row, block], real[some])
        errors = errors[np.arange(len(some)), place_of_own[some]]
        total[some] += share[blocks.window[some], place] * errors
    return total


def without_blocks(
    inverse: Float[np.ndarray, "blocks members members"],
    weights: Float[np.ndarray, "blocks members out"],
    real: Bool[np.ndarray, "blocks members"],
) -> Float[np.ndarray, "blocks members out"]:
    r"""Errors of kernel ridge regression in blocks that are left out, $B_{ss}^{-1} (B y)_s$.

    **Arguments:** `inverse`: $B_{ss}$, of the inverse kernel at all points; `weights`: $(B y)_s$;
    `real`: which members are any, where shorter blocks are filled up.
    """
    pair = real[:, :, None] & real[:, None, :]
    among = np.where(pair, inverse, np.eye(real.shape[1]))
    return np.linalg.solve(among, np.where(real[..., None], weights, 0.0))


def _shifted(
    kernel: Float[np.ndarray, "geometries points points"],
    held: Bool[np.ndarray, "windows points"],
    shift: Float[np.ndarray, " geometries"],
    unit: Float[np.ndarray, " geometries"],
) -> Float[np.ndarray, "windows points points"]:
    """Kernels with a ridge; points that are not held have an equation of their own."""
    shifted = kernel * (held[:, :, None] & held[:, None, :])
    each = np.arange(held.shape[1])
    shifted[:, each, each] += np.where(held, shift[:, None], unit[:, None])
    return shifted


def readouts(
    design: Design,
    factors: Factors,
    mask: Bool[np.ndarray, "masks points"],
    ridges: Float[np.ndarray, " ridges"],
    share: Float[np.ndarray, "windows ridges out"],
    y: Float[np.ndarray, "windows points out"],
) -> tuple[Float[np.ndarray, "windows out width"], Float[np.ndarray, "windows out affine"]]:
    """Read-outs of the features and of the affine part, with shares of the ridges for every target.

    Factors that windows share for their errors are not used: in the read-out, the inverse at all
    points and what is taken off it again may cancel to the last digit.
    """
    shift = ridges * design.unit[:, None]
    if factors.held is not None:
        mean = _solved(design, factors.held, shift[0], share, y)
        coefficients = design.matrix.swapaxes(1, 2) @ mean
    elif factors.right is None or factors.singular is None:
        alpha, _ = _dual(factors, shift, y)
        mean = mask[..., None] * np.einsum("wpro,wro->wpo", alpha, share)
        coefficients = design.matrix.swapaxes(1, 2) @ mean
    else:  # through the right singular vectors: the kernel's inverse would lose all digits here
        gain = factors.singular[..., None] / (factors.values[..., None] + shift[:, None, :])
        inside = factors.vectors.swapaxes(1, 2) @ y
        mean = (gain @ share) * inside
        coefficients = factors.right.swapaxes(1, 2) @ mean
    coefficients = coefficients.swapaxes(1, 2)
    affine = design.level[:, None, None] * coefficients[..., design.width :]
    return coefficients[..., : design.width], affine
