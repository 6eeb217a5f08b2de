"""Networks without hidden layers, made without compiling a draw for every width."""

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from repnet.nn import MLP, AbstractFirstLayer, SineLinear
from repnet.nn._random import as_jax


def one_layer(layer: AbstractFirstLayer, out: int) -> MLP:
    """The layer under a read-out of zeros, which a solve fills."""
    blank = eqx.filter_eval_shape(MLP, layer, out, hidden=(), key=jax.random.key(0))
    return eqx.tree_at(
        lambda n: (n.first, n.readout.weight, n.readout.bias),
        blank,
        (layer, *as_jax((np.zeros((out, layer.width)), np.zeros(out)))),
    )


def sine_features(
    dim: int, width: int, radii: Float[np.ndarray, " dim"], *, key: PRNGKeyArray
) -> SineLinear:
    r"""A sine layer with frequencies uniform in $|\omega_i/R_i| \le 1$ and uniform phases.

    In one dimension the frequencies are stratified: no two are far closer than the others.
    """
    rng = np.random.default_rng(np.asarray(jax.random.key_data(key)))
    share = rng.uniform(size=width)
    if dim == 1:
        ball = (np.arange(width) + share)[:, None] / width
    else:
        normal = rng.normal(size=(width, dim))
        ball = normal / np.linalg.norm(normal, axis=1, keepdims=True) * share[:, None] ** (1 / dim)
    return sines(ball * radii, rng.uniform(0.0, 2.0 * np.pi, width))


def sines(
    frequencies: Float[np.ndarray, "width dim"], phase: Float[np.ndarray, " width"]
) -> SineLinear:
    """The sine layer of given frequencies and phases."""
    width, dim = frequencies.shape
    blank = eqx.filter_eval_shape(SineLinear, dim, width, frequency=1.0, key=jax.random.key(0))
    return eqx.tree_at(lambda sine: (sine.weight, sine.bias), blank, as_jax((frequencies, phase)))
