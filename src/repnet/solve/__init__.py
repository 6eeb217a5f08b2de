"""How to solve it: one verb, several solvers, one kind of solution."""

from repnet.solve._gradient import Gradient, find_scale, train_many
from repnet.solve._progress import AbstractProgress, NoProgress, TextProgress
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._standardize import Standardization, standardization

__all__ = [
    "RESULTS",
    "AbstractProgress",
    "Gradient",
    "NoProgress",
    "Plan",
    "Solution",
    "Standardization",
    "TextProgress",
    "find_scale",
    "standardization",
    "train_many",
]
