"""What a network will do before it is trained, and what training made of it."""

from repnet.theory._magnitude_check import MagnitudeCheck, check_magnitude
from repnet.theory._partition import (
    crossing_density,
    crossings,
    first_layer,
    partition_density,
    partition_points,
    slope_scales,
)
from repnet.theory._shallow import ShallowFits, Start, fit_shallow

__all__ = [
    "ShallowFits",
    "Start",
    "fit_shallow",
    "MagnitudeCheck",
    "check_magnitude",
    "crossing_density",
    "crossings",
    "first_layer",
    "partition_density",
    "partition_points",
    "slope_scales",
]
