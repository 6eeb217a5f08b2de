"""What a network will do before it is trained, and what training made of it."""

from repnet.theory._compare import Discrepancy, compare_histories
from repnet.theory._descent import TensorPoints, descend, measured_history
from repnet.theory._diffusion import dissipation, spectral_diffusion, spectral_grid
from repnet.theory._experiment import DiffusionRun, diffusion_run, require_wide
from repnet.theory._fft_reference import fft_reference
from repnet.theory._history import SpectralHistory, time_to_fraction
from repnet.theory._initial_rates import initial_rates, steep_ensemble
from repnet.theory._kernel_error import compare_kernels
from repnet.theory._laws import (
    NormalBias,
    NormalWeights,
    ParabolicWeights,
    UniformBias,
    UniformWeights,
)
from repnet.theory._magnitude_check import MagnitudeCheck, check_magnitude
from repnet.theory._modes import KernelModes, kernel_modes
from repnet.theory._ntk import tangent_kernel
from repnet.theory._partition import (
    crossing_density,
    crossings,
    first_layer,
    partition_density,
    partition_points,
    slope_scales,
)
from repnet.theory._scale_scan import ScaleScan, scale_scan
from repnet.theory._shallow import ShallowFits, Start, fit_shallow
from repnet.theory._sine import SineEnsemble
from repnet.theory._spectral_grid import SpectralGrid
from repnet.theory._speed_up import SpeedUp, speed_up
from repnet.theory._steep import SteepEnsemble
from repnet.theory._steep_kernel import steep_kernel
from repnet.theory._training import descend_network
from repnet.theory._waves import WindowedWaves

__all__ = [
    "DiffusionRun",
    "Discrepancy",
    "KernelModes",
    "MagnitudeCheck",
    "NormalBias",
    "NormalWeights",
    "ParabolicWeights",
    "ScaleScan",
    "ShallowFits",
    "SineEnsemble",
    "SpectralGrid",
    "SpectralHistory",
    "SpeedUp",
    "Start",
    "SteepEnsemble",
    "TensorPoints",
    "UniformBias",
    "UniformWeights",
    "WindowedWaves",
    "check_magnitude",
    "compare_histories",
    "compare_kernels",
    "crossing_density",
    "crossings",
    "descend",
    "descend_network",
    "diffusion_run",
    "dissipation",
    "fft_reference",
    "first_layer",
    "fit_shallow",
    "initial_rates",
    "kernel_modes",
    "measured_history",
    "partition_density",
    "partition_points",
    "require_wide",
    "scale_scan",
    "slope_scales",
    "spectral_diffusion",
    "spectral_grid",
    "speed_up",
    "steep_ensemble",
    "steep_kernel",
    "tangent_kernel",
    "time_to_fraction",
]
