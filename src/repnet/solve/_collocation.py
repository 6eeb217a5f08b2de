"""Collocation points of a gradient training: drawn once, anew, or where residuals are large."""

from collections.abc import Sequence
from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from repnet.problem import Problem, Region, Term
from repnet.solve._loss import TermData, Training, residuals
from repnet.solve.equations._points import points_of

_POOL = 4  # candidates per point that is kept
_EVEN = 1.0  # share of the probability that is uniform, relative to the mean residual


def draw_terms(
    problem: Problem, inside: int, key: PRNGKeyArray
) -> dict[str, Float[np.ndarray, "points dim"]]:
    """Points of every term: `inside` in the domain, fewer on boundaries, given ones as they are."""
    keys = jr.split(key, len(problem.terms))
    return {
        name: points_of(problem, term, inside, each)
        for (name, term), each in zip(problem.terms.items(), keys, strict=True)
    }


def drawn(term: Term) -> bool:
    """Whether a term's points are for the solver to draw."""
    return isinstance(term.points, Region) and not term.points.finite


def redrawn(
    problem: Problem, terms: Sequence[TermData], inside: int, key: PRNGKeyArray
) -> tuple[TermData, ...]:
    """The same terms at as many other points."""
    points = draw_terms(problem, inside, key)
    return tuple(
        replace(old, points=jnp.asarray(points[name], old.points.dtype)) if drawn(term) else old
        for old, (name, term) in zip(terms, problem.terms.items(), strict=True)
    )


def concentrated(
    problem: Problem,
    training: Training,
    both: tuple[PyTree, PyTree],
    inside: int,
    key: PRNGKeyArray,
) -> tuple[TermData, ...]:
    r"""The same terms at as many other points, more of them where residuals are large.

    From four times as many candidates, points are drawn without replacement with probabilities
    proportional to $|r| / \overline{|r|} + 1$.

    **Source:** Wu, Zhu, Tan, Kartha and Lu 2023, equation 2 with $k = c = 1$.
    """
    draw_key, choose_key = jr.split(key)
    pool = draw_terms(problem, _POOL * inside, draw_key)
    found = []
    keys = jr.split(choose_key, len(training.terms))
    for old, each, (name, term) in zip(training.terms, keys, problem.terms.items(), strict=True):
        if not drawn(term) or len(pool[name]) <= len(old.points):
            found.append(old)
            continue
        candidates = replace(old, points=jnp.asarray(pool[name], old.points.dtype))
        share = np.asarray(_shares(candidates, both, training), np.float64)
        chosen = jr.choice(
            each, len(share), (len(old.points),), replace=False, p=jnp.asarray(share / share.sum())
        )
        found.append(replace(old, points=candidates.points[chosen]))
    return tuple(found)


@eqx.filter_jit
def _shares(
    term: TermData, both: tuple[PyTree, PyTree], training: Training
) -> Float[Array, " points"]:
    found = residuals(term, both, training)
    size = jnp.sqrt(jnp.mean(jnp.square(found.reshape(len(term.points), -1)), axis=1))
    size = jnp.where(jnp.isfinite(size), size, 0.0)
    return size / jnp.maximum(jnp.mean(size), jnp.finfo(size.dtype).tiny) + _EVEN


def default_count(problem: Problem) -> int:
    """Points inside the domain where the user gives no number."""
    return 512 if problem.dim == 1 else 1024


def check_drawn(problem: Problem) -> None:
    """**Raises:** `ValueError` where there are no points to draw anew."""
    if not any(drawn(term) for term in problem.terms.values()):
        raise ValueError(
            "`Gradient(resample=...)` must be None for a problem whose points are all given; "
            f"the terms are {sorted(problem.terms)}."
        )
