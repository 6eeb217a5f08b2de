"""How certain the unknowns are: 95 % intervals from the Gauss–Newton Hessian and the noise."""

from typing import Any

import jax
import numpy as np
import scipy  # its parts load at their first use, so that `import repnet` is quick
from jaxtyping import Float

from repnet.solve.equations._blocks import by_readout, data_rows
from repnet.solve.equations._unknowns import columns, is_field, numbers
from repnet.solve.equations._varpro import Reduced, State

_LEVEL = 0.95


def noise_and_deviations(
    reduced: Reduced, state: State
) -> tuple[float, int, Float[np.ndarray, " unknowns"]]:
    r"""Noise of the weighted data, its degrees of freedom, and the unknowns' standard deviations.

    $$s^2 = \frac{|r_{data}|^2}{n - p}, \qquad \operatorname{cov}\theta = s^2 (J^\top J)^{-1}$$

    with $J$ the derivatives of the projected residual and $p$ what read-out and unknowns take up of
    the data: the trace of the hat matrix over the data's rows.

    **Source:** Golub and Pereyra 2003, section 8, for the covariance of separable problems.
    """
    where = data_rows(reduced.parts)
    _, matrix = by_readout(reduced.parts, state.network, state.tree)
    slopes = reduced.jacobian(state)
    count = where.stop - where.start
    taken = float(np.sum(state.projection.leverages(matrix[where]))) + slopes.shape[1]
    freedom = max(1, round(count - taken))
    noise = float(np.linalg.norm(state.residual[where])) / np.sqrt(freedom)
    return noise, freedom, noise * deviations(slopes)


def deviations(slopes: Float[np.ndarray, "data unknowns"]) -> Float[np.ndarray, " unknowns"]:
    r"""Standard deviations of the unknowns for noise of 1: roots of the diagonal of
    $(J^\top J)^{-1}$."""
    norms = np.linalg.norm(slopes, axis=0)
    norms = np.where(norms > 0, norms, np.finfo(float).tiny)
    inverse = np.linalg.pinv(slopes / norms, rcond=1e-12)
    return np.linalg.norm(inverse, axis=1) / norms


def intervals(reduced: Reduced, state: State) -> dict[str, list[Any]]:
    """Low and high end per unknown number, by name; fields are left out."""
    _, freedom, deviation = noise_and_deviations(reduced, state)
    return by_name(state.tree, freedom, deviation)


def by_name(
    tree: Any, freedom: int, deviation: Float[np.ndarray, " unknowns"]
) -> dict[str, list[Any]]:
    """95 % intervals around the numbers of a tree, by their names: Student's t.

    A name is that of the unknown; the entries of an array get one interval each, in a list.
    """
    half = scipy.stats.t.ppf(0.5 + _LEVEL / 2, freedom) * deviation
    row = numbers(tree)
    found: dict[str, list[Any]] = {}
    paths, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=is_field)
    for (path, leaf), part in zip(paths, columns(tree), strict=True):
        if is_field(leaf):
            continue
        pairs = np.stack([row[part] - half[part], row[part] + half[part]], axis=1)
        name = jax.tree_util.keystr(path, simple=True, separator=".") or "unknown"
        found[name] = pairs[0].tolist() if np.ndim(leaf) == 0 else pairs.tolist()
    return found
