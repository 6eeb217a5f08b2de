"""How to solve it: one verb, several solvers, one kind of solution.

The folder is named after its verb. Python binds `repnet.solve` to whichever of the two was imported
last, so the folder answers a call as well.
"""

import sys
import types
from typing import TYPE_CHECKING, Any

import lazy_loader

from repnet.solve._progress import AbstractProgress, NoProgress, TextProgress
from repnet.solve._solution import RESULTS, Plan, Solution
from repnet.solve._solve import AbstractSolver, solve
from repnet.solve._standardize import Standardization, standardization

if TYPE_CHECKING:
    from repnet.solve._gradient import Gradient, train_many
    from repnet.solve._least_squares import LeastSquares
    from repnet.solve._multi_stage import MultiStage
    from repnet.solve._radial import Radial
    from repnet.solve._scale_search import find_scale
    from repnet.solve._windows import Windows
    from repnet.solve.equations._elements import Elements
    from repnet.solve.equations._gauss_newton import GaussNewton
    from repnet.solve.equations._slabs import Slabs
    from repnet.solve.equations._space_time_elements import SpaceTimeElements

# Every solver is loaded at its first use: few programs need more than one.
__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_gradient": ["Gradient", "train_many"],
        "_least_squares": ["LeastSquares"],
        "_multi_stage": ["MultiStage"],
        "_radial": ["Radial"],
        "_scale_search": ["find_scale"],
        "_windows": ["Windows"],
        "equations._elements": ["Elements"],
        "equations._gauss_newton": ["GaussNewton"],
        "equations._slabs": ["Slabs"],
        "equations._space_time_elements": ["SpaceTimeElements"],
    },
)

__all__ = [
    "RESULTS",
    "AbstractProgress",
    "AbstractSolver",
    "Elements",
    "GaussNewton",
    "Gradient",
    "LeastSquares",
    "MultiStage",
    "NoProgress",
    "Plan",
    "Radial",
    "Slabs",
    "Solution",
    "SpaceTimeElements",
    "Standardization",
    "TextProgress",
    "Windows",
    "find_scale",
    "solve",
    "standardization",
    "train_many",
]


class _CallableModule(types.ModuleType):
    """A module that passes a call on to its verb."""

    def __call__(self, *args: Any, **keywords: Any) -> Solution:
        return solve(*args, **keywords)


sys.modules[__name__].__class__ = _CallableModule
