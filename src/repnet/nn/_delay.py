"""A causal network of whole records whose filters are a trunk's values at the delay."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Complex, Float, PRNGKeyArray

from repnet.nn._activation import Activation
from repnet.nn._check import check_count

_START = 0.1  # of the read-out, so that training starts near zero


class DelayOperator(eqx.Module):
    r"""A DeepONet that moves with the record, `(samples,) -> (samples * out_size,)`.

    $$g^{(l)}_c(t) = \sum_{\tau} k^{(l)}_c(\tau)\,h^{(l-1)}_c(t - \tau),\qquad
    h^{(l)} = h^{(l-1)} + \varphi(W^{(l)} g^{(l)} + b^{(l)}),\qquad
    u(t) = V\,[g^{(L)}(t) + h^{(L-1)}(t)]$$

    with $h^{(0)}$ the record $a$ in all channels for the first filters, and 0 beside them. One
    trunk gives all filters $k(\tau)$ as a function of the delay, as the trunk of a `DeepONet` gives
    modes as a function of time; coefficients are signals, and what is learnt of one arrival time
    holds for all. A response that oscillates needs filters that do.

    **Arguments:**

    - `trunk`: network `(1,) -> (layers * channels,)` of the delay, which runs from -1 (now) to 1
      (`memory - 1` samples ago).
    - `memory`: samples of the filters. Values before the record are zero.
    - `channels`, `layers`: of filters.
    - `out_size`: outputs per sample.
    - `activation`: $\varphi$.

    **Raises:** `ValueError` naming the argument at fault.

    **Source:** this project; filters by a network of the delay: Romero and others 2022 (CKConv).

    >>> from repnet.nn import RepNet
    >>> trunk = RepNet(1, 8, width=16, hidden=(), scale=8.0, key=jr.key(0))
    >>> network = DelayOperator(trunk, 20, channels=4, layers=2, key=jr.key(1))
    >>> record = jnp.zeros(50).at[20].set(1.0)
    >>> found = network(record)
    >>> found.shape, bool(jnp.abs(found[:20]).max() < 1e-5)
    ((50,), True)
    """

    trunk: Callable
    mixing: tuple[Float[Array, "channels channels"], ...]
    biases: tuple[Float[Array, " channels"], ...]
    readout: Float[Array, "out channels"]
    memory: int = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)

    def __init__(
        self,
        trunk: Callable,
        memory: int,
        *,
        channels: int = 16,
        layers: int = 4,
        out_size: int = 1,
        activation: Activation = jnp.tanh,
        key: PRNGKeyArray,
    ):
        self.memory = check_count("DelayOperator", "memory", memory, 2)
        check_count("DelayOperator", "channels", channels)
        check_count("DelayOperator", "layers", layers)
        check_count("DelayOperator", "out_size", out_size)
        _check_trunk(trunk, layers * channels)
        *keys, last = jr.split(key, layers)
        deviation = 1.0 / jnp.sqrt(channels)
        self.trunk = trunk
        self.mixing = tuple(deviation * jr.normal(each, (channels, channels)) for each in keys)
        self.biases = tuple(jnp.zeros(channels) for _ in keys)
        self.readout = _START * deviation * jr.normal(last, (out_size, channels))
        self.activation = activation

    def filters(self) -> Float[Array, "layers channels memory"]:
        r"""The trunk at all delays, over $\sqrt{\text{memory}}$."""
        delays = jnp.linspace(-1.0, 1.0, self.memory)[:, None]
        values = jax.vmap(self.trunk)(delays) / jnp.sqrt(self.memory)
        return values.T.reshape(len(self.mixing) + 1, -1, self.memory)

    def __call__(self, record: Float[Array, " samples"]) -> Float[Array, " values"]:
        samples = record.shape[0]
        size = 1 << (samples + self.memory - 2).bit_length()  # nothing wraps around
        # `filters` does not depend on the record, so a vmap over records computes it once.
        first, *later = jnp.fft.rfft(self.filters(), size)
        hidden = jnp.zeros(())
        found = _filtered(first, record[None], size)
        for matrix, bias, response in zip(self.mixing, self.biases, later, strict=True):
            hidden = hidden + self.activation(matrix @ found + bias[:, None])
            found = _filtered(response, hidden, size)
        return (self.readout @ (found + hidden)).T.reshape(-1)


def _check_trunk(trunk: Callable, size: int) -> None:
    found = eqx.filter_eval_shape(trunk, jnp.zeros(1)).shape
    if found != (size,):
        raise ValueError(
            f"`DelayOperator(trunk=...)` must take a delay `(1,)` to layers * channels = {size} "
            f"values; it gives {found}."
        )


def _filtered(
    response: Complex[Array, "channels bins"], signals: Float[Array, "signals samples"], size: int
) -> Float[Array, "channels samples"]:
    spectrum = response * jnp.fft.rfft(signals, size)
    return jnp.fft.irfft(spectrum, size)[:, : signals.shape[1]]
