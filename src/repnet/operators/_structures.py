"""Structures shaken by the ground: a linear oscillator, a yielding one, a frame of storeys."""

import abc
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from repnet.nn._check import check_count, check_positive

GRAVITY = 9.80665  # m/s²
States = Float[Array | np.ndarray, "*batch state"]
_MOST_PARTS = 64  # substeps of one sample beyond which a tolerance is given up


class AbstractStructure(eqx.Module):
    r"""A structure under ground acceleration $a$: $\dot x = f(x, a)$, at rest before the record.

    `blocks` names the states on which each nonlinear law acts: what a learner of the response is
    told of where the nonlinearity sits. It is empty for a linear structure.
    """

    state_size: eqx.AbstractVar[int]
    blocks: eqx.AbstractVar[tuple[tuple[int, ...], ...]]
    period: eqx.AbstractVar[float]

    @abc.abstractmethod
    def rate(
        self, state: Float[Array, " state"], ground: Float[Array, ""]
    ) -> Float[Array, " state"]:
        """The time derivative of the state at ground acceleration `ground`, m/s²."""

    @abc.abstractmethod
    def displacement(self, states: States) -> Float[Array | np.ndarray, "*batch"]:
        """The displacement that is judged, relative to the ground, in metres."""


class LinearOscillator(AbstractStructure):
    r"""$\ddot u + 2\zeta\omega\dot u + \omega^2 u = -a$, states $(u, \dot u)$.

    >>> LinearOscillator(0.5).rate(jnp.zeros(2), jnp.asarray(1.0)).tolist()
    [0.0, -1.0]
    """

    period: float = eqx.field(static=True)
    damping: float = eqx.field(static=True)
    state_size: int = eqx.field(static=True)
    blocks: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    def __init__(self, period: float = 0.5, damping: float = 0.05):
        check_positive("LinearOscillator", "period", period)
        _check_damping("LinearOscillator", damping)
        self.period, self.damping = float(period), float(damping)
        self.state_size, self.blocks = 2, ()

    def rate(
        self, state: Float[Array, " state"], ground: Float[Array, ""]
    ) -> Float[Array, " state"]:
        omega = 2.0 * jnp.pi / self.period
        u, v = state
        return jnp.stack([v, -ground - 2.0 * self.damping * omega * v - omega**2 * u])

    def displacement(self, states: States) -> Float[Array | np.ndarray, "*batch"]:
        return states[..., 0]


class BoucWen(AbstractStructure):
    r"""A yielding oscillator, states $(u, \dot u, z)$.

    $$\ddot u + 2\zeta\omega\dot u + \omega^2[\alpha u + (1-\alpha)z] = -a,\qquad
    \dot z = \dot u\,\big[1 - |z/u_y|^2\,\tfrac12(1 + \mathrm{sgn}(\dot u z))\big]$$

    **Arguments:**

    - `period`: of small motion, seconds; $\omega = 2\pi$ over it.
    - `damping`: $\zeta$. `hardening`: $\alpha$, stiffness after yielding over that before.
    - `strength`: acceleration at which it yields, $\omega^2 u_y$, in units of gravity; `None` is
      `usual_strength(period)`.

    **Source:** Bouc 1967, Wen 1976, with exponent 2 and $\beta = \gamma = 1/2$.

    >>> BoucWen(0.5).rate(jnp.zeros(3), jnp.asarray(1.0)).tolist()
    [0.0, -1.0, 0.0]
    """

    period: float = eqx.field(static=True)
    damping: float = eqx.field(static=True)
    hardening: float = eqx.field(static=True)
    yield_displacement: float = eqx.field(static=True)  # u_y, metres
    state_size: int = eqx.field(static=True)
    blocks: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    def __init__(
        self,
        period: float = 0.5,
        *,
        damping: float = 0.05,
        hardening: float = 0.1,
        strength: float | None = None,
    ):
        check_positive("BoucWen", "period", period)
        _check_damping("BoucWen", damping)
        _check_hardening("BoucWen", hardening)
        strength = usual_strength(period) if strength is None else strength
        check_positive("BoucWen", "strength", strength)
        self.period, self.damping, self.hardening = float(period), float(damping), float(hardening)
        self.yield_displacement = float(strength * GRAVITY * (period / (2.0 * np.pi)) ** 2)
        self.state_size, self.blocks = 3, ((1, 2),)

    def rate(
        self, state: Float[Array, " state"], ground: Float[Array, ""]
    ) -> Float[Array, " state"]:
        omega = 2.0 * jnp.pi / self.period
        u, v, z = state
        force = omega**2 * (self.hardening * u + (1.0 - self.hardening) * z)
        acceleration = -ground - 2.0 * self.damping * omega * v - force
        return jnp.stack([v, acceleration, hysteresis(v, z, self.yield_displacement)])

    def displacement(self, states: States) -> Float[Array | np.ndarray, "*batch"]:
        return states[..., 0]


