"""Differential equations by direct solves."""

from repnet.solve.equations._direct import Wanted
from repnet.solve.equations._equation import solve_equation

__all__ = ["Wanted", "solve_equation"]
