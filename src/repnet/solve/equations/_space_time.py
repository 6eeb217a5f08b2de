"""Evolution problems of one axis of space, to be cut into tiles of space and time."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int

from repnet.problem import Box, Face, Problem, Region, Term, Union
from repnet.solve.equations._evolution import is_lasting, is_start, ring_of
from repnet.solve.equations._local import ALL, Looks, looked_at
from repnet.solve.equations._probing import (
    drawn_derivatives,
    local_looks,
    same_slopes,
    smooth_derivatives,
    which_matter,
)
from repnet.solve.equations._rows import Frame, on_boundary

_ORDER = 4  # highest total order of a derivative in an equation
_PROBES = 128
_SCAN = 2000  # places where jumps are looked for
_SUDDEN = 0.02  # change between two of them, as a share of all there is, that may be a jump
_KEPT = 0.7  # share of it that one half of the interval keeps where it is one
_EXACT = 1e-14
_MOST_JUMPS = 64


@dataclasses.dataclass(frozen=True)
class SpaceTime:
    """A problem of evolution whose residuals look at one place each.

    - `orders`: of every output the highest derivatives by space and by time in the equations: up
      to the ones before, neighbouring tiles agree.
    - `inside`, `start`: names of the equations and of what holds at the begin of time.
    - `sides`: faces of space of every other term, but for `ring`, which a field of the box's period
      meets by itself.
    - `looks`: derivatives of the field up to the orders that terms look at.
    - `linear`: whether all terms are affine in them.
    - `jumps`: places where an equation's coefficients or sources jump, all through time.
    """

    problem: Problem
    orders: Int[np.ndarray, "out 2"]
    inside: tuple[str, ...]
    start: tuple[str, ...]
    sides: dict[str, tuple[Face, ...]]
    ring: str | None
    looks: Looks
    linear: bool
    jumps: tuple[float, ...] = ()

    @property
    def walls(self) -> tuple[float, float]:
        """Begin and end of space."""
        domain = self.problem.domain
        return float(domain.lower[0]), float(domain.upper[0])

    @property
    def times(self) -> tuple[float, float]:
        """Begin and end of time."""
        domain = self.problem.domain
        return float(domain.lower[1]), float(domain.upper[1])

    @property
    def known(self) -> tuple[tuple[int, int], ...]:
        """What a state consists of: every output's derivatives by time below the equations' own."""
        return tuple((out, k) for out, (_, order) in enumerate(self.orders) for k in range(order))

    def initial(self, x: Float[np.ndarray, " points"]) -> Float[np.ndarray, "points known"]:
        """The state at the begin of time."""
        begin = np.stack([x, np.full_like(x, self.times[0])], axis=1)
        rows, right = zip(*(self._at_start(name, begin) for name in self.start), strict=True)
        whole, values = np.concatenate(rows, axis=1), np.concatenate(right, axis=1)
        return np.einsum("pke,pe->pk", np.linalg.pinv(whole), values)

    def _at_start(
        self, name: str, x: Float[np.ndarray, "points 2"]
    ) -> tuple[Float[np.ndarray, "points equations known"], Float[np.ndarray, "points equations"]]:
        zero = np.zeros((len(x), self.problem.out_size, len(self.looks)))
        found = looked_at(self.problem, name, self.looks, x, zero)
        rows = np.zeros((*found.residual.shape, len(self.known)))
        for column, (out, k) in enumerate(self.known):
            rows[..., column] = found.slopes[:, :, out, self.looks.index((0, k))]
        return rows, -found.residual


def space_time_of(problem: Problem) -> SpaceTime:
    """The problem, to be cut at will; call in float64 mode.

    **Raises:** `ValueError` naming the rule that it breaks.
    """
    box = problem.domain
    if not isinstance(box, Box) or box.dim != 2:
        raise ValueError(
            "`SpaceTimeElements` needs a `Box` with one axis of space and time as its last axis; "
            f"got a {type(box).__name__} of {box.dim} axes."
        )
    if problem.unknowns is not None:
        raise ValueError(
            "`SpaceTimeElements` takes problems without `unknowns`; leave `solver` out."
        )
    start, inside, sides = [], [], {}
    for name, term in problem.terms.items():
        if is_start(term.points):
            start.append(name)
        elif not is_lasting(term.points, box):
            raise ValueError(
                "`SpaceTimeElements` takes terms on the whole domain, at the begin of time or on "
                f"faces of space; term {name!r} holds elsewhere."
            )
        elif on_boundary(problem, term):
            sides[name] = _faces(term.points)
        else:
            inside.append(name)
    for kind, names in (("on the domain", inside), ("at the begin of time", start)):
        if not names:
            raise ValueError(f"`SpaceTimeElements` needs a term {kind}; the problem has none.")
    ring = ring_of(problem, problem.terms)
    sides.pop(ring, None)
    looks, orders, linear = _looked(problem, inside, start, ring)
    for axis, name in enumerate(("space", "time")):
        if not orders[:, axis].any():
            raise ValueError(
                f"`SpaceTimeElements` takes equations with derivatives by {name}; there is none."
            )
    jumps = tuple(sorted({x for name in inside for x in _jumps(problem, name, looks)}))
    found = SpaceTime(
        problem, orders, tuple(inside), tuple(start), sides, ring, looks, linear, jumps
    )
    _check_start(found)
    return found


def _faces(region: Region) -> tuple[Face, ...]:
    pieces = region.pieces if isinstance(region, Union) else (region,)
    assert all(isinstance(piece, Face) for piece in pieces)
    return tuple(pieces)  # pyright: ignore[reportReturnType]


def _looked(
    problem: Problem, inside: list[str], start: list[str], ring: str | None
) -> tuple[Looks, Int[np.ndarray, "out 2"], bool]:
    """What terms look at, the equations' orders, and whether all are affine."""
    frame, reach, total = Frame.of(problem), np.zeros(2, int), 0
    orders, linear, equations = np.zeros((problem.out_size, 2), int), True, 0
    for name, term in problem.terms.items():
        if name == ring:
            continue
        x = _probes(problem, term)
        if local_looks(term.residual, frame, problem.out_size, None, x) is None:
            raise ValueError(
                "`SpaceTimeElements` takes residuals that look at one place each; "
                f"term {name!r} ties distant points."
            )
        slopes, others = (
            _slopes(problem, name, x, field) for field in (smooth_derivatives, drawn_derivatives)
        )
        affine = same_slopes(slopes, others)
        if name in start and not affine:
            raise ValueError(
                "`SpaceTimeElements` takes conditions at the begin of time that are affine in the "
                f"field; term {name!r} is not."
            )
        linear &= affine
        matters = which_matter(slopes, ALL[2]) | which_matter(others, ALL[2])
        if not matters.any():
            raise ValueError(
                f"`Problem(terms=...)`: the residual of term {name!r} doesn't depend on the field."
            )
        asked = np.array(ALL[2])[matters.any(axis=(0, 1))]
        if asked.sum(axis=1).max() > _ORDER:
            raise ValueError(
                f"`SpaceTimeElements` takes equations up to order {_ORDER}; term {name!r} is of a "
                "higher one."
            )
        reach, total = np.maximum(reach, asked.max(axis=0)), max(total, *asked.sum(axis=1))
        if name in inside:
            equations += slopes.shape[1]
            for out, place in zip(*np.nonzero(matters.any(axis=0)), strict=True):
                orders[out] = np.maximum(orders[out], ALL[2][place])
    if equations != problem.out_size:
        raise ValueError(
            "`SpaceTimeElements` needs one equation per output; the problem has "
            f"{equations} equation(s) for {problem.out_size} output(s)."
        )
    looks = tuple(look for look in ALL[2] if sum(look) <= total and np.all(look <= reach))
    return looks, orders, linear


