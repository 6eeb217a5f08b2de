"""A causal network of whole records: what it says at a time depends on earlier input alone."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn._activation import Activation
from repnet.nn._check import check_count


class CausalConvolutions(eqx.Module):
    r"""Dilated causal convolutions over a record, `(samples,) -> (samples * out_size,)`.

    $$h^{(l)}_t = h^{(l-1)}_t + \varphi\Big(\sum_{i<\text{taps}} W^{(l)}_i h^{(l-1)}_{t-i d_l} +
    b^{(l)}\Big), \qquad u_t = V h^{(L)}_t + \sum_{i<\text{memory}} f_i\, a_{t-i}$$

    The last sum is a linear filter of the whole record, by fast Fourier transform. Values before
    the record are zero.

    **Arguments:**

    - `memory`: samples of the linear filter.
    - `channels`: width of the hidden layers.
    - `taps`, `dilations`: $\text{taps}$ and $d_l$; the network sees
      `1 + (taps - 1) * sum(dilations)` samples back.
    - `out_size`: outputs per sample.
    - `activation`: $\varphi$.

    **Raises:** `ValueError` for a count or a dilation below 1.

    **Source:** van den Oord and others 2016 for the dilations; the filter: this project.

    >>> record = jnp.zeros(50).at[20].set(1.0)
    >>> network = CausalConvolutions(16, channels=4, dilations=(1, 2), key=jr.key(0))
    >>> bool(jnp.allclose(network(record)[:20], network(jnp.zeros(50))[:20], atol=1e-6))
    True
    """

    filter: Float[Array, "out memory"]
    first: Float[Array, "channels taps one"]
    weights: tuple[Float[Array, "channels taps channels"], ...]
    biases: tuple[Float[Array, " channels"], ...]
    readout: Float[Array, "out channels"]
    dilations: tuple[int, ...] = eqx.field(static=True)
    activation: Activation = eqx.field(static=True)

    def __init__(
        self,
        memory: int,
        *,
        channels: int = 16,
        taps: int = 3,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 32),
        out_size: int = 1,
        activation: Activation = jnp.tanh,
        key: PRNGKeyArray,
    ):
        counts = {"memory": memory, "channels": channels, "taps": taps, "out_size": out_size}
        for name, value in counts.items():
            check_count("CausalConvolutions", name, value)
        self.dilations = tuple(check_count("CausalConvolutions", "dilations", d) for d in dilations)
        keys = jr.split(key, len(self.dilations) + 3)
        deviation = 1.0 / jnp.sqrt(taps * channels)
        self.filter = jr.normal(keys[0], (out_size, memory)) / jnp.sqrt(memory)
        self.first = jr.normal(keys[1], (channels, taps, 1)) / jnp.sqrt(taps)
        self.weights = tuple(
            deviation * jr.normal(each, (channels, taps, channels)) for each in keys[3:]
        )
        self.biases = tuple(jnp.zeros(channels) for _ in self.dilations)
        self.readout = jr.normal(keys[2], (out_size, channels)) / jnp.sqrt(channels)
        self.activation = activation

    def __call__(self, record: Float[Array, " samples"]) -> Float[Array, " values"]:
        hidden = self.activation(convolve(self.first, record[None], 1))
        for weight, bias, dilation in zip(self.weights, self.biases, self.dilations, strict=True):
            inner = convolve(weight, hidden, dilation) + bias[:, None]
            hidden = hidden + self.activation(inner)
        found = self.readout @ hidden + filtered(self.filter, record)
        return found.T.reshape(-1)


def convolve(
    weight: Float[Array, "out taps in"], signal: Float[Array, "in samples"], dilation: int
) -> Float[Array, "out samples"]:
    r"""$\sum_i W_i s_{t - i d}$, with zeros before the first sample.

    >>> ones = jnp.ones((1, 2, 1))
    >>> convolve(ones, jnp.arange(1.0, 5.0)[None], 2).tolist()
    [[1.0, 2.0, 4.0, 6.0]]
    """
    taps, samples = weight.shape[1], signal.shape[1]
    reach = (taps - 1) * dilation
    padded = jnp.pad(signal, ((0, 0), (reach, 0)))
    shifted = jnp.stack(
        [
            jax.lax.dynamic_slice_in_dim(padded, reach - i * dilation, samples, axis=1)
            for i in range(taps)
        ]
    )
    return jnp.einsum("oti,tis->os", weight, shifted)


def filtered(
    response: Float[Array, "out memory"], record: Float[Array, " samples"]
) -> Float[Array, "out samples"]:
    r"""The causal filter $\sum_i f_i a_{t-i}$.

    >>> filtered(jnp.array([[1.0, 2.0]]), jnp.array([1.0, 0.0, 3.0])).round(5).tolist()
    [[1.0, 2.0, 3.0]]
    """
    samples, memory = record.shape[0], response.shape[1]
    size = 1 << (samples + memory - 1).bit_length()
    spectrum = jnp.fft.rfft(response, size) * jnp.fft.rfft(record, size)
    return jnp.fft.irfft(spectrum, size)[:, :samples]
