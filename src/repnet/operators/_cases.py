"""Operators by name: what each is, its parameters, and the structure behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from repnet.operators._structures import (
    AbstractStructure,
    BoucWen,
    LinearOscillator,
    ShearFrame,
)

_FIT = {"folds": 5, "units": 1000, "rows": 40_000, "window": 1, "local": True}


@dataclass(frozen=True)
class OperatorCase:
    """A named operator: its summary, its parameters with their defaults, and its source."""

    name: str
    summary: str
    parameters: Mapping[str, Any]
    source: str


OPERATORS: dict[str, OperatorCase] = {
    case.name: case
    for case in (
        OperatorCase(
            "quake_response",
            "Displacement of a yielding oscillator under recorded ground acceleration",
            {"period": 0.5, "damping": 0.05, "hardening": 0.1, "strength": None, "linear": False,
             **_FIT},
            "Bouc 1967, Wen 1976; 100 records of FEMA P695, from PEER NGA",
        ),
        OperatorCase(
            "quake_frame",
            "Roof displacement of a frame of yielding storeys under recorded ground acceleration",
            {"storeys": 6, "period": 0.9, "damping": 0.05, "hardening": 0.1, "strength": 0.1,
             **_FIT},
            "Bouc 1967, Wen 1976; 100 records of FEMA P695, from PEER NGA",
        ),
        OperatorCase(
            "antiderivative",
            "Integral from 0 of a random function on [0, 1]",
            {"functions": 1000, "length": 0.05, "sensors": 101, "points": 101, "units": 100},
            "Lu, Jin, Pang, Zhang and Karniadakis 2021, section 4.1.1, with a shorter length",
        ),
    )
}  # fmt: skip


def structure_of(name: str, parameters: Mapping[str, Any]) -> AbstractStructure:
    """The structure of a named operator.

    **Raises:** `ValueError` for parameters that the structure refuses.

    >>> structure_of("quake_response", OPERATORS["quake_response"].parameters).period
    0.5
    """
    damping, period = parameters["damping"], parameters["period"]
    if name == "quake_frame":
        return ShearFrame(
            parameters["storeys"],
            period=period,
            damping=damping,
            hardening=parameters["hardening"],
            strength=parameters["strength"],
        )
    if parameters["linear"]:
        return LinearOscillator(period, damping)
    hardening, strength = parameters["hardening"], parameters["strength"]
    return BoucWen(period, damping=damping, hardening=hardening, strength=strength)
