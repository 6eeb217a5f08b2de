"""How to solve it: one verb, several solvers, one kind of solution."""

from repnet.solve._gradient import Gradient, train_many
from repnet.solve._least_squares import LeastSquares
from repnet.solve._progress import AbstractProgress, NoProgress, TextProgress
from repnet.solve._scale_search import find_scale
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._solve import solve
from repnet.solve._standardize import Standardization, standardization
from repnet.solve._windows import Windows

__all__ = [
    "RESULTS",
    "AbstractProgress",
    "Gradient",
    "LeastSquares",
    "NoProgress",
    "Plan",
    "Solution",
    "Standardization",
    "TextProgress",
    "Windows",
    "find_scale",
    "solve",
    "standardization",
    "train_many",
]
