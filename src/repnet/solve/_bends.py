"""Units that are steep and dense where a target bends: one map of the axis moves both."""

import dataclasses

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet.nn import RepLinear
from repnet.nn._forms import SlopeForm

KNOTS = np.linspace(-1.0, 1.0, 401)  # where targets are looked at
_WIDTHS = (20.0, 60.0)  # knots over which curvature is averaged
_POWERS = (0.1, 0.2, 0.3)  # of its square: around a fifth, the best for kernel regression
_ROUND_OFF = 1e-10  # squared curvature below this share of the values is none
_TAILS = 6.0  # standard deviations to which averages reach, far into gaps
_UNSEEN = 1e-9  # points about a knot below which nothing is known
_FLAT = 1e-4  # of the largest squared curvature: units stay where there is none


@dataclasses.dataclass(frozen=True)
class Bends:
    r"""A map $u$ of $[-1, 1]$ onto itself, steep where a target bends.

    A unit of slope $k$ at $u$ becomes one of slope $k\,u'(x)$ at the $x$ that is mapped to $u$:
    as many units to each of its own widths as before, everywhere.

    >>> bends = candidates(np.exp(-100.0 * KNOTS[:, None] ** 2), KNOTS)[0]
    >>> 1.0 < bends.contrast < 10.0
    True
    """

    warped: Float[np.ndarray, " knots"]  # u at the knots

    @property
    def slope(self) -> Float[np.ndarray, " knots"]:
        """$u'$ at the knots."""
        return np.gradient(self.warped, KNOTS)

    @property
    def contrast(self) -> float:
        """Slope where the target bends most, over that where it bends least."""
        return float(self.slope.max() / self.slope.min())

    def reason(self) -> str:
        """What the map does, for a plan."""
        return f"Units are up to {self.contrast:.1f} times as steep and dense where it bends most."

    def place(self, layer: RepLinear) -> RepLinear:
        """The layer of one input, in slope form, with its units moved and made steeper."""
        planes = layer.planes
        assert isinstance(planes, SlopeForm), planes
        unit = np.sign(np.asarray(planes.direction)[:, 0])
        centre = unit * np.asarray(planes.offset)
        inside = np.clip(centre, -1.0, 1.0)
        at = np.interp(inside, self.warped, KNOTS)
        steeper = np.interp(at, KNOTS, self.slope)
        at += (centre - inside) / steeper  # straight on beyond the ends
        return eqx.tree_at(
            lambda layer: (layer.planes.log_slope, layer.planes.offset),
            layer,
            (planes.log_slope + jnp.log(jnp.asarray(steeper)), jnp.asarray(unit * at)),
        )


def candidates(
    values: Float[np.ndarray, "knots out"], x: Float[np.ndarray, " points"]
) -> list[Bends]:
    r"""Maps for a target with the given values at `KNOTS`: $u' \propto \overline{(f'')^2}^{\,p}$.

    The averages are over the data's inputs `x`: between them, a fit may bend as it likes.

    **Source:** Müller and Stadtmüller 1987: the best local width of a kernel regression is the
    power -2/5 of the curvature there. The averages, and the powers beside that one, are this
    project's.

    >>> len(candidates(np.sin(3.0 * KNOTS)[:, None], KNOTS))
    6
    """
    bent = np.gradient(np.gradient(values, KNOTS, axis=0), KNOTS, axis=0)
    squared = np.square(bent).sum(axis=1)
    least = max(_ROUND_OFF * np.abs(values).max(), np.finfo(float).tiny)
    nearest = np.round(np.interp(x, KNOTS, np.arange(len(KNOTS)))).astype(int)
    count = np.bincount(nearest, minlength=len(KNOTS)).astype(float)
    found = []
    for width in _WIDTHS:
        mean = _averaged(squared * count, width) / np.maximum(_averaged(count, width), _UNSEEN)
        mean = mean / (mean.max() + least)
        for power in _POWERS:
            density = (mean + _FLAT) ** power
            total = scipy.integrate.cumulative_trapezoid(density, KNOTS, initial=0.0)
            found.append(Bends(2.0 * total / total[-1] - 1.0))
    return found


def _averaged(values: Float[np.ndarray, " knots"], width: float) -> Float[np.ndarray, " knots"]:
    return scipy.ndimage.gaussian_filter1d(values, width, mode="reflect", truncate=_TAILS)
