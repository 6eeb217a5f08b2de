"""What residuals depend on, read off their values and slopes about fields that are made up."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from repnet.nn._random import as_jax
from repnet.solve.equations._local import Looks, asked, under
from repnet.solve.equations._rows import Frame, as_vector

_TRIED = 5  # places that tell whether a residual is local
_NEAR = 1e-12  # of the half-width: what lies farther away must not matter to a residual
_LOCAL = 1e-9  # relative change that rounding explains
_STEEPEST = 4.0  # decades below the half-width over which fields may vary
_AFFINE = 1e-9  # relative change of slopes that rounding explains
_MATTERS = 1e-12  # a slope below that share of the largest is none


def smooth_field(frame: Frame, out: int) -> Callable:
    """A field of about one radian per half-width."""
    waves, centre, half = _waves(frame, out), frame.centre, frame.half_width
    return lambda x: 1.0 + 0.5 * jnp.sin(waves @ ((x - centre) / half) + 0.3)


def smooth_derivatives(
    frame: Frame, out: int, looks: Looks, x: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points out looks"]:
    """Those of `smooth_field`."""
    waves, half = _waves(frame, out), np.asarray(frame.half_width)
    angles = (x - np.asarray(frame.centre)) / half @ waves.T + 0.3
    found = []
    for look in looks:
        turned = 0.5 * np.sin(angles + 0.5 * np.pi * sum(look)) + float(sum(look) == 0)
        found.append(turned * np.prod((waves / half) ** np.array(look), axis=1))
    return np.stack(found, axis=-1)


def drawn_derivatives(
    frame: Frame, out: int, looks: Looks, x: Float[np.ndarray, "points dim"]
) -> Float[np.ndarray, "points out looks"]:
    """Those of a field at random that varies over another length at every point.

    Down to a ten-thousandth of the domain's half-width: what a residual makes of steep fields.
    """
    rng = np.random.default_rng(0)
    shares = 10.0 ** -rng.uniform(0.0, _STEEPEST, (len(x), 1))
    orders = np.array(looks)
    lengths = np.prod(np.asarray(frame.half_width) ** orders, axis=1)
    scale = shares ** -orders.sum(axis=1) / lengths
    return rng.normal(size=(len(x), out, len(looks))) * scale[:, None]


def same_slopes(
    slopes: Float[np.ndarray, "points equations out looks"],
    others: Float[np.ndarray, "points equations out looks"],
) -> bool:
    """Whether a residual's slopes are those about another field: it is affine."""
    largest = np.max(np.abs(slopes), axis=0)
    return bool(np.all(np.abs(slopes - others) <= _AFFINE * largest))


def which_matter(
    slopes: Float[np.ndarray, "points equations out looks"], looks: Looks
) -> Bool[np.ndarray, "equations out looks"]:
    """The derivatives that a residual depends on; slopes are by half-widths of the domain.

    Over the domain's length, or over a ten-thousandth of it: in long domains derivatives of high
    order are small.
    """
    found = np.zeros(slopes.shape[1:], bool)
    for steep in (0.0, _STEEPEST):
        sizes = np.max(np.abs(slopes), axis=0) * 10.0 ** (steep * np.sum(looks, axis=1))
        found |= sizes > _MATTERS * np.max(sizes, axis=2, keepdims=True)
    return found


def _waves(frame: Frame, out: int) -> Float[np.ndarray, "out dim"]:
    return np.random.default_rng(0).uniform(0.5, 1.5, (out, len(frame.centre)))


def local_looks(
    residual: Callable,
    frame: Frame,
    out: int,
    unknowns: Any,
    x: Float[np.ndarray, "points dim"],
) -> Looks | None:
    """The derivatives that a residual asks of the field at its own point.

    **Arguments:** `x`: points, of which a few are tried.

    **Returns:** `None` where it looks at other points.
    """
    looks, elsewhere = asked(residual, frame.transform, x.shape[1], out, unknowns)
    if elsewhere:
        some = np.linspace(0, len(x) - 1, _TRIED).astype(int)
        here, moved = map(np.asarray, _change(residual, frame, out, unknowns, as_jax(x[some])))
        if np.any(np.abs(moved) > _LOCAL * (1.0 + np.abs(here))):
            return None
    return looks


@eqx.filter_jit
def _change(
    residual: Callable, frame: Frame, out: int, unknowns: Any, x: Array
) -> tuple[Array, Array]:
    """Residuals, and how they change where the field does at all other points."""
    smooth = smooth_field(frame, out)

    def one(x: Array) -> tuple[Array, Array]:
        def other(z: Array) -> Array:
            near = jnp.max(jnp.abs(z - x) / frame.half_width) < _NEAR
            return smooth(z) + jnp.where(near, 0.0, 1.0)

        here, moved = (
            as_vector(residual(under(frame.transform, field), x, unknowns))
            for field in (smooth, other)
        )
        return here, moved - here

    return jax.vmap(one)(x)
