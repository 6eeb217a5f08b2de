"""The read-out of an operator by least squares: trunk features times branch features."""

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet._svd import thin_svd
from repnet.nn import DeepONet
from repnet.nn._random import permutation
from repnet.operators._data import OperatorData, data_of
from repnet.operators._units import OperatorUnits, StandardizedOperator
from repnet.problem import Problem
from repnet.solve import RESULTS, AbstractProgress, Plan, Solution
from repnet.solve._clock import Clock

RIDGES = tuple(10.0**power for power in range(-13, 0))
_HELD = 0.2  # share of the functions that judge a ridge


@dataclass(frozen=True)
class OperatorLeastSquares:
    r"""The last layer of a DeepONet's branch by least squares, in float64.

    $$\min_W \sum_{i,p} \Big|u_i(y_p) - \sum_{kl} t_k(y_p) W_{kl}\,h_l(v_i)\Big|^2$$

    with the trunk $t$ and the branch's features $h$ held fixed. With the query points shared, the
    problem is a product: one pseudo-inverse of the trunk, one of the branch, each with a ridge that
    is chosen on held-out functions.

    **Arguments:** `ridges`: tried, relative to the largest singular value.

    **Raises:** `ValueError`, in `run`, for several branches, query points of each function's own,
    or a branch without features and read-out.

    **Source:** this project.
    """

    ridges: tuple[float, ...] = RIDGES

    def run(
        self,
        problem: Problem,
        network: Any = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Solve for the read-out of the DeepONet given, which sees standard units."""
        del progress
        data = data_of(problem, "OperatorLeastSquares")
        _require_one_branch(network, data)
        with Clock() as clock, jax.enable_x64(True):
            units = OperatorUnits.of(data)
            network = jax.tree.map(_double, network)
            found = _solve(network, units.standard(data), self.ridges, key)
            wrapped = StandardizedOperator(found.network, units, data.sensors, np.dtype(np.float64))
        plan = Plan(
            f"DeepONet of {network.basis} trunk and {found.width} branch features",
            "OperatorLeastSquares",
            reasons=(
                f"Ridge {found.ridge:.0e}; error on held-out functions {found.error:.1e} of the "
                "outputs' rms.",
            ),
            numbers={"heldout": found.error, "ridge": found.ridge},
        )
        return Solution(
            wrapped, None, RESULTS.successful, {}, plan, clock.seconds, clock.compile_seconds
        )


@dataclass(frozen=True)
class _Found:
    network: DeepONet
    ridge: float
    error: float
    width: int


def _solve(
    network: DeepONet, data: OperatorData, ridges: tuple[float, ...], key: PRNGKeyArray
) -> _Found:
    features = np.asarray(_features(network, jnp.asarray(data.inputs[0])))
    modes = np.asarray(jax.vmap(network.modes)(jnp.asarray(data.queries)))
    wanted = _coordinates(modes, data.outputs)
    order = permutation(key, data.size)
    held = order[: max(1, int(_HELD * data.size))]
    kept = np.setdiff1d(order, held)
    trial = _Ridge.of(features[kept], wanted[kept])
    errors = {}
    for ridge in ridges:
        coefficients = (features[held] @ trial.weights(ridge)).reshape(len(held), *modes.shape[1:])
        values = np.einsum("fok,pok->fpo", coefficients, modes)
        errors[ridge] = float(np.sqrt(np.mean(np.square(values - data.outputs[held]))))
    best = min(errors, key=lambda ridge: errors[ridge])
    weights = _Ridge.of(features, wanted).weights(best)
    branch = network.branches[0]
    branch = eqx.tree_at(
        lambda b: (b.readout.weight, b.readout.bias),
        branch,
        (jnp.asarray(weights[:-1].T), jnp.asarray(weights[-1])),
    )
    bias = None if network.bias is None else jnp.zeros(network.out_size)
    network = eqx.tree_at(
        lambda n: (n.branches, n.bias), network, ((branch,), bias), is_leaf=lambda x: x is None
    )
    return _Found(network, best, errors[best], features.shape[1])


@eqx.filter_jit
def _features(network: DeepONet, functions: jax.Array) -> jax.Array:
    found = jax.vmap(network.branches[0].features)(functions)  # pyright: ignore
    return jnp.concatenate([found, jnp.ones_like(found[:, :1])], axis=1)


def _coordinates(
    modes: Float[np.ndarray, "points out basis"], outputs: Float[np.ndarray, "functions points out"]
) -> Float[np.ndarray, "functions values"]:
    """The trunk coefficients that come closest to every output."""
    columns = []
    for output in range(outputs.shape[2]):
        ridge = _Ridge.of(modes[:, output], outputs[:, :, output].T)
        columns.append(ridge.weights(1e-13).T)
    return np.concatenate(columns, axis=1)


@dataclass(frozen=True)
class _Ridge:
    """Least squares with any ridge, from one singular value decomposition."""

    norms: np.ndarray
    singular: np.ndarray
    right: np.ndarray
    target: np.ndarray

    @staticmethod
    def of(matrix: np.ndarray, target: np.ndarray) -> "_Ridge":
        norms = np.sqrt(np.square(matrix).sum(axis=0))
        norms = np.where(norms > 0, norms, 1.0)
        left, singular, right = thin_svd(matrix / norms)
        return _Ridge(norms, singular, right, left.T @ target)

    def weights(self, ridge: float) -> np.ndarray:
        shift = (ridge * self.singular[0]) ** 2
        gain = self.singular / (np.square(self.singular) + shift + np.finfo(float).tiny)
        return (self.right.T @ (gain[:, None] * self.target)) / self.norms[:, None]


def _double(leaf: Any) -> Any:
    return leaf.astype(jnp.float64) if eqx.is_inexact_array(leaf) else leaf


def _require_one_branch(network: Any, data: OperatorData) -> None:
    if not isinstance(network, DeepONet) or len(network.branches) != 1 or len(data.inputs) != 1:
        raise ValueError(
            "`OperatorLeastSquares` needs a `DeepONet` of one branch and data of one input "
            f"function; got {type(network).__name__} and {len(data.inputs)}."
        )
    if data.size < 2:
        raise ValueError(
            "`OperatorLeastSquares` needs two functions, one to judge the ridge by; got "
            f"{data.size}."
        )
    if not data.shared:
        raise ValueError("`OperatorLeastSquares` needs query points that all functions share.")
    branch = network.branches[0]
    if not (hasattr(branch, "features") and hasattr(branch, "readout")):
        raise ValueError(
            "`OperatorLeastSquares` needs a branch with `features` and `readout`, such as "
            f"`repnet.nn.MLP`; got {type(branch).__name__}."
        )
