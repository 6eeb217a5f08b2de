"""The reparameterized layer against its formula, its distribution and its magnitude."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import RepLinear
from repnet.nn._first import _FORMS

KEY = jr.key(0)


def formula(layer, x):
    """z by hand, in float64, from the stored parameters."""
    planes = layer.planes
    s = np.asarray(layer.scale, dtype=float)
    mean = np.prod(s) ** (1 / s.size)
    v = np.asarray(planes.direction, dtype=float)
    if hasattr(planes, "log_slope"):
        n = v / np.linalg.norm(v, axis=1, keepdims=True)
        g, t = (np.asarray(each, dtype=float) for each in (planes.log_slope, planes.offset))
        return np.exp(g) * (n @ (s * x) - mean * t)
    if hasattr(planes, "centre"):
        return np.sum(v * s * (x - np.asarray(planes.centre, dtype=float)), axis=1)
    return v @ (s * x) + mean * np.asarray(planes.offset, dtype=float)


@pytest.mark.parametrize("form", sorted(_FORMS))
@pytest.mark.parametrize("scale", [7.0, (2.0, 9.0, 4.0)])
def test_the_layer_computes_its_formula(form, scale):
    with jax.enable_x64(True):
        layer = RepLinear(3, 12, scale=scale, form=form, features="plain", key=KEY)
        # Perturbed, so that no parameter sits at a value that would hide a mistake.
        noise = jax.tree.map(lambda p: p + 0.1 * jr.normal(jr.key(1), p.shape), layer.planes)
        layer = eqx.tree_at(lambda each: each.planes, layer, noise)
        x = np.array([0.3, -0.8, 0.5])
        expected = np.tanh(formula(layer, x)) * float(layer.gain)
        np.testing.assert_allclose(layer(jnp.asarray(x)), expected, atol=1e-12)
        weight, bias = layer.affine()
        np.testing.assert_allclose(weight @ x + bias, formula(layer, x), atol=1e-12)


@pytest.mark.parametrize("form", sorted(_FORMS))
def test_slopes_and_hyperplanes_at_the_start(form):
    scale = np.array([3.0, 30.0])
    layer = RepLinear(2, 40, scale=scale, form=form, lower=(0.0, -2.0), upper=(1.0, 5.0), key=KEY)
    weight, bias = (np.asarray(each) for each in layer.affine())
    # One slope scale per axis: w∘(1/s) is a unit vector.
    np.testing.assert_allclose(np.linalg.norm(weight / scale, axis=1), 1.0, rtol=1e-5)
    # Each hyperplane meets the widened box: z changes sign between its corners.
    low, high = np.array([0.0, -2.0]) - 0.01 * np.array([1, 7]), np.array([1.0, 5.0])
    high = high + 0.01 * np.array([1, 7])
    reach = np.where(weight > 0, weight * high, weight * low).sum(1) + bias
    depth = np.where(weight > 0, weight * low, weight * high).sum(1) + bias
    assert (reach >= -1e-4).all()
    assert (depth <= 1e-4).all()


@pytest.mark.slow
def test_the_forms_start_as_the_same_layer():
    x = jnp.array([0.2, -0.4])
    values = [RepLinear(2, 30, scale=(5.0, 11.0), form=form, key=KEY)(x) for form in sorted(_FORMS)]
    np.testing.assert_allclose(values[0], values[1], atol=1e-5)
    np.testing.assert_allclose(values[0], values[2], atol=1e-5)


def test_one_dimension_is_stratified_over_the_widened_domain():
    layer = RepLinear(1, 60, scale=10.0, lower=2.0, upper=5.0, margin=0.1, key=KEY)
    weight, bias = layer.affine()
    points = np.sort(-np.asarray(bias) / np.asarray(weight)[:, 0])
    cells = (points - (2.0 - 0.15)) / 3.3 * 60
    np.testing.assert_array_equal(np.floor(cells), np.arange(60))
    assert 10 < int((weight > 0).sum()) < 50


QUICK = [(jnp.tanh, "local", 1, 300.0), (jax.nn.relu, "step", 3, 20.0)]
ALL = [
    (activation, features, dim, scale)
    for activation in (jnp.tanh, jax.nn.relu, jnp.sin, jax.nn.softplus)
    for features in ("step", "local", "plain")
    for dim, scale in ((1, 1.0), (1, 300.0), (3, 20.0))
]


@pytest.mark.parametrize(
    ("activation", "features", "dim", "scale"),
    [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in ALL if case not in QUICK)],
)
def test_mean_square_of_the_features_is_one(activation, features, dim, scale):
    layer = RepLinear(dim, 256, scale=scale, activation=activation, features=features, key=KEY)
    x = jr.uniform(jr.key(9), (4096, dim), minval=-1.0, maxval=1.0)
    mean_square = jnp.mean(jnp.square(jax.vmap(layer)(x)))
    # 4,096 random points see a feature of support 2/300 about 14 times per unit: 1 to 2 %.
    assert float(mean_square) == pytest.approx(1.0, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("features", "activation", "features_out", "units"),
    [
        ("local", jnp.tanh, 32, 64),
        ("local", jax.nn.relu, 21, 63),
        ("step", jax.nn.relu, 32, 64),
        ("step", jnp.tanh, 64, 64),
    ],
)
def test_paired_counts_every_activation(features, activation, features_out, units):
    layer = RepLinear(
        2, 64, scale=8.0, features=features, activation=activation, paired=True, key=KEY
    )
    assert layer.width == features_out == layer(jnp.zeros(2)).shape[0]
    assert layer.units == units
    assert RepLinear(2, 64, scale=8.0, activation=activation, key=KEY).units == 64


@pytest.mark.slow
def test_constants_get_no_gradient_and_parameters_do():
    layer = RepLinear(2, 16, scale=8.0, key=KEY)
    slope = eqx.filter_grad(lambda each: jnp.sum(each(jnp.array([0.1, 0.2]))))
    gradient = eqx.filter_jit(slope)(layer)
    assert float(jnp.abs(gradient.scale).max()) == 0.0
    assert float(jnp.abs(gradient.gain)) == 0.0
    for parameter in jax.tree.leaves(gradient.planes):
        assert float(jnp.abs(parameter).max()) > 0.0


def test_direction_has_any_length():
    layer = RepLinear(3, 16, scale=8.0, key=KEY)
    longer = eqx.tree_at(lambda each: each.planes.direction, layer, replace_fn=lambda v: 7.0 * v)
    x = jnp.array([0.3, 0.1, -0.6])
    np.testing.assert_allclose(longer(x), layer(x), rtol=2e-5, atol=2e-5)


@pytest.mark.slow
def test_stack_over_keys_and_scales():
    keys, scales = jr.split(KEY, 3), jnp.array([1.0, 10.0, 100.0])
    stack = eqx.filter_vmap(lambda key, s: RepLinear(1, 32, scale=s, key=key))(keys, scales)
    one = RepLinear(1, 32, scale=10.0, key=keys[1])
    x = jnp.array([0.37])
    values = eqx.filter_vmap(lambda layer: layer(x))(stack)
    np.testing.assert_allclose(values[1], one(x), rtol=1e-4, atol=1e-5)


def test_same_key_gives_the_same_layer_and_another_key_another():
    first, again = (RepLinear(2, 8, scale=3.0, key=KEY) for _ in range(2))
    other = RepLinear(2, 8, scale=3.0, key=jr.key(1))
    assert eqx.tree_equal(first, again)
    assert not eqx.tree_equal(first, other)


@pytest.mark.parametrize("precise", [False, True])
def test_parameters_take_the_default_precision(precise):
    with jax.enable_x64(precise):
        layer = RepLinear(2, 8, scale=3.0, key=jr.key(0))
        leaves = jax.tree.leaves(eqx.filter(layer, eqx.is_array))
        assert {leaf.dtype.name for leaf in leaves} == {"float64" if precise else "float32"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": 0.0}, r"`RepLinear\(scale=...\)` must be finite and positive; got 0.0"),
        ({"scale": (1.0, -2.0)}, r"got -2.0"),
        ({"scale": (1.0, 2.0, 3.0)}, r"shape \(2,\); got shape \(3,\)"),
        ({"features": "bumps"}, r"Did you mean 'bump'"),
        ({"form": "slopes"}, r"Did you mean 'slope'"),
        ({"directions": "axes"}, r"Did you mean 'axis'"),
        ({"offsets": "sobel"}, r"Did you mean 'sobol'"),
        ({"lower": 2.0}, r"`RepLinear\(upper - lower=...\)` must be finite and positive; got -1.0"),
        ({"width": 0}, r"`RepLinear\(width=...\)` must be an integer >= 1; got 0"),
        ({"width": 1, "paired": True}, r"integer >= 2; got 1"),
        ({"rates": {"slope": -1.0}}, r"`Rates\(slope=...\)` must be finite and >= 0; got -1.0"),
    ],
)
def test_bad_arguments_are_named(change, message):
    arguments = {"in_size": 2, "width": 8, "scale": 3.0} | change
    with pytest.raises(ValueError, match=message):
        RepLinear(**arguments, key=KEY)


def test_given_directions_are_the_normals_whatever_the_scales():
    vectors = np.array([[3.0, 4.0], [1.0, -1.0], [0.0, 2.0]])
    layer = RepLinear(2, 7, scale=(2.0, 30.0), directions=vectors, key=KEY)
    weight = np.asarray(layer.affine()[0])
    expected = vectors[np.arange(7) % 3] / np.linalg.norm(vectors, axis=1)[np.arange(7) % 3, None]
    found = weight / np.linalg.norm(weight, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((3, 3)), r"must have shape \(any, 2\) if it is an array; got shape \(3, 3\)"),
        (np.array([[1.0, 0.0], [0.0, 0.0]]), r"finite vectors that are not zero; got \[\[0.0, 0.0"),
    ],
)
def test_bad_given_directions_are_named(vectors, message):
    with pytest.raises(ValueError, match=message):
        RepLinear(2, 8, scale=3.0, directions=vectors, key=KEY)
