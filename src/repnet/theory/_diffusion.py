"""The reaction-diffusion model of the training error's spectrum, solved by finite volumes."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Complex, Float

from repnet.theory._history import SpectralHistory, checked_times
from repnet.theory._spectral_grid import SpectralGrid
from repnet.theory._tr_bdf2 import tr_bdf2

_RESOLVED = 0.3  # h·x with x the width of the error: a second-order error of 1 % at most
_BEYOND = 1e-4  # share of the energy that may lie in the last twentieth of the grid


@runtime_checkable
class SpectralModel(Protocol):
    r"""What a network must tell for its error's spectrum: $c_R$, $c_W$, $R(\xi)$ and $D(\xi)$."""

    @property
    def reach(self) -> float:
        """The frequency beyond which $R$ and $D$ have died out."""
        ...

    def reaction(self, xi: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """$R$."""
        ...

    def diffusion(self, xi: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """$D$."""
        ...

    def coefficients(self, parity: str) -> tuple[float, float]:
        """$c_R$ and $c_W$ of a parity."""
        ...


Transform = Callable[[Float[np.ndarray, "points dim"]], Complex[np.ndarray, " points"]]


def spectral_diffusion(
    model: SpectralModel,
    initial: Transform,
    times: Float[np.ndarray, " times"],
    grid: SpectralGrid,
    substeps: int = 8,
) -> SpectralHistory:
    r"""The spectrum of the training error over time, predicted without training.

    Solves $\partial_t\hat e = -c_R R\hat e + c_W\nabla\cdot(D\nabla\hat e)$ for every part of the
    spectrum on its own: finite volumes on the cells of `grid`, with $D$ at their faces, no flux
    at the far end, and at 0 no flux for the even part and a mirrored one for the odd part; in two
    dimensions one radial equation per angular mode $m$, with the term $-c_W m^2D/\rho^2$. Time
    steps are TR-BDF2's.

    **Arguments:**

    - `model`: a `SineEnsemble`, or whatever else has its four methods.
    - `initial`: the transform $\int e^{-i\xi\cdot x}e(x,0)\,dx$ of the first error, of wave vectors
      of shape `(points, dim)`.
    - `times`: ascending, the first one 0.
    - `grid`: the cells of frequency; `spectral_grid` chooses them.
    - `substeps`: time steps between two of the `times`.

    **Returns:** a `SpectralHistory`.

    **Raises:** `ValueError` where the grid does not reach or does not resolve the spectrum, or
    has another dimension than the model, and for times that do not ascend from 0.

    **Source:** Wang, Yuan, Liu, Zhang and Cai 2025 for the equation; the numerical method is this
    project's.

    ```python
    >>> from repnet.theory import SineEnsemble, WindowedWaves
    >>> waves = WindowedWaves((1.0, 4.0), width=0.8)
    >>> history = spectral_diffusion(
    ...     SineEnsemble((1.0, 4.0)), lambda xi: -waves.transform(xi),
    ...     np.linspace(0.0, 8.0, 33), SpectralGrid(24.0, 400),
    ... )
    >>> history.time_to(0.5, [0.0, 2.5, 24.0]).round(1).tolist()
    [0.5, 1.6]

    ```
    """
    times = checked_times("spectral_diffusion", times)
    dim = getattr(model, "dim", grid.dim)
    if dim != grid.dim:
        raise ValueError(
            f"`spectral_diffusion(grid=...)` must have the model's dimension, {dim}; got"
            f" {grid.dim}."
        )
    start = grid.parts(np.asarray(initial(grid.points), complex))
    _require_resolved(grid, start)
    found = np.empty((len(times), *start.shape), complex)
    for part, parity in enumerate(grid.parities):
        matrix = relaxation_matrix(model, grid, parity, part if grid.dim == 2 else 0)
        both = np.stack([start[part].real, start[part].imag], axis=1)
        solved = tr_bdf2(matrix, both, times, substeps)
        found[:, part] = solved[..., 0] + 1j * solved[..., 1]
    _require_reach(grid, found[-1], "at the last time")
    return SpectralHistory(grid, times, found)


def relaxation_matrix(
    model: SpectralModel, grid: SpectralGrid, parity: str, mode: int = 0
) -> Float[np.ndarray, "3 cells"]:
    r"""The matrix $A$ of $\partial_t\hat e = A\hat e$ on the cells, as its three diagonals.

    **Arguments:** `parity`: of the part; `mode`: its angular number, in two dimensions.

    **Source:** this project.
    """
    of_reaction, of_diffusion = model.coefficients(parity)
    flux = of_diffusion * model.diffusion(grid.faces) / grid.step**2
    flux[-1] = 0.0
    loss = of_reaction * model.reaction(grid.centres)
    volume = np.ones(grid.cells)
    if grid.dim == 2:
        flux = flux * grid.faces
        volume = grid.centres
        loss = loss + of_diffusion * mode**2 * model.diffusion(grid.centres) / grid.centres**2
    elif parity == "odd":
        loss[0] += 2.0 * flux[0]  # the mirrored cell holds the opposite value
    if grid.dim == 1:
        flux[0] = 0.0
    inner = flux[1:-1]
    matrix = np.zeros((3, grid.cells))
    matrix[1] = -(flux[:-1] + flux[1:]) / volume - loss
    matrix[0, 1:] = inner / volume[:-1]
    matrix[2, :-1] = inner / volume[1:]
    return matrix


def dissipation(model: SpectralModel, history: SpectralHistory) -> Float[np.ndarray, " times"]:
    r"""The rate at which the model loses energy.

    $$-\frac{d\|e\|^2}{dt} = 2\Big[c_R\int R|\hat e|^2 + c_W\int D|\nabla\hat e|^2\Big]$$

    The integrals are taken in $\|e\|^2$'s measure;
    the gradients are differences of neighbouring cells.

    **Arguments:** `model`: a `SineEnsemble` or its like; `history`: its spectrum over time, as
    `spectral_diffusion` gives it.

    **Returns:** shape `(times,)`.

    **Raises:** `ValueError` for a history in two dimensions.

    **Source:** this project.

    >>> from repnet.theory import SineEnsemble, WindowedWaves
    >>> ensemble, waves = SineEnsemble((1.0, 2.0)), WindowedWaves((1.0,), width=0.8)
    >>> times, grid = np.linspace(0.0, 4.0, 129), SpectralGrid(12.0, 200)
    >>> history = spectral_diffusion(ensemble, lambda xi: -waves.transform(xi), times, grid)
    >>> lost = np.trapezoid(dissipation(ensemble, history), times)
    >>> round(float(lost / (history.energy()[0] - history.energy()[-1])), 2)
    1.0
    """
    grid, parts = history.grid, history.parts
    if grid.dim != 1:
        raise ValueError(f"`dissipation(history=...)` must be of one dimension; got {grid.dim}.")
    total = np.zeros(len(history.times))
    for part, parity in enumerate(grid.parities):
        of_reaction, of_diffusion = model.coefficients(parity)
        e = parts[:, part]
        mirrored = e[:, :1] if parity == "even" else -e[:, :1]
        slope = np.diff(np.concatenate([mirrored, e], axis=1), axis=1) / grid.step
        share = np.ones(grid.cells)
        share[0] = 0.5  # the face at 0 belongs to both halves of the line
        reaction = np.abs(e) ** 2 @ model.reaction(grid.centres)
        spread = np.abs(slope) ** 2 @ (share * model.diffusion(grid.faces[:-1]))
        total += (of_reaction * reaction + of_diffusion * spread) * grid.step / np.pi
    return 2.0 * total


def spectral_grid(
    model: SpectralModel,
    highest: float,
    extent: float,
    dim: int = 1,
    fineness: float = 0.1,
) -> SpectralGrid:
    r"""Cells that reach and resolve the error's spectrum.

    $\Xi$ is the larger of `highest` and the model's reach; the step is `fineness` / `extent`.

    **Arguments:**

    - `highest`: frequency beyond which the target holds nothing.
    - `extent`: the largest $|x|$ at which the error matters.
    - `fineness`: step times extent; the numerical error goes with its square.

    **Returns:** a `SpectralGrid`.

    **Source:** this project.

    >>> from repnet.theory import SineEnsemble
    >>> spectral_grid(SineEnsemble((1.0, 8.0)), highest=20.0, extent=2.0).highest
    44.0
    """
    top = max(highest, model.reach)
    modes = int(np.ceil(highest * extent)) + 8
    return SpectralGrid(top, max(int(np.ceil(top * extent / fineness)), 16), dim, modes)


def _require_resolved(grid: SpectralGrid, start: np.ndarray) -> None:
    if not np.isfinite(start).all():
        raise ValueError("`spectral_diffusion(initial=...)` must be finite on the whole grid.")
    _require_reach(grid, start, "at the start")
    energy = np.sum(grid.weight * np.abs(start) ** 2)
    slope = np.diff(start, axis=1) / grid.step
    width = np.sqrt(np.sum(grid.weight[:, 1:] * np.abs(slope) ** 2) / max(energy, 1e-300))
    if grid.step * width > _RESOLVED:
        # A tenth more: the differences of a coarse grid make the error look narrower.
        raise ValueError(
            f"`spectral_diffusion(grid=...)` must have a step below {_RESOLVED / width:.3g} for an"
            f" error that is {width:.3g} wide in x; got {grid.step:.3g}. Take at least"
            f" {int(np.ceil(1.1 * grid.highest * width / _RESOLVED))} cells."
        )
    # The last two modes: one parity may be empty.
    last = np.sum((grid.weight * np.abs(start) ** 2)[-2:])
    if grid.dim == 2 and last > _BEYOND * energy:
        raise ValueError(
            "`spectral_diffusion(grid=...)` must have enough angular modes for the error; of its"
            f" energy {last / energy:.1%} lies in the last two of {grid.modes}. Take more `modes`."
        )


def _require_reach(grid: SpectralGrid, parts: np.ndarray, when: str) -> None:
    density = np.sum(grid.weight * np.abs(parts) ** 2, axis=0)
    beyond = density[grid.centres > 0.95 * grid.highest].sum()
    if beyond > _BEYOND * density.sum():
        raise ValueError(
            "`spectral_diffusion(grid=...)` must reach all frequencies of the error; of its energy"
            f" {beyond / density.sum():.1%} lies in the last twentieth below"
            f" {grid.highest:.4g} {when}. Take a higher `highest`."
        )
