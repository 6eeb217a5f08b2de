"""Gauss–Newton steps on points drawn anew for each: the end of a training on many points."""

from collections.abc import Callable
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from repnet.problem import Problem
from repnet.solve._collocation import redrawn
from repnet.solve._finish import (
    Finished,
    double,
    narrowed,
    readout_places,
    term_rows,
    term_values,
    training_loss,
)
from repnet.solve._loss import TermData, Training
from repnet.solve.equations._fit import row_weights

BATCH = 512  # residuals per step
_FEWEST = 64  # points of a term in a step, if it has that many
_DAMPING = 1e-7  # relative to the mean diagonal of the kernel, at the start
_LEAST, _MOST = 1e-9, 1e-2  # damping: less after long steps, more where no step helps
_MOMENTUM = 0.9
_FREE = 100.0  # the read-out's share of the kernel's diagonal, relative to all others'
_SHARES = (1.0, 0.5, 0.25, 2.0**-4, 2.0**-7, 0.0)  # of a step, of which the best is taken
_LONG = 0.5
_LONG_DAMPING = 1e-6  # of steps on many residuals
_LONG_SHARES = (1.0, 0.5, 0.25, 0.1)
_TRIES = 8  # dampings before a step is given up
_ROUNDING = 1e-14  # root mean square of scaled residuals that no step can lower
_JUDGED = 5  # steps between looks at other points


def randomized(
    problem: Problem,
    parameters: PyTree,
    rest: PyTree,
    training: Training,
    steps: int,
    key: PRNGKeyArray,
    tell: Callable[[int, float], None],
    start: PyTree | None = None,
) -> Finished:
    r"""Gauss–Newton steps with momentum, each on 512 residuals at random, in double precision.

    $$\phi \leftarrow \mu\phi + D^2 J^T (J D^2 J^T + \lambda I)^{-1} (r - \mu J \phi),
      \qquad \theta \leftarrow \theta - \eta\phi, \quad \phi \leftarrow \eta\phi$$

    The momentum keeps what earlier points asked for wherever those of this step are silent. $D$ is
    1 but for a linear read-out, which moves freely: its part of the kernel's diagonal is a hundred
    times that of all other parameters, so that the solution's size is no matter of the hidden
    layers. Rows are scaled as in `finish`; η is the best of a few at the step's own points.

    **Arguments:** `steps`; `tell(step, loss)` is called after each; `start`: parameters to start
    from in place of those given.

    **Returns:** of what was given and every fifth step, the one with the least residual at points
    that no step has seen. Ctrl-C ends the steps.

    **Source:** Goldshlager, Abrahamsen and Lin 2024; for equations, Guzmán-Cordero, Dangel,
    Goldshlager and Zeinhofer 2025; $D$ and the judgement: this project.
    """
    draw_key, judge_key = jr.split(key)
    with jax.enable_x64(True):
        wide = [jax.tree.map(double, tree) for tree in (parameters, rest, training)]
        run = _Run(problem, wide[0], wide[1], wide[2], BATCH, judge_key)
        if start is not None:
            run.flat = ravel_pytree(jax.tree.map(double, start))[0]
        losses, interrupted = [], False
        try:
            for step in range(steps):
                run.step(jr.fold_in(draw_key, step))
                losses.append(run.loss())
                tell(step + 1, losses[-1])
                if (step + 1) % _JUDGED == 0 or step + 1 == steps:
                    run.judge()
        except KeyboardInterrupt:
            interrupted = True
        return Finished(narrowed(run.best, parameters), losses, interrupted)


