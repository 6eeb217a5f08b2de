"""What a network will do before it is trained, and what training made of it."""

from repnet.theory._partition import (
    crossing_density,
    crossings,
    first_layer,
    partition_density,
    partition_points,
    slope_scales,
)

__all__ = [
    "crossing_density",
    "crossings",
    "first_layer",
    "partition_density",
    "partition_points",
    "slope_scales",
]
