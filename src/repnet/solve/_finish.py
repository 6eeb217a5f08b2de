"""Gauss–Newton steps on all parameters: what ends a training at few points."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import scipy  # its parts load at their first use
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PyTree

from repnet._svd import thin_svd
from repnet.nn import MLP
from repnet.problem import Problem
from repnet.solve._loss import TermData, Training, total_loss
from repnet.solve.equations._fit import row_weights

_START = 1e-4  # damping relative to the mean diagonal of the kernel
_LEAST, _MOST = 1e-13, 1e6
_ENOUGH = 1e-24  # relative square of the residuals below which nothing is left to gain
_RCOND = 1e-10  # singular values of the read-out's rows that count as zero
_MILD = 1e-6, 1e-5  # the same two where nothing is asked between the points


@dataclass(frozen=True)
class Finished:
    """Parameters and unknowns after some steps, and the training's loss after each."""

    parameters: PyTree
    losses: list[float]
    interrupted: bool = False
    anew: bool = False  # whether the steps started from the initial parameters


def finish(
    problem: Problem,
    parameters: PyTree,
    rest: PyTree,
    training: Training,
    steps: int,
    tell: Callable[[int, float], None],
) -> Finished:
    r"""Levenberg–Marquardt steps in double precision, in the smaller of two spaces.

    $$\theta \leftarrow \theta - J^T (J J^T + \lambda I)^{-1} r
      = \theta - (J^T J + \lambda I)^{-1} J^T r$$

    in the space of residuals or that of parameters, with the rows of $J$ scaled so that all terms
    have the same mean square, boundaries ten times that. $J J^T$ is the tangent kernel at the
    collocation points. A squared residual of order two weighs an error of frequency ω by ω⁴, so
    that gradient descent leaves the low frequencies where they are; dividing by the kernel undoes
    the weight. What an equation says least about are solutions of its homogeneous part, which a
    boundary alone decides: gradients of the two differ by the same ω⁴.

    Where the network has a linear read-out and the problem no unknowns, $r$ and $J$ are taken
    without what the read-out reaches, and it is solved for by least squares after each step
    (variable projection): the damping that the other parameters need would keep it from following.
    A regression asks nothing between its points, where large read-outs of features that hardly
    differ on them would go astray: damping and the read-out's rank are bounded earlier there.

    **Arguments:** `steps` at most; `tell(step, loss)` is called after each.

    **Source:** Levenberg 1944, Marquardt 1963; in the space of residuals, Müller and Zeinhofer
    2023; read-out: Golub and Pereyra 1973, Kaufman 1975.
    """
    with jax.enable_x64(True):
        wide = [jax.tree.map(double, tree) for tree in (parameters, rest, training)]
        flat, shape = ravel_pytree(wide[0])
        residual = _Residual(problem, shape(flat), wide[1], wide[2])
        losses = []
        for step in range(steps):
            flat, going = residual.step(flat)
            losses.append(residual.loss(flat))
            tell(step + 1, losses[-1])
            if not going:
                break
        return Finished(narrowed(flat, parameters), losses)


class _Residual:
    """All scaled residuals of a training as one function of a flat vector, with its damping."""

    def __init__(self, problem: Problem, parameters: PyTree, rest: PyTree, training: Training):
        self.parameters, self.rest, self.training = parameters, rest, training
        self.damping = _START
        self.least, self.rcond = _MILD if training.frame is None else (_LEAST, _RCOND)
        self.readout = readout_places(parameters)
        self.scales: list[Array] = []
        _, rows = self._linearized(ravel_pytree(parameters)[0], unit=True)
        for term, each in zip(problem.terms.values(), rows, strict=True):
            self.scales.append(jnp.asarray(row_weights(problem, term, np.asarray(each))))

    def loss(self, flat: Array) -> float:
        """The training's own loss."""
        return float(training_loss(flat, self.parameters, self.rest, self.training))

    def step(self, flat: Array) -> tuple[Array, bool]:
        """The next vector, and whether another step may help."""
        values, blocks = self._linearized(flat)
        r, rows = _stacked(values), _stacked_rows(blocks)
        square = float(r @ r)
        if not np.isfinite(square) or square <= _ENOUGH * len(r):
            return flat, False
        if len(self.readout):
            r, rows = _beyond(rows[:, self.readout], r, rows, self.rcond)
        fewer = len(r) <= flat.size  # residuals than parameters
        kernel = rows @ rows.T if fewer else rows.T @ rows
        right = r if fewer else rows.T @ r
        size = float(np.trace(kernel)) / len(r)
        while self.damping <= _MOST:
            damped = kernel + self.damping * size * np.eye(len(kernel))
            step = _solved(damped, right)
            if step is None:
                self.damping *= 8.0
                continue
            moved = flat - jnp.asarray(rows.T @ step if fewer else step)
            moved, after = self._settled(moved)
            if after < square:
                self.damping = max(self.damping / 5.0, self.least)
                return moved, True
            self.damping *= 8.0
        return flat, False

    def _settled(self, flat: Array) -> tuple[Array, float]:
        """The vector with its read-out solved for where that helps, and its square."""
        square = self._square(flat)
        if not len(self.readout) or not np.isfinite(square):
            return flat, square
        values, blocks = self._linearized(flat, self.readout)
        r, rows = _stacked(values), _stacked_rows(blocks)
        norms = np.sqrt(np.square(rows).sum(axis=0))
        norms = np.where(norms > 0, norms, 1.0)
        change = np.linalg.lstsq(rows / norms, r, rcond=self.rcond)[0] / norms
        other = flat.at[self.readout].add(-jnp.asarray(change))
        solved = self._square(other)
        return (other, solved) if solved < square else (flat, square)

    def _square(self, flat: Array) -> float:
        total = 0.0
        for term, scale in zip(self.training.terms, self.scales, strict=True):
            found = term_values(flat, self.parameters, self.rest, self.training, term)
            total += float(jnp.sum(jnp.square(scale * found)))
        return total if np.isfinite(total) else np.inf

    def _linearized(
        self, flat: Array, places: np.ndarray | None = None, *, unit: bool = False
    ) -> tuple[list[Array], list[Array]]:
        """Scaled residuals, and their derivatives by all parameters or those at some places."""
        some = None if places is None else jnp.asarray(places)
        values, rows = [], []
        for index, term in enumerate(self.training.terms):
            value, row = term_rows(flat, some, self.parameters, self.rest, self.training, term)
            scale = jnp.ones(value.shape[1]) if unit else self.scales[index]
            values.append(scale * value)
            rows.append(scale[:, None] * row)
        return values, rows


