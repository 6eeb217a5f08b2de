"""Why shallow ReLU networks fail: trained with slope scale and partition points set one by one."""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from repnet.nn._check import check_count, check_positive

_SNAPSHOTS = 5
_PER_WAVELENGTH = 4  # training points, at least


class Start(NamedTuple):
    r"""How a shallow network starts.

    - `name`: in tables and figures.
    - `scale`: slope scale $s$ of every unit; `None` for the vanilla law, weights uniform in
      $\pm 1$.
    - `spread`: partition points stratified over $\pm$ `spread`; `None` for the vanilla law,
      biases uniform in $\pm 1$ (times the slope scale, if that is given).
    - `reparameterized`: train slope and partition point of each unit instead of weight and bias.

    >>> Start("vanilla"), Start("RepNet", scale=16.0, spread=1.02, reparameterized=True).scale
    (Start(name='vanilla', scale=None, spread=None, reparameterized=False), 16.0)
    """

    name: str
    scale: float | None = None
    spread: float | None = None
    reparameterized: bool = False


class ShallowFits(NamedTuple):
    r"""Shallow networks trained on $\sin(kx)$, $x \in [-1, 1]$, one per start and frequency.

    - `starts`, `frequencies`: in the order of the axes `starts` and `ks`.
    - `error`: relative L2 error after training at the best of the learning rates.
    - `attainable`: the error of the best read-out for the partition points of the start.
    - `steps`: at which slopes and points were looked at, the first one 0.
    - `slopes`: slope scale $|w_j|$ of each unit; `points`: its partition point $-b_j/w_j$.

    >>> starts = [Start("vanilla"), Start("RepNet", 16.0, 1.02, True)]
    >>> found = fit_shallow(starts, [8.0], units=32, points=65, steps=100, key=jr.key(0))
    >>> found.steps, found.slopes.shape, bool(np.all(found.slopes[1, :, 0] == 16.0))
    ((0, 20, 40, 60, 80, 100), (2, 1, 6, 32), True)
    """

    starts: tuple[Start, ...]
    frequencies: tuple[float, ...]
    error: Float[np.ndarray, "starts ks"]
    attainable: Float[np.ndarray, "starts ks"]
    steps: tuple[int, ...]
    slopes: Float[np.ndarray, "starts ks times units"]
    points: Float[np.ndarray, "starts ks times units"]


class _Units(eqx.Module):
    """Many networks side by side: what is trained, every array with leading axes of networks."""

    slope: Array  # w, or the logarithm of the slope over its scale
    offset: Array  # b, or the partition point
    readout: Array
    constant: Array


class _Fixed(eqx.Module):
    """What is not trained."""

    weight: Array  # of the start
    reparameterized: Array  # 1 or 0


def fit_shallow(
    starts: Sequence[Start],
    frequencies: Sequence[float],
    *,
    units: int = 128,
    points: int = 257,
    steps: int = 1500,
    rates: Sequence[float] = (1e-3,),
    key: PRNGKeyArray,
) -> ShallowFits:
    r"""Train shallow ReLU networks from given starts on $\sin(kx)$, and watch their units.

    $$f(x) = \sum_{j=1}^N a_j \max(w_j x + b_j, 0) + c$$

    by Adam on all points at once, the rate falling to 0 along a cosine. Read-outs start at
    $N(0, 1/N)$ over the slope scale, so that $f$ starts at order 1 whatever its slopes: a start
    says how steep its units are and where they turn, and nothing else. Reparameterized units are
    $z = s e^g n (x - t)$ with $g$ and $t$ trained, the rate of $t$ times $1/\sqrt s$ (`Rates`).

    **Arguments:**

    - `frequencies`: the values of $k$.
    - `units`, `points`, `steps`: $N$, equidistant training points, steps of Adam.
    - `rates`: learning rates; of several, the one with the least loss counts, for each network by
      itself. ReLU is homogeneous, so that a slope scale acts through the rate: tuning it makes up
      for a part of a wrong one.

    **Returns:** `ShallowFits`.

    **Raises:** `ValueError` naming the argument at fault.

    **Source:** Wang, Zhou and Meng 2026 for the two factors; this experiment: this project.

    >>> starts = [Start("vanilla"), Start("RepNet", 16.0, 1.02, True)]
    >>> found = fit_shallow(starts, [8.0], units=32, points=65, steps=100, key=jr.key(0))
    >>> found.error.shape, bool(found.error[1, 0] < found.error[0, 0])
    ((2, 1), True)
    """
    check_positive("fit_shallow", "frequencies", np.asarray(frequencies, float))
    check_positive("fit_shallow", "rates", np.asarray(rates, float))
    for name, value in (("units", units), ("points", points), ("steps", steps)):
        check_count("fit_shallow", name, value, 2)
    needed = math.ceil(_PER_WAVELENGTH * max(frequencies) / math.pi)
    if points < needed:
        raise ValueError(
            f"`fit_shallow(points=...)` must be at least {needed}, four per wavelength, for"
            f" k = {max(frequencies):g}; got {points}."
        )
    keys = jr.split(key, len(starts))
    begun = [_begin(start, units, each) for start, each in zip(starts, keys, strict=True)]
    params, fixed = jax.tree.map(lambda *leaves: jnp.stack(leaves), *begun)
    x = jnp.linspace(-1.0, 1.0, points)
    targets = jnp.sin(jnp.asarray(frequencies, x.dtype)[:, None] * x)
    losses, seen = _train(params, fixed, x, targets, jnp.asarray(rates, x.dtype), steps)
    losses = np.nan_to_num(np.asarray(losses, float), nan=np.inf)
    best = np.argmin(losses, axis=2)
    slopes, places = (_pick(np.asarray(each), best) for each in seen)
    power = np.mean(np.square(np.asarray(targets)), axis=1)
    grid, waves = np.asarray(x), np.asarray(targets)
    return ShallowFits(
        tuple(starts),
        tuple(float(k) for k in frequencies),
        np.sqrt(losses.min(axis=2) / power),
        np.array([_attainable(each, grid, waves) for each in places[:, 0, 0]]),
        tuple(int(step) for step in _times(steps)),
        slopes,
        places,
    )


