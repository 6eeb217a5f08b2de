"""Gradient training of operators, on minibatches of functions and of query points."""

import math
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from repnet.nn._check import check_count
from repnet.operators._data import OperatorData, data_of
from repnet.operators._units import OperatorUnits, StandardizedOperator
from repnet.problem import Problem
from repnet.solve import RESULTS, AbstractProgress, NoProgress, Plan, Solution
from repnet.solve._clock import Clock
from repnet.solve._loop import ADAM, trainable
from repnet.solve._training import precision_of


@dataclass(frozen=True)
class OperatorGradient:
    r"""Train an operator by Adam on the mean squared error of its values in standard units.

    $$L = \frac{1}{|B||Q|} \sum_{i\in B,\, y\in Q} w_i\,|G(v_i)(y) - u_i(y)|^2$$

    on functions $B$ and query points $Q$ drawn anew in each step. Branches run once per function
    and the trunk once per point where the query points are shared.

    **Arguments:**

    - `steps`, `rate`: of Adam; the rate falls to zero along a cosine.
    - `functions`, `points`: sizes of the minibatches; `None` takes all.
    - `relative`: weigh each function by $w_i$, one over the mean square of its own values, so that
      weak records count as much as strong ones.
    - `chunk`: steps per record of `history`.

    **Raises:** `ValueError` naming the argument at fault.

    **Source:** this project; Adam: Kingma and Ba 2015.

    >>> from repnet.nn import DeepONet, MLP, Linear
    >>> from repnet.operators._data import operator_problem
    >>> x = np.linspace(0.0, 1.0, 9)[:, None]
    >>> v = np.sin(np.arange(1.0, 5.0)[:, None] * x[:, 0])
    >>> trunk = MLP(Linear(1, 8, key=jr.key(0)), 4, hidden=(), key=jr.key(1))
    >>> branch = MLP(Linear(9, 8, key=jr.key(2)), 4, hidden=(), key=jr.key(3))
    >>> problem = operator_problem(OperatorData((v,), x, v[:, :, None]))
    >>> solver = OperatorGradient(steps=10)
    >>> solution = solver.run(problem, DeepONet([branch], trunk, basis=4), key=jr.key(4))
    >>> solution.steps, solution.network.many(v, x).shape
    (10, (4, 9, 1))
    """

    steps: int = 2000
    rate: float = 1e-3
    functions: int | None = None
    points: int | None = None
    relative: bool = False
    chunk: int = 100

    def __post_init__(self) -> None:
        for name in ("steps", "chunk", "functions", "points"):
            value = getattr(self, name)
            if value is not None:
                check_count("OperatorGradient", name, value)
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(
                f"`OperatorGradient(rate=...)` must be finite and positive; got {self.rate}."
            )

    def run(
        self,
        problem: Problem,
        network: Any = None,
        *,
        key: PRNGKeyArray,
        progress: AbstractProgress | None = None,
    ) -> Solution:
        """Train the operator given, which sees standard units.

        **Returns:** a `Solution` whose `network` is an operator in the user's units, with `many`.
        """
        data = data_of(problem, "OperatorGradient")
        _require_operator(network)
        with Clock() as clock, jax.enable_x64(precision_of(network) == jnp.float64):
            units = OperatorUnits.of(data)
            batch = _on_device(units.standard(data), self.relative, precision_of(network))
            trained = self._train(network, batch, key, progress or NoProgress())
            dtype = np.dtype(precision_of(network))
            wrapped = [
                StandardizedOperator(each, units, data.sensors, dtype)
                for each in (trained[0], network)
            ]
        network_line = f"{type(network).__name__} of {data.sensors} sensors"
        solver_line = f"OperatorGradient: {self.steps} steps of Adam from {self.rate:g}"
        return Solution(
            wrapped[0],
            None,
            trained[1],
            trained[2],
            Plan(network_line, solver_line),
            clock.seconds,
            clock.compile_seconds,
            int(trained[2]["step"][-1]) if len(trained[2]["step"]) else 0,
            wrapped[1],
        )

    def _train(
        self, network: Any, batch: "Batch", key: PRNGKeyArray, progress: AbstractProgress
    ) -> tuple[Any, RESULTS, dict[str, np.ndarray]]:
        parameters, rest, rates = trainable(network, None)
        state = parameters, ADAM.init(parameters), jnp.zeros((), jnp.int32), key
        setting = _Setting(self.functions, self.points, batch.shared)
        pace = jnp.asarray(self.rate, jnp.float32), jnp.asarray(self.steps, jnp.float32)
        steps, losses, result = [], [], RESULTS.successful
        best = parameters
        progress.start(self.steps, "operator")
        try:
            for first in range(0, self.steps, self.chunk):
                count = jnp.asarray(min(self.chunk, self.steps - first), jnp.int32)
                state, loss = _advance(state, rest, rates, batch, pace, count, setting)
                if not np.isfinite(float(loss)):
                    result = RESULTS.nonfinite
                    break
                best = state[0]
                steps.append(first + int(count))
                losses.append(float(loss))
                progress.update(steps[-1], losses[-1])
        except KeyboardInterrupt:
            result = RESULTS.interrupted
        finally:
            progress.stop()
        history = {"step": np.asarray(steps, np.int64), "loss": np.asarray(losses, np.float64)}
        return eqx.combine(best, rest)[0], result, history


