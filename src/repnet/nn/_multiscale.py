"""Multi-scale networks: a sum of sub-networks, each of which sees the input at its own scale."""

from collections.abc import Sequence
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import PRNGKeyArray

from repnet.nn._activation import Activation, family
from repnet.nn._check import PerAxis, check_count
from repnet.nn._draw import sobol_points
from repnet.nn._initialization import Initialization, init_dense
from repnet.nn._laws import Law, Normal
from repnet.nn._magnitude import magnitude
from repnet.nn._mlp import MLP, BlockDense, BlockDiagonal, Dense, with_layers
from repnet.nn._mscale_linear import MscaleLinear
from repnet.nn._random import times
from repnet.nn._scales import Numbers, check_scales


def MscaleDNN(
    in_size: int,
    out_size: int = 1,
    *,
    scales: Numbers = (1.0, 2.0, 4.0, 8.0),
    width: int = 64,
    hidden: Sequence[int] = (32,),
    shared: bool = False,
    activation: Activation = jnp.sin,
    weight: Law = Normal(1.0),
    bias: Law | None = None,
    initialization: Initialization | None = None,
    lower: PerAxis = -1.0,
    upper: PerAxis = 1.0,
    key: PRNGKeyArray,
) -> MLP:
    r"""A sum of sub-networks at given scales: $u(x) = \sum_s n_s(\alpha_s x)$.

    The sub-networks are one `MLP`: their first layers stand side by side in a `MscaleLinear`,
    their hidden layers are the blocks of block-diagonal matrices, their read-outs are the columns
    of one. So it has `features`, a linear `readout` and fast derivatives like every `MLP`, and with
    `hidden=()` it is solved by least squares. The read-out's variance makes $\mathbb E u^2 = 1$
    over the box, as in `RepNet`.

    **Arguments:**

    - `in_size`, `out_size`: numbers of inputs and outputs.
    - `scales`: $\alpha_s$, one sub-network each, in radians per unit length for weights of size 1.
    - `width`, `hidden`: units of the first layer and of the hidden layers of each sub-network.
    - `shared`: first and hidden layers have the same weights in all sub-networks, read-outs differ.
    - `activation`: of all layers, such as `jnp.sin`, `jnp.tanh`, `jax.nn.relu`, `srelu`, `s2relu`.
    - `weight`, `bias`, `lower`, `upper`: of the first layer, see `MscaleLinear`.
    - `initialization`: of the hidden layers, see `MLP`; each block by its own widths.

    For one layer of all scales before hidden layers that mix them, put a `MscaleLinear` first in
    an `MLP`.

    **Returns:** an `MLP` whose first layer is a `MscaleLinear`.

    **Raises:** `ValueError` for `scales` that are not finite and positive, for a width or an
    `out_size` below 1, and for whatever else `MscaleLinear` refuses.

    **Source:** Liu, Cai and Xu 2020, the form of separate sub-networks; sharing, block form and
    magnitude: this project.

    >>> network = MscaleDNN(2, scales=(1.0, 4.0), width=8, hidden=(5,), key=jr.key(0))
    >>> network(jnp.zeros(2)).shape, network.features(jnp.zeros(2)).shape
    ((1,), (10,))
    """
    levels = check_scales("MscaleDNN", scales)
    widths = [check_count("MscaleDNN", "width", width)]
    widths += [check_count("MscaleDNN", "hidden", each) for each in hidden]
    check_count("MscaleDNN", "out_size", out_size)
    if initialization is None:
        initialization = "he" if family(activation) == "relu" else "glorot"
    first_key, hidden_key, readout_key = jr.split(key, 3)
    first = MscaleLinear(
        in_size,
        width * len(levels),
        scales=levels,
        activation=activation,
        weight=weight,
        bias=bias,
        shared=shared,
        lower=lower,
        upper=upper,
        key=first_key,
    )
    blocks = _draw_blocks(initialization, tuple(widths), len(levels), shared, hidden_key)
    matrix, zero = init_dense("lecun", widths[-1] * len(levels), out_size, key=readout_key)
    network = with_layers(first, blocks, Dense(matrix, zero), activation)
    cell = sobol_points(1024, in_size) + 0.5 / 1024
    low, high = jnp.asarray(lower, dtype=cell.dtype), jnp.asarray(upper, dtype=cell.dtype)
    rms = magnitude(network, low + (high - low) * cell).output_rms
    return eqx.tree_at(lambda n: n.readout.weight, network, replace_fn=partial(times, 1.0 / rms))


@eqx.filter_jit
def _draw_blocks(
    initialization: Initialization,
    widths: tuple[int, ...],
    count: int,
    shared: bool,
    key: PRNGKeyArray,
) -> list[BlockDense]:
    own = 1 if shared else count
    layers = []
    keys = jr.split(key, max(len(widths) - 1, 1))
    for fan_in, fan_out, each in zip(widths[:-1], widths[1:], keys, strict=False):
        draw = jax.vmap(lambda k, i=fan_in, o=fan_out: init_dense(initialization, i, o, key=k))
        blocks, biases = draw(jr.split(each, own))
        layers.append(BlockDense(BlockDiagonal(blocks, count // own), biases.reshape(-1)))
    return layers