def _solved(
    kernel: Float[np.ndarray, "n n"], right: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"] | None:
    """The solution, or `None` where rounding leaves the kernel not positive definite."""
    try:
        factor = scipy.linalg.cho_factor(kernel, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    return scipy.linalg.cho_solve(factor, right, check_finite=False)


def _stacked(values: list[Array]) -> Float[np.ndarray, " rows"]:
    return np.concatenate([np.asarray(value).ravel() for value in values])


def _stacked_rows(blocks: list[Array]) -> Float[np.ndarray, "rows columns"]:
    return np.concatenate([np.asarray(rows).reshape(-1, rows.shape[-1]) for rows in blocks])


def _beyond(
    reach: Float[np.ndarray, "rows some"],
    r: Float[np.ndarray, " rows"],
    rows: Float[np.ndarray, "rows columns"],
    rcond: float,
) -> tuple[Float[np.ndarray, " rows"], Float[np.ndarray, "rows columns"]]:
    """Residuals and rows without their parts in the span of some columns."""
    norms = np.sqrt(np.square(reach).sum(axis=0))
    left, singular, _ = thin_svd(reach / np.where(norms > 0, norms, 1.0))
    basis = left[:, singular > rcond * singular[0]]
    return r - basis @ (basis.T @ r), rows - basis @ (basis.T @ rows)


def readout_places(parameters: PyTree) -> np.ndarray:
    """Where in the flat vector a read-out lies that is to be solved for; empty for none."""
    network, unknowns = parameters
    if jax.tree.leaves(unknowns) or not isinstance(network, MLP) or network.readout.weight is None:
        return np.zeros(0, int)
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    ones = eqx.tree_at(lambda tree: tree[0].readout, zeros, replace_fn=_ones)
    return np.flatnonzero(np.asarray(ravel_pytree(ones)[0]))


def _ones(tree: PyTree) -> PyTree:
    return jax.tree.map(jnp.ones_like, tree)


@eqx.filter_jit
def training_loss(
    flat: Array, parameters: PyTree, rest: PyTree, training: Training
) -> Float[Array, ""]:
    shape = ravel_pytree(parameters)[1]
    return total_loss(eqx.combine(shape(flat), rest), training.terms, training)


def _at(
    flat: Array,
    parameters: PyTree,
    rest: PyTree,
    training: Training,
    term: TermData,
    x: Array,
    value: Array | None,
) -> Float[Array, " equations"]:
    network, unknowns = eqx.combine(ravel_pytree(parameters)[1](flat), rest)
    found = jnp.atleast_1d(term.residual(training.field(network), x, unknowns))
    return found if value is None else found - value


@eqx.filter_jit
def term_values(
    flat: Array, parameters: PyTree, rest: PyTree, training: Training, term: TermData
) -> Float[Array, "points equations"]:
    def one(x: Array, value: Array | None) -> Array:
        return _at(flat, parameters, rest, training, term, x, value)

    return jax.vmap(one)(term.points, term.values)


@eqx.filter_jit
def term_rows(
    flat: Array,
    places: Array | None,
    parameters: PyTree,
    rest: PyTree,
    training: Training,
    term: TermData,
) -> tuple[Float[Array, "points equations"], Float[Array, "points equations parameters"]]:
    def at(p: Array, x: Array, value: Array | None) -> Array:
        moved = p if places is None else flat.at[places].set(p)
        return _at(moved, parameters, rest, training, term, x, value)

    def one(x: Array, value: Array | None) -> tuple[Array, Array]:
        start = flat if places is None else flat[places]
        found, pull = jax.vjp(lambda p: at(p, x, value), start)
        (rows,) = jax.vmap(pull)(jnp.eye(found.size))
        return found, rows

    return jax.vmap(one)(term.points, term.values)


def narrowed(flat: Array, parameters: PyTree) -> PyTree:
    """A flat vector in double precision as parameters in their own."""
    leaves, structure = jax.tree.flatten(parameters)
    parts = np.split(np.asarray(flat), np.cumsum([leaf.size for leaf in leaves])[:-1])
    found = zip(parts, leaves, strict=True)
    narrow = [jnp.asarray(part.reshape(leaf.shape), leaf.dtype) for part, leaf in found]
    return jax.tree.unflatten(structure, narrow)


def double(leaf: Any) -> Any:
    return leaf.astype(jnp.float64) if eqx.is_inexact_array(leaf) else leaf
