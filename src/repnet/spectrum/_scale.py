"""The slope scale of a first layer that is trained by gradient descent, chosen from the data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike

from repnet.nn._feature import make_feature
from repnet.spectrum._estimate import as_samples, axis_spectra


@dataclass(frozen=True)
class ScaleChoice:
    """A slope scale per axis, in radians per half-width of the data's box, and why.

    `reasons` are sentences; `numbers` holds what the choice was measured by.
    """

    scale: tuple[float, ...]
    reasons: tuple[str, ...]
    numbers: dict[str, Any]


def suggest_scale(
    x: ArrayLike,
    y: ArrayLike,
    *,
    activation: Callable = jnp.tanh,
    features: str = "local",
    width: int = 256,
) -> ScaleChoice:
    x, y = as_samples(x, y)
    low, high = x.min(axis=0), x.max(axis=0)
    half = np.where(high > low, (high - low) / 2, 1.0)
    spectra = axis_spectra((x - (low + high) / 2) / half, y)
    kind = make_feature(features, activation).kind
    dim = x.shape[1]
    factor = {"hat": 0.1}.get(kind, 0.5)
    cap = {"bump": 0.35, "hat": 0.35}.get(kind, 0.7)
    scale = [min(factor * width / dim / 2, cap / s.spacing) for s in spectra]
    return ScaleChoice(tuple(map(float, scale)), (), {})
