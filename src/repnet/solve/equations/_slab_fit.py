"""One slab of time: units and points where the solution varies, Newton's method on the read-out."""

import dataclasses
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn import MLP, Linear, RingBumps
from repnet.problem import Problem, Region, Union
from repnet.solve._one_layer import one_layer
from repnet.solve.equations._adapt import Profile, profile, space_nodes
from repnet.solve.equations._evolution import Known
from repnet.solve.equations._judge import judge
from repnet.solve.equations._rows import Frame, on_boundary
from repnet.solve.equations._slab_newton import Rows

_SLOPE = 0.03  # slope of a step, as a share of the units per half-width around it
_SHARP = 0.08  # the same of a bump: one over its width
_SPREAD = 0.25  # units part by so many of their widths within half a slab, one way or the other
_GROWTH = 0.1  # of bumps within half a slab, as an exponent
_BEYOND = 0.02  # share of the steps on either side of the domain
_INSIDE = 3  # points inside per unit
_AT_START = 0.7  # points at the start per unit
_AT_ENDS = 48  # points on each face of space
_HELD = 512  # points that judge
_LOOKS = np.sin(0.5 * np.pi * np.linspace(-1.0, 1.0, 5))  # times in a slab, clustered at its ends


@dataclasses.dataclass(frozen=True)
class Slab:
    """A solved slab: its network, the residuals of its terms at points that were not fitted.

    - `number`: of the try in its march.
    """

    problem: Problem
    frame: Frame
    network: MLP
    error: float
    errors: dict[str, float]
    steps: int
    number: int = 0

    @property
    def field(self) -> Callable:
        """What residuals see."""
        return self.frame.field(self.network)


def make_units(problem: Problem, around: Profile, units: int, ring: bool, key: PRNGKeyArray) -> MLP:
    """A layer with its partition points drawn from the profile, one in each of equal shares.

    Slopes follow the density of partition points; units move with the local speed, and apart.
    """
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    share = (np.arange(units) + rng.random(units)) / units
    if not ring:
        share = (1.0 + 2.0 * _BEYOND) * share - _BEYOND
    inside = np.clip(share, 0.0, 1.0)
    place = around.place(inside) + 2.0 * (share - inside)
    density, speed = around.at(place)
    slope = (_SHARP if ring else _SLOPE) * units * density
    speed = speed + _SPREAD / slope * rng.normal(size=units)
    if ring:
        sharpness = np.maximum((slope / np.pi) ** 2, 0.5)
        growth = _GROWTH * rng.normal(size=units)
        layer = RingBumps(*map(jnp.asarray, (sharpness, place, speed, growth)))
    else:
        slope = slope * rng.choice([-1.0, 1.0], units)
        weight = np.stack([slope, -slope * speed], axis=1)
        layer = Linear(2, units, activation=jnp.tanh, key=key)
        layer = eqx.tree_at(
            lambda layer: (layer.weight, layer.bias),
            layer,
            (jnp.asarray(weight), jnp.asarray(-slope * place)),
        )
    return one_layer(layer, problem.out_size)


def slab_points(
    problem: Problem, around: Profile, inside: int, at_start: int, key: PRNGKeyArray
) -> dict[str, Float[np.ndarray, "points dim"]]:
    """Points of every term: in space by the profile, in time clustered at both ends."""
    keys = jax.random.split(key, len(problem.terms))
    points = {}
    for each, (name, term) in zip(keys, problem.terms.items(), strict=True):
        region = term.points
        assert isinstance(region, Region)
        rng = np.random.default_rng(np.asarray(jax.random.key_data(each)))
        if not on_boundary(problem, term):
            points[name] = _placed(problem, around, rng, inside)
        elif region.lower[-1] == region.upper[-1]:
            points[name] = _placed(problem, around, rng, at_start, first=True)
        else:
            pieces = region.pieces if isinstance(region, Union) else (region,)
            points[name] = np.concatenate([_in_time(piece, rng) for piece in pieces])
    return points


