"""Windowed waves: targets whose transforms are known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float

from repnet.nn._check import check_positive


@dataclass(frozen=True)
class WindowedWaves:
    r"""$g(x) = e^{-|x|^2/2\ell^2} \sum_k A_k \sin(k\cdot x + \varphi_k)$.

    **Arguments:**

    - `waves`: the frequencies $k$, numbers in one dimension and vectors in several.
    - `width`: $\ell$, of the window.
    - `phases`: $\varphi_k$; left out, $0, 1, 2, \dots$, so that both parities are there.
    - `amplitudes`: $A_k$; left out, 1.

    **Raises:** `ValueError` for a `width` that is not finite and positive, for no waves, waves of
    several dimensions or not finite, and for `phases` or `amplitudes` that are not one finite
    number per wave.

    **Source:** this project.

    >>> WindowedWaves((1.0, 4.0), width=0.8)(np.zeros((1, 1))).round(3).tolist()
    [0.841]
    """

    waves: Sequence[float] | Sequence[Sequence[float]]
    width: float
    phases: Sequence[float] | None = None
    amplitudes: Sequence[float] | None = None

    def __post_init__(self) -> None:
        check_positive("WindowedWaves", "width", self.width)
        sizes = {np.shape(wave) for wave in self.waves}
        vectors = np.asarray(self.waves if len(sizes) == 1 else (), np.float64)
        if vectors.size == 0 or vectors.ndim > 2 or not np.isfinite(vectors).all():
            raise ValueError(
                "`WindowedWaves(waves=...)` must hold at least one finite frequency, all of one"
                f" dimension; got {self.waves!r}."
            )
        for name in ("phases", "amplitudes"):
            given = getattr(self, name)
            if given is not None and np.shape(given) != (len(vectors),):
                raise ValueError(
                    f"`WindowedWaves({name}=...)` must hold one number per wave, {len(vectors)};"
                    f" got shape {np.shape(given)}."
                )
            if given is not None and not np.isfinite(given).all():
                raise ValueError(f"`WindowedWaves({name}=...)` must be finite; got {given!r}.")

    @property
    def dim(self) -> int:
        """Number of inputs."""
        return self.vectors.shape[1]

    @property
    def lengths(self) -> Float[np.ndarray, " lengths"]:
        """The different lengths of the wave vectors, ascending."""
        return np.unique(np.linalg.norm(self.vectors, axis=1).round(9))

    @property
    def highest(self) -> float:
        r"""A frequency beyond which the transform is nil: $\max|k| + 8/\ell$."""
        return float(self.lengths[-1] + 8.0 / self.width)

    def __call__(self, x: Float[np.ndarray, "points dim"]) -> Float[np.ndarray, " points"]:
        window = np.exp(-0.5 * np.sum(x * x, axis=1) / self.width**2)
        angles = x @ self.vectors.T + self._phases
        return window * (np.sin(angles) @ self._amplitudes)

    def transform(self, xi: Float[np.ndarray, "points dim"]) -> Complex[np.ndarray, " points"]:
        r"""$\int e^{-i\xi\cdot x}g(x)\,dx$, in closed form."""
        total = np.zeros(len(xi), complex)
        for k, phase, amplitude in zip(self.vectors, self._phases, self._amplitudes, strict=True):
            ahead, behind = (
                np.exp(-0.5 * self.width**2 * np.sum((xi - sign * k) ** 2, axis=1))
                for sign in (1.0, -1.0)
            )
            turn = np.exp(1j * phase)
            total += amplitude * (turn * ahead - turn.conj() * behind) / 2j
        return (2 * np.pi * self.width**2) ** (self.dim / 2) * total

    @property
    def vectors(self) -> Float[np.ndarray, "waves dim"]:
        """The wave vectors $k$."""
        vectors = np.asarray(self.waves, np.float64)
        return vectors[:, None] if vectors.ndim == 1 else vectors

    @property
    def _phases(self) -> Float[np.ndarray, " waves"]:
        count = len(self.vectors)
        return np.arange(count, dtype=float) if self.phases is None else np.asarray(self.phases)

    @property
    def _amplitudes(self) -> Float[np.ndarray, " waves"]:
        count = len(self.vectors)
        return np.ones(count) if self.amplitudes is None else np.asarray(self.amplitudes)
