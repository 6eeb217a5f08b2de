"""Usual initializations of a dense layer's weight and bias."""

from collections.abc import Callable

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from repnet.nn._check import check_choice
from repnet.nn._random import Drawn, as_jax, normal, uniform

INITIALIZATIONS = ("glorot", "he", "lecun", "uniform")
Initialization = str | Callable[[PRNGKeyArray, tuple[int, int]], Array]


def init_dense(
    initialization: Initialization, in_size: int, out_size: int, *, key: PRNGKeyArray
) -> tuple[Float[Array, "out in"], Float[Array, " out"]]:
    r"""Weight and bias of a dense layer.

    | name | weight | bias |
    |---|---|---|
    | `glorot` | normal, variance $2/(\text{in}+\text{out})$ | 0 |
    | `he` | normal, variance $2/\text{in}$ | 0 |
    | `lecun` | normal, variance $1/\text{in}$ | 0 |
    | `uniform` | uniform in $\pm 1/\sqrt{\text{in}}$ | the same |

    A callable receives `(key, (out, in))` and gives the weight; the bias is then 0.

    **Source:** Glorot and Bengio 2010; He et al. 2015; LeCun et al. 1998; PyTorch's `nn.Linear`.

    >>> weight, bias = init_dense("glorot", 3, 5, key=jr.key(0))
    >>> weight.shape, bias.shape
    ((5, 3), (5,))
    """
    if callable(initialization):
        return initialization(key, (out_size, in_size)), jnp.zeros(out_size)
    check_choice("MLP", "initialization", initialization, INITIALIZATIONS)
    return as_jax(_draw(initialization, in_size, out_size, key))


def _draw(
    initialization: str, in_size: int, out_size: int, key: PRNGKeyArray
) -> tuple[Float[Drawn, "out in"], Float[Drawn, " out"]]:
    if initialization == "uniform":
        weight_key, bias_key = jr.split(key)
        bound = in_size**-0.5
        weight = uniform(weight_key, (out_size, in_size), -bound, bound)
        return weight, uniform(bias_key, (out_size,), -bound, bound)
    variance = {"glorot": 2.0 / (in_size + out_size), "he": 2.0 / in_size, "lecun": 1.0 / in_size}
    weight = variance[initialization] ** 0.5 * normal(key, (out_size, in_size))
    return weight, np.zeros(out_size, weight.dtype)
