"""How to solve it: one verb, several solvers, one kind of solution."""

from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._standardize import Standardization, standardization

__all__ = ["RESULTS", "Plan", "Solution", "Standardization", "standardization"]
