"""Where the energy of values sits in frequency: on tensor grids and on scattered points."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from repnet.problem import Box

POINTS_PER_MODE = {1: 4, 2: 3, 3: 3}
"""Scattered points spent on each Fourier mode, by dimension. On uniform random points, noise keeps
its size within 10 %; with 2 points per mode the gaps between points amplify it 5 times."""

ITERATIONS = 20
TOLERANCE = 1e-7
EPS = 1e-9

Energy = tuple[Float[np.ndarray, " modes"], Float[np.ndarray, "modes columns"]]
"""Magnitudes of the angular frequencies, and the energy at each, summing to the mean square."""


def grid_energy(
    values: Float[np.ndarray, "points columns"], shape: tuple[int, ...], steps: list[float]
) -> Energy:
    r"""Energy per mode of windowed values on a tensor grid, by the fast Fourier transform.

    With $f = w v$ and $N$ points, the energy at $\omega_k$ is $|\hat f_k|^2 / N^2$, and
    Parseval's identity makes its sum the mean of $f^2$. The window $w$ is Hann's, of mean square
    one.

    ```python
    >>> wave = np.cos(2 * np.pi * 8 * np.arange(64) / 64)[:, None]
    >>> omega, energy = grid_energy(wave, (64,), [1 / 64])
    >>> [round(float(energy[omega == 2 * np.pi * k].sum()), 4) for k in (7, 8, 9)]
    [0.0833, 0.3333, 0.0833]

    ```

    **Arguments:**

    - `values`: rows in C order of the grid.
    - `shape`: the sizes of the grid.
    - `steps`: the spacing along every axis.
    """
    field = values.reshape(*shape, -1)
    omegas = []
    for axis, (size, step) in enumerate(zip(shape, steps, strict=True)):
        window = hann((np.arange(size) + 0.5) / size)
        field = field * _along(window, axis, field.ndim)
        omegas.append(2 * np.pi * np.fft.fftfreq(size, step))
    spectrum = np.fft.fftn(field, axes=range(len(shape)), norm="forward")
    energy = np.abs(spectrum) ** 2
    return _radial(omegas), energy.reshape(-1, values.shape[1])


def scattered_energy(
    values: Float[np.ndarray, "points columns"], x: Float[np.ndarray, "points dim"], box: Box
) -> Energy:
    r"""Energy per mode of windowed values at scattered points, by least squares.

    With $f = w v$, which the window makes periodic over the box, the coefficients minimize
    $\sum_j c_j |f_j - \sum_k a_k e^{i \omega_k \cdot x_j}|^2$; $c_j$ is the share of the box that
    belongs to point $j$. The energy is $|a_k|^2$; what no mode explains is counted at the highest
    frequency.

    **Arguments:**

    - `values`: one row per point, in at least two columns.
    - `x`: points inside the box, in 1 to 3 dimensions.
    - `box`: the period of the modes.

    **Source:** this project, after the adaptive-weights conjugate gradients of Feichtinger,
    Gröchenig and Strohmer 1995, with a window, and with the non-uniform FFT for their Toeplitz
    matrix.
    """
    unit = (x - box.lower) / (box.upper - box.lower)
    window = np.prod(hann(unit), axis=1)
    shares = _shares(unit)
    window = window / np.sqrt(shares @ window**2)
    f = window[:, None] * values
    modes = _mode_counts(len(x), 2 * box.half_width)
    coefficients, fitted = _least_squares(2 * np.pi * (unit - 0.5), f, shares, modes)
    omega = _radial(
        [
            2 * np.pi / length * (np.arange(count) - count // 2)
            for count, length in zip(modes, 2 * box.half_width, strict=True)
        ]
    )
    energy = np.abs(coefficients.reshape(values.shape[1], -1).T) ** 2
    energy[np.argmax(omega)] += shares @ (f - fitted) ** 2
    return omega, energy


def hann(unit: np.ndarray) -> np.ndarray:
    """Hann's window on [0, 1], scaled to a mean square of one over its samples."""
    window = np.sin(np.pi * unit) ** 2
    return window / np.sqrt(np.mean(window**2))


def _along(vector: np.ndarray, axis: int, ndim: int) -> np.ndarray:
    shape = [1] * ndim
    shape[axis] = len(vector)
    return vector.reshape(shape)


