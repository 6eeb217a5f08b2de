"""Generated ground motions: filtered white noise under an envelope."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn._check import check_count, check_positive

GRAVITY = 9.80665  # m/s²


def generated_motions(
    count: int, samples: int, step: float, *, key: PRNGKeyArray
) -> Float[np.ndarray, "motions samples"]:
    r"""Ground accelerations of random soil, duration and strength, m/s².

    White noise is filtered by the soil (Kanai–Tajimi) and by the high-pass of Clough and Penzien,
    between them shaped by an envelope $\propto (t/t_p)^{b} e^{b(1 - t/t_p)}$:

    $$|H_g|^2 = \frac{1 + 4\zeta_g^2 r^2}{(1 - r^2)^2 + 4\zeta_g^2 r^2},\ r = \omega/\omega_g;
    \qquad |H_f|^2 = \frac{q^4}{(1 - q^2)^2 + 4\zeta_f^2 q^2},\ q = \omega/\omega_f$$

    with $\omega_g$ in 5 to 40 rad/s and $\omega_f$ in 0.4 to 2.5 rad/s, both even in their
    logarithm, $\zeta_g$ in 0.25 to 0.9, $\zeta_f = 0.7$, peaks of the envelope at 10 to 50 % of the
    duration, $b$ in 1 to 6, and peak accelerations from 0.1 to 1.2 g, even in their logarithm.

    **Arguments:** `count` motions of `samples` samples, `step` seconds apart.

    **Source:** Kanai 1957, Tajimi 1960; Clough and Penzien 1975; the ranges: this project.

    >>> generated_motions(2, 100, 0.02, key=jr.key(0)).shape
    (2, 100)
    """
    check_count("generated_motions", "count", count)
    check_count("generated_motions", "samples", samples, 64)
    check_positive("generated_motions", "step", step)
    with jax.enable_x64(True):
        one = jax.jit(jax.vmap(lambda each: _motion(each, samples, step)))
        return np.concatenate(
            [np.asarray(one(part)) for part in _parts(jr.split(key, count), samples)]
        )


def _parts(keys: Array, samples: int) -> list[Array]:
    """Keys in groups whose motions stay below a hundred megabytes."""
    size = max(1, 4_000_000 // samples)
    return [keys[first : first + size] for first in range(0, len(keys), size)]


def _motion(key: PRNGKeyArray, samples: int, step: float) -> Float[Array, " samples"]:
    noise_key, draw_key = jr.split(key)
    u = jr.uniform(draw_key, (6,))
    ground, damping = _between(5.0, 40.0, u[0]), 0.25 + 0.65 * u[1]
    high_pass, peak = _between(0.4, 2.5, u[2]), 0.1 + 0.4 * u[3]
    sharpness, strength = 1.0 + 5.0 * u[4], GRAVITY * _between(0.1, 1.2, u[5])
    size = 2 * samples  # so that what leaves at one end does not come in at the other
    omega = 2.0 * jnp.pi * jnp.fft.rfftfreq(size, step)
    white = jnp.fft.rfft(jr.normal(noise_key, (size,)))
    shaken = jnp.fft.irfft(white * _soil(omega / ground, damping), size)[:samples]
    place = jnp.arange(samples) / (samples - 1) / peak
    shaped = shaken * (place * jnp.exp(1.0 - place)) ** sharpness
    motion = jnp.fft.irfft(jnp.fft.rfft(shaped, size) * _high_pass(omega / high_pass), size)
    motion = motion[:samples]
    return strength * motion / jnp.max(jnp.abs(motion))


def _between(low: float, high: float, share: Array) -> Array:
    return low * (high / low) ** share


def _soil(r: Float[Array, " bins"], damping: Array) -> Array:
    return (1.0 + 2j * damping * r) / (1.0 - r**2 + 2j * damping * r)


def _high_pass(q: Float[Array, " bins"]) -> Array:
    return -(q**2) / (1.0 - q**2 + 2j * 0.7 * q)
