"""The error on new points against the slope scale: trained networks, and what the kernel says."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn import RepNet
from repnet.nn._check import check_positive
from repnet.theory._modes import symmetric_eigen
from repnet.theory._ntk import tangent_kernel
from repnet.theory._training import descend_network, values_of

_LIMIT = 0.7  # radians per sample: steeper steps turn between samples
_TESTS = 1025


@dataclass(frozen=True, eq=False)
class ScaleScan:
    r"""Relative L2 errors on new points by slope scale.

    - `scales`; `errors`: after descent; `kernel_errors`: of the linear model with the kernel at
      initialization, at the same number of steps.
    - `predicted`: the range $k_{\max}$ to $0.7/h$ in which the best scale should lie.
    """

    scales: Float[np.ndarray, " scales"]
    errors: Float[np.ndarray, " scales"]
    kernel_errors: Float[np.ndarray, " scales"]
    predicted: tuple[float, float]


def scale_scan(
    scales: Sequence[float] | None = None,
    *,
    wave: float = 16.0,
    points: int = 129,
    noise: float = 0.0,
    units: int = 512,
    steps: int = 1500,
    key: PRNGKeyArray,
) -> ScaleScan:
    r"""Train tanh steps of several slope scales on one target, and judge them on new points.

    The target on $[-1, 1]$ is $\sin(kx) + \tfrac12\sin(0.4kx + 1)$; the network is a RepNet without
    hidden layers; descent runs at one over the kernel's largest eigenvalue.

    **Arguments:**

    - `scales`: slope scales; left out, seven from $k/4$ to $2.8/h$.
    - `wave`: $k$, radians per half-width; `points`: evenly spaced samples, $h$ apart.
    - `noise`: deviation of the noise on them.
    - `units`, `steps`: of the networks and the descent.

    **Returns:** a `ScaleScan`.

    **Raises:** `ValueError` for a `wave` or `scales` that are not finite and positive.

    **Source:** this project.
    """
    check_positive("scale_scan", "wave", wave)
    draw_key, noise_key = jr.split(key)
    x = np.linspace(-1.0, 1.0, points)[:, None]
    limit = _LIMIT * (points - 1) / 2.0
    tried = np.geomspace(wave / 4.0, 4.0 * limit, 7) if scales is None else np.asarray(scales)
    check_positive("scale_scan", "scales", tried)
    new = np.linspace(-1.0, 1.0, _TESTS)[:, None]
    y = _target(x, wave) + noise * np.asarray(jr.normal(noise_key, x.shape))
    found = [_errors(scale, x, y, new, wave, (units, steps), draw_key) for scale in tried.tolist()]
    errors, kernel_errors = np.array(found).T
    return ScaleScan(tried.astype(float), errors, kernel_errors, (wave, limit))


def _target(x: np.ndarray, wave: float) -> np.ndarray:
    return np.sin(wave * x) + 0.5 * np.sin(0.4 * wave * x + 1.0)


def _errors(
    scale: float,
    x: np.ndarray,
    y: np.ndarray,
    new: np.ndarray,
    wave: float,
    sizes: tuple[int, int],
    key: Array,
) -> tuple[float, float]:
    units, steps = sizes
    network = RepNet(1, width=units, hidden=(), scale=scale, features="step", key=key)
    kernel = tangent_kernel(network, np.concatenate([x, new]), x, rates=True) / len(x)
    values, vectors = symmetric_eigen(kernel[: len(x)])
    pace = 1.0 / values[-1]
    trained, _ = descend_network(network, x, y, np.array([steps]), rate=float(pace), rates=True)
    truth = _target(new, wave)
    start_x, start_new = values_of(network, x), values_of(network, new)
    safe = np.maximum(values, 1e-12 * values[-1])
    reached = (1.0 - (1.0 - pace * safe) ** steps) / safe
    weights = vectors @ (reached[:, None] * (vectors.T @ (y - start_x)))
    by_kernel = start_new + kernel[len(x) :] @ weights
    by_descent = values_of(trained, new)
    return _relative(by_descent, truth), _relative(by_kernel, truth)


def _relative(guess: np.ndarray, truth: np.ndarray) -> float:
    return float(np.linalg.norm(guess - truth) / np.linalg.norm(truth))
