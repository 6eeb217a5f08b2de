"""What to solve: domains, terms and problems."""

from repnet.problem._domain import Box
from repnet.problem._problem import Problem, Term, regression

__all__ = ["Box", "Problem", "Term", "regression"]
