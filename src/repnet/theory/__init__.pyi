from ._compare import Discrepancy, compare_histories
from ._descent import TensorPoints, descend, measured_history
from ._diffusion import dissipation, spectral_diffusion, spectral_grid
from ._experiment import DiffusionRun, diffusion_run, require_wide
from ._fft_reference import fft_reference
from ._history import SpectralHistory, time_to_fraction
from ._initial_rates import initial_rates, steep_ensemble
from ._kernel_error import compare_kernels
from ._laws import (
    NormalBias,
    NormalWeights,
    ParabolicWeights,
    UniformBias,
    UniformWeights,
)
from ._magnitude_check import MagnitudeCheck, check_magnitude
from ._modes import KernelModes, kernel_modes
from ._ntk import tangent_kernel
from ._partition import (
    crossing_density,
    crossings,
    first_layer,
    partition_density,
    partition_points,
    slope_scales,
)
from ._scale_scan import ScaleScan, scale_scan
from ._shallow import ShallowFits, Start, fit_shallow
from ._sine import SineEnsemble
from ._spectral_grid import SpectralGrid
from ._speed_up import SpeedUp, speed_up
from ._steep import SteepEnsemble
from ._steep_kernel import steep_kernel
from ._training import descend_network
from ._waves import WindowedWaves

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
