"""What reparameterizing is worth: training at an equal function, in either parameters."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.theory._descent import TensorPoints, measured_history
from repnet.theory._diffusion import spectral_diffusion
from repnet.theory._spectral_grid import SpectralGrid
from repnet.theory._steep import RAW, REPARAMETERIZED, SteepEnsemble
from repnet.theory._training import descend_network
from repnet.theory._waves import WindowedWaves

_RECORDS = 41
_BEYOND = 1.6  # times the predicted time: the measured one lies within
_STABLE = 0.5  # learning rate times the largest rate


@dataclass(frozen=True)
class SpeedUp:
    """Times to halve the error at a wave, as (formula, training) of each parameterization.

    >>> found = speed_up(scale=4.0, wave=2.0, units=64, key=jr.key(0))
    >>> formula, training = found.reparameterized
    >>> bool(abs(formula / training - 1.0) < 0.3)
    True
    """

    raw: tuple[float, float]
    reparameterized: tuple[float, float]


class SteepNetwork(eqx.Module):
    r"""$N^{-1/2}\sum_j a_j\tanh z_j$ with $z = wx + b$ or $z = s(x - t)$, all of them trained."""

    readout: Float[Array, " units"]
    steepness: Float[Array, " units"]  # w or s
    place: Float[Array, " units"]  # b or t
    raw: bool = eqx.field(static=True)

    def __call__(self, x: Float[Array, " dim"]) -> Float[Array, " out"]:
        z = self.steepness * x + self.place if self.raw else self.steepness * (x - self.place)
        return (self.readout @ jnp.tanh(z) / len(self.readout) ** 0.5)[None]


def speed_up(
    *, scale: float, wave: float, units: int, half_width: float = 4.0, key: PRNGKeyArray
) -> SpeedUp:
    r"""Times of gradient flow to halve the error at a wave, raw and reparameterized.

    Both networks are the same function at the start: tanh units of slope $s$ with evenly spread
    partition points and read-outs $\pm1$. The formula is the spectral model of `SteepEnsemble`.

    **Arguments:** `scale`: $s$; `wave`: $k$ of the windowed target; `units`; `half_width`: $T$, of
    the partition points' range and the domain.

    **Returns:** a `SpeedUp`.

    **Source:** this project.

    >>> found = speed_up(scale=4.0, wave=2.0, units=64, key=jr.key(0))
    >>> found.reparameterized[1] < 0.5 * found.raw[1]
    True
    """
    waves = WindowedWaves((wave,), half_width / 5.0)
    points = TensorPoints(half_width, 16 * max(int(np.ceil(wave * half_width / 8.0)), 8))
    times = [_times(raw, scale, units, waves, points, key) for raw in (True, False)]
    return SpeedUp(*times)


def _times(
    raw: bool, scale: float, units: int, waves: WindowedWaves, points: TensorPoints, key: Array
) -> tuple[float, float]:
    """Predicted and measured time to half."""
    (wave,) = np.abs(waves.vectors[0])
    groups = RAW if raw else REPARAMETERIZED
    model = SteepEnsemble(scale, span=points.half_width, trained=dict.fromkeys(groups, 1.0))
    # The formula is singular at ξ = 0, which a finite domain does not reach.
    grid = SpectralGrid(max(waves.highest, model.reach), 800)
    edges = [0.5 * wave, 1.5 * wave]
    end = _BEYOND * np.log(2.0) / float(model.rate(np.array([wave]))[0])
    times = np.linspace(0.0, end, _RECORDS)
    history = spectral_diffusion(model, lambda xi: -waves.transform(xi), times, grid)
    largest = float(model.rate(np.array([np.pi / points.half_width]))[0])
    pace = _STABLE / largest
    steps = np.unique(np.round(times / pace).astype(int))
    network = _network(raw, scale, units, points.half_width, key)
    with jax.enable_x64(True):
        start = np.asarray(jax.vmap(network)(jnp.asarray(points.points)))
        target = start + waves(points.points)[:, None]  # so that the error starts as the wave
        _, error = descend_network(
            network, points.points, target, steps, rate=pace, share=points.step
        )
    measured = measured_history(error[..., 0], points, steps * pace, grid)
    return float(history.time_to(0.5, edges)[0]), float(measured.time_to(0.5, edges)[0])


def _network(raw: bool, scale: float, units: int, half_width: float, key: Array) -> SteepNetwork:
    with jax.enable_x64(True):
        place = ((jnp.arange(units) + 0.5) / units * 2.0 - 1.0) * half_width
        sign = jr.permutation(key, jnp.where(jnp.arange(units) % 2, 1.0, -1.0))
        slopes = jnp.full(units, scale, place.dtype)
        return SteepNetwork(sign, slopes, -scale * place if raw else place, raw)
