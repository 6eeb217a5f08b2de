"""Neural networks that learn multiscale functions, and the solvers and judges around them."""

from repnet.judge import band_error, psnr, relative_l2, report_card, rmse, time_to_learn
from repnet.nn import (
    MLP,
    FactorizedLinear,
    FourierFeatures,
    Linear,
    RepLinear,
    RepNet,
    SineLinear,
    magnitude,
    siren,
)
from repnet.problem import Box, Problem, Term, regression
from repnet.solve import RESULTS, Gradient, LeastSquares, Plan, Solution, Windows, train_many
from repnet.solve import solve as solve
from repnet.spectrum import axis_spectra, check_sampling, direction_spectra, suggest_scale
from repnet.theory import crossing_density, partition_density

__version__ = "0.1.0"

__all__ = [
    "MLP",
    "RESULTS",
    "Box",
    "FactorizedLinear",
    "FourierFeatures",
    "Gradient",
    "LeastSquares",
    "Linear",
    "Plan",
    "Problem",
    "RepLinear",
    "RepNet",
    "SineLinear",
    "Solution",
    "Term",
    "Windows",
    "axis_spectra",
    "band_error",
    "check_sampling",
    "crossing_density",
    "direction_spectra",
    "magnitude",
    "partition_density",
    "psnr",
    "regression",
    "relative_l2",
    "report_card",
    "rmse",
    "siren",
    "solve",
    "suggest_scale",
    "time_to_learn",
    "train_many",
]