def _placed(
    problem: Problem, around: Profile, rng: np.random.Generator, count: int, first: bool = False
) -> Float[np.ndarray, "points dim"]:
    box = problem.domain
    space = (np.arange(count) + rng.random(count)) / count
    local = around.place(space)
    time = -np.cos(np.pi * (rng.permutation(count) + rng.random(count)) / count)
    if first:
        time = np.full(count, -1.0)
    # The profile is that of mid-slab, from where things move both ways.
    local = np.clip(local + around.at(local)[1] * time, -1.0, 1.0)
    if first:
        local[0], local[-1] = -1.0, 1.0
    return box.centre + box.half_width * np.stack([local, time], axis=1)


def _in_time(piece: Region, rng: np.random.Generator) -> Float[np.ndarray, "points dim"]:
    time = -np.cos(np.pi * (np.arange(_AT_ENDS) + rng.random(_AT_ENDS)) / _AT_ENDS)
    return piece.centre + piece.half_width * np.stack([np.zeros(_AT_ENDS), time], axis=1)


@eqx.filter_jit
def evaluated(field: Callable, x: Array) -> Array:
    """A field at many points."""
    return jax.vmap(field)(x)


def state_of(field: Callable) -> Callable:
    """A field as a function of many points in NumPy."""
    return lambda x: np.asarray(evaluated(field, jnp.asarray(x)))


def looked(
    field: Callable, problem: Problem, times: Float[np.ndarray, " times"], ring: bool
) -> Profile:
    """The profile of a field at some times of a slab, from -1 to 1."""
    box, nodes = problem.domain, space_nodes()
    grid = np.stack(np.meshgrid(times, nodes, indexing="ij"), axis=-1)[..., ::-1]
    x = box.centre + box.half_width * grid
    values = np.asarray(evaluated(field, jnp.asarray(x.reshape(-1, 2))))
    values = values.reshape(len(times), len(nodes), -1)
    return profile(values, np.asarray(np.gradient(values, times, axis=0)), ring=ring)


def solve_slab(
    problem: Problem,
    known: Known,
    guess: Callable,
    start: Profile,
    units: int,
    ring: bool,
    key: PRNGKeyArray,
    passes: int = 2,
) -> Slab:
    """Solve, look where the solution varies, and solve again with units and points there.

    **Arguments:** `guess`: values at points of the slab, for Newton's method to start from;
    `start`: the profile for the first pass.
    """
    frame, keys = Frame.of(problem), jax.random.split(key, passes + 1)
    if known.before is None:  # of the same structure as later ones, so that all is compiled once
        known = known._replace(before=frame.field(make_units(problem, start, units, ring, key)))
    network, steps = _pass(problem, frame, known, guess, start, units, ring, keys[0])
    for each in keys[1:-1]:
        around = looked(frame.field(network), problem, _LOOKS, ring)
        state = state_of(frame.field(network))
        network, more = _pass(problem, frame, known, state, around, units, ring, each)
        steps += more
    around = looked(frame.field(network), problem, _LOOKS, ring)
    held = slab_points(problem, around, _HELD, _HELD // 2, keys[-1])
    errors = judge(problem, frame, network, held, known)
    total = float(np.sqrt(sum(error**2 for error in errors.values())))
    total = total if np.isfinite(total) else np.inf
    return Slab(problem, frame, network, total, errors, steps)


def _pass(
    problem: Problem,
    frame: Frame,
    known: Known,
    guess: Callable,
    around: Profile,
    units: int,
    ring: bool,
    key: PRNGKeyArray,
) -> tuple[MLP, int]:
    unit_key, point_key = jax.random.split(key)
    network = make_units(problem, around, units, ring, unit_key)
    points = slab_points(problem, around, _INSIDE * units, int(_AT_START * units), point_key)
    rows = Rows.of(problem, frame, network, points, known)
    return rows.newton(rows.fitted(network, guess))
