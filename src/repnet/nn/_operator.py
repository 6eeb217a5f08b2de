"""Networks of functions: DeepONet, and maps that advance a state window after window."""

from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from repnet.nn._check import check_count
from repnet.nn._rates import learning_rates

Functions = Array | tuple[Array, ...]
"""Sensor values: one array, or a tuple with one array per branch."""


class DeepONet(eqx.Module):
    r"""A network of input functions $v_1, v_2, \dots$ and a query point $y$.

    $$G_o(v)(y) = b_o + \sum_k t_{ok}(y) \prod_j \beta^{(j)}_{ok}(v_j)$$

    with the trunk $t$ and one branch $\beta^{(j)}$ per input function. Every network of the library
    can be trunk or branch: each takes one point, or one function's values at its sensors, to
    `out_size * basis` numbers.

    **Arguments:**

    - `branches`: networks `(sensors,) -> (out_size * basis,)`, one per input function.
    - `trunk`: network `(dim,) -> (out_size * basis,)`.
    - `basis`: terms of the sum.
    - `out_size`: number of outputs.
    - `bias`: whether $b$ is there.

    **Raises:** `ValueError` where there is no branch, or a count is below 1.

    **Source:** Lu, Jin, Pang, Zhang and Karniadakis 2021; several branches: Jin, Meng and Lu 2022.

    >>> import jax.random as jr
    >>> from repnet.nn import MLP, Linear, RepNet
    >>> trunk = RepNet(1, 8, width=16, hidden=(), scale=4.0, key=jr.key(0))
    >>> branch = MLP(Linear(5, 16, key=jr.key(1)), 8, hidden=(), key=jr.key(2))
    >>> operator = DeepONet([branch], trunk, basis=8)
    >>> operator(jnp.ones(5), jnp.zeros(1)).shape
    (1,)
    >>> operator.many(jnp.ones((3, 5)), jnp.zeros((7, 1))).shape
    (3, 7, 1)
    """

    branches: tuple[Callable, ...]
    trunk: Callable
    bias: Float[Array, " out"] | None
    basis: int = eqx.field(static=True)
    out_size: int = eqx.field(static=True)

    def __init__(
        self,
        branches: Sequence[Callable],
        trunk: Callable,
        *,
        basis: int,
        out_size: int = 1,
        bias: bool = True,
    ):
        if not branches:
            raise ValueError("`DeepONet(branches=...)` needs at least one branch; got none.")
        self.branches = tuple(branches)
        self.trunk = trunk
        self.basis = check_count("DeepONet", "basis", basis)
        self.out_size = check_count("DeepONet", "out_size", out_size)
        self.bias = jnp.zeros(out_size) if bias else None

    def coefficients(self, functions: Functions) -> Float[Array, "out basis"]:
        """The product of the branches at one sample of the input functions."""
        values = functions if isinstance(functions, tuple) else (functions,)
        if len(values) != len(self.branches):
            raise ValueError(
                f"`DeepONet` has {len(self.branches)} branches and needs as many input functions; "
                f"got {len(values)}."
            )
        product = self.branches[0](values[0])
        for branch, value in zip(self.branches[1:], values[1:], strict=True):
            product = product * branch(value)
        return product.reshape(self.out_size, self.basis)

    def modes(self, y: Float[Array, " dim"]) -> Float[Array, "out basis"]:
        """The trunk at one query point."""
        return self.trunk(y).reshape(self.out_size, self.basis)

    def __call__(self, functions: Functions, y: Float[Array, " dim"]) -> Float[Array, " out"]:
        value = jnp.sum(self.coefficients(functions) * self.modes(y), axis=1)
        return value if self.bias is None else value + self.bias

    def many(
        self, functions: Functions, queries: Float[Array, "points dim"]
    ) -> Float[Array, "functions points out"]:
        """Many functions at the same query points: each branch and the trunk run once per row.

        **Arguments:** `functions`: arrays `(functions, sensors)`.
        """
        coefficients = jax.vmap(self.coefficients)(functions)
        value = jnp.einsum("fok,pok->fpo", coefficients, jax.vmap(self.modes)(queries))
        return value if self.bias is None else value + self.bias

    def at(self, queries: Float[Array, "points dim"]) -> "AtQueries":
        """The operator at fixed query points: a network from sensors to all values in a row."""
        return AtQueries(self, queries)


