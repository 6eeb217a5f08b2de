"""The layer of local features against its formula."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import Blocks, RepLinear
from repnet.nn._rates import learning_rates


def _layer(dim: int, key: int) -> RepLinear:
    return RepLinear(dim, 6, scale=4.0, features="step", key=jr.key(key))


@pytest.mark.slow
def test_features_are_those_of_each_block_behind_the_inputs():
    layers = [_layer(2, 0), _layer(1, 1)]
    matrices = [jnp.array([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]), jnp.array([[0.5, 0.5, 0.0]])]
    shifts = [jnp.array([0.1, 0.2]), jnp.array([-0.3])]
    blocks = Blocks(matrices, shifts, layers)
    x = jnp.array([0.3, -0.2, 0.1])
    parts = [x, layers[0](matrices[0] @ x + shifts[0]), layers[1](matrices[1] @ x + shifts[1])]
    np.testing.assert_array_equal(blocks(x), jnp.concatenate(parts))
    weight, bias = blocks.affine()
    activated = jnp.tanh(weight @ x + bias) * jnp.repeat(
        jnp.array([layer.gain for layer in layers]), 6
    )
    np.testing.assert_allclose(blocks(x)[3:], activated, rtol=1e-5, atol=1e-6)


def test_combinations_are_not_trained_and_units_are():
    rates = learning_rates(Blocks([jnp.eye(2)], [jnp.zeros(2)], [_layer(2, 0)]))
    assert rates.matrices == (0.0,)
    assert rates.shifts == (0.0,)
    assert rates.layers[0].planes.direction == 1.0


def test_sizes_must_fit():
    with pytest.raises(ValueError, match="one row per input"):
        Blocks([jnp.eye(2)], [jnp.zeros(2)], [_layer(1, 0)])
    with pytest.raises(ValueError, match="at least one block"):
        Blocks([], [], [])
