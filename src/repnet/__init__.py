"""Neural networks that learn multiscale functions, and the solvers and judges around them."""

from typing import TYPE_CHECKING

import lazy_loader

from repnet.judge import band_error, psnr, relative_l2, report_card, rmse
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
    UnknownField,
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
from repnet.solve import RESULTS, Plan, Solution
from repnet.solve import solve as solve
from repnet.spectrum import axis_spectra, check_sampling, direction_spectra, suggest_scale

if TYPE_CHECKING:
    from repnet import theory as theory
    from repnet.judge import time_to_learn
    from repnet.nn import DeepONet, MscaleDNN
    from repnet.solve import (
        Elements,
        GaussNewton,
        Gradient,
        LeastSquares,
        MultiStage,
        Radial,
        Slabs,
        SpaceTimeElements,
        Windows,
        train_many,
    )
    from repnet.theory import crossing_density, partition_density, tangent_kernel

__version__ = "0.1.0"

# Solvers, and what few programs need, are loaded at their first use.
__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submodules={"theory"},
    submod_attrs={
        "judge": ["time_to_learn"],
        "nn": ["DeepONet", "MscaleDNN"],
        "solve": [
            "Elements",
            "GaussNewton",
            "Gradient",
            "LeastSquares",
            "MultiStage",
            "Radial",
            "Slabs",
            "SpaceTimeElements",
            "Windows",
            "train_many",
        ],
        "theory": ["crossing_density", "partition_density", "tangent_kernel"],
    },
)

__all__ = [
    "Ball",
    "Box",
    "DeepONet",
    "Elements",
    "FactorizedLinear",
    "FourierFeatures",
    "GaussNewton",
    "Gradient",
    "LeastSquares",
    "Linear",
    "MLP",
    "MscaleDNN",
    "MultiStage",
    "Plan",
    "Problem",
    "RESULTS",
    "Radial",
    "RepLinear",
    "RepNet",
    "SineLinear",
    "Slabs",
    "Solution",
    "SpaceTimeElements",
    "Term",
    "UnknownField",
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
    "tangent_kernel",
    "time_to_learn",
    "train_many",
]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "theory"})
