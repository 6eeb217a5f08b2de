"""Tangent kernels against Jacobians formed in one piece."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import RepNet, learning_rates
from repnet.theory import tangent_kernel

NETWORK = RepNet(2, 3, width=12, hidden=(5,), scale=4.0, key=jr.key(0))
X = np.random.default_rng(0).uniform(-1.0, 1.0, (7, 2))
Y = np.random.default_rng(1).uniform(-1.0, 1.0, (4, 2))


@jax.jit
def _derivatives(chosen, points):
    rest = eqx.filter(NETWORK, eqx.is_inexact_array, inverse=True)
    return jax.vmap(jax.jacrev(lambda p, x: eqx.combine(p, rest)(x)), (None, 0))(chosen, points)


def jacobian(points, where=lambda n: n, rates=False):
    """Derivatives of all outputs, shape (points, outputs, parameters)."""
    chosen, _ = eqx.partition(NETWORK, eqx.is_inexact_array)
    tree = _derivatives(chosen, jnp.asarray(points, jnp.float32))
    if rates:
        tree = jax.tree.map(lambda leaf, rate: leaf * jnp.sqrt(rate), tree, learning_rates(NETWORK))
    leaves = jax.tree.leaves(where(tree))
    return np.concatenate([np.reshape(leaf, (len(points), 3, -1)) for leaf in leaves], axis=2)


def product(left, right):
    return np.einsum("iop,jop->ij", np.float64(left), np.float64(right))


@pytest.mark.slow
@pytest.mark.parametrize("memory", [2**29, 4000])
def test_the_trace_over_all_parameters(memory):
    expected = product(jacobian(X), jacobian(X))
    found = tangent_kernel(NETWORK, X, memory=memory)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * expected.max())
    np.testing.assert_allclose(found, found.T, rtol=1e-5, atol=1e-6 * found.max())
    both = product(jacobian(X), jacobian(Y))
    found = tangent_kernel(NETWORK, X, Y, memory=memory)
    np.testing.assert_allclose(found, both, rtol=1e-4, atol=1e-5 * expected.max())


@pytest.mark.slow
def test_one_output_some_parameters_and_rates():
    def some(network):
        return [network.readout.weight, network.first.planes.offset]

    for rates in (False, True):
        j = jacobian(X, some, rates)
        expected = product(j[:, 1:2], j[:, 1:2])
        found = tangent_kernel(NETWORK, X, where=some, output=1, rates=rates)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * expected.max())
    j = jacobian(X, rates=True)
    expected = product(j, j)
    found = tangent_kernel(NETWORK, X, rates=True)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * expected.max())


def test_bad_input():
    with pytest.raises(ValueError, match=r"kernel\(x=...\)` must have shape \(points, dim\); got"):
        _unchecked(NETWORK, X[0])
    with pytest.raises(ValueError, match=r"kernel\(x=...\)` must have 2 columns, one per input; g"):
        tangent_kernel(NETWORK, X[:, :1])
    with pytest.raises(ValueError, match=r"kernel\(y=...\)` must have 2 columns, .* got 1"):
        _unchecked(NETWORK, X, X[:, :1])
    with pytest.raises(ValueError, match=r"kernel\(output=...\)` must lie between 0 and 2; got 3"):
        tangent_kernel(NETWORK, X, output=3)
    with pytest.raises(ValueError, match=r"kernel\(where=...\)` must name at least one parameter"):
        tangent_kernel(NETWORK, X, where=lambda n: [])


def _unchecked(*args):
    """The call without the checks of shapes that tests switch on."""
    return tangent_kernel.__wrapped__(*args)
