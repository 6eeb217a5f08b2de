"""Derivatives of fields agree with closed forms and nested reverse mode, whatever the field is."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import RepNet, Standardized
from repnet.problem import (
    Shared,
    Term,
    Transformed,
    directional,
    divergence,
    gradient,
    laplacian,
    partial,
    taylor,
)

X = [0.3, -0.7]


@pytest.fixture(autouse=True)
def _double():
    with jax.enable_x64(True):
        yield


def wave(x):
    """Two outputs with derivatives known in closed form."""
    return jnp.stack([jnp.sin(3.0 * x[0]) * jnp.exp(2.0 * x[1]), x[0] ** 4 * x[1] ** 3])


def closed(i, j):
    """The derivative of order i by x and j by y of `wave`."""
    x, y = X
    quarter = np.sin(3.0 * x + i * np.pi / 2)
    fall = [1.0, 4.0, 12.0, 24.0, 24.0][i] * x ** (4 - i)
    power = [1.0, 3.0, 6.0, 6.0, 0.0][j] * (y ** (3 - j) if j < 4 else 0.0)
    return np.array([3.0**i * quarter * 2.0**j * np.exp(2.0 * y), fall * power])


@pytest.mark.parametrize(("i", "j"), [(1, 0), (0, 2), (3, 0), (0, 4), (1, 1), (2, 1), (2, 2)])
def test_partial_of_a_function(i, j):
    x = jnp.asarray(X)
    np.testing.assert_allclose(partial(partial(wave, 0, i), -1, j)(x), closed(i, j), rtol=1e-12)
    np.testing.assert_allclose(partial(partial(wave, 1, j), 0, i)(x), closed(i, j), rtol=1e-12)


def test_gradient_laplacian_and_divergence():
    x = jnp.asarray(X)
    jacobian = np.stack([closed(1, 0), closed(0, 1)], axis=-1)
    np.testing.assert_allclose(gradient(wave)(x), jacobian, rtol=1e-12)
    np.testing.assert_allclose(divergence(wave)(x), [np.trace(jacobian)], rtol=1e-12)
    np.testing.assert_allclose(laplacian(wave)(x), closed(2, 0) + closed(0, 2), rtol=1e-12)
    np.testing.assert_allclose(laplacian(wave, axes=(-1,))(x), closed(0, 2), rtol=1e-12)
    biharmonic = closed(4, 0) + 2.0 * closed(2, 2) + closed(0, 4)
    found = jax.jit(laplacian(laplacian(wave)))(x)
    np.testing.assert_allclose(found, biharmonic, rtol=1e-11)


def test_directional_is_the_derivative_on_a_line():
    x, v = jnp.asarray(X), np.array([0.6, -2.0])
    expected = v[0] ** 2 * closed(2, 0) + 2 * v[0] * v[1] * closed(1, 1) + v[1] ** 2 * closed(0, 2)
    np.testing.assert_allclose(directional(wave, v, 2)(x), expected, rtol=1e-12)
    third = taylor(wave, x, jnp.asarray(v), 3)
    np.testing.assert_allclose(third[2], expected, rtol=1e-12)
    np.testing.assert_allclose(third[3], directional(wave, v, 3)(x), rtol=1e-12)


def transformed(transform, network):
    return Transformed(network, transform), lambda x: transform(network, x)


def network():
    return RepNet(2, 2, width=16, hidden=(8,), scale=3.0, key=jr.key(0))


def in_units(inner):
    numbers = ([1.0, 2.0], [0.5, 2.0], [3.0, 1.0], [2.0, 0.1])
    return Standardized(inner, *map(jnp.asarray, numbers))


FIELDS = {
    "network": lambda: (network(), network()),
    "equinox": lambda: (eqx.nn.MLP(2, 2, 8, 2, jnp.tanh, key=jr.key(1)),) * 2,
    "standardized": lambda: (in_units(network()),) * 2,
    "standardized equinox": lambda: (
        (in_units(eqx.nn.MLP(2, 2, 8, 2, jnp.tanh, key=jr.key(1))),) * 2
    ),
    "hard condition": lambda: transformed(
        lambda u, x: x[0] * jnp.sin(x[1]) * u(x) ** 2 + x[1], network()
    ),
    "hard condition elsewhere": lambda: transformed(
        lambda u, x: u(x) + x[0] * u(jnp.sin(x)), network()
    ),
    "shared": lambda: (Shared(network()), network()),
}


def ours(field, x):
    return (
        gradient(field)(x),
        laplacian(field)(x),
        partial(partial(field, 1), 0)(x),
        partial(partial(field, 0, 2), 1)(x),
    )


def by_reverse_mode(plain, x):
    hessian = jax.jacrev(jax.jacrev(plain))
    slope = jax.jacfwd(lambda y: hessian(y)[:, 0, 0])(x)
    found = hessian(x)
    return jax.jacrev(plain)(x), jnp.einsum("oii", found), found[:, 0, 1], slope[:, 1]


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.slow
def test_every_kind_of_field_agrees_with_reverse_mode(name):
    field, plain = FIELDS[name]()
    x = jnp.asarray(X)
    found, expected = jax.jit(lambda x: (ours(field, x), by_reverse_mode(plain, x)))(x)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.slow
def test_a_divergence_form_and_its_parameter_gradient():
    """div(a grad u) with a coefficient that depends on the unknowns, as in inverse problems."""

    def residual(u, x, unknowns):
        return divergence(lambda y: jnp.exp(unknowns * y[0]) * gradient(u)(y)[0])(x) - u(x)

    def expanded(u, x, k):
        du, hessian = jax.jacrev(u)(x)[0], jax.hessian(u)(x)[0]
        return jnp.exp(k * x[0]) * (k * du[0] + jnp.trace(hessian)) - u(x)

    @eqx.filter_jit
    def both(pair, x):
        term = Term(residual)
        ours = eqx.filter_value_and_grad(lambda pair: term(pair[0], x, pair[1])[0])(pair)
        theirs = eqx.filter_value_and_grad(lambda pair: expanded(pair[0], x, pair[1])[0])(pair)
        return ours, theirs

    net = RepNet(2, 1, width=16, hidden=(8,), scale=3.0, key=jr.key(0))
    found, expected = both((net, jnp.asarray(0.4)), jnp.asarray(X))
    leaves = (jax.tree.leaves(eqx.filter(each, eqx.is_array)) for each in (found, expected))
    for a, b in zip(*leaves, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.slow
def test_sharing_holds_within_one_trace_only():
    """The same point inside and outside of a branch: nothing leaks from one trace to the other."""

    def residual(u, x, unknowns):
        inside = jax.lax.cond(x[0] > 0.0, lambda: laplacian(u)(x), lambda: u(x))
        return inside + u(x) + laplacian(u)(x)

    net, x = network(), jnp.asarray(X)
    found = jax.jit(lambda x: Term(residual)(net, x, None))(x)
    expected = jax.jit(lambda x: 2.0 * jnp.einsum("oii", jax.hessian(net)(x)) + net(x))(x)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_sharing_saves_the_work():
    """A Burgers residual needs four products per layer: u, u_t, u_x and u_xx."""

    def burgers(u, x, unknowns):
        return partial(u, 1)(x) + u(x) * partial(u, 0)(x) - 0.1 * partial(u, 0, 2)(x)

    net = RepNet(2, 1, width=16, hidden=(8, 8), scale=3.0, key=jr.key(0))
    jaxpr = jax.make_jaxpr(lambda x: Term(burgers)(net, x, None))(jnp.asarray(X))
    products = [e for e in jaxpr.eqns if e.primitive.name == "dot_general"]
    first_layer = 3  # the second derivative of its pre-activations is zero
    assert len(products) == first_layer + 3 * 4


@pytest.mark.parametrize("order", [-1, True])
def test_bad_orders(order):
    with pytest.raises(ValueError, match=r"`partial\(order=...\)` must be a whole number >= 0"):
        partial(wave, 0, order)


def test_bad_axes_and_shapes():
    with pytest.raises(IndexError, match="must be one of 2; got 2"):
        partial(wave, 2)(jnp.asarray(X))
    with pytest.raises(IndexError, match="must be one of 2; got -3"):
        laplacian(wave, axes=(-3,))(jnp.asarray(X))
    with pytest.raises(ValueError, match="got 1 outputs for 2 inputs"):
        divergence(lambda x: x[:1])(jnp.asarray(X))
