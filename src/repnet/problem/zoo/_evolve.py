"""Periodic evolution equations by Fourier spectra and exponential Runge–Kutta steps."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Complex, Float

_CIRCLE = 32  # points of the contour integrals: the error falls like e^{-32}


def etdrk4(
    initial: Complex[np.ndarray, " modes"],
    linear: Complex[np.ndarray, " modes"] | Float[np.ndarray, " modes"],
    nonlinear: Callable,
    step: float,
    every: int,
    count: int,
) -> Complex[np.ndarray, "times modes"]:
    r"""Solutions of $\dot{\hat u} = L \hat u + N(\hat u)$ at `count + 1` even times from 0.

    The fourth-order exponential time differencing of Cox and Matthews: the linear part exactly,
    the nonlinear one by a Runge–Kutta rule whose coefficients, such as
    $(e^z - 1)/z$ with $z = L h$, are means over a circle around $z$, free of cancellation.

    ```python
    >>> decay = etdrk4(np.ones(1, complex), np.array([-2.0]), np.zeros_like, 0.05, 10, 2)
    >>> np.allclose(decay[:, 0], np.exp(-2.0 * np.array([0.0, 0.5, 1.0])))
    True

    ```

    **Arguments:** `initial` coefficients; `linear`, the diagonal of $L$; `nonlinear`, a function of
    coefficients; `step`, the time step $h$; `every`, steps between two times that are kept;
    `count`, times kept after the first.

    **Returns:** shape `(count + 1, modes)`.

    **Source:** Kassam and Trefethen 2005, equations 19 to 25.
    """
    whole, half, middle, first, inner, last = _coefficients(linear, step)
    v = initial.astype(np.complex128)
    kept = [v]
    for _ in range(count):
        for _ in range(every):
            n_v = nonlinear(v)
            a = half * v + middle * n_v
            n_a = nonlinear(a)
            b = half * v + middle * n_a
            n_b = nonlinear(b)
            c = half * a + middle * (2.0 * n_b - n_v)
            v = whole * v + first * n_v + inner * (n_a + n_b) + last * nonlinear(c)
        kept.append(v)
    return np.stack(kept)


def _coefficients(linear: np.ndarray, step: float) -> tuple[np.ndarray, ...]:
    """e^z, e^{z/2} and the four weights of the rule, one per mode."""
    circle = np.exp(2j * np.pi * (np.arange(_CIRCLE) + 0.5) / _CIRCLE)
    z = step * linear[:, None] + circle
    e = np.exp(z)
    weights = (
        (np.exp(z / 2.0) - 1.0) / z,
        (-4.0 - z + e * (4.0 - 3.0 * z + z**2)) / z**3,
        2.0 * (2.0 + z + e * (z - 2.0)) / z**3,
        (-4.0 - 3.0 * z - z**2 + e * (4.0 - z)) / z**3,
    )
    middle, first, inner, last = (step * w.mean(axis=1) for w in weights)
    whole = np.exp(step * linear)
    if np.isrealobj(linear):  # their imaginary parts are round-off
        middle, first, inner, last = middle.real, first.real, inner.real, last.real
    return whole, np.exp(step * linear / 2.0), middle, first, inner, last
