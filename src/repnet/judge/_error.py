"""Errors of a function against values at points, each one number."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import ArrayLike, Float

Function = Callable[[np.ndarray], Any]
"""Anything that takes points of shape `(points, dim)` and returns values `(points, out)`."""


def relative_l2(u: Function, x: ArrayLike, y: ArrayLike) -> float:
    r"""The relative L2 error, $\sqrt{\sum_i |u(x_i) - y_i|^2 \big/ \sum_i |y_i|^2}$.

    ```python
    >>> x = np.array([[1.0], [2.0]])
    >>> round(relative_l2(lambda x: 1.1 * x, x, x), 12)
    0.1

    ```

    **Arguments:**

    - `u`: a function of points, shape `(points, dim)`.
    - `x`: points, shape `(points, dim)`, or `(points,)` for one axis.
    - `y`: values, shape `(points, out)`, or `(points,)` for one output.

    **Returns:** the error; for values that are zero everywhere, 0 if `u` is zero too and infinity
    if not.

    **Raises:** `ValueError` where `u(x)` has another shape than `y`.

    **Source:** standard.
    """
    error, y = misfit("relative_l2", u, x, y)
    return _relative(error, y)


def rmse(u: Function, x: ArrayLike, y: ArrayLike) -> float:
    r"""The root mean square of all errors, $\sqrt{\tfrac1{nm}\sum_{ij} (u_j(x_i) - y_{ij})^2}$.

    ```python
    >>> rmse(lambda x: x + 2.0, np.zeros((5, 1)), np.zeros((5, 1)))
    2.0

    ```

    **Arguments, Raises:** as for `relative_l2`.

    **Returns:** the error, in the unit of `y`.

    **Source:** standard.
    """
    return _rms(misfit("rmse", u, x, y)[0])


def psnr(u: Function, x: ArrayLike, y: ArrayLike, peak: float | int | None = None) -> float:
    r"""The peak signal-to-noise ratio, $20 \log_{10}(\text{peak} / \text{rmse})$, in decibels.

    ```python
    >>> x = np.linspace(0, 1, 11)[:, None]
    >>> round(psnr(lambda x: x + 0.01, x, x), 9)
    40.0

    ```

    **Arguments:** as for `relative_l2`, and

    - `peak`: the largest signal, above 0, such as 255 for a photograph; left out, the range of `y`.

    **Returns:** decibels; infinity for no error, NaN where `y` is constant and `peak` is left out.

    **Raises:** `ValueError` as `relative_l2`, and for a peak that is not above 0.

    **Source:** standard.
    """
    if peak is not None and not peak > 0:
        raise ValueError(f"`psnr(peak=...)` must be above 0; got {peak}.")
    error, y = misfit("psnr", u, x, y)
    return _decibels(_rms(error), float(np.ptp(y)) if peak is None else float(peak))


def report_card(u: Function, x: ArrayLike, y: ArrayLike) -> dict[str, float]:
    """The usual errors at once, from one evaluation of `u`.

    ```python
    >>> card = report_card(lambda x: x + 0.5, np.array([[1.0], [2.0]]), np.array([[1.0], [2.0]]))
    >>> sorted(card), card["max_error"]
    (['max_error', 'psnr', 'relative_l2', 'rmse'], 0.5)

    ```

    **Arguments, Raises:** as for `relative_l2`.

    **Returns:** `relative_l2`, `rmse`, `psnr` (peak: the range of `y`) and `max_error`, the
    largest magnitude.

    **Source:** this project; the errors are standard.
    """
    error, y = misfit("report_card", u, x, y)
    return {
        "relative_l2": _relative(error, y),
        "rmse": _rms(error),
        "psnr": _decibels(_rms(error), float(np.ptp(y))),
        "max_error": float(np.max(np.abs(error))),
    }


def misfit(
    judge: str, u: Function, x: ArrayLike, y: ArrayLike
) -> tuple[Float[np.ndarray, "points out"], Float[np.ndarray, "points out"]]:
    """`u(x) - y` and `y`, both of shape `(points, out)` and float64."""
    x, y = as_columns(x), as_columns(y)
    if len(x) != len(y) or not len(x):
        raise ValueError(
            f"`{judge}(x=..., y=...)` need one row of values per point, and at least one; "
            f"got {len(x)} points and {len(y)} rows of values."
        )
    predicted = np.asarray(u(x), np.float64)
    if predicted.ndim == 1:
        predicted = predicted[:, None]
    if predicted.shape != y.shape:
        raise ValueError(
            f"`{judge}(u=...)` must return the shape of `y`, {y.shape}; "
            f"`u(x)` has {predicted.shape}."
        )
    return predicted - y, y


def as_columns(array: ArrayLike) -> Float[np.ndarray, "points columns"]:
    """An array of one or two axes as float64 columns."""
    array = np.asarray(array, np.float64)
    if array.ndim not in (1, 2):
        raise ValueError(f"`x` and `y` must have the shape (points, columns); got {array.shape}.")
    return array[:, None] if array.ndim == 1 else array


def _relative(error: np.ndarray, y: np.ndarray) -> float:
    size, norm = float(np.linalg.norm(error)), float(np.linalg.norm(y))
    if norm == 0:
        return 0.0 if size == 0 else float("inf")
    return size / norm


def _rms(error: np.ndarray) -> float:
    return float(np.sqrt(np.mean(error**2)))


def _decibels(error: float, peak: float) -> float:
    if peak == 0:
        return float("nan")
    return float("inf") if error == 0 else float(20 * np.log10(peak / error))
