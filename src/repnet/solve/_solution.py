"""What a solve returns: the network, how the solve ended, what was chosen and why."""

import enum
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float

from repnet.nn import Beside, Standardized, Sum, Windowed
from repnet.solve._store import from_bytes, load_tree, save_tree, to_bytes


class RESULTS(enum.Enum):
    """How a solve ended. The value is the sentence to show a user.

    >>> print(RESULTS.stalled.value)
    The residual stopped falling before it was small.
    """

    successful = "The solve ended as planned."
    interrupted = "The solve was interrupted; the network is the best one until then."
    nonfinite = (
        "The loss stopped being finite; the network is the last good one. "
        "Lower the learning rate or the scale."
    )
    stalled = "The residual stopped falling before it was small."


class Plan(eqx.Module):
    """What the solve chose, and why, in words and numbers.

    - `network`, `solver`: one line each.
    - `scale`: slope scale per axis on the standardized box, or `None` where the network has none.
    - `reasons`: full sentences.
    - `numbers`: what the choice was measured by, as JSON-compatible values.

    >>> print(Plan("64 sine units", "LeastSquares", reasons=("The target is smooth.",)))
    network: 64 sine units
    solver:  LeastSquares
    The target is smooth.
    """

    network: str = eqx.field(static=True)
    solver: str = eqx.field(static=True)
    scale: tuple[float, ...] | None = eqx.field(static=True, default=None)
    reasons: tuple[str, ...] = eqx.field(static=True, default=())
    numbers: dict[str, Any] = eqx.field(static=True, default_factory=dict)

    def __str__(self) -> str:
        lines = [f"network: {self.network}", f"solver:  {self.solver}", *self.reasons]
        return "\n".join(lines)


class Solution(eqx.Module):
    """A solved problem, callable on points.

    - `network`: the trained network in the user's units, one point `(dim,)` to `(out,)`.
    - `unknowns`: the problem's unknowns, solved for, or `None`.
    - `result`: how the solve ended.
    - `history`: name to array (`"step"`, `"loss"`, …), one entry per record; empty if direct.
    - `plan`: what was chosen and why.
    - `seconds`, `compile_seconds`: time of the solve without and of the compilation, in seconds.
    - `steps`: optimiser steps taken; 0 for a direct solve.
    - `initial`: the network before training where there was a training, else `None`.

    **Raises:** `ValueError`, when called, for points that are not real or have not one or two axes.

    `solve` and the solvers give it. Made by hand, for a network that is known:

    >>> plan = Plan("a parabola", "none")
    >>> solution = Solution(lambda x: x**2, None, RESULTS.successful, {}, plan, seconds=0.0)
    >>> solution(np.array([1.0, 3.0])).tolist()
    [[1.0], [9.0]]
    """

    network: Callable
    unknowns: Any
    result: RESULTS = eqx.field(static=True)
    history: dict[str, np.ndarray]
    plan: Plan
    seconds: float = eqx.field(static=True)
    compile_seconds: float = eqx.field(static=True, default=0.0)
    steps: int = eqx.field(static=True, default=0)
    initial: Callable | None = None

    def __call__(self, x: ArrayLike) -> Float[np.ndarray, "points out"]:
        """The solution at points of shape `(points, dim)`, or `(points,)` for one input.

        **Returns:** NumPy values of shape `(points, out)`, in the network's own precision.
        """
        return evaluate(self.network, x)

    def __reduce__(self) -> tuple[Callable, tuple[bytes]]:
        # JAX would bring float64 arrays back as float32; the format of `save` keeps every bit.
        return from_bytes, (to_bytes(self),)

    def save(self, path: str | os.PathLike) -> None:
        """Write the whole solution to one file, through a temporary file beside it.

        **Raises:** `ValueError` where a part can't be named for loading, such as a lambda, and
        where the file's folder does not exist.
        """
        path = Path(path)
        if not path.parent.is_dir():
            raise ValueError(
                f"`save(path=...)` must lie in a folder that exists; {path.parent} is none."
            )
        save_tree(self, path)

    @staticmethod
    def load(path: str | os.PathLike) -> "Solution":
        """Read a solution that `save` wrote; equal to the saved one to the bit.

        **Raises:** `ValueError` where the file is not such a file or is damaged.
        """
        solution = load_tree(Path(path))
        if not isinstance(solution, Solution):
            raise ValueError(
                f"`Solution.load(path=...)` needs a saved solution; {path} holds {type(solution)}."
            )
        return solution


_CHUNK = 4096  # points evaluated at once: bounds memory, keeps one compiled shape
_LEAST_CHUNK = 256  # to compile for fewer takes longer than to evaluate that many


def evaluate(network: Callable, x: ArrayLike) -> Float[np.ndarray, "points out"]:
    """A network at many points, chunk by chunk: shape `(points, dim)` to `(points, out)`.

    A `Standardized` network takes and gives its units in float64, whatever it computes in.

    **Raises:** `ValueError` where `x` is not one or two-dimensional, not real, or has another
    number of columns than the network has inputs.
    """
    points = np.asarray(x)
    if points.ndim == 1:
        points = points[:, None]
    if points.ndim != 2 or points.dtype.kind not in "fiub":
        raise ValueError(
            "points must be real and have shape (points, dim) or (points,); "
            f"got shape {points.shape} of {points.dtype}."
        )
    if isinstance(network, Beside):
        found = np.concatenate([evaluate(part, points) for part in network.parts], axis=1)
        return found[:, network.order]
    if isinstance(network, Standardized):
        if points.shape[1] != len(network.centre):
            raise ValueError(
                f"points must have one column per input, {len(network.centre)}; "
                f"got shape {np.shape(x)}."
            )
        inner = network.network
        return network.around(partial(_inside, inner), points.astype(np.float64))
    return _evaluated(network, points)


def _inside(network: Callable, points: np.ndarray) -> Float[np.ndarray, "points out"]:
    """A network in standard units at many points."""
    if isinstance(network, Windowed):
        return network.many(points)
    if isinstance(network, Sum):
        return np.sum([_inside(part, points) for part in network.parts], axis=0)
    return _evaluated(network, points)


def _evaluated(network: Callable, points: np.ndarray) -> Float[np.ndarray, "points out"]:
    with jax.enable_x64(_is_double(network)):
        dtype = jnp.zeros(()).dtype
        chunks = [
            np.asarray(_values(network, jnp.asarray(_padded(points[i : i + _CHUNK]), dtype)))
            for i in range(0, len(points), _CHUNK)
        ]
        if not chunks:
            out = eqx.filter_eval_shape(
                _values, network, jax.ShapeDtypeStruct((1, points.shape[1]), dtype)
            )
            return np.zeros((0, out.shape[1]))
    return np.concatenate(chunks)[: len(points)]


@eqx.filter_jit
def _values(network: Callable, points: jax.Array) -> jax.Array:
    return jax.vmap(network)(points)


def _padded(points: np.ndarray) -> np.ndarray:
    """Pad a chunk to a power of two by repeating its last row, so that few shapes are compiled."""
    size = min(_CHUNK, max(_LEAST_CHUNK, 1 << (len(points) - 1).bit_length()))
    return np.concatenate([points, np.repeat(points[-1:], size - len(points), axis=0)])


def _is_double(network: Callable) -> bool:
    leaves = jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array))
    return any(leaf.dtype == jnp.float64 for leaf in leaves)