def _check_damping(where: str, damping: float) -> None:
    if not 0.0 <= damping < 1.0:
        raise ValueError(f"`{where}(damping=...)` must lie between 0 and 1; got {damping}.")


def _check_hardening(where: str, hardening: float) -> None:
    if not 0.0 <= hardening <= 1.0:
        raise ValueError(f"`{where}(hardening=...)` must lie between 0 and 1; got {hardening}.")


def usual_strength(period: float) -> float:
    """0.08 s over the period: the median ductility of the 100 records is then about 6.

    >>> usual_strength(0.5)
    0.16
    """
    return 0.08 / period


class ShearFrame(AbstractStructure):
    r"""A frame of storeys on equal masses, each a Bouc–Wen spring; the states are the storeys'
    drifts, their velocities and their hysteretic drifts.

    Stiffness falls linearly to half from the ground to the roof; the strength of a storey is its
    shear under forces that grow linearly with height. Damping is Rayleigh's, `damping` in the first
    and the third mode.

    **Arguments:** `storeys`; `period` of the first mode, seconds; `damping`; `hardening` as for
    `BoucWen`; `strength`: shear at the base over weight at which the ground storey yields.

    **Source:** this project; Chopra, Dynamics of Structures, chapters 11 and 19.

    >>> ShearFrame().state_size
    18
    """

    storeys: int = eqx.field(static=True)
    period: float = eqx.field(static=True)
    hardening: float = eqx.field(static=True)
    stiffness: Float[np.ndarray, " storeys"]  # over mass, 1/s²
    yield_drift: Float[np.ndarray, " storeys"]  # metres
    damping_matrix: Float[np.ndarray, "storeys storeys"]  # over mass, of drift velocities
    state_size: int = eqx.field(static=True)
    blocks: tuple[tuple[int, ...], ...] = eqx.field(static=True)

    def __init__(
        self,
        storeys: int = 6,
        *,
        period: float = 0.9,
        damping: float = 0.05,
        hardening: float = 0.1,
        strength: float = 0.1,
    ):
        n = self.storeys = check_count("ShearFrame", "storeys", storeys, 3)
        check_positive("ShearFrame", "period", period)
        _check_damping("ShearFrame", damping)
        _check_hardening("ShearFrame", hardening)
        check_positive("ShearFrame", "strength", strength)
        self.period, self.hardening = float(period), float(hardening)
        shape = np.linspace(1.0, 0.5, n)
        first = np.linalg.eigvalsh(_stiffness_matrix(shape))[0]
        self.stiffness = shape * (2.0 * np.pi / period) ** 2 / first
        matrix = _stiffness_matrix(self.stiffness)
        one, three = np.sqrt(np.linalg.eigvalsh(matrix))[[0, 2]]
        rayleigh = 2.0 * damping / (one + three) * (one * three * np.eye(n) + matrix)
        difference = np.eye(n) - np.eye(n, k=-1)  # from displacements to drifts
        self.damping_matrix = difference @ rayleigh @ np.linalg.inv(difference)
        self.yield_drift = strength * GRAVITY * n * _shears(n) / self.stiffness
        self.state_size = 3 * n
        self.blocks = tuple((n + storey, 2 * n + storey) for storey in range(n))

    def rate(
        self, state: Float[Array, " state"], ground: Float[Array, ""]
    ) -> Float[Array, " state"]:
        drift, velocity, z = jnp.split(state, 3)
        shear = self.stiffness * (self.hardening * drift + (1.0 - self.hardening) * z)
        floor = shear - jnp.append(shear[1:], 0.0)  # what pushes each floor back
        relative = floor - jnp.concatenate([jnp.zeros(1, floor.dtype), floor[:-1]])
        acceleration = -relative - self.damping_matrix @ velocity
        acceleration = acceleration - ground * jnp.eye(self.storeys)[0]
        return jnp.concatenate([velocity, acceleration, hysteresis(velocity, z, self.yield_drift)])

    def displacement(self, states: States) -> Float[Array | np.ndarray, "*batch"]:
        return states[..., : self.storeys].sum(axis=-1)


