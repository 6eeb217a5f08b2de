"""Rate multipliers have the network's shape and do what they say under Adam."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

from repnet.nn import FROZEN, MLP, FourierFeatures, Linear, Rates, RepLinear, RepNet, learning_rates


@pytest.mark.parametrize("form", ["slope", "centre", "affine"])
def test_tree_is_that_of_the_parameters(form):
    network = RepNet(2, 1, width=16, hidden=(8,), scale=25.0, form=form, key=jr.key(0))
    parameters = eqx.filter(network, eqx.is_inexact_array)
    rates = learning_rates(network)
    assert jax.tree.structure(rates) == jax.tree.structure(parameters)
    scaled = jax.tree.map(lambda p, r: p * r, parameters, rates)
    assert [a.shape for a in jax.tree.leaves(scaled)] == [
        a.shape for a in jax.tree.leaves(parameters)
    ]


def test_defaults_and_choices():
    rates = learning_rates(RepLinear(2, 4, scale=25.0, key=jr.key(0)))
    assert (rates.planes.log_slope, rates.planes.direction) == (1.0, 1.0)
    assert float(rates.planes.offset[0]) == pytest.approx(0.2)  # 1/√25
    assert (rates.scale, rates.gain) == (0.0, 0.0)
    chosen = RepLinear(1, 4, scale=25.0, rates={"slope": 3.0, "offset": 0.5}, key=jr.key(0))
    assert learning_rates(chosen).planes.log_slope == 3.0
    assert learning_rates(chosen).planes.offset == 0.5


@pytest.mark.parametrize(("form", "rate"), [("slope", 0.0), ("centre", 3.0), ("affine", 3.0)])
def test_with_one_input_a_direction_of_unit_length_has_nothing_to_learn(form, rate):
    layer = RepLinear(1, 4, scale=25.0, form=form, rates={"direction": 3.0}, key=jr.key(0))
    assert learning_rates(layer).planes.direction == rate
    slopes = jax.grad(lambda p: jnp.sum(p.affine(layer.scale)[0] ** 2))(layer.planes).direction
    assert bool(jnp.all(slopes == 0.0)) == (form == "slope")


def test_offset_rate_follows_the_geometric_mean_of_the_scales():
    rates = learning_rates(RepLinear(2, 4, scale=(4.0, 25.0), key=jr.key(0)))
    assert float(rates.planes.offset[0]) == pytest.approx(10.0**-0.5)


def _after_one_step(layer):
    """The layer after a step of AdamW, whose weight decay would move constants too."""
    parameters, static = eqx.partition(layer, eqx.is_inexact_array)

    def loss(p):
        return jnp.sum(jnp.square(eqx.combine(p, static)(jnp.array([0.3])) - 1.0))

    optimiser = optax.adamw(0.1, weight_decay=0.1)
    updates, _ = optimiser.update(
        jax.grad(loss)(parameters), optimiser.init(parameters), parameters
    )
    updates = jax.tree.map(lambda u, r: u * r, updates, learning_rates(layer))
    return eqx.combine(optax.apply_updates(parameters, updates), static)


@pytest.mark.slow
def test_frozen_layer_and_constants_stay_to_the_bit():
    frozen = RepLinear(1, 4, scale=25.0, rates=FROZEN, key=jr.key(0))
    assert eqx.tree_equal(_after_one_step(frozen), frozen)
    trained = _after_one_step(RepLinear(1, 4, scale=25.0, key=jr.key(0)))
    assert eqx.tree_equal((trained.scale, trained.gain), (frozen.scale, frozen.gain))
    assert not eqx.tree_equal(trained.planes, frozen.planes)


@pytest.mark.slow
def test_fourier_features_are_fixed_unless_trainable():
    for trainable in (False, True):
        layer = FourierFeatures(1, 8, trainable=trainable, key=jr.key(0))
        assert eqx.tree_equal(_after_one_step(layer), layer) is not trainable


def test_rates_of_a_stack_broadcast():
    scales = jnp.array([4.0, 100.0])
    stack = eqx.filter_vmap(lambda s, k: RepLinear(1, 6, scale=s, key=k))(
        scales, jr.split(jr.key(0), 2)
    )
    for rates in (learning_rates(stack), eqx.filter_vmap(learning_rates)(stack)):
        offset = jnp.broadcast_to(rates.planes.offset, stack.planes.offset.shape)
        np.testing.assert_allclose(offset[:, 0], [0.5, 0.1], rtol=1e-6)


def test_vanilla_networks_and_plain_modules_have_one():
    network = MLP(Linear(1, 8, key=jr.key(0)), key=jr.key(1))
    assert set(jax.tree.leaves(learning_rates(network))) == {1.0}
    outside = eqx.nn.MLP(1, 1, 8, 2, key=jr.key(0))
    assert set(jax.tree.leaves(learning_rates(outside))) == {1.0}


def test_rates_refuse_nan():
    with pytest.raises(ValueError, match=r"`Rates\(offset=\.\.\.\)` must be finite"):
        Rates(offset=float("nan"))


def test_a_whole_number_freezes_as_well():
    rates = object.__new__(Rates)  # past the tests' type checks, which refuse whole numbers
    for name in ("slope", "direction", "offset"):
        object.__setattr__(rates, name, 0)
    rates.__post_init__()
    assert [type(rate) for rate in (rates.slope, rates.direction, rates.offset)] == [float] * 3
    assert rates == FROZEN
