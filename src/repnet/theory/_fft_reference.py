"""The same dynamics in physical space, by Fourier transforms: the finite volumes' reference."""

from collections.abc import Callable

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet.theory._descent import TensorPoints, measured_history
from repnet.theory._diffusion import SpectralModel
from repnet.theory._history import SpectralHistory
from repnet.theory._spectral_grid import SpectralGrid

_AT_ENDS = 1e-3  # share of the first error's norm that may lie in the outer twentieth of the box


def fft_reference(
    model: SpectralModel,
    initial: Float[np.ndarray, " points"],
    points: TensorPoints,
    times: Float[np.ndarray, " times"],
    grid: SpectralGrid,
) -> SpectralHistory:
    r"""The error of gradient flow in physical space, and its spectrum.

    $$\dot e = -c_R\,\mathcal F^{-1}R\,\mathcal Fe - c_W\,x\cdot\mathcal F^{-1}D\,\mathcal F(xe)$$

    for the even and the odd part of $e$, on a periodic box, by the exponential of the operator,
    which is known by its products alone. It shares nothing with the finite volumes but $R$ and
    $D$, and is exact up to what leaves the box.

    **Arguments:**

    - `initial`: $e$ at time 0 at the points, negligible at the box's ends.
    - `times`: ascending, the first one 0.
    - `grid`: the cells at which the spectrum is returned.

    **Returns:** a `SpectralHistory`.

    **Raises:** `ValueError` for an `initial` of another number of points, or one that reaches the
    ends of the box.

    **Source:** this project.

    >>> from repnet.theory import SineEnsemble, WindowedWaves, spectral_diffusion
    >>> ensemble, waves = SineEnsemble((1.0, 2.0)), WindowedWaves((1.0,), width=0.8)
    >>> times, grid = np.linspace(0.0, 2.0, 9), SpectralGrid(12.0, 200)
    >>> points = TensorPoints(4.0, 64)
    >>> reference = fft_reference(ensemble, -waves(points.points), points, times, grid)
    >>> model = spectral_diffusion(ensemble, lambda xi: -waves.transform(xi), times, grid)
    >>> bool(np.allclose(reference.energy(), model.energy(), rtol=1e-2))
    True
    """
    _require_inside(points, initial)
    found = np.empty((len(times), len(initial)))
    mirrored = _mirror(points, initial)
    parts = {"even": 0.5 * (initial + mirrored), "odd": 0.5 * (initial - mirrored)}
    operators = {parity: _operator(model, points, parity) for parity in parts}
    now = 0.0
    for index, time in enumerate(times):
        if time > now:
            parts = {
                parity: scipy.sparse.linalg.expm_multiply(
                    (time - now) * operators[parity], e, traceA=0.0
                )
                for parity, e in parts.items()
            }
        found[index], now = parts["even"] + parts["odd"], time
    return measured_history(found, points, times, grid)


def _require_inside(points: TensorPoints, values: np.ndarray) -> None:
    count = points.per_axis**points.dim
    if np.shape(values) != (count,):
        raise ValueError(
            f"`fft_reference(initial=...)` must hold one value per point, {count}; got shape"
            f" {np.shape(values)}."
        )
    outside = np.abs(points.points).max(axis=1) > 0.95 * points.half_width
    share = np.linalg.norm(values[outside]) / max(np.linalg.norm(values), 1e-300)
    if share > _AT_ENDS:
        raise ValueError(
            "`fft_reference(points=...)` must be a box that the first error fits into; of its norm"
            f" {share:.1%} lies in the outer twentieth. Take a half width above"
            f" {points.half_width:g}."
        )


def _mirror(points: TensorPoints, values: np.ndarray) -> np.ndarray:
    field = values.reshape([points.per_axis] * points.dim)
    return np.flip(field).ravel()  # the points are the middles of cells: -x is one of them


def _operator(
    model: SpectralModel, points: TensorPoints, parity: str
) -> "scipy.sparse.linalg.LinearOperator":
    count = points.per_axis**points.dim
    apply = _relaxation(model, points, parity)
    return scipy.sparse.linalg.LinearOperator(
        (count, count), matvec=apply, rmatvec=apply, dtype=np.float64
    )


def _relaxation(
    model: SpectralModel, points: TensorPoints, parity: str
) -> Callable[[np.ndarray], np.ndarray]:
    shape = [points.per_axis] * points.dim
    omega = 2 * np.pi * np.fft.fftfreq(points.per_axis, points.step)
    length = np.sqrt(sum(each**2 for each in np.meshgrid(*[omega] * points.dim, indexing="ij")))
    reaction, diffusion = model.reaction(length), model.diffusion(length)
    of_reaction, of_diffusion = model.coefficients(parity)
    axes = np.meshgrid(*[points.axis] * points.dim, indexing="ij")

    def filtered(field: np.ndarray, symbol: np.ndarray) -> np.ndarray:
        return np.fft.ifftn(symbol * np.fft.fftn(field)).real

    def apply(values: np.ndarray) -> np.ndarray:
        e = values.reshape(shape)
        total = of_reaction * filtered(e, reaction)
        for x in axes:
            total = total + of_diffusion * x * filtered(x * e, diffusion)
        return -total.ravel()

    return apply