def _probes(problem: Problem, term: Term) -> Float[np.ndarray, "points 2"]:
    region: Any = term.points
    piece = region.pieces[0] if isinstance(region, Union) else region
    return np.asarray(piece.sample(_PROBES, key=jax.random.key(1)))


def _slopes(
    problem: Problem, name: str, x: Float[np.ndarray, "points 2"], field: Callable
) -> Float[np.ndarray, "points equations out looks"]:
    """By all derivatives of some field, in half-widths of the domain."""
    scale = np.prod(problem.domain.half_width ** -np.asarray(ALL[2], float), axis=1)
    values = field(Frame.of(problem), problem.out_size, ALL[2], x)
    return looked_at(problem, name, ALL[2], x, values).slopes * scale


def _jumps(problem: Problem, name: str, looks: Looks) -> list[float]:
    """Places where slopes or sources jump: intervals that keep a change when halved."""
    (lower, time), (upper, _) = problem.domain.lower, problem.domain.upper
    time = 0.5 * (time + problem.domain.upper[1])

    def at(x: Float[np.ndarray, " points"]) -> Float[np.ndarray, "points values"]:
        places = np.stack([x, np.full_like(x, time)], axis=1)
        shape = (problem.out_size, len(looks))
        scale = np.prod(problem.domain.half_width ** -np.asarray(looks, float), axis=1)
        drawn = np.random.default_rng(0).normal(size=shape) * scale
        found = looked_at(problem, name, looks, places, np.broadcast_to(drawn, (len(x), *shape)))
        return np.concatenate([found.residual, (found.slopes * scale).reshape(len(x), -1)], axis=1)

    x = np.linspace(lower, upper, _SCAN + 1)[1:-1]
    values = at(x)
    spread = np.maximum(np.ptp(values, axis=0), 1e-300)
    change = np.max(np.abs(np.diff(values, axis=0)) / spread, axis=1)
    found = []
    for place in np.flatnonzero(change > _SUDDEN):
        left, right, here = x[place], x[place + 1], change[place]
        first, last = values[place], values[place + 1]
        while right - left > _EXACT * (upper - lower):
            middle = 0.5 * (left + right)
            (value,) = at(np.array([middle]))
            sides = [np.max(np.abs(b - a) / spread) for a, b in ((first, value), (value, last))]
            if max(sides) < _KEPT * here:
                break
            if sides[0] > sides[1]:
                right, last = middle, value
            else:
                left, first = middle, value
        else:
            found.append(float(0.5 * (left + right)))
    return found if len(found) <= _MOST_JUMPS else []


def _check_start(found: SpaceTime) -> None:
    """Whether the state at the begin of time is given, and nothing else there."""
    lower, upper = found.walls
    x = np.linspace(lower, upper, _PROBES + 2)[1:-1]
    begin = np.stack([x, np.full_like(x, found.times[0])], axis=1)
    zero, needed = (
        np.zeros((len(x), len(found.orders), len(found.looks))),
        {k for _, k in found.known},
    )
    for name in found.start:
        slopes = looked_at(found.problem, name, found.looks, begin, zero).slopes
        asked = np.array(found.looks)[slopes.any(axis=(0, 1, 2))]
        if any(i > 0 or j not in needed for i, j in asked):
            raise ValueError(
                "`SpaceTimeElements` takes values and rates at the begin of time, of lower order "
                f"than the equations; term {name!r} looks at other derivatives."
            )
    rows = np.concatenate([found._at_start(name, begin)[0] for name in found.start], axis=1)
    if np.any(np.linalg.matrix_rank(rows) < len(found.known)):
        raise ValueError(
            "`SpaceTimeElements` needs every output at the begin of time, and its derivatives by "
            "time below the equation's order; the problem doesn't give them all."
        )
