"""Derivatives of every first layer and activation, against closed forms and differences."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import (
    MLP,
    FactorizedLinear,
    FourierFeatures,
    Linear,
    RepLinear,
    RepNet,
    Sine,
    SineLinear,
    Standardized,
    cubed_relu,
    squared_relu,
)
from repnet.nn._derivatives import along
from repnet.nn._elementwise import nth_derivative
from repnet.nn._feature import Feature
from repnet.nn._first import AbstractFirstLayer

E = np.eye(2)


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def central(f, z, h=1e-5):
    return (f(z + h) - f(z - h)) / (2.0 * h)


ACTIVATIONS = {
    "tanh": jnp.tanh,
    "sine": jnp.sin,
    "sine 3": Sine(3.0),
    "gelu": jax.nn.gelu,
    "softplus": jax.nn.softplus,
    **{
        f"{kind} of {name}": Feature(kind, activation)
        for kind in ("plain", "ramp", "bump", "hat")
        for name, activation in (("tanh", jnp.tanh), ("sine", jnp.sin), ("gelu", jax.nn.gelu))
    },
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.slow
def test_each_order_is_the_slope_of_the_one_before(name):
    f, z = ACTIVATIONS[name], jnp.linspace(-3.0, 3.0, 25) + 0.013
    np.testing.assert_allclose(nth_derivative(f, z, 0), f(z), rtol=1e-13, atol=1e-14)
    for order in range(1, 5):
        lower = jax.jit(lambda z, n=order - 1: nth_derivative(f, z, n))
        found, expected = nth_derivative(f, z, order), central(lower, z)
        # Differences err by h²/6 of the third derivative on, and by round-off over h.
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7 * 3.0**order)
        slope = jax.jit(jax.vmap(jax.grad(lower)))(z)  # the rule for training agrees
        np.testing.assert_allclose(slope, found, rtol=1e-10, atol=1e-10 * 3.0**order)


@pytest.mark.parametrize("activation", [jnp.tanh, jnp.sin], ids=["tanh", "sine"])
def test_one_unit_in_closed_form(activation):
    layer = Linear(2, 1, activation=activation, key=jr.key(0))
    network = MLP(layer, 1, hidden=(), key=jr.key(1))
    weight, bias = (np.asarray(a) for a in layer.affine())
    out = float(network.readout.weight[0, 0])
    x = np.array([0.3, -0.7])
    z = float(weight[0] @ x + bias[0])
    t = np.tanh(z)
    closed = {
        jnp.tanh: [t, 1 - t**2, -2 * t * (1 - t**2), (1 - t**2) * (6 * t**2 - 2)],
        jnp.sin: [np.sin(z), np.cos(z), -np.sin(z), -np.cos(z)],
    }[activation]
    jet = network.jet(jnp.asarray(x))
    for axes in ((), (0,), (1, 1), (0, 1), (0, 0, 0), (0, 1, 1)):
        factor = out * np.prod(weight[0, list(axes)])
        found = jet.derivative(*[E[a] for a in axes])
        offset = float(network.readout.bias[0]) if not axes else 0.0
        np.testing.assert_allclose(found, [factor * closed[len(axes)] + offset], rtol=1e-12)


class Odd(AbstractFirstLayer):
    """A first layer that is no function of an affine map."""

    in_size: int = 2
    width: int = 3

    def affine(self):
        raise NotImplementedError

    def __call__(self, x):
        return jnp.stack([x[0] ** 3 * x[1], jnp.exp(x[0]), jnp.sin(x[0] * x[1])])


def rep(**options):
    return lambda key: RepLinear(2, 6, scale=3.0, key=key, **options)


LAYERS = {
    "step": rep(features="step"),
    "bump": rep(features="bump"),
    "hat": rep(features="hat"),
    "ramp": rep(features="ramp"),
    "centre": rep(form="centre"),
    "affine": rep(form="affine"),
    "linear gelu": lambda key: Linear(2, 6, activation=jax.nn.gelu, key=key),
    "linear cubed": lambda key: Linear(2, 6, activation=cubed_relu, key=key),
    "fourier": lambda key: FourierFeatures(2, 6, key=key),
    "sine": lambda key: SineLinear(2, 6, frequency=4.0, key=key),
    "factorized": lambda key: FactorizedLinear(2, 6, key=key),
    "odd": lambda key: Odd(),
    "standardized": lambda key: SineLinear(2, 6, frequency=4.0, key=key),
    "siren": lambda key: SineLinear(2, 6, frequency=4.0, key=key),
}


def build(name):
    activation = Sine(2.0) if name == "siren" else jnp.tanh
    network = MLP(LAYERS[name](jr.key(0)), 2, hidden=(5,), activation=activation, key=jr.key(1))
    if name != "standardized":
        return network
    numbers = ([1.0, 2.0], [0.5, 2.0], [3.0, 1.0], [2.0, 0.1])
    return Standardized(network, *map(jnp.asarray, numbers))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.slow
def test_networks_agree_with_nested_forward_mode_and_differences(name):
    network = build(name)
    orders = ((), (1,), (0, 0), (0, 1), (1, 1, 1))

    @jax.jit
    def both(x):
        jet = network.jet(x)
        ours = [jet.derivative(*[E[a] for a in axes]) for axes in orders]
        theirs = [along(network, x, [jnp.asarray(E[a]) for a in axes]) for axes in orders]
        slopes = jnp.stack([jet.derivative(e) for e in E])
        sums = jet.derivative(), slopes, jet.laplacian(E)
        return ours, theirs, sums, jax.jacfwd(network)(x)

    x = jnp.array([0.31, -0.22])
    ours, theirs, (value, slopes, total), jacobian = both(x)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10 * (1.0 + np.abs(b).max()))
    np.testing.assert_allclose(value, network(x), rtol=1e-12)
    np.testing.assert_allclose(slopes, jacobian.T, rtol=1e-10, atol=1e-12)
    h = 1e-4
    points = jnp.concatenate([x[None], x + h * jnp.eye(2), x - h * jnp.eye(2)])
    values = jax.vmap(network)(points)
    differences = (values[1:].sum(0) - 4.0 * values[0]) / h**2
    np.testing.assert_allclose(total, differences, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_taylor_and_directions_of_any_length():
    network = RepNet(2, 1, width=12, hidden=(6,), scale=3.0, key=jr.key(0))
    x, v = jnp.array([0.1, 0.2]), jnp.array([2.0, -1.5])
    line = jax.jit(lambda t: network(x + t[0] * v))
    found = network.jet(x).taylor(v, 3)
    expected = along(line, jnp.zeros(1), [jnp.ones(1)] * 3)
    np.testing.assert_allclose(found[3], expected, rtol=1e-9)
    np.testing.assert_allclose(found[1], central(line, np.zeros(1)), rtol=1e-7)


@pytest.mark.parametrize(
    ("activation", "order"),
    [(jax.nn.relu, 2), (jax.nn.leaky_relu, 2), (jnp.abs, 3), (squared_relu, 3), (cubed_relu, 4)],
)
def test_derivatives_that_are_zero_almost_everywhere_are_refused(activation, order):
    network = MLP(Linear(2, 4, activation=activation, key=jr.key(0)), 1, hidden=(), key=jr.key(1))
    x = jnp.array([0.3, 0.1])
    remedy = rf"order {order} .* zero almost everywhere.*`jnp.tanh`.*`cubed_relu` three"
    with pytest.raises(ValueError, match=remedy):
        network.jet(x).derivative(*[E[0]] * order)
    if order > 2 and activation is not jnp.abs:
        network.jet(x).derivative(*[E[0]] * (order - 1))


@pytest.mark.slow
@pytest.mark.parametrize("features", ["hat", "ramp"])
def test_local_features_of_relu_are_refused_too(features):
    layer = RepLinear(2, 4, scale=2.0, activation=jax.nn.relu, features=features, key=jr.key(0))
    network = MLP(layer, 1, hidden=(), key=jr.key(1))
    with pytest.raises(ValueError, match=rf"activation=relu` \({features} feature\)"):
        network.jet(jnp.zeros(2)).laplacian(E)


def test_standardized_derivatives_keep_double_precision_in_single_precision():
    inner = MLP(Linear(2, 4, key=jr.key(0)), 1, hidden=(), key=jr.key(1))
    numbers = map(jnp.asarray, ([1.0, 2.0], [0.5, 2.0], [3.0], [2.0]))
    network = Standardized(inner, *numbers)
    with jax.enable_x64(False):
        total = jax.vmap(lambda x: network.jet(x).laplacian(list(E)))(jnp.ones((3, 2)))
        assert total.dtype == jnp.float64
