"""Which frequencies a target holds, and whether its samples show them."""

from repnet.spectrum._active import ActiveDirections, active_directions
from repnet.spectrum._estimate import Spectrum, axis_spectra, direction_spectra
from repnet.spectrum._grid import Grid, detect_grid
from repnet.spectrum._sampling import SamplingReport, check_sampling
from repnet.spectrum._scale import ScaleChoice, suggest_scale

__all__ = [
    "ActiveDirections",
    "Grid",
    "SamplingReport",
    "ScaleChoice",
    "Spectrum",
    "active_directions",
    "axis_spectra",
    "check_sampling",
    "detect_grid",
    "direction_spectra",
    "suggest_scale",
]
