"""Plane waves in scattered samples, found one by one and off any lattice."""

import dataclasses

import numpy as np
from jaxtyping import Float

_MOST_WAVES = 24
_MOST_POINTS = 4_096  # to fit waves to
_MOST_STARTS = 128
_MOST_UNKNOWNS = 96  # components of wave vectors
_MOST_OUTPUTS = 4  # principal ones
_LEAST = 0.005  # share of the variance that one more wave must explain
_STEPS = 6  # Gauss–Newton steps on all wave vectors after each new one


@dataclasses.dataclass(frozen=True)
class PlaneWaves:
    r"""Waves $a\cos(k\cdot x) + b\sin(k\cdot x)$ fitted together, and what they leave.

    `vectors` are the $k$, `energy` each wave's share of the variance on its own, `left` the share
    that all together do not explain.
    """

    vectors: Float[np.ndarray, "waves dim"]
    energy: Float[np.ndarray, " waves"]
    left: float


def pursue_waves(
    x: Float[np.ndarray, "points dim"],
    y: Float[np.ndarray, "points out"],
    starts: Float[np.ndarray, "starts dim"],
) -> PlaneWaves:
    r"""The few plane waves that explain most of scattered samples, by Newtonized pursuit.

    $$\min_{k, a, b} \sum_i |y_i - \sum_w a_w\cos(k_w\cdot x_i) + b_w\sin(k_w\cdot x_i)|^2$$

    The start that explains most of what is left becomes a wave; then all wave vectors take
    Gauss–Newton steps with the amplitudes eliminated, so that waves that the starts' lattice
    blurred come apart; and so on, while a wave explains more than chance and 0.5 % of the variance.

    **Arguments:** `x` in $[-1, 1]$ per axis; `y`, each output of zero mean and unit variance;
    `starts`, wave vectors to begin from.

    **Returns:** `PlaneWaves`, at most 24, and 96 components.

    **Source:** Mamandipoor, Ramasamy and Madhow 2016 (Newtonized orthogonal matching pursuit), with
    Kaufman's 1975 projection for the amplitudes.
    """
    if len(x) > _MOST_POINTS:
        rows = np.random.default_rng(0).choice(len(x), _MOST_POINTS, replace=False)
        x, y = x[rows], y[rows]
    y = _principal(y)
    total = float(np.mean(y**2))
    most = min(_MOST_WAVES, _MOST_UNKNOWNS // x.shape[1], len(x) // (8 * x.shape[1]))
    vectors, rest = np.zeros((0, x.shape[1])), y
    least = max(_LEAST, 6.0 * np.log(len(x)) / len(x))
    starts = starts[:_MOST_STARTS]
    tones = np.exp(-1j * (starts @ x.T))
    while len(starts) > 0 and len(vectors) < most:
        power = np.sum(np.abs(tones @ rest) ** 2, axis=1)
        trial = _refined(x, y, np.concatenate([vectors, starts[[int(np.argmax(power))]]]))
        _, trial_rest = _fitted(x, y, trial)
        if np.mean(rest**2) - np.mean(trial_rest**2) < least * total:
            break
        vectors, rest = trial, trial_rest
    return PlaneWaves(vectors, _energies(x, y, vectors), float(np.mean(rest**2)) / total)


def _principal(y: np.ndarray) -> np.ndarray:
    """Few combinations of many outputs, which hold most of their variance."""
    if y.shape[1] <= _MOST_OUTPUTS:
        return y
    return y @ np.linalg.eigh(y.T @ y)[1][:, -_MOST_OUTPUTS:]


def _waves_of(x: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    phase = x @ vectors.T
    return np.concatenate([np.cos(phase), np.sin(phase)], axis=1)


def _amplitudes(x: np.ndarray, y: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    waves = _waves_of(x, vectors)
    gram = waves.T @ waves
    gram += 1e-9 * len(x) * np.eye(len(gram))
    return np.linalg.solve(gram, waves.T @ y)


def _fitted(x: np.ndarray, y: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Amplitudes, and what they leave."""
    amplitudes = _amplitudes(x, y, vectors)
    return amplitudes, y - _waves_of(x, vectors) @ amplitudes


def _refined(x: np.ndarray, y: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Wave vectors after damped Gauss–Newton steps, amplitudes eliminated."""
    damping = 1e-3
    amplitudes, rest = _fitted(x, y, vectors)
    gram, slope = _normal_equations(x, rest, vectors, amplitudes)
    for _ in range(_STEPS):
        damped = gram + damping * np.diag(np.diag(gram)) + 1e-12 * np.eye(len(gram))
        trial = vectors + np.linalg.solve(damped, slope).reshape(vectors.shape)
        amplitudes, trial_rest = _fitted(x, y, trial)
        before, now = float(np.sum(rest**2)), float(np.sum(trial_rest**2))
        if now >= before:
            damping *= 16
            continue
        vectors, rest, damping = trial, trial_rest, damping / 4
        if now > before * (1 - 1e-4):
            break
        gram, slope = _normal_equations(x, rest, vectors, amplitudes)
    return vectors


def _normal_equations(
    x: np.ndarray, rest: np.ndarray, vectors: np.ndarray, amplitudes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gram matrix and right side for the wave vectors, summed over the outputs."""
    count, size = len(vectors), vectors.size
    waves = _waves_of(x, vectors)
    basis = np.linalg.qr(waves)[0]
    gram, slope = np.zeros((size, size)), np.zeros(size)
    for a, r in zip(amplitudes.T, rest.T, strict=True):
        along = waves[:, :count] * a[count:] - waves[:, count:] * a[:count]  # d/dphase
        jacobian = (along[:, :, None] * x[:, None, :]).reshape(len(x), size)
        jacobian = jacobian - basis @ (basis.T @ jacobian)
        gram += jacobian.T @ jacobian
        slope += jacobian.T @ r
    return gram, slope


def _energies(x: np.ndarray, y: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Share of the variance of each wave; two that nearly cancel count as what either holds."""
    if not len(vectors):
        return np.zeros(0)
    total = float(np.mean(y**2))
    alone = [1.0 - float(np.mean(_fitted(x, y, k)[1] ** 2)) / total for k in vectors[:, None]]
    a = _amplitudes(x, y, vectors)
    count = len(vectors)
    together = np.mean(a[:count] ** 2 + a[count:] ** 2, axis=1) / (2.0 * total)
    return np.minimum(together, np.maximum(alone, 0.0) + 0.01)