class AtQueries(eqx.Module):
    """An operator at fixed query points, `(sensors,) -> (points * out,)`.

    **Source:** this project.

    >>> operator = lambda v, y: v[:1] * y
    >>> AtQueries(operator, jnp.array([[1.0], [2.0]]))(jnp.array([3.0])).tolist()
    [3.0, 6.0]
    """

    operator: Callable
    queries: Float[Array, "points dim"]

    def __call__(self, functions: Functions) -> Float[Array, " values"]:
        queries = jax.lax.stop_gradient(self.queries)
        return jax.vmap(self.operator, in_axes=(None, 0))(functions, queries).reshape(-1)

    def learning_rates(self) -> "AtQueries":
        """The operator's own multipliers, and 0 for the query points."""
        return eqx.tree_at(
            lambda fixed: (fixed.operator, fixed.queries),
            self,
            (learning_rates(self.operator), 0.0),
        )


class FlowMap(eqx.Module):
    r"""A map that advances a state over a window of an input, and rolls out over a record.

    $$x_{k,j} = x_k + n_j([x_k, w_k]),\quad j = 1 \dots m, \qquad x_{k+1} = x_{k,m}$$

    with $w_k$ the input's samples in window $k$ and $m$ samples of the state inside of it.

    **Arguments:**

    - `network`: `(state_size + window,) -> (samples * state_size,)`: the increments $n$.
    - `state_size`: components of $x$.
    - `samples`: $m$, samples of the state per window.

    **Raises:** `ValueError` for a `state_size` or `samples` below 1.

    **Source:** Qin, Wu and Xiu 2019 for increments; with a DeepONet as the network, Liu, Kontolati
    and others 2022.

    >>> oscillator = FlowMap(lambda z: jnp.array([0.1 * z[1], -0.1 * z[0] + z[2]]), 2)
    >>> oscillator.rollout(jnp.array([1.0, 0.0]), jnp.zeros((3, 1))).shape
    (4, 2)
    """

    network: Callable
    state_size: int = eqx.field(static=True)
    samples: int = eqx.field(static=True)

    def __init__(self, network: Callable, state_size: int, samples: int = 1):
        self.network = network
        self.state_size = check_count("FlowMap", "state_size", state_size)
        self.samples = check_count("FlowMap", "samples", samples)

    def __call__(
        self, state: Float[Array, " state"], window: Float[Array, " window"]
    ) -> Float[Array, "samples state"]:
        """The state at the samples of one window, its end included."""
        increments = self.network(jnp.concatenate([state, window]))
        return state + increments.reshape(self.samples, self.state_size)

    def rollout(
        self, start: Float[Array, " state"], windows: Float[Array, "windows window"]
    ) -> Float[Array, "times state"]:
        """The state at the start and at every sample of all windows, one after the other."""

        def advance(state: Array, window: Array) -> tuple[Array, Array]:
            inside = self(state, window)
            return inside[-1], inside

        _, states = jax.lax.scan(advance, start, windows)
        return jnp.concatenate([start[None], states.reshape(-1, self.state_size)])


def windows_of(
    record: Float[Array, "*batch samples"], steps: int = 1
) -> Float[Array, "*batch windows window"]:
    """Windows of `steps` steps over a record; each begins at the sample at which the last ended.

    Samples behind the last whole window are left out.

    **Arguments:** `record`: shape `(..., samples)`; `steps`: per window.

    **Returns:** shape `(..., windows, steps + 1)`.

    **Source:** this project.

    >>> windows_of(jnp.arange(6.0), 2).tolist()
    [[0.0, 1.0, 2.0], [2.0, 3.0, 4.0]]
    """
    count = (record.shape[-1] - 1) // steps
    rows = steps * jnp.arange(count)[:, None] + jnp.arange(steps + 1)
    return record[..., rows]
