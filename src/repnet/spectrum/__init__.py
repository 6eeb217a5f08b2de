"""Which frequencies a target holds, and whether its samples show them."""

from repnet.spectrum._estimate import Spectrum, axis_spectra, direction_spectra
from repnet.spectrum._grid import Grid, detect_grid


__all__ = [
    "Grid",
    "Spectrum",
    "axis_spectra",
    "detect_grid",
    "direction_spectra",
]
