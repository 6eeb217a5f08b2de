"""The problem of a correction: what is left of a problem once an approximate solution is known."""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.problem import Problem, Shared, Term, jet_of, regression
from repnet.solve._solution import evaluate


@dataclass(frozen=True)
class Correction:
    r"""What a next network has to solve after the sum $u_0$ of those so far.

    The solution is sought as $u_0 + \varepsilon v$, with a factor $\varepsilon$ that makes $v$ of
    order 1. A term $r(u) = g$ becomes

    $$\frac{r(u_0 + \varepsilon v) - g}{\varepsilon} = 0 \qquad\text{or, if } r \text{ is affine,}
    \qquad r(v) - r(0) + \frac{r(u_0) - g}{\varepsilon} = 0$$

    where the second keeps the digits that the first loses in $u_0 + \varepsilon v$.

    **Arguments:**

    - `known`: $u_0$ before hard conditions, in the units of the problem's inputs.
    - `factor`: $\varepsilon$; `affine`: whether all terms are affine in the field.
    - `sizes`: by term, how large the parts of $r(u_0)$ are: the yardstick of residuals.

    **Source:** Wang and Lai 2024, section 4; the form for affine terms: this project.
    """

    problem: Problem
    known: Callable
    factor: float
    affine: bool
    sizes: Mapping[str, Float[np.ndarray, " equations"]]

    def stated(self) -> Problem:
        """The problem for $v$, on the same points and regions."""
        terms = {name: self._term(name, term) for name, term in self.problem.terms.items()}
        return Problem(self.problem.domain, terms, out_size=self.problem.out_size)

    def _term(self, name: str, term: Term) -> Term:
        values = None if term.values is None else term.values / self.factor
        return Term(Left(self, term.residual, self.sizes[name] / self.factor), term.points, values)


@dataclass(frozen=True, eq=False)
class Left:
    """The residual of a `Correction` for one term, with a yardstick of its own."""

    correction: Correction
    whole: Callable
    sizes: Float[np.ndarray, " equations"]

    def __call__(self, v: Any, x: Array, unknowns: Any) -> Array:
        """The residual at one point, for the field `v`."""
        known, factor = self.correction.known, self.correction.factor
        if not self.correction.affine:
            moved = Combined(((1.0, known), (factor, v)))
            return self._of(moved, x, unknowns) / factor
        nothing = Combined(((0.0, v),))
        linear = self._of(v, x, unknowns) - self._of(nothing, x, unknowns)
        return linear + self._of(known, x, unknowns) / factor

    def _of(self, u: Any, x: Array, unknowns: Any) -> Array:
        field = Shared(self.correction.problem.field(u))
        return jnp.atleast_1d(self.whole(field, x, unknowns))


@dataclass(frozen=True, eq=False)
class Combined:
    r"""The field $\sum_k c_k u_k$ of factors and fields."""

    terms: tuple[tuple[float, Any], ...]

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        return _total((factor, u(x)) for factor, u in self.terms)

    def jet(self, x: Float[Array, " dim"]) -> "Combined":
        """The derivatives at one point: the same combination of jets."""
        return Combined(tuple((factor, jet_of(u, x)) for factor, u in self.terms))

    def derivative(self, *directions: Any) -> Float[Array, " out"]:
        """The derivative along each of the directions in turn; the value for none."""
        return _total((factor, jet.derivative(*directions)) for factor, jet in self.terms)

    def laplacian(self, seeds: Any) -> Float[Array, " out"]:
        """The sum of the second derivatives along the `seeds`."""
        return _total((factor, jet.laplacian(seeds)) for factor, jet in self.terms)


def _total(parts: Iterable[tuple[float, Any]]) -> Array:
    return functools.reduce(jnp.add, [factor * value for factor, value in parts])


def data_left(problem: Problem, known: Callable) -> Problem:
    """The regression of what a known function leaves of a regression's data."""
    (term,) = problem.terms.values()
    assert term.values is not None
    return regression(term.points, term.values - evaluate(known, term.points))
