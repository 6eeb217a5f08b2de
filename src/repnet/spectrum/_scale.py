"""The slope scale of a first layer that is trained by gradient descent, from the data alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Num

from repnet.nn._feature import make_feature
from repnet.spectrum._estimate import Spectrum, axis_spectra
from repnet.spectrum._samples import as_samples

# Kind of feature: factor, power of ω_max, and the cap in radians per sample.
_RULES = {
    "bump": (0.30, 1.0, 0.35),
    "hat": (0.08, 1.0, 0.10),
    "plain": (0.08, 1.4, 0.70),
    "ramp": (0.08, 1.4, 0.70),
}
_LEAST = 0.5  # slopes of half a radian per half-width are straight lines already


@dataclass(frozen=True)
class ScaleChoice:
    """A slope scale per axis, in radians per half-width of the data's box, and why.

    `reasons` are sentences; `numbers` holds what the choice was measured by, per axis.

    >>> x = np.linspace(0.0, 10.0, 1001)
    >>> choice = suggest_scale(x, np.sin(20.0 * x))
    >>> sorted(choice.numbers), len(choice.reasons)
    (['noise', 'omega_max', 'spacing'], 1)
    """

    scale: tuple[float, ...]
    reasons: tuple[str, ...]
    numbers: dict[str, Any]


def suggest_scale(
    x: Num[np.ndarray | jax.Array, "points dim"] | Num[np.ndarray | jax.Array, " points"],
    y: Num[np.ndarray | jax.Array, "points out"] | Num[np.ndarray | jax.Array, " points"],
    *,
    activation: Callable = jnp.tanh,
    features: str = "local",
) -> ScaleChoice:
    r"""A slope scale for gradient training, from the target's spectrum along each axis.

    On the box scaled to $[-1, 1]$, with $\omega_{\max}$ the highest angular frequency and $h$ the
    distance of samples along an axis, in $d$ dimensions:

    | features | scale | at most |
    |---|---|---|
    | bump | $0.3\sqrt d\,\omega_{\max}$ | $0.35/h$ |
    | hat | $0.08\,d\,\omega_{\max}$ | $0.1/h$ |
    | step, ramp | $0.08\,\omega_{\max}^{1.4}$ | $0.7/h$ |

    and at least 0.5. Steps and ramps reach a frequency only through tails that fall like
    $1/k^2$, the more so the more wavelengths there are, hence their power.

    **Arguments:** `x`, points of shape `(points, dim)` or `(points,)`; `y`, targets of shape
    `(points, out)` or `(points,)`; `activation`, `features` as for `RepLinear`.

    **Returns:** a `ScaleChoice`, whose scale is the same for all units of inputs and targets.

    **Raises:** `ValueError` for values that are not finite, shapes that disagree, or features that
    the activation does not have.

    **Source:** this project: fitted to scans of the scale over functions of 1 to 4 variables.

    >>> x = np.linspace(0.0, 10.0, 1001)
    >>> choice = suggest_scale(x, np.sin(20.0 * x))
    >>> [round(s) for s in choice.scale]
    [30]
    """
    x, y = as_samples(x, y)
    low, high = x.min(axis=0), x.max(axis=0)
    half = np.where(high > low, (high - low) / 2, 1.0)
    spectra = axis_spectra((x - (low + high) / 2) / half, y)
    kind = make_feature(features, activation).kind
    scale = tuple(_axis_scale(spectrum, kind, x.shape[1]) for spectrum in spectra)
    numbers = {
        "omega_max": [float(s.omega_max) for s in spectra],
        "spacing": [float(s.spacing) for s in spectra],
        "noise": float(max(s.noise for s in spectra)),
    }
    return ScaleChoice(scale, _reasons(spectra, kind, scale), numbers)


def _axis_scale(spectrum: Spectrum, kind: str, dim: int) -> float:
    return rule_scale(kind, spectrum.omega_max, spectrum.spacing, dim)


def rule_scale(kind: str, omega_max: float, spacing: float, dim: int) -> float:
    """The scale of the table of [`suggest_scale`][repnet.spectrum.suggest_scale]."""
    factor, power, cap = _RULES[kind]
    spread = {"bump": dim**0.5, "hat": float(dim)}.get(kind, 1.0)
    guess = spread * factor * omega_max**power
    return float(max(min(guess, cap / spacing), _LEAST))


def _reasons(spectra: tuple[Spectrum, ...], kind: str, scale: tuple[float, ...]) -> tuple[str, ...]:
    cap = _RULES[kind][2]
    reasons = []
    for axis, (spectrum, s) in enumerate(zip(spectra, scale, strict=True)):
        capped = s * spectrum.spacing > 0.999 * cap
        why = f", as much as samples {spectrum.spacing:.3g} apart can teach" if capped else ""
        reasons.append(
            f"Axis {axis}, scaled to [-1, 1], holds frequencies up to {spectrum.omega_max:.3g}"
            f" radians, for which {kind} features start at a slope of {s:.3g}{why}."
        )
    return tuple(reasons)
