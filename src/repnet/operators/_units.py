"""Standard units of operators, fitted on the training part and folded into what is returned."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from repnet.nn._operator import Functions
from repnet.operators._data import OperatorData


class OperatorUnits(eqx.Module):
    r"""$v \mapsto v/s$ with $s$ the input's rms, $y \mapsto (y - c)/h$ to $[-1, 1]$, and outputs to
    mean 0 and rms 1 over all functions and points.

    One number scales all sensors of an input function, since they share a unit.

    **Source:** this project.
    """

    inputs: tuple[Float[np.ndarray, ""], ...]
    centre: Float[np.ndarray, " dim"]
    half_width: Float[np.ndarray, " dim"]
    mean: Float[np.ndarray, " out"]
    spread: Float[np.ndarray, " out"]

    @staticmethod
    def of(train: OperatorData) -> "OperatorUnits":
        """The units of a training set."""
        points = train.queries.reshape(-1, train.queries.shape[-1])
        lower, upper = points.min(axis=0), points.max(axis=0)
        mean = train.outputs.mean(axis=(0, 1))
        spread = np.sqrt(np.square(train.outputs - mean).mean(axis=(0, 1)))
        return OperatorUnits(
            tuple(_or_one(np.sqrt(np.mean(np.square(array)))) for array in train.inputs),
            0.5 * (lower + upper),
            _or_one(0.5 * (upper - lower)),
            mean,
            _or_one(spread),
        )

    def standard(self, data: OperatorData) -> OperatorData:
        """The same data in standard units."""
        scaled = tuple(array / s for array, s in zip(data.inputs, self.inputs, strict=True))
        return OperatorData(
            scaled,
            (data.queries - self.centre) / self.half_width,
            (data.outputs - self.mean) / self.spread,
            data.groups,
            source=data.source,
        )


def _or_one(values: np.ndarray | np.floating) -> np.ndarray:
    array = np.asarray(values)
    return np.where(array > 0, array, 1.0)


class StandardizedOperator(eqx.Module):
    r"""An operator in the user's own units: $G(v)(y) = \mu + \sigma\,N(v/s)((y - c)/h)$.

    **Arguments:** `operator`: called on standard units; with `many`, such as `DeepONet`.
    `sensors`: of each input function, as it was trained.

    **Raises:** `ValueError` for functions with another number of sensors.

    **Source:** this project.
    """

    operator: Callable
    inputs: tuple[Float[Array, ""], ...]
    centre: Float[Array, " dim"]
    half_width: Float[Array, " dim"]
    mean: Float[Array, " out"]
    spread: Float[Array, " out"]
    sensors: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self, operator: Callable, units: OperatorUnits, sensors: tuple[int, ...], dtype: np.dtype
    ):
        self.operator = operator
        self.sensors = sensors
        self.inputs = tuple(jnp.asarray(scale, dtype) for scale in units.inputs)
        self.centre, self.half_width = (
            jnp.asarray(array, dtype) for array in (units.centre, units.half_width)
        )
        self.mean, self.spread = (jnp.asarray(a, dtype) for a in (units.mean, units.spread))

    def __call__(self, functions: Functions, y: Float[Array, " dim"]) -> Float[Array, " out"]:
        """The value of one function's image at one query point."""
        self._check(functions)
        value = self.operator(self._scaled(functions), (y - self.centre) / self.half_width)
        return self.mean + self.spread * value

    def many(
        self, functions: Any, queries: Float[Array | np.ndarray, "points dim"]
    ) -> Float[np.ndarray, "functions points out"]:
        """NumPy values of many functions' images at shared query points."""
        self._check(functions)
        with jax.enable_x64(self.centre.dtype == jnp.float64):
            dtype = self.centre.dtype
            functions = jax.tree.map(lambda array: jnp.asarray(array, dtype), functions)
            return np.asarray(_many(self, functions, jnp.asarray(queries, dtype)))

    def _check(self, functions: Any) -> None:
        arrays = functions if isinstance(functions, tuple) else (functions,)
        found = tuple(array.shape[-1] for array in arrays)
        if found != self.sensors:
            raise ValueError(
                f"The operator was trained on {self.sensors} sensors per input function; got "
                f"{found}."
            )

    def _scaled(self, functions: Functions) -> Functions:
        if isinstance(functions, tuple):
            return tuple(v / s for v, s in zip(functions, self.inputs, strict=True))
        return functions / self.inputs[0]


@eqx.filter_jit
def _many(
    outer: StandardizedOperator, functions: Functions, queries: Array
) -> Float[Array, "functions points out"]:
    local = (queries - outer.centre) / outer.half_width
    values = outer.operator.many(outer._scaled(functions), local)  # pyright: ignore
    return outer.mean + outer.spread * values
