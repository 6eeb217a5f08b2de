"""The network is the composition that its docstring states."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import MLP, FourierFeatures, Linear, RepLinear

KEY = jr.key(0)


@pytest.mark.parametrize("hidden", [(), (5,), (8, 6, 5)])
@pytest.mark.parametrize("out_size", [1, 3])
def test_composition_by_hand(hidden, out_size):
    with jax.enable_x64(True):
        first = RepLinear(2, 7, scale=4.0, key=jr.key(0))
        network = MLP(first, out_size, hidden=hidden, initialization="uniform", key=jr.key(1))
        x = jnp.array([0.3, -0.2])
        h = np.asarray(first(x))
        for layer in network.hidden:
            h = np.tanh(np.asarray(layer.weight) @ h + np.asarray(layer.bias))
        np.testing.assert_allclose(network.features(x), h, atol=1e-14)
        value = np.asarray(network.readout.weight) @ h + np.asarray(network.readout.bias)
        np.testing.assert_allclose(network(x), value, atol=1e-14)
    assert network.readout.weight.shape == (out_size, hidden[-1] if hidden else 7)
    assert (network.in_size, network.out_size) == (2, out_size)


@pytest.mark.parametrize(("activation", "variance"), [(jax.nn.relu, 2 / 200), (jnp.tanh, 2 / 500)])
def test_usual_initialization_of_each_activation(activation, variance):
    network = MLP(Linear(1, 200, key=KEY), hidden=(300,), activation=activation, key=KEY)
    assert float(jnp.var(network.hidden[0].weight)) == pytest.approx(variance, rel=0.03)


def test_layers_are_drawn_independently():
    network = MLP(FourierFeatures(1, 16, key=KEY), hidden=(16, 16), key=KEY)
    one, two = network.hidden
    assert not bool(jnp.any(one.weight == two.weight))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"out_size": 0}, r"`MLP\(out_size=...\)` must be an integer >= 1; got 0"),
        ({"hidden": (8, 0)}, r"`MLP\(hidden=...\)` must be an integer >= 1; got 0"),
    ],
)
def test_bad_sizes(change, message):
    with pytest.raises(ValueError, match=message):
        MLP(Linear(1, 4, key=KEY), **change, key=KEY)
