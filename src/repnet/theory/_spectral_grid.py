"""Cells of frequency on which the spectrum of an error is represented and integrated."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Complex, Float

from repnet.nn._check import check_choice, check_count, check_positive


@dataclass(frozen=True)
class SpectralGrid:
    r"""Equal cells of $|\xi|$ on $[0, \Xi]$, and the parts into which a spectrum falls there.

    In one dimension the parts are the even (real) and the odd (imaginary) one. In two they are
    the angular modes $0 \dots M$ of $\hat e(\rho,\theta) = \sum_m c_m(\rho)e^{im\theta}$, even
    functions having even modes; those of negative $m$ follow, since $e$ is real.

    **Arguments:**

    - `highest`: $\Xi$, radians per unit length; `cells`: how many cells.
    - `dim`: 1 or 2.
    - `modes`: $M$, the highest angular mode in two dimensions.

    **Raises:** `ValueError` for a `highest` that is not finite and positive, fewer than 4 cells, no
    modes, and a `dim` other than 1 and 2.

    **Source:** this project.

    >>> SpectralGrid(2.0, 4).centres.tolist()
    [0.25, 0.75, 1.25, 1.75]
    """

    highest: float
    cells: int
    dim: int = 1
    modes: int = 32

    def __post_init__(self) -> None:
        check_positive("SpectralGrid", "highest", self.highest)
        check_count("SpectralGrid", "cells", self.cells, 4)
        check_choice("SpectralGrid", "dim", str(self.dim), ("1", "2"))
        check_count("SpectralGrid", "modes", self.modes)

    @property
    def step(self) -> float:
        """Width of a cell."""
        return self.highest / self.cells

    @cached_property
    def centres(self) -> Float[np.ndarray, " cells"]:
        """Middles of the cells."""
        return (np.arange(self.cells) + 0.5) * self.step

    @cached_property
    def faces(self) -> Float[np.ndarray, " faces"]:
        """Ends of the cells, one more than there are cells."""
        return np.arange(self.cells + 1) * self.step

    @property
    def parities(self) -> list[str]:
        """Of each part: whether it belongs to an even or an odd function."""
        if self.dim == 1:
            return ["even", "odd"]
        return ["odd" if mode % 2 else "even" for mode in range(self.modes + 1)]

    @cached_property
    def weight(self) -> Float[np.ndarray, "parts cells"]:
        r"""Weights of $\|e\|^2 = \sum w\,|\mathrm{part}|^2$, by Parseval's identity."""
        if self.dim == 1:
            return np.full((2, self.cells), self.step / np.pi)
        ring = self.step * self.centres / (2 * np.pi)
        twice = np.where(np.arange(self.modes + 1) > 0, 2.0, 1.0)
        return twice[:, None] * ring

    @cached_property
    def points(self) -> Float[np.ndarray, "points dim"]:
        """Wave vectors at which `parts` wants a transform."""
        if self.dim == 1:
            return self.centres[:, None]
        angle = 2 * np.pi * np.arange(self._angles) / self._angles
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return (self.centres[:, None, None] * circle).reshape(-1, 2)

    def parts(
        self, transform: Complex[np.ndarray, "*times points"]
    ) -> Complex[np.ndarray, "*times parts cells"]:
        """The parts of transforms that were taken at `points`."""
        if self.dim == 1:
            return np.stack([np.real(transform), np.imag(transform)], axis=-2).astype(complex)
        rings = transform.reshape(*transform.shape[:-1], self.cells, self._angles)
        modes = np.fft.fft(rings, axis=-1, norm="forward")[..., : self.modes + 1]
        return np.moveaxis(modes, -1, -2)

    @property
    def _angles(self) -> int:
        return 2 * self.modes + 2
