"""Functions to fit, with their training and test points."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_GRID = 8001  # test points of a function of one variable
_CLOUD = 20_000  # test points of a function of more


@dataclass(frozen=True)
class Case:
    """A function on a box, the number of points to learn it from, and their noise.

    `noise` is its standard deviation over the function's own. Points form a grid in one dimension
    and are uniform at random in more.
    """

    name: str
    function: Callable[[np.ndarray], np.ndarray]
    lower: float
    upper: float
    dim: int
    points: int
    noise: float = 0.0
    batch: int | None = None

    def train(self) -> tuple[np.ndarray, np.ndarray]:
        """Training points `(points, dim)` and values `(points,)`; the same in every run."""
        rng = np.random.default_rng(2026)
        x = np.linspace(self.lower, self.upper, self.points)[:, None]
        if self.dim > 1:
            x = rng.uniform(self.lower, self.upper, (self.points, self.dim))
        y = self.function(x)
        return x, y + self.noise * np.std(y) * rng.normal(size=y.shape)

    def test(self) -> tuple[np.ndarray, np.ndarray]:
        """Test points and noise-free values."""
        x = np.linspace(self.lower, self.upper, _GRID)[:, None]
        if self.dim > 1:
            x = np.random.default_rng(7).uniform(self.lower, self.upper, (_CLOUD, self.dim))
        return self._away_from_jumps(x), self.function(self._away_from_jumps(x))

    def _away_from_jumps(self, x: np.ndarray) -> np.ndarray:
        if self.name != "steps1d":
            return x
        # Between the two training points beside a jump no value is right.
        h = (self.upper - self.lower) / (self.points - 1)
        jumps = np.arange(self.lower, self.upper + 1e-9, 1 / 8)
        return x[np.abs(x - jumps).min(axis=1) > h]


def octaves(x: np.ndarray) -> np.ndarray:
    """Six octaves of equal weight, 1 to 32 cycles per unit length."""
    return sum(np.sin(2**j * 2 * np.pi * x[:, 0] + j) for j in range(6))


def chirp(x: np.ndarray) -> np.ndarray:
    """Local frequency from 3 to 63 cycles per unit length."""
    return np.sin(2 * np.pi * (3 * x[:, 0] + 20 * x[:, 0] ** 3))


def multiscale(x: np.ndarray) -> np.ndarray:
    """Three waves of 1, 10 and 50 cycles per unit length."""
    t = x[:, 0]
    return np.sin(2 * np.pi * t) + 0.5 * np.sin(20 * np.pi * t) + 0.3 * np.sin(100 * np.pi * t)


def packets(x: np.ndarray) -> np.ndarray:
    """Wave packets of different places, widths and frequencies on a slope."""
    t = x[:, 0]
    total = 0.5 * t
    for centre, width, omega in ((-0.6, 0.15, 40.0), (0.1, 0.1, 110.0), (0.6, 0.2, 190.0)):
        total = total + np.exp(-(((t - centre) / width) ** 2)) * np.cos(omega * t)
    return total


def rough(x: np.ndarray) -> np.ndarray:
    """Forty waves whose amplitudes fall like 1/ω up to 40 cycles per unit length."""
    rng = np.random.default_rng(11)
    k, phase = np.arange(1, 41), rng.uniform(0, 2 * np.pi, 40)
    return np.sin(2 * np.pi * x[:, :1] * k + phase) @ (1.0 / k)


def steps(x: np.ndarray) -> np.ndarray:
    """A square wave of eight periods and a sine."""
    t = x[:, 0]
    return np.where(np.floor(8 * (t + 1)) % 2 == 0, 1.0, -1.0) + np.sin(2 * np.pi * t)


def smooth(x: np.ndarray) -> np.ndarray:
    """Two waves that 33 points resolve."""
    return np.sin(2 * np.pi * x[:, 0]) + 0.5 * np.cos(3 * np.pi * x[:, 0])


def gentle(x: np.ndarray) -> np.ndarray:
    """A bell and a wave that 129 points resolve many times over."""
    return np.exp(-8 * (x[:, 0] - 0.2) ** 2) + 0.5 * np.sin(4 * np.pi * x[:, 0])


def additive(x: np.ndarray) -> np.ndarray:
    """A sum of functions of one coordinate each."""
    return np.mean(np.sin(2 * np.pi * x) + 0.5 * np.sin(10 * np.pi * x), axis=1)


def coupled(x: np.ndarray) -> np.ndarray:
    """Neither additive nor aligned with the axes."""
    a, b, c, d = x.T
    wave = np.sin(4 * np.pi * (a + b) / np.sqrt(2)) * np.cos(2 * np.pi * c)
    return wave + 0.5 * np.sin(8 * np.pi * d * a)


def oblique(x: np.ndarray) -> np.ndarray:
    """Three waves along random directions and a radial one: nothing is aligned with the axes."""
    directions = np.random.default_rng(5).normal(size=(3, x.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    waves = np.sin(x @ directions.T * np.array([4.0, 9.0, 14.0]) + np.array([0.0, 1.0, 2.0]))
    return waves.sum(axis=1) + np.cos(2.0 * np.sum(x**2, axis=1))


def ridges(x: np.ndarray) -> np.ndarray:
    """Three faster waves along random directions."""
    directions = np.random.default_rng(5).normal(size=(3, x.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    waves = np.sin(x @ directions.T * np.array([8.0, 14.0, 22.0]) + np.arange(3.0))
    return waves @ np.array([1.0, 1.0, 0.5])


CASES = {
    case.name: case
    for case in (
        Case("octaves1d", octaves, -1.0, 1.0, 1, 513),
        Case("chirp1d", chirp, 0.0, 1.0, 1, 513),
        Case("multiscale1d", multiscale, -1.0, 1.0, 1, 1001),
        Case("packets1d", packets, -1.0, 1.0, 1, 513),
        Case("rough1d", rough, -1.0, 1.0, 1, 513),
        Case("steps1d", steps, -1.0, 1.0, 1, 513),
        Case("sparse1d", smooth, -1.0, 1.0, 1, 33),
        Case("noisy1d", gentle, -1.0, 1.0, 1, 129, noise=0.1),
        Case("additive4d", additive, -1.0, 1.0, 4, 16_384, batch=512),
        Case("coupled4d", coupled, -1.0, 1.0, 4, 16_384, batch=512),
        Case("oblique4d", oblique, -1.0, 1.0, 4, 16_384, batch=512),
        Case("ridges4d", ridges, -1.0, 1.0, 4, 16_384, batch=512),
    )
}
