"""What is said of a record outside of training, and of what a map is asked by name."""

import numpy as np
import pytest

from repnet.operators import (
    OPERATORS,
    BoucWen,
    LinearOscillator,
    ShearFrame,
    outside,
    seen_range,
    structure_of,
)

GROUND = np.array([[0.0, 1.0, -2.0, 0.5]])
STATES = np.array([[[0.0, 0.0], [1.0, -3.0], [0.5, 2.0], [0.0, 0.0]]])


def test_a_record_of_training_is_inside():
    seen = seen_range(GROUND, STATES, 0.1)
    assert seen["states"] == [1.0, 3.0]
    assert outside(seen, GROUND[0], STATES[0], 0.1) == []


def test_each_excess_is_said_with_its_size():
    seen = seen_range(GROUND, STATES, 0.1)
    strong = outside(seen, 2.0 * GROUND[0], STATES[0], 0.1)
    assert "peak ground acceleration, 4 m/s²" in strong[0]
    assert "peak ground velocity" in strong[1]
    (far,) = outside(seen, GROUND[0], STATES[0] * np.array([1.0, 4.0]), 0.1)
    assert far.startswith("1 of 2 predicted states leave the range of training, by a factor")
    assert far.endswith("up to 4.")
    (away,) = outside(seen, GROUND[0], np.full((4, 2), np.nan), 0.1)
    assert "not finite" in away


@pytest.mark.parametrize(
    ("name", "given", "kind"),
    [
        ("quake_response", {}, BoucWen),
        ("quake_response", {"linear": True}, LinearOscillator),
        ("quake_frame", {"storeys": 4}, ShearFrame),
    ],
)
def test_names_make_structures(name, given, kind):
    structure = structure_of(name, {**OPERATORS[name].parameters, **given})
    assert isinstance(structure, kind)
    assert structure.state_size == {BoucWen: 3, LinearOscillator: 2, ShearFrame: 12}[kind]