def hysteresis(
    velocity: Float[Array, "..."],
    z: Float[Array, "..."],
    limit: Float[Array | np.ndarray, "..."] | float,
) -> Float[Array, "..."]:
    r"""$\dot z$ of the Bouc–Wen law with exponent 2 and $\beta = \gamma = 1/2$.

    >>> float(hysteresis(jnp.asarray(2.0), jnp.asarray(1.0), 1.0))
    0.0
    """
    loading = 0.5 * (1.0 + jnp.sign(velocity * z))
    return velocity * (1.0 - jnp.square(z / limit) * loading)


def _stiffness_matrix(stiffness: Float[np.ndarray, " storeys"]) -> Float[np.ndarray, "n n"]:
    above = np.append(stiffness[1:], 0.0)
    return np.diag(stiffness + above) - np.diag(above[:-1], 1) - np.diag(above[:-1], -1)


def _shears(storeys: int) -> Float[np.ndarray, " storeys"]:
    """Share of the base shear in each storey, under forces that grow linearly with height."""
    forces = np.arange(1.0, storeys + 1.0)
    return np.cumsum(forces[::-1])[::-1] / forces.sum()


def respond(
    structure: AbstractStructure,
    ground: Float[np.ndarray, "records samples"],
    step: float,
    *,
    tolerance: float = 1e-4,
) -> Float[np.ndarray, "records samples state"]:
    """The states of a structure, from rest, at every sample of every record.

    Between samples the ground acceleration is linear. Tsitouras' method of order 5 takes a fixed
    number of steps per sample, doubled until doubling changes the displacement of no record by
    more than `tolerance` of its peak; the finer solution is returned, in float64.

    **Arguments:** `ground`: m/s². `step`: seconds between samples.

    **Raises:** `ValueError` for no records, values that are not finite, and where 64 steps per
    sample do not reach the tolerance.

    **Source:** diffrax, `Tsit5`.
    """
    check_positive("respond", "step", step)
    if not (np.size(ground) and np.isfinite(ground).all()):
        raise ValueError(
            "`respond(ground=...)` must hold finite values, at least one; got "
            f"{int(np.isfinite(ground).sum())} of {np.size(ground)}."
        )
    with jax.enable_x64(True):
        records = jnp.asarray(ground, jnp.float64)
        parts, change = 2, np.inf
        states = _integrated(structure, records, step, parts)
        while parts < _MOST_PARTS:
            parts *= 2
            finer = _integrated(structure, records, step, parts)
            change = _change(structure.displacement(finer), structure.displacement(states))
            states = finer
            if change <= tolerance:
                return np.asarray(states)
    raise ValueError(
        f"`respond(tolerance=...)` must be reachable in {_MOST_PARTS} steps per sample; got "
        f"{tolerance:g}, reached {change:.1e}."
    )


def _change(fine: Any, coarse: Any) -> float:
    peak = jnp.max(jnp.abs(fine), axis=1)
    found = jnp.max(jnp.abs(fine - coarse), axis=1) / jnp.where(peak > 0, peak, 1.0)
    return float(jnp.max(found))


@eqx.filter_jit
def _integrated(structure: AbstractStructure, records: Array, step: float, parts: int) -> Array:
    import diffrax  # late: it takes half a second to load

    solver = diffrax.Tsit5()
    times = jnp.linspace(0.0, step, parts + 1)

    def between(state: Array, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        start, end = ends
        term = diffrax.ODETerm(
            lambda t, x, args: structure.rate(x, start + (end - start) * t / step)
        )

        def part(number: Int[Array, ""], state: Array) -> Array:
            t0, t1 = times[number], times[number + 1]
            inner = solver.init(term, t0, t1, state, None)
            return solver.step(term, t0, t1, state, None, inner, made_jump=False)[0]

        state = jax.lax.fori_loop(0, parts, part, state)
        return state, state

    def one(record: Array) -> Array:
        rest = jnp.zeros(structure.state_size)
        _, states = jax.lax.scan(between, rest, (record[:-1], record[1:]))
        return jnp.concatenate([rest[None], states])

    return jax.vmap(one)(records)


def padded(
    records: Sequence[Float[np.ndarray, " _"]], rest: int
) -> tuple[Float[np.ndarray, "records samples"], tuple[int, ...]]:
    """Records of different lengths in one array, zeros behind them, and where each one ends.

    **Arguments:** `rest`: zeros that count as part of every record: free vibration.

    >>> ground, ends = padded([np.ones(2), np.ones(3)], 1)
    >>> ground.tolist(), ends
    ([[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]], (3, 4))
    """
    ends = tuple(len(record) + rest for record in records)
    ground = np.zeros((len(records), max(ends)))
    for row, record in zip(ground, records, strict=True):
        row[: len(record)] = record
    return ground, ends