def subsampled(
    problem: Problem,
    parameters: PyTree,
    rest: PyTree,
    training: Training,
    steps: int,
    batch: int,
    key: PRNGKeyArray,
    tell: Callable[[int, float], None],
) -> Finished:
    r"""Levenberg–Marquardt steps on a large share of the residuals, judged at all others.

    $$\theta \leftarrow \theta - \eta D^2 J^T (J D^2 J^T + \lambda I)^{-1} r$$

    A step that solves for a few hundred residuals spoils the rest where these are small already:
    from a trained network, 512 of 4,842 led away, 2,048 did not. η and λ are those that lower the
    residual most at points that no step has seen; where none does, the steps end.

    **Arguments:** `steps` at most; `batch`: residuals per step; `tell(step, loss)`; Ctrl-C ends
    the steps.

    **Source:** Levenberg 1944, Marquardt 1963, in the space of residuals; the judgement: this
    project.
    """
    draw_key, judge_key = jr.split(key)
    with jax.enable_x64(True):
        wide = [jax.tree.map(double, tree) for tree in (parameters, rest, training)]
        run = _Run(problem, wide[0], wide[1], wide[2], batch, judge_key)
        run.damping = _LONG_DAMPING
        losses, interrupted = [], False
        try:
            for step in range(steps):
                if not run.long_step(jr.fold_in(draw_key, step)):
                    break
                losses.append(run.loss())
                tell(step + 1, losses[-1])
        except KeyboardInterrupt:
            interrupted = True
        return Finished(narrowed(run.best, parameters), losses, interrupted)


class _Run:
    """The present parameters as a flat vector, the momentum, and the best so far."""

    def __init__(
        self,
        problem: Problem,
        parameters: PyTree,
        rest: PyTree,
        training: Training,
        batch: int,
        key: PRNGKeyArray,
    ):
        self.parameters, self.rest, self.training = parameters, rest, training
        self.flat = ravel_pytree(parameters)[0]
        self.momentum = jnp.zeros_like(self.flat)
        self.damping = _DAMPING
        readout = np.zeros(self.flat.size)
        readout[readout_places(parameters)] = 1.0
        self.readout = jnp.asarray(readout)
        self.counts = _counts([len(term.points) for term in training.terms], batch)
        scale_key, judge_key = jr.split(key)
        few = _drawn(training.terms, self.counts, scale_key)
        self.scales = []
        for asked, term in zip(problem.terms.values(), few, strict=True):
            _, rows = term_rows(self.flat, None, parameters, rest, training, term)
            self.scales.append(jnp.asarray(row_weights(problem, asked, np.asarray(rows))))
        most = max(len(term.points) for term in training.terms)
        self.unseen = redrawn(problem, training.terms, most, judge_key)
        self.best, self.least = self.flat, self._square()

    def step(self, key: PRNGKeyArray) -> None:
        terms = _drawn(self.training.terms, self.counts, key)
        self.flat, self.momentum, share = _step(
            self.flat,
            self.momentum,
            jnp.asarray(self.damping),
            self.readout,
            self.scales,
            self.parameters,
            self.rest,
            replace(self.training, terms=terms),
        )
        if share >= _LONG:
            self.damping = max(self.damping / 1.5, _LEAST)
        elif share == 0.0:
            self.damping = min(self.damping * 10.0, _MOST)

    def long_step(self, key: PRNGKeyArray) -> bool:
        """A step that lowers the residual at points that no step has seen, if one is found."""
        if self.least <= _ROUNDING**2 * sum(len(term.points) for term in self.unseen):
            return False
        terms = _drawn(self.training.terms, self.counts, key)
        training = replace(self.training, terms=terms)
        kernel, r, rows = _kernel(
            self.flat,
            jnp.zeros_like(self.flat),
            self.readout,
            self.scales,
            self.parameters,
            self.rest,
            training,
        )
        size = float(jnp.trace(kernel)) / len(r)
        start = self.flat
        for _ in range(_TRIES):
            step = _damped(kernel, r, rows, jnp.asarray(self.damping * size))
            better = [share for share in _LONG_SHARES if self._moves(start - share * step)]
            self.flat = self.best
            if better:
                if better[-1] >= _LONG:
                    self.damping = max(self.damping / 3.0, _LEAST)
                return True
            self.damping *= 10.0
        return False

    def _moves(self, flat: Array) -> bool:
        """Whether these parameters are the best yet, and then kept."""
        self.flat = flat
        return self.judge()

    def loss(self) -> float:
        """The training's own loss."""
        return float(training_loss(self.flat, self.parameters, self.rest, self.training))

    def judge(self) -> bool:
        """Keep the parameters if they are the best at the points that no step has seen."""
        square = self._square()
        better = square < self.least
        if better:
            self.best, self.least = self.flat, square
        return better

    def _square(self) -> float:
        total = 0.0
        for term, scale in zip(self.unseen, self.scales, strict=True):
            found = term_values(self.flat, self.parameters, self.rest, self.training, term)
            total += float(jnp.sum(jnp.square(scale * found)))
        return total if np.isfinite(total) else np.inf


