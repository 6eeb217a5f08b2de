"""A start for unknowns: fit the data alone, then read the unknowns off the equation."""

import dataclasses
from typing import Any

import numpy as np

from repnet.nn import MLP
from repnet.solve.equations._blocks import by_unknowns, weighted_residuals
from repnet.solve.equations._unknowns import numbers, with_numbers
from repnet.solve.equations._varpro import Reduced

_SMOOTH = 1e-5  # ridge of the fit of the data alone
_CUT = 1e-4  # singular values below this share are noise
_ROUNDS = 3  # enough where the equation is linear or nearly so in its unknowns


def fit_data(reduced: Reduced, network: MLP, tree: Any) -> MLP:
    """The smoothest network that meets the data, whatever the equation says."""
    parts = [block for block in reduced.parts if block.data]
    alone = dataclasses.replace(reduced, parts=parts, linear=True, ridge=_SMOOTH)
    return alone.settle(network, tree).network


def read_off(reduced: Reduced, network: MLP, tree: Any) -> Any:
    """The unknowns for which that network solves the equation best, as far as it is finite there.

    **Source:** the equation-error method of parameter estimation; Richter 1981 for diffusivities.
    """
    parts = [block for block in reduced.parts if not block.data]
    left = weighted_residuals(parts, network, tree)
    for _ in range(_ROUNDS):
        slopes = by_unknowns(parts, network, tree)
        norms = np.linalg.norm(slopes, axis=0)
        norms = np.where(norms > 0, norms, 1.0)
        move = np.linalg.lstsq(slopes / norms, -left, rcond=_CUT)[0] / norms
        moved = with_numbers(tree, numbers(tree) + move)
        left = weighted_residuals(parts, network, moved)
        if not np.isfinite(left).all():
            break
        tree = moved
    return tree