def _pick(
    values: Float[np.ndarray, "starts ks rates times units"], best: np.ndarray
) -> Float[np.ndarray, "starts ks times units"]:
    return np.take_along_axis(values, best[..., None, None, None], 2)[:, :, 0]


def _times(steps: int) -> np.ndarray:
    return np.linspace(0, steps, _SNAPSHOTS + 1).astype(int)


def _begin(start: Start, units: int, key: PRNGKeyArray) -> tuple[_Units, _Fixed]:
    sign_key, slope_key, place_key, order_key, readout_key = jr.split(key, 5)
    sign = jr.rademacher(sign_key, (units,)).astype(jnp.zeros(()).dtype)
    size = 1.0 if start.scale is None else start.scale
    share = (jnp.arange(units) + jr.uniform(place_key, (units,))) / units
    weight = size * sign
    if start.scale is None:
        weight = weight * jr.uniform(slope_key, (units,), minval=1e-3)
    if start.spread is None:
        place = -size * (2.0 * jr.permutation(order_key, share) - 1.0) / weight
    else:
        place = start.spread * (2.0 * share - 1.0)
    readout = jr.normal(readout_key, (units,)) / units**0.5 / size
    rep = start.reparameterized
    slope, offset = (jnp.zeros(units), place) if rep else (weight, -weight * place)
    return _Units(slope, offset, readout, jnp.zeros(())), _Fixed(weight, jnp.asarray(float(rep)))


def _affine(units: _Units, fixed: _Fixed) -> tuple[Array, Array]:
    rep = fixed.reparameterized > 0
    weight = jnp.where(rep, fixed.weight * jnp.exp(jnp.where(rep, units.slope, 0.0)), units.slope)
    return weight, jnp.where(rep, -weight * units.offset, units.offset)


def _output(units: _Units, fixed: _Fixed, x: Float[Array, " points"]) -> Float[Array, " points"]:
    weight, bias = _affine(units, fixed)
    return jax.nn.relu(x[:, None] * weight + bias) @ units.readout + units.constant


@eqx.filter_jit
def _train(
    params: _Units, fixed: _Fixed, x: Array, targets: Array, rates: Array, steps: int
) -> tuple[Array, tuple[Array, Array]]:
    """Losses of every start, frequency and rate; slopes and partition points at some steps."""

    def one(start: _Units, constants: _Fixed, y: Array, rate: Array) -> tuple:
        return _train_one(start, constants, x, y, rate, steps)

    of_rates = jax.vmap(one, in_axes=(None, None, None, 0))
    of_waves = jax.vmap(of_rates, in_axes=(None, None, 0, None))
    # One start after the other: all at once, their activations would not fit the caches.
    return jax.lax.map(lambda start: of_waves(start[0], start[1], targets, rates), (params, fixed))


def _train_one(
    units: PyTree, fixed: _Fixed, x: Array, y: Array, rate: Array, steps: int
) -> tuple[Array, tuple[Array, Array]]:
    def loss(units: _Units) -> Array:
        return jnp.mean(jnp.square(_output(units, fixed, x) - y))

    adam = optax.scale_by_adam()
    mean_slope = jnp.mean(jnp.abs(fixed.weight))
    slow = jnp.where(fixed.reparameterized > 0, 1.0 / jnp.sqrt(mean_slope), 1.0)
    times = _times(steps)

    def step(state: tuple, number: Array) -> tuple[tuple, None]:
        units, moments = state
        change, moments = adam.update(jax.grad(loss)(units), moments)
        pace = 0.5 * rate * (1.0 + jnp.cos(jnp.pi * number / steps))
        change = eqx.tree_at(lambda u: u.offset, change, replace_fn=lambda c: slow * c)
        return (jax.tree.map(lambda u, c: u - pace * c, units, change), moments), None

    state, seen = (units, adam.init(units)), [_look(units, fixed)]
    for first, last in itertools.pairwise(times):
        state, _ = jax.lax.scan(step, state, jnp.arange(first, last))
        seen.append(_look(state[0], fixed))
    slopes, places = (jnp.stack(each) for each in zip(*seen, strict=True))
    return loss(state[0]), (slopes, places)


def _look(units: _Units, fixed: _Fixed) -> tuple[Array, Array]:
    weight, bias = _affine(units, fixed)
    return jnp.abs(weight), -bias / weight


def _attainable(
    places: Float[np.ndarray, " units"], x: np.ndarray, targets: Float[np.ndarray, "ks points"]
) -> Float[np.ndarray, " ks"]:
    """The relative error of the best read-out of ramps that turn at these places, and a line."""
    inside = places[np.abs(places) < 1.0].astype(float)
    ramps = np.maximum(x[:, None] - inside, 0.0)
    rows = np.column_stack([ramps, x, np.ones_like(x)])
    found = rows @ np.linalg.lstsq(rows, targets.T, rcond=1e-12)[0] - targets.T
    return np.linalg.norm(found, axis=0) / np.linalg.norm(targets, axis=1)
