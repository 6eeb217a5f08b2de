"""Collocation points of a gradient training: drawn once, anew, or where residuals are large."""

from collections.abc import Sequence
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from repnet.problem import Problem, Region, Term
from repnet.solve._loss import TermData, Training, residuals
from repnet.solve.equations._direct import probe_network
from repnet.solve.equations._guess import data_band, filled
from repnet.solve.equations._points import points_of
from repnet.solve.equations._rows import Frame

_POOL = 4  # candidates per point that is kept
_EVEN = 1.0  # share of the probability that is uniform, relative to the mean residual
_EDGE = 1.0  # wavelengths more along each axis, as the slope scale has
_MOST = 8192  # points inside, unless the user says so


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


def default_count(
    problem: Problem, omega: Float[np.ndarray, " dim"] | None, key: PRNGKeyArray
) -> int:
    r"""Points inside the domain where the user gives no number.

    $$n = \prod_i c\,(\omega_i/\pi + 1)$$

    with $c$ points per wavelength, 20 in one dimension and 10 in more, and one wavelength more
    along each axis, which the network's slope scale allows for; from 512 (one dimension) or 2,048
    to 8,192. A network with more parameters than points meets an equation at too few of them
    without solving it.

    **Arguments:** `omega`: angular frequencies in radians per half-width; `None` asks what the
    terms give.

    **Source:** this project.
    """
    if omega is None:
        omega = given_frequencies(problem, key)
    density = 20.0 if problem.dim == 1 else 10.0
    wanted = np.prod(density * (omega / np.pi + _EDGE))
    least = 512 if problem.dim == 1 else 2048
    return int(np.clip(np.ceil(wanted), least, _MOST))


def count_inside(
    problem: Problem, asked: int | None, omega: Sequence[float] | None, key: PRNGKeyArray
) -> int:
    """Points inside, as asked for or by `default_count`; 0 where there are none to draw."""
    if not any(drawn(term) for term in problem.terms.values()):
        return 0
    if asked is not None:
        return asked
    return default_count(problem, None if omega is None else np.asarray(omega), key)


def points_in_words(inside: int, omega: Sequence[float] | None) -> tuple[str, ...]:
    """A sentence for a plan, if points were drawn; with their density if the frequencies are known.

    >>> points_in_words(700, [np.pi, 2.5 * np.pi])
    ('700 collocation points inside the domain, 10 per wavelength along each axis.',)
    """
    if not inside:
        return ()
    words = f"{inside:,} collocation points inside the domain"
    if omega is None:
        return (f"{words}.",)
    waves = np.asarray(omega) / np.pi + _EDGE
    density = (inside / np.prod(waves)) ** (1.0 / len(waves))
    return (f"{words}, {density:.3g} per wavelength along each axis.",)


def given_frequencies(problem: Problem, key: PRNGKeyArray) -> Float[np.ndarray, " dim"]:
    """Highest angular frequency per axis of what the terms give, radians per half-width."""
    with jax.enable_x64(True):
        _, high = data_band(problem, Frame.of(problem), probe_network(problem, key))
    return filled(high)


def check_drawn(problem: Problem) -> None:
    """**Raises:** `ValueError` where there are no points to draw anew."""
    if not any(drawn(term) for term in problem.terms.values()):
        raise ValueError(
            "`Gradient(resample=...)` must be None for a problem whose points are all given; "
            f"the terms are {sorted(problem.terms)}."
        )