class Batch(eqx.Module):
    """Operator data on the device, with a weight per function."""

    inputs: tuple[Float[Array, "functions _"], ...]
    queries: Float[Array, "*_ points dim"]
    outputs: Float[Array, "functions points out"]
    weight: Float[Array, " functions"]

    @property
    def shared(self) -> bool:
        """Whether all functions have the same query points."""
        return self.queries.ndim == 2


@dataclass(frozen=True)
class _Setting:
    functions: int | None
    points: int | None
    shared: bool


def _on_device(data: OperatorData, relative: bool, dtype: jnp.dtype) -> Batch:
    square = np.mean(np.square(data.outputs), axis=(1, 2))
    weight = 1.0 / np.where(square > 0, square, 1.0) if relative else np.ones(data.size)
    arrays = (data.queries, data.outputs, weight)
    inputs = tuple(jnp.asarray(array, dtype) for array in data.inputs)
    return Batch(inputs, *(jnp.asarray(array, dtype) for array in arrays))


@eqx.filter_jit
def _advance(
    state: PyTree,
    rest: PyTree,
    rates: PyTree,
    batch: Batch,
    pace: tuple[Array, Array],
    count: Array,
    setting: _Setting,
) -> tuple[PyTree, Array]:
    """Take `count` steps; the state after them and the mean loss on the way."""

    def body(_: Any, carry: tuple[PyTree, Array]) -> tuple[PyTree, Array]:
        (parameters, moments, step, key), total = carry
        key, draw = jr.split(key)
        part = _drawn(batch, setting, draw)
        value, slope = jax.value_and_grad(lambda p: _loss(eqx.combine(p, rest)[0], part))(
            parameters
        )
        updates, moments = ADAM.update(slope, moments, parameters)
        fall = -pace[0] * 0.5 * (1.0 + jnp.cos(jnp.pi * step / pace[1]))
        updates = jax.tree.map(lambda u, r: (fall * r * u).astype(u.dtype), updates, rates)
        return (optax.apply_updates(parameters, updates), moments, step + 1, key), total + value

    nothing = jnp.zeros((), batch.outputs.dtype)
    state, total = jax.lax.fori_loop(0, count, body, (state, nothing))
    return state, total / count


def _drawn(batch: Batch, setting: _Setting, key: PRNGKeyArray) -> Batch:
    function_key, point_key = jr.split(key)
    count, points = batch.outputs.shape[:2]
    if setting.functions is not None and setting.functions < count:
        rows = jr.randint(function_key, (setting.functions,), 0, count)
        queries = batch.queries if batch.shared else batch.queries[rows]
        inputs = tuple(array[rows] for array in batch.inputs)
        batch = Batch(inputs, queries, batch.outputs[rows], batch.weight[rows])
    if setting.points is not None and setting.points < points:
        rows = jr.randint(point_key, (setting.points,), 0, points)
        queries = batch.queries[..., rows, :]
        batch = Batch(batch.inputs, queries, batch.outputs[:, rows], batch.weight)
    return batch


def _loss(operator: Any, batch: Batch) -> Array:
    inputs = batch.inputs if len(batch.inputs) != 1 else batch.inputs[0]
    if batch.shared:
        found = operator.many(inputs, batch.queries)
    else:
        found = jax.vmap(lambda v, y: jax.vmap(lambda q: operator(v, q))(y))(inputs, batch.queries)
    square = jnp.mean(jnp.square(found - batch.outputs), axis=(1, 2))
    return jnp.mean(batch.weight * square)


def _require_operator(network: Any) -> None:
    if network is None or not hasattr(network, "many"):
        raise ValueError(
            "`solve(network=...)` must be an operator with `many`, such as `DeepONet`, for an "
            f"operator problem; got {type(network).__name__}."
        )
