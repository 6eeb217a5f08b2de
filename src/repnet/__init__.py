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
from repnet.problem import (
    Ball,
    Box,
    Problem,
    Term,
    dirichlet,
    divergence,
    gradient,
    initial,
    laplacian,
    neumann,
    observed,
    partial,
    periodic,
    regression,
    robin,
)
from repnet.solve import RESULTS, Gradient, LeastSquares, Plan, Solution, Windows, train_many
from repnet.solve import solve as solve
from repnet.spectrum import axis_spectra, check_sampling, direction_spectra, suggest_scale
from repnet.theory import crossing_density, partition_density

__version__ = "0.1.0"

__all__ = [
    "Ball",
    "Box",
    "FactorizedLinear",
    "FourierFeatures",
    "Gradient",
    "LeastSquares",
    "Linear",
    "MLP",
    "Plan",
    "Problem",
    "RESULTS",
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
    "dirichlet",
    "divergence",
    "gradient",
    "initial",
    "laplacian",
    "magnitude",
    "neumann",
    "observed",
    "partial",
    "partition_density",
    "periodic",
    "psnr",
    "regression",
    "relative_l2",
    "report_card",
    "rmse",
    "robin",
    "siren",
    "solve",
    "suggest_scale",
    "time_to_learn",
    "train_many",
]
