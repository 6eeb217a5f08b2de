"""What a map has seen, and whether a record lies outside of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

_SLACK = 1.05  # by how much a record may leave the range before it is said


def seen_range(
    ground: Float[np.ndarray, "records samples"],
    states: Float[np.ndarray, "records samples state"],
    step: float,
) -> dict[str, Any]:
    """Largest ground acceleration, ground velocity and size of every state in training.

    >>> found = seen_range(np.ones((1, 3)), np.zeros((1, 3, 2)), 0.5)
    >>> found["acceleration"], found["velocity"], found["states"]
    (1.0, 1.5, [0.0, 0.0])
    """
    return {
        "acceleration": float(np.abs(ground).max()),
        "velocity": float(np.abs(step * np.cumsum(ground, axis=1)).max()),
        "states": np.abs(states).max(axis=(0, 1)).tolist(),
    }


def outside(
    seen: Mapping[str, Any],
    ground: Float[np.ndarray, " samples"],
    states: Float[np.ndarray, "times state"],
    step: float,
) -> list[str]:
    """Sentences that say how a record and its predicted states leave the range of training.

    >>> seen = {"acceleration": 1.0, "velocity": 9.0, "states": [2.0]}
    >>> outside(seen, np.full(3, 2.0), np.full((3, 1), 1.0), 0.1)
    ['The peak ground acceleration, 2 m/s², lies above the largest in training, 1.']
    """
    if not np.isfinite(states).all():
        return ["The prediction ran away: its values are not finite."]
    own = seen_range(ground[None], states[None], step)
    found = []
    for name, unit in (("acceleration", "m/s²"), ("velocity", "m/s")):
        if own[name] > _SLACK * seen[name]:
            found.append(
                f"The peak ground {name}, {own[name]:.3g} {unit}, lies above the largest in "
                f"training, {seen[name]:.3g}."
            )
    beyond = [
        mine / most
        for mine, most in zip(own["states"], seen["states"], strict=True)
        if mine > _SLACK * most
    ]
    if beyond:
        found.append(
            f"{len(beyond)} of {len(own['states'])} predicted states leave the range of training, "
            f"by a factor of up to {max(beyond):.2g}."
        )
    return found
