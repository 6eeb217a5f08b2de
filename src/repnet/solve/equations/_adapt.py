"""Where a solution varies and how fast that moves: densities of points and units along space."""

import dataclasses

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

NODES = 2048  # of the grid in space on which solutions are looked at
_EVEN = 0.2  # share of the points that is spread evenly
_SMOOTH = 0.004  # of √|u_xx|, in half-widths of space
_SMOOTH_SPEED = 0.02
_CALM = 0.03  # where u_x² is below that share of its mean, nothing moves
_FARTHEST = 0.5  # a unit moves at most so far within half a slab, in half-widths of space


@dataclasses.dataclass(frozen=True)
class Profile:
    r"""Density of points over space in $[-1, 1]$, and the speed of what stands there.

    - `nodes`: midpoints of equal cells; `density` there, of integral 1.
    - `speed`: in half-widths of space per half-width of time.
    """

    nodes: Float[np.ndarray, " nodes"]
    density: Float[np.ndarray, " nodes"]
    speed: Float[np.ndarray, " nodes"]

    def place(self, share: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """The points below which the given shares of the density lie."""
        below = np.concatenate([[0.0], np.cumsum(self.density)])
        edges = np.linspace(-1.0, 1.0, len(below))
        return np.interp(share, below / below[-1], edges)

    def at(self, x: Float[np.ndarray, "*shape"]) -> tuple[np.ndarray, np.ndarray]:
        """Density and speed at points."""
        return np.interp(x, self.nodes, self.density), np.interp(x, self.nodes, self.speed)


def space_nodes() -> Float[np.ndarray, " nodes"]:
    """Midpoints of equal cells of [-1, 1]."""
    return (np.arange(NODES) + 0.5) * (2.0 / NODES) - 1.0


def profile(
    values: Float[np.ndarray, "times nodes out"],
    rates: Float[np.ndarray, "times nodes out"],
    *,
    ring: bool,
) -> Profile:
    r"""The profile of a solution, from values and time derivatives on the grid of `space_nodes`.

    The density is 20 % even and 80 % smoothed $\sqrt{|u_{xx}|}$, the mean over the given times;
    the speed is $-\langle u_t u_x\rangle/\langle u_x^2\rangle$, averaged around each place.

    **Arguments:** `rates` per half-width of time; `ring`: whether space is periodic.

    **Source:** this project; the monitor function is that of moving meshes, Huang and Russell 2011.
    """
    nodes = space_nodes()
    step = 2.0 / NODES
    if ring:
        before, after = np.roll(values, 1, axis=1), np.roll(values, -1, axis=1)
    else:
        before = np.concatenate([2 * values[:, :1] - values[:, 1:2], values[:, :-1]], axis=1)
        after = np.concatenate([values[:, 1:], 2 * values[:, -1:] - values[:, -2:-1]], axis=1)
    slope = (after - before) / (2.0 * step)
    span = np.ptp(values, axis=(0, 1))
    scale = np.where(span > 0, span, 1.0)
    bend = np.abs(before - 2.0 * values + after) / step**2 / scale
    wanted = _smooth(np.sqrt(bend).max(axis=2).mean(axis=0), _SMOOTH, ring)
    total = wanted.sum() * step
    share = wanted / total if total > 0 else np.full(NODES, 0.5)
    against = _smooth((rates * slope / scale**2).sum(axis=(0, 2)), _SMOOTH_SPEED, ring)
    square = _smooth((slope**2 / scale**2).sum(axis=(0, 2)), _SMOOTH_SPEED, ring)
    speed = -against / (square + _CALM * square.mean() + 1e-300)
    return Profile(
        nodes, _EVEN * 0.5 + (1.0 - _EVEN) * share, np.clip(speed, -_FARTHEST, _FARTHEST)
    )


def _smooth(values: Float[np.ndarray, " nodes"], width: float, ring: bool) -> np.ndarray:
    mode = "wrap" if ring else "nearest"
    return scipy.ndimage.gaussian_filter1d(values, width * NODES / 2.0, mode=mode)
