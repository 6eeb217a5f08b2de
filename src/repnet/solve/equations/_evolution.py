"""Evolution problems: recognised by their regions, and restricted to a slab of time."""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.problem import Box, Face, Problem, Term, Union
from repnet.solve.equations._rows import zero_field
from repnet.solve.equations._unknowns import has_fields

_WAVES = 12  # of the periodic field that tells a periodic condition
_ROUNDING = 1e-8


class Known(NamedTuple):
    """What a slab's residuals are handed: the field it starts from, and the problem's unknowns."""

    before: Any
    unknowns: Any


@dataclasses.dataclass(frozen=True)
class Evolution:
    """A problem on a box with one axis of space, and time as the last axis.

    - `start`: name of the term on the lower face of time.
    - `ring`: name of the term that a field of the box's period meets by itself, or `None`.
    - `unknowns`: the values of the problem's unknowns with which it is marched.
    """

    problem: Problem
    start: str
    ring: str | None
    terms: dict[str, Term]
    unknowns: Any = None

    @property
    def times(self) -> tuple[float, float]:
        """Start and end."""
        domain = self.problem.domain
        return float(domain.lower[-1]), float(domain.upper[-1])

    def given(self, x: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, "points out"]:
        """The state at the start, read off the initial term: minus its residual at zero."""
        out = self.problem.out_size
        term = self.problem.terms[self.start]

        def at(point: Array) -> Array:
            return -jnp.asarray(term.residual(zero_field(out), point, self.unknowns))[:out]

        return np.asarray(jax.jit(jax.vmap(at))(jnp.asarray(x)))

    def slab(self, first: float, last: float) -> Problem:
        """The problem between two times; its residuals are handed a `Known`.

        At the start of time that is the problem's own initial condition.
        """
        lower, upper = self.problem.domain.lower.copy(), self.problem.domain.upper.copy()
        begin = lower[-1]
        lower[-1], upper[-1] = first, last
        box = Box(lower, upper)
        terms = {}
        for name, term in self.terms.items():
            if name == self.ring:
                continue
            if name == self.start:
                residual = term.residual if first == begin else _follow
                terms[name] = Term(residual, box.face(-1, "lower"))
            else:
                terms[name] = Term(term.residual, _between(term.points, first, last))
        problem = self.problem
        return Problem(box, terms, transform=problem.transform, out_size=problem.out_size)


def evolution_of(problem: Problem) -> Evolution:
    """The problem as one of evolution.

    **Raises:** `ValueError` naming the rule that it breaks.
    """
    box = problem.domain
    if not isinstance(box, Box) or box.dim != 2:
        raise ValueError(
            "`Slabs` needs a `Box` with one axis of space and time as its last axis; "
            f"got a {type(box).__name__} of {box.dim} axes."
        )
    if has_fields(problem.unknowns):
        raise ValueError("`Slabs` takes numbers as unknowns; the problem has an `UnknownField`.")
    unknowns = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), problem.unknowns)
    starts = [name for name, term in problem.terms.items() if is_start(term.points)]
    if len(starts) != 1:
        raise ValueError(
            "`Slabs` needs one term on the lower face of time, such as `initial(box, ...)`; "
            f"the problem has {len(starts)}."
        )
    for name, term in problem.terms.items():
        if name != starts[0] and not is_lasting(term.points, box):
            raise ValueError(
                "`Slabs` takes terms on the whole domain or on faces of space; "
                f"term {name!r} holds elsewhere."
            )
    terms = {name: Term(_informed(term), term.points) for name, term in problem.terms.items()}
    probe = np.array([0.3 * box.lower[0] + 0.7 * box.upper[0], box.lower[1]])
    demands = jnp.asarray(
        problem.terms[starts[0]].residual(
            zero_field(problem.out_size), jnp.asarray(probe), unknowns
        )
    ).size
    if demands != problem.out_size:
        raise ValueError(
            "`Slabs` takes equations of first order in time, whose initial term gives one value "
            f"per output; term {starts[0]!r} has {demands} equations for {problem.out_size} "
            "output(s). Use `LeastSquares()`, or the rates as outputs of their own."
        )
    ring = ring_of(problem, terms, Known(None, unknowns))
    return Evolution(problem, starts[0], ring, terms, unknowns)


def _informed(term: Term) -> Callable:
    """The residual with the unknowns of a `Known`."""

    def residual(u: Any, x: Array, known: Known) -> Array:
        return term.residual(u, x, known.unknowns)

    return residual


def is_start(region: Any) -> bool:
    """Whether a region is the lower face of time."""
    return isinstance(region, Face) and region.axis == region.dim - 1 and region.side == "lower"


def is_lasting(region: Any, box: Box) -> bool:
    """Whether a region is the box itself or made of faces of space, over all times."""
    if isinstance(region, Union):
        return all(is_lasting(piece, box) for piece in region.pieces)
    if not isinstance(region, Box | Face) or (isinstance(region, Face) and region.axis != 0):
        return False
    whole = slice(1, None) if isinstance(region, Face) else slice(None)
    return bool(
        np.array_equal(region.lower[whole], box.lower[whole])
        and np.array_equal(region.upper[whole], box.upper[whole])
    )


def _between(region: Any, first: float, last: float) -> Any:
    if isinstance(region, Union):
        return Union(tuple(_between(p, first, last) for p in region.pieces), region.shares)
    lower, upper = region.lower.copy(), region.upper.copy()
    lower[-1], upper[-1] = first, last
    if isinstance(region, Face):
        return Face(lower, upper, region.axis, region.side)
    return Box(lower, upper)


def ring_of(problem: Problem, terms: dict[str, Term], unknowns: Any = None) -> str | None:
    """The term on a face of space that periodic fields meet and others don't."""
    box = problem.domain
    rng = np.random.default_rng(0)
    bias = jnp.asarray(rng.uniform(0, 2 * np.pi, (problem.out_size, _WAVES)))
    whole = 2 * np.pi / (box.upper[0] - box.lower[0]) * rng.integers(1, 4, _WAVES)
    rate = rng.normal(size=_WAVES) / box.half_width[1]
    x = jnp.asarray([box.lower[0], box.centre[1]])
    for name, term in terms.items():
        if not isinstance(term.points, Face) or term.points.axis != 0:
            continue
        size = []
        for stretch in (1.0, 1.37):
            weight = jnp.asarray(np.stack([stretch * whole, rate], axis=1))

            def field(x: Array, weight: Array = weight) -> Array:
                return jnp.sum(jnp.sin(weight @ x + bias), axis=1)

            residual = jnp.asarray(term.residual(problem.field(field), x, unknowns))
            size.append(float(jnp.max(jnp.abs(residual))))
        if size[0] <= _ROUNDING * size[1]:
            return name
    return None


def _follow(u: Any, x: Array, known: Known) -> Array:
    return u(x) - known.before(x)
