"""Initial weights have the variance that their source states."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import MLP, Linear
from repnet.nn._initialization import init_dense


@pytest.mark.parametrize(
    ("name", "variance", "bias_variance"),
    [
        ("glorot", 2 / 700, 0.0),
        ("he", 2 / 300, 0.0),
        ("lecun", 1 / 300, 0.0),
        ("uniform", 1 / 300 / 3, 1 / 300 / 3),  # uniform in ±b has variance b²/3
    ],
)
def test_variances(name, variance, bias_variance):
    weight, bias = init_dense(name, 300, 400, key=jr.key(0))
    # 120,000 weights: their sample variance errs by less than 1 %; 400 biases by 10 %.
    assert float(jnp.var(weight)) == pytest.approx(variance, rel=0.02)
    assert float(jnp.mean(bias**2)) == pytest.approx(bias_variance, rel=0.15)


def test_a_callable_gives_the_weight():
    weight, bias = init_dense(lambda key, shape: jnp.full(shape, 3.0), 2, 5, key=jr.key(0))
    np.testing.assert_array_equal(weight, np.full((5, 2), 3.0))
    np.testing.assert_array_equal(bias, np.zeros(5))


def test_unknown_name():
    with pytest.raises(ValueError, match=r"Did you mean 'glorot'"):
        MLP(Linear(1, 4, key=jr.key(0)), initialization="glorott", key=jr.key(1))
