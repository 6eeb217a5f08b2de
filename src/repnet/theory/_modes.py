"""The eigenfunctions of a kernel on points, and the frequencies they turn at."""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet._threads import one_blas_thread
from repnet.nn._check import check_count

_ROUND_OFF = 1e-4  # of kernels summed in float32


@dataclass(frozen=True, eq=False)
class KernelModes:
    r"""Eigenpairs of a kernel matrix over its number of points, largest first.

    - `values`: eigenvalues $\lambda_i$ of $\Theta/n$: the rates at which gradient flow on half
      the mean squared error learns each function.
    - `functions`: eigenfunctions at the points, of mean square one, shape `(points, modes)`.
    - `frequency`: where each one's energy lies on average along every axis, radians per unit
      length, shape `(modes, dim)`.

    >>> x = np.linspace(-1.0, 1.0, 65)[:, None]
    >>> modes = kernel_modes(np.cos(8.0 * (x - x.T)), x, count=2)
    >>> modes.functions.shape, np.mean(modes.functions**2, axis=0).round(6).tolist()
    ((65, 2), [1.0, 1.0])
    """

    values: Float[np.ndarray, " modes"]
    functions: Float[np.ndarray, "points modes"]
    frequency: Float[np.ndarray, "modes dim"]


def kernel_modes(
    kernel: Float[np.ndarray, "points points"],
    x: Float[np.ndarray, "points dim"],
    count: int | None = None,
) -> KernelModes:
    r"""Eigenvalues, eigenfunctions and their frequencies.

    A frequency is the mean of $|\omega|$ weighted by $|\sum_j h_j v(x_j)e^{-i\omega x_j}|^2$ with a
    Hann window $h$ along the axis, over a grid of $\omega$ up to half the mean sampling rate.

    **Arguments:**

    - `kernel`: a symmetric kernel at the points, as `tangent_kernel` gives it.
    - `x`: the points.
    - `count`: how many modes, from the largest eigenvalue down; left out, all.

    **Returns:** `KernelModes`.

    **Raises:** `ValueError` where the kernel is not symmetric, finite, or of the points' number.

    **Source:** this project.

    ```python
    >>> x = np.linspace(-1.0, 1.0, 65)[:, None]
    >>> kernel = np.cos(8.0 * (x - x.T))
    >>> modes = kernel_modes(kernel, x, count=2)
    >>> bool(np.all(np.abs(modes.frequency - 8.0) < 1.5)), modes.values.round(2).tolist()
    (True, [0.52, 0.48])

    ```
    """
    kernel, x = np.asarray(kernel, np.float64), np.asarray(x, np.float64)
    if kernel.shape != (len(x), len(x)) or not np.isfinite(kernel).all():
        raise ValueError(
            f"`kernel_modes(kernel=...)` must be finite, of shape ({len(x)}, {len(x)}) for as many"
            f" points; got shape {kernel.shape}."
        )
    apart = np.abs(kernel - kernel.T).max() / max(np.abs(kernel).max(), 1e-300)
    if apart > _ROUND_OFF:
        raise ValueError(
            "`kernel_modes(kernel=...)` must be symmetric; it differs from its transpose by"
            f" {apart:.2g} of its largest entry."
        )
    n = len(x)
    count = n if count is None else min(check_count("kernel_modes", "count", count), n)
    with one_blas_thread():
        values, vectors = symmetric_eigen(kernel / n)
        functions = np.sqrt(n) * vectors[:, : -count - 1 : -1]
        axes = [_frequency(x[:, axis], functions) for axis in range(x.shape[1])]
    return KernelModes(values[: -count - 1 : -1], functions, np.stack(axes, axis=1))


def symmetric_eigen(
    matrix: Float[np.ndarray, "n n"],
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n n"]]:
    """Eigenvalues in ascending order, and eigenvectors as columns.

    >>> symmetric_eigen(np.diag([2.0, 1.0]))[0].tolist()
    [1.0, 2.0]
    """
    with one_blas_thread():
        return scipy.linalg.eigh(matrix, driver="evd")


def _frequency(x: np.ndarray, functions: np.ndarray) -> np.ndarray:
    span = np.ptp(x)
    if span == 0:
        return np.zeros(functions.shape[1])
    distinct = len(np.unique(x))
    window = np.sin(np.pi * (x - x.min() + 0.5 * span / distinct) / (span * (1 + 1 / distinct)))
    omega = np.linspace(0.0, np.pi * (distinct - 1) / span, 2 * distinct)
    weighted = window[:, None] ** 2 * functions
    energy = np.abs(np.exp(-1j * np.outer(omega, x)) @ weighted) ** 2
    return omega @ energy / energy.sum(axis=0)
