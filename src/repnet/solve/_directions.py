"""The directions that a first layer may take for data: fixed kinds, and those learnt from it."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.nn._activation import Activation
from repnet.nn._draw import DIRECTIONS
from repnet.problem import Problem
from repnet.solve._regression import data_of, is_regression
from repnet.spectrum import ScaleChoice, active_directions, suggest_scale

ACTIVE = "active"
_APART = 0.85  # share of the variance that waves must hold for training to try their directions
_AXIS = 0.85  # share of the units along axes from which `"axis"` is tried in their place
CHOICES = (*DIRECTIONS, ACTIVE)

Directions = str | Float[np.ndarray, "given dim"]


@dataclass(frozen=True)
class DirectionChoices:
    """What to try, by name, in the form of `RepLinear`, and scales that go with some of it."""

    directions: dict[str, Directions]
    guesses: dict[str, ScaleChoice] = field(default_factory=dict)
    reason: str = ""


def direction_choices(
    problem: Problem,
    wanted: str,
    width: int,
    *,
    activation: Activation,
    features: str,
    key: PRNGKeyArray,
) -> DirectionChoices:
    r"""The directions to try for a regression.

    **Arguments:**

    - `wanted`: one kind, or `"auto"` for all.
    - `width`: how many directions to draw of those that are learnt.
    - `activation`, `features`: of the layer, which decide its scale.

    **Returns:** `DirectionChoices`; without `"active"` in one dimension and for data that show no
    waves, where `"mixed"` takes its place. With `"auto"` waves must hold most of the variance.

    **Raises:** `ValueError` for `"active"` where there are no data to learn from.
    """
    if not is_regression(problem):
        if wanted == ACTIVE:
            raise ValueError(
                "`directions='active'` are learnt from data; the problem must be a regression, "
                f"but has the terms {sorted(problem.terms)}."
            )
        return DirectionChoices({_plain(wanted): _plain(wanted)})
    names = CHOICES if wanted == "auto" else (wanted,)
    if problem.dim == 1:
        return DirectionChoices({_plain(names[0]): _plain(names[0])})
    found: dict[str, Directions] = {name: name for name in names if name != ACTIVE}
    if ACTIVE not in names:
        return DirectionChoices(found)
    x, y = data_of(problem)
    law = active_directions(x, y)
    # Units along a few waves learn these at once, but hardly what they leave: short trainings would
    # be deceived.
    # Along the axes, the kind of that name spreads its units more evenly.
    if wanted == "auto" and law is not None and (law.apart < _APART or law.along_axes() > _AXIS):
        return DirectionChoices(found)
    if law is None:
        why = "" if found else "The samples show no waves: mixed directions."
        return DirectionChoices(found or {"mixed": "mixed"}, reason=why)
    found[ACTIVE] = law.draw(width, key=key)
    guess = suggest_scale(x, y, activation=activation, features=features)
    own = law.choice(guess, len(x), activation=activation, features=features)
    return DirectionChoices(found, {ACTIVE: own}, law.reason())


def _plain(wanted: str) -> str:
    return "mixed" if wanted in ("auto", ACTIVE) else wanted
