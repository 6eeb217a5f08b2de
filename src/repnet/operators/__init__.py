"""Operators: maps between functions, learnt from data; structures shaken by earthquakes."""

from repnet.operators._antiderivative import antiderivative
from repnet.operators._cases import OPERATORS, OperatorCase, structure_of
from repnet.operators._data import (
    OperatorData,
    group_folds,
    operator_problem,
    parted,
    require_apart,
)
from repnet.operators._flow import FlowSolver, flow_problem, roll_out
from repnet.operators._measures import (
    band_errors,
    error_growth,
    quartiles,
    response_errors,
    response_spectrum,
)
from repnet.operators._motions import generated_motions
from repnet.operators._range import outside, seen_range
from repnet.operators._readout import OperatorLeastSquares
from repnet.operators._structures import (
    AbstractStructure,
    BoucWen,
    LinearOscillator,
    ShearFrame,
    padded,
    respond,
)
from repnet.operators._study import QuakeStudy, predict_by_folds, quake_study
from repnet.operators._train import OperatorGradient
from repnet.operators._units import OperatorUnits, StandardizedOperator

__all__ = [
    "OPERATORS",
    "OperatorCase",
    "outside",
    "seen_range",
    "structure_of",
    "AbstractStructure",
    "BoucWen",
    "FlowSolver",
    "LinearOscillator",
    "OperatorData",
    "OperatorGradient",
    "OperatorLeastSquares",
    "OperatorUnits",
    "QuakeStudy",
    "ShearFrame",
    "StandardizedOperator",
    "antiderivative",
    "band_errors",
    "error_growth",
    "flow_problem",
    "generated_motions",
    "group_folds",
    "operator_problem",
    "padded",
    "parted",
    "predict_by_folds",
    "quake_study",
    "quartiles",
    "require_apart",
    "respond",
    "response_errors",
    "response_spectrum",
    "roll_out",
]