def _counts(sizes: list[int], batch: int) -> list[int]:
    """Points of each term in a step: its share of all, but some of every term.

    >>> _counts([2048, 200, 40], 512)
    [459, 64, 40]
    """
    share = batch / sum(sizes)
    return [min(size, max(_FEWEST, int(np.ceil(share * size)))) for size in sizes]


def _drawn(
    terms: tuple[TermData, ...], counts: list[int], key: PRNGKeyArray
) -> tuple[TermData, ...]:
    found = []
    for term, count, each in zip(terms, counts, jr.split(key, len(terms)), strict=True):
        rows = jr.choice(each, len(term.points), (count,), replace=False)
        values = None if term.values is None else term.values[rows]
        found.append(replace(term, points=term.points[rows], values=values))
    return tuple(found)


@eqx.filter_jit
def _step(
    flat: Float[Array, " parameters"],
    momentum: Float[Array, " parameters"],
    relative: Float[Array, ""],
    readout: Float[Array, " parameters"],
    scales: list[Array],
    parameters: PyTree,
    rest: PyTree,
    training: Training,
) -> tuple[Float[Array, " parameters"], Float[Array, " parameters"], Float[Array, ""]]:
    kept = _MOMENTUM * momentum
    kernel, right, rows = _kernel(flat, kept, readout, scales, parameters, rest, training)
    step = _damped(kernel, right, rows, relative * jnp.trace(kernel) / len(right)) + kept

    def square(share: Array) -> Array:
        total = jnp.zeros(())
        for term, scale in zip(training.terms, scales, strict=True):
            found = term_values(flat - share * step, parameters, rest, training, term)
            total += jnp.sum(jnp.square(scale * found))
        return jnp.where(jnp.isfinite(total), total, jnp.inf)

    shares = jnp.asarray(_SHARES)
    share = shares[jnp.argmin(jax.lax.map(square, shares))]
    moved = jnp.where(share > 0.0, share * step, 0.0)  # a step that is not finite is not taken
    return flat - moved, moved, share


@eqx.filter_jit
def _kernel(
    flat: Float[Array, " parameters"],
    kept: Float[Array, " parameters"],
    readout: Float[Array, " parameters"],
    scales: list[Array],
    parameters: PyTree,
    rest: PyTree,
    training: Training,
) -> tuple[Float[Array, "rows rows"], Float[Array, " rows"], Float[Array, "rows parameters"]]:
    r"""$J D^2 J^T$, the residuals beyond a step that is `kept`, $r - J \phi$, and $J D^2$."""
    values, blocks = [], []
    for term, scale in zip(training.terms, scales, strict=True):
        value, rows = term_rows(flat, None, parameters, rest, training, term)
        values.append((scale * value).ravel())
        blocks.append((scale[:, None] * rows).reshape(-1, flat.size))
    rows = jnp.concatenate(blocks)
    right = jnp.concatenate(values) - rows @ kept
    freedom = _freedom(rows, readout)
    free = rows * freedom
    return free @ free.T, right, free * freedom


@eqx.filter_jit
def _damped(
    kernel: Float[Array, "rows rows"],
    r: Float[Array, " rows"],
    rows: Float[Array, "rows parameters"],
    damping: Float[Array, ""],
) -> Float[Array, " parameters"]:
    factor = jax.scipy.linalg.cho_factor(kernel + damping * jnp.eye(len(r)))
    return rows.T @ jax.scipy.linalg.cho_solve(factor, r)


def _freedom(
    rows: Float[Array, "rows parameters"], readout: Float[Array, " parameters"]
) -> Float[Array, " parameters"]:
    """What multiplies each column."""
    columns = jnp.sum(jnp.square(rows), axis=0)
    ours = jnp.sum(columns * readout)
    others = jnp.sum(columns * (1.0 - readout))
    tiny = jnp.finfo(rows.dtype).tiny
    both = (ours > 0.0) & (others > 0.0)
    times = jnp.where(both, jnp.sqrt(_FREE * others / jnp.maximum(ours, tiny)), 1.0)
    return jnp.where(readout > 0.0, times, 1.0)
