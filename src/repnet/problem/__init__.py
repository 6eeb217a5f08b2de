"""What to solve: regions, derivatives, conditions, terms and problems."""

from repnet.problem._ball import Ball, Sphere
from repnet.problem._calculus import (
    Field,
    directional,
    divergence,
    gradient,
    laplacian,
    partial,
)
from repnet.problem._conditions import dirichlet, initial, neumann, observed, periodic, robin
from repnet.problem._domain import Box, Face
from repnet.problem._jet import FieldJet, Shared, jet_of, taylor
from repnet.problem._problem import Problem, Term, regression, value
from repnet.problem._region import Boundary, Region, Union
from repnet.problem._solid import Difference, Solid
from repnet.problem._transformed import Transformed
from repnet.problem._unknown import UnknownField

__all__ = [
    "Problem",
    "Term",
    "regression",
    "value",
    "Region",
    "Solid",
    "Boundary",
    "Union",
    "Box",
    "Face",
    "Ball",
    "Sphere",
    "Difference",
    "Field",
    "Transformed",
    "UnknownField",
    "Shared",
    "FieldJet",
    "jet_of",
    "partial",
    "gradient",
    "laplacian",
    "divergence",
    "directional",
    "taylor",
    "dirichlet",
    "neumann",
    "robin",
    "periodic",
    "initial",
    "observed",
]
