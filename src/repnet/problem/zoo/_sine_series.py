"""The response of a square with zero boundary values to a Gaussian source, by sine series."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from repnet.problem.zoo._check import Real, between, positive
from repnet.problem.zoo._resonance import resonant_modes


def check_source(owner: str, wavelength: Real, width: Real) -> tuple[float, float]:
    """The wavenumber and the width; a `ValueError` where an even mode resonates."""
    k = 2.0 * math.pi / positive(owner, "wavelength", wavelength)
    σ = between(owner, "width", width, 0.005, 0.07)
    even = [mode for mode in resonant_modes((k / math.pi) ** 2) if mode[0] % 2 and mode[1] % 2]
    if even:
        raise ValueError(
            f"`{owner}(wavelength=...)` must not be a resonance that the source excites; "
            f"got {wavelength:g}, the wavelength of the mode {even[0]}."
        )
    return k, σ


def gaussian_response(k: float, width: float, modes: int | None = None) -> Callable:
    r"""The solution of $\Delta u + k^2 u = e^{-|x - c|^2/2\sigma^2}$ on the unit square.

    The boundary values are zero, $c$ is the centre, and

    $$u = \sum_{m, n\ \text{odd}} \frac{g_m g_n}{k^2 - \pi^2 (m^2 + n^2)} \sin m\pi x \sin n\pi y,
      \qquad g_m = 2 \int_0^1 e^{-(x - 1/2)^2/2\sigma^2} \sin m\pi x \, dx,$$

    with $g_m$ by Gauss–Legendre quadrature. It falls like $e^{-(m\pi\sigma)^2/2}$, so
    $m \le 9/\pi\sigma$ reaches round-off. Even modes have no source and are left out.

    ```python
    >>> u = gaussian_response(31.0, 0.05)
    >>> u(jnp.array([0.3, 0.6])).shape
    (1,)

    ```

    **Arguments:** `k`, wavenumber; `width`, σ; `modes`, the largest m, chosen if left out.

    **Returns:** a field, `(2,) -> (1,)`, traceable.

    **Source:** separation of variables.
    """
    largest = modes or math.ceil(9.0 / (math.pi * width))
    wave = math.pi * np.arange(1, largest + 1, 2)
    nodes, weights = np.polynomial.legendre.leggauss(3 * largest + 200)
    x = 0.5 * (nodes + 1.0)
    bump = np.exp(-((x - 0.5) ** 2) / (2.0 * width**2))
    moment = np.sin(wave[:, None] * x) @ (weights * bump)  # half the length, twice the integral
    amplitude = np.outer(moment, moment) / (k**2 - wave[:, None] ** 2 - wave**2)

    def field(x: jax.Array) -> jax.Array:
        across, along = jnp.sin(wave * x[0]), jnp.sin(wave * x[1])
        return (across @ amplitude @ along)[None]

    return field
