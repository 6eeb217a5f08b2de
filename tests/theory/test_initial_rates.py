"""Initial rates of real networks against the closed forms, and against tangent kernels."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import MLP, Linear, RepLinear, RepNet, Signs
from repnet.theory import (
    SteepEnsemble,
    WindowedWaves,
    initial_rates,
    steep_ensemble,
    tangent_kernel,
)

KEY = jr.key(0)


def steep_network(units=4000, scale=16.0, activation=jnp.tanh, features="plain"):
    first = RepLinear(
        1,
        units,
        scale=scale,
        activation=activation,
        features=features,
        lower=-4.0,
        upper=4.0,
        key=KEY,
    )
    network = MLP(first, hidden=(), key=jr.key(1))
    amplitude = Signs(units**-0.5)(jr.uniform(jr.key(2), (1, units)))
    return eqx.tree_at(lambda n: n.readout.weight, network, amplitude)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "features", "waves"),
    [
        (jnp.tanh, "plain", [4.0, 8.0, 16.0, 32.0]),
        (jax.nn.relu, "plain", [8.0, 16.0, 32.0]),
        (jnp.tanh, "bump", [4.0, 16.0]),
        (jax.nn.relu, "hat", [8.0, 24.0]),
    ],
)
def test_a_network_of_4000_units_learns_at_the_stated_rates(activation, features, waves):
    network = steep_network(activation=activation, features=features)
    # The window, 0.8 wide, spreads a wave over k ± 0.9, and 4,000 units are a sample.
    found = initial_rates(network, waves, window=0.8)
    ensemble = steep_ensemble(network)
    expected = [_windowed(ensemble.rate, k, 0.8) for k in waves]
    np.testing.assert_allclose(found, expected, rtol=0.04)


def _windowed(rate, k, width):
    xi = k + np.linspace(-4.0, 4.0, 801) / width
    weight = np.where(xi > 0.1, np.exp(-((width * (xi - k)) ** 2)), 0.0)
    return weight @ rate(np.abs(xi) + 1e-9) / weight.sum()


@pytest.mark.slow
def test_rates_are_rayleigh_quotients_of_the_tangent_kernel():
    network = steep_network(units=64, scale=6.0)
    where = lambda n: n.readout.weight  # noqa: E731
    x = (np.arange(400) + 0.5) * 0.01 - 2.0
    kernel = tangent_kernel(network, x[:, None], where=where)
    found = initial_rates(network, [3.0], window=0.4, where=where)
    expected = 0.0
    for phase in (0.0, np.pi / 2):
        g = WindowedWaves((3.0,), 0.4, phases=(phase,))(x[:, None])
        expected += 0.5 * (g @ kernel @ g) * 0.01 / (g @ g)
    np.testing.assert_allclose(found, [expected], rtol=1e-4)  # float32 kernels


class Raw(eqx.Module):
    """The same function with weights and biases for parameters."""

    readout: jax.Array
    weight: jax.Array
    bias: jax.Array
    gain: float

    def __call__(self, x):
        return (self.readout @ (self.gain * jnp.tanh(self.weight * x[0] + self.bias)))[None]


@pytest.mark.slow
def test_reparameterized_units_are_faster_by_the_square_of_the_scale():
    scale, k = 8.0, 8.0
    network = steep_network(units=2000, scale=scale)
    weight, bias = network.first.affine()
    raw = Raw(network.readout.weight[0], weight[:, 0], bias, float(network.first.gain))
    x = jnp.array([0.3])
    np.testing.assert_allclose(raw(x), network(x) - network.readout.bias, rtol=1e-4, atol=1e-5)
    steep = initial_rates(network, [k], window=0.8, where=lambda n: n.first.planes.offset)
    plain = initial_rates(raw, [k], window=0.8, where=lambda n: n.bias)
    # Of one unit, ∂u/∂t = -s ∂u/∂b: exact but for float32.
    np.testing.assert_allclose(steep / plain, scale**2, rtol=1e-3)
    units = SteepEnsemble(scale, 4.0).channels(np.array([k]))["offset"]
    biases = SteepEnsemble(scale, 4.0, trained={"bias": 1.0}).channels(np.array([k]))["bias"]
    np.testing.assert_allclose(units / biases, scale**2, rtol=1e-12)


@pytest.mark.slow
def test_multipliers_of_the_layer():
    network = steep_network(units=50, scale=9.0)
    plain, own = steep_ensemble(network), steep_ensemble(network, rates=True)
    assert plain.trained == pytest.approx({"readout": 50.0, "offset": 1.0, "slope": 81.0})
    # The offsets' multiplier is one over the root of the slope scale.
    assert own.trained == pytest.approx({"readout": 50.0, "offset": 1 / 3, "slope": 81.0})
    assert plain.span == pytest.approx(4.08, rel=0.02)
    assert plain.amplitude == pytest.approx(1.0, rel=1e-5)


NETWORK = RepNet(1, width=32, hidden=(), scale=8.0, key=KEY)


def _moved(where, change):
    return eqx.tree_at(where, NETWORK, replace_fn=change)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RepNet(1, width=32, hidden=(4,), scale=8.0, key=KEY), r"sizes \(1, 4, 1\)"),
        (lambda: RepNet(2, width=32, hidden=(), scale=8.0, key=KEY), r"got sizes \(2, 1\)"),
        (lambda: RepNet(1, 2, width=32, hidden=(), scale=8.0, key=KEY), r"got sizes \(1, 2\)"),
        (
            lambda: RepNet(1, width=32, hidden=(), scale=8.0, form="affine", key=KEY),
            r"`RepLinear` of slope form .*; got RepLinear of AffineForm",
        ),
        (lambda: MLP(Linear(1, 8, key=KEY), hidden=(), key=KEY), r"slope form .*; got Linear"),
        (lambda: lambda x: x, r"an `MLP` for the closed form to hold; got function"),
        (
            lambda: _moved(lambda n: n.first.planes.log_slope, lambda g: g.at[0].set(0.5)),
            r"one slope, as at initialization .*; got slopes 8 to 13.2",
        ),
        (
            lambda: _moved(lambda n: n.first.planes.offset, lambda t: t**3),
            r"partition points that are spread evenly, to 10%",
        ),
    ],
)
def test_networks_that_no_formula_covers(make, message):
    with pytest.raises(ValueError, match=r"`steep_ensemble\(network=...\)` must have .*" + message):
        steep_ensemble(make())


def test_bad_input():
    with pytest.raises(ValueError, match=r"`initial_rates\(waves=...\)` must hold at least one"):
        initial_rates(NETWORK, [], window=1.0)
    with pytest.raises(ValueError, match=r"`initial_rates\(waves=...\)` must be finite and positi"):
        initial_rates(NETWORK, [1.0, 0.0], window=1.0)
    with pytest.raises(ValueError, match=r"`initial_rates\(window=...\)` must be finite and posit"):
        initial_rates(NETWORK, [1.0], window=-1.0)
    with pytest.raises(ValueError, match=r"`initial_rates\(where=...\)` must name at least one"):
        initial_rates(NETWORK, [1.0], window=1.0, where=lambda n: [])
