"""Differential equations by direct solves."""

from repnet.solve.equations._direct import Wanted
from repnet.solve.equations._equation import solve_equation
from repnet.solve.equations._given import solve_given

__all__ = ["Wanted", "solve_equation", "solve_given"]
