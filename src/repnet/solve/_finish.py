"""Gauss–Newton steps on all parameters: what ends the training of an equation."""

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

from repnet.problem import Problem
from repnet.solve._loss import TermData, Training, total_loss
from repnet.solve.equations._fit import row_weights

_START = 1e-4  # damping relative to the mean diagonal of the kernel
_LEAST, _MOST = 1e-13, 1e6
_ENOUGH = 1e-24  # relative square of the residuals below which nothing is left to gain
LARGEST = 5e7  # numbers in the Jacobian beyond which a step is too dear


@dataclass(frozen=True)
class Finished:
    """Parameters and unknowns after some steps, and the training's loss after each."""

    parameters: PyTree
    losses: list[float]


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
    the weight.

    **Arguments:** `steps` at most; `tell(step, loss)` is called after each.

    **Source:** Levenberg 1944, Marquardt 1963; in the space of residuals, Müller and Zeinhofer
    2023.
    """
    with jax.enable_x64(True):
        wide = [jax.tree.map(_double, tree) for tree in (parameters, rest, training)]
        flat, shape = ravel_pytree(wide[0])
        residual = _Residual(problem, shape(flat), wide[1], wide[2])
        losses = []
        for step in range(steps):
            flat, going = residual.step(flat)
            losses.append(residual.loss(flat))
            tell(step + 1, losses[-1])
            if not going:
                break
        found = jax.tree.map(np.asarray, shape(flat))
    narrow = jax.tree.map(lambda new, old: jnp.asarray(new, old.dtype), found, parameters)
    return Finished(narrow, losses)


class _Residual:
    """All scaled residuals of a training as one function of a flat vector, with its damping."""

    def __init__(self, problem: Problem, parameters: PyTree, rest: PyTree, training: Training):
        self.parameters, self.rest, self.training = parameters, rest, training
        self.damping = _START
        self.scales: list[Array] = []
        _, rows = self._linearized(ravel_pytree(parameters)[0], unit=True)
        for term, each in zip(problem.terms.values(), rows, strict=True):
            self.scales.append(jnp.asarray(row_weights(problem, term, np.asarray(each))))

    def loss(self, flat: Array) -> float:
        """The training's own loss."""
        return float(_loss(flat, self.parameters, self.rest, self.training))

    def step(self, flat: Array) -> tuple[Array, bool]:
        """The next vector, and whether another step may help."""
        values, blocks = self._linearized(flat)
        r = np.concatenate([np.asarray(v).ravel() for v in values])
        rows = np.concatenate([np.asarray(b).reshape(-1, flat.size) for b in blocks])
        square = float(r @ r)
        if not np.isfinite(square) or square <= _ENOUGH * len(r):
            return flat, False
        fewer = len(r) <= flat.size  # residuals than parameters
        kernel = rows @ rows.T if fewer else rows.T @ rows
        size = float(np.trace(kernel)) / len(r)
        while self.damping <= _MOST:
            damped = kernel + self.damping * size * np.eye(len(kernel))
            right = r if fewer else rows.T @ r
            step = scipy.linalg.solve(damped, right, assume_a="pos", check_finite=False)
            moved = flat - jnp.asarray(rows.T @ step if fewer else step)
            after = self._square(moved)
            if after < square:
                self.damping = max(self.damping / 5.0, _LEAST)
                return moved, True
            self.damping *= 8.0
        return flat, False

    def _square(self, flat: Array) -> float:
        total = 0.0
        for term, scale in zip(self.training.terms, self.scales, strict=True):
            found = _values(flat, self.parameters, self.rest, self.training, term)
            total += float(jnp.sum(jnp.square(scale * found)))
        return total if np.isfinite(total) else np.inf

    def _linearized(self, flat: Array, unit: bool = False) -> tuple[list[Array], list[Array]]:
        values, rows = [], []
        for place, term in enumerate(self.training.terms):
            value, row = _rows(flat, self.parameters, self.rest, self.training, term)
            scale = jnp.ones(value.shape[1]) if unit else self.scales[place]
            values.append(scale * value)
            rows.append(scale[:, None] * row)
        return values, rows


@eqx.filter_jit
def _loss(flat: Array, parameters: PyTree, rest: PyTree, training: Training) -> Float[Array, ""]:
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
def _values(
    flat: Array, parameters: PyTree, rest: PyTree, training: Training, term: TermData
) -> Float[Array, "points equations"]:
    def one(x: Array, value: Array | None) -> Array:
        return _at(flat, parameters, rest, training, term, x, value)

    return jax.vmap(one)(term.points, term.values)


@eqx.filter_jit
def _rows(
    flat: Array, parameters: PyTree, rest: PyTree, training: Training, term: TermData
) -> tuple[Float[Array, "points equations"], Float[Array, "points equations parameters"]]:
    def one(x: Array, value: Array | None) -> tuple[Array, Array]:
        found, pull = jax.vjp(lambda p: _at(p, parameters, rest, training, term, x, value), flat)
        (rows,) = jax.vmap(pull)(jnp.eye(found.size))
        return found, rows

    return jax.vmap(one)(term.points, term.values)


def _double(leaf: Any) -> Any:
    return leaf.astype(jnp.float64) if eqx.is_inexact_array(leaf) else leaf