def _radial(omegas: list[np.ndarray]) -> Float[np.ndarray, " modes"]:
    squares = sum(_along(omega**2, axis, len(omegas)) for axis, omega in enumerate(omegas))
    return np.sqrt(squares).ravel()


def _shares(unit: np.ndarray) -> Float[np.ndarray, " points"]:
    """Every point's share of the box: its cell in one dimension, equal shares in more."""
    count, dim = unit.shape
    if dim > 1:
        return np.full(count, 1 / count)
    order = np.argsort(unit[:, 0])
    sorted_ = unit[order, 0]
    ends = np.concatenate([[0.0], (sorted_[1:] + sorted_[:-1]) / 2, [1.0]])
    shares = np.empty(count)
    shares[order] = np.diff(ends)
    return shares


def _mode_counts(points: int, lengths: np.ndarray) -> tuple[int, ...]:
    """Odd numbers of modes per axis with about one highest frequency for all axes."""
    budget = points / POINTS_PER_MODE[len(lengths)]
    density = (budget / np.prod(lengths)) ** (1 / len(lengths))
    return tuple(max(1, 2 * int((density * length - 1) / 2) + 1) for length in lengths)


def _least_squares(
    angles: np.ndarray, f: np.ndarray, shares: np.ndarray, modes: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients, shape `(columns, *modes)`, and fitted values, shape `(points, columns)`."""
    axes = [np.ascontiguousarray(axis) for axis in angles.T]
    weighted = np.multiply(shares, f.T, dtype=complex, order="C")
    moments = _nufft(1, axes, weighted, modes, len(weighted))
    differences = tuple(2 * count - 1 for count in modes)
    kernel = _nufft(1, axes, shares.astype(complex), differences, 1)
    coefficients = _conjugate_gradients(_toeplitz(kernel, modes), moments)
    fitted = _nufft(2, axes, coefficients, modes, len(weighted))
    return coefficients, np.real(fitted).T


def _nufft(
    kind: int, axes: list[np.ndarray], data: np.ndarray, modes: tuple[int, ...], columns: int
) -> np.ndarray:
    """Points to modes with $e^{-ikx}$ (kind 1), or modes to points with $e^{ikx}$ (kind 2)."""
    import finufft  # late: `import repnet` stays quick

    plan = finufft.Plan(kind, modes, columns, EPS, isign=-1 if kind == 1 else 1, nthreads=1)
    plan.setpts(*axes)
    return np.asarray(plan.execute(np.ascontiguousarray(data)))


def _toeplitz(kernel: np.ndarray, modes: tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
    r"""The product $\sum_k t_{l-k} a_k$, by the Fourier transform of a circulant that holds it."""
    sizes = [1 << (2 * count - 2).bit_length() for count in modes]  # powers of 2, at least 2m - 1
    along = tuple(range(1, len(modes) + 1))
    embedded = np.zeros(sizes, complex)
    places = [np.arange(1 - m, m) % n for m, n in zip(modes, sizes, strict=True)]
    embedded[np.ix_(*places)] = kernel
    transfer = np.fft.fftn(embedded)
    kept = (slice(None), *(slice(count) for count in modes))

    def product(a: np.ndarray) -> np.ndarray:
        return np.fft.ifftn(np.fft.fftn(a, sizes, along) * transfer, axes=along)[kept]

    return product


def _conjugate_gradients(
    product: Callable[[np.ndarray], np.ndarray], right: np.ndarray
) -> np.ndarray:
    """Solve one positive definite system for every row of `right`; stopping early regularizes."""
    a = np.zeros_like(right)
    residual = direction = right
    size = _inner(right, right)
    enough = TOLERANCE**2 * size
    for _ in range(ITERATIONS):
        if np.all(size <= enough):
            break
        image = product(direction)
        step = _ratio(size, _inner(direction, image))
        a = a + step * direction
        residual = residual - step * image
        size, before = _inner(residual, residual), size
        direction = residual + _ratio(size, before) * direction
    return a


def _inner(v: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The real inner product of every column's coefficients, kept ready to scale them."""
    return np.sum(np.real(np.conj(v) * w), axis=tuple(range(1, v.ndim)), keepdims=True)


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """The ratio, 0 where the denominator is: a column that is zero stays so."""
    safe = denominator > 0
    return np.where(safe, numerator / np.where(safe, denominator, 1.0), 0.0)
