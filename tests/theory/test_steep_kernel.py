"""The kernel on a finite domain, against quadrature, a drawn network and the formula's rates."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from repnet.nn import MLP, RepLinear
from repnet.theory import SteepEnsemble, steep_ensemble, steep_kernel, tangent_kernel

X = np.array([[-0.9], [0.0], [0.3], [1.0]])


@pytest.mark.parametrize("group", ["readout", "offset", "slope", "bias", "weight"])
def test_each_group_is_its_integral(group):
    s, half, size = 3.0, 1.0, 1.7
    ensemble = SteepEnsemble(s, span=half, amplitude=size, trained={group: 2.0})
    found = steep_kernel(ensemble, X, X)

    def derivative(x, t):
        z = s * (x - t)
        rise = size / np.cosh(z) ** 2
        parts = {"readout": np.tanh(z), "offset": -s * rise, "slope": (x - t) * rise}
        return (parts | {"bias": rise, "weight": x * rise})[group]

    for i, j in ((0, 0), (1, 3), (2, 3)):
        points = X[i, 0], X[j, 0]
        exact, _ = quad(lambda t, p=points: derivative(p[0], t) * derivative(p[1], t), -half, half)
        # Middles of 72 cells per unit length: an error of second order at the ends.
        np.testing.assert_allclose(found[i, j], 2.0 * exact / (2 * half), rtol=2e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("features", ["plain", "bump"])
def test_a_wide_network_has_it(features):
    units = 4000
    key = jax.random.key(0)
    first = RepLinear(1, units, scale=5.0, features=features, margin=0.0, key=key)
    network = MLP(first, hidden=(), key=key)
    signs = jnp.where(jnp.arange(units) % 2, 1.0, -1.0)[None] / units**0.5
    network = eqx.tree_at(lambda n: n.readout.weight, network, signs)
    ensemble = steep_ensemble(network)

    def groups(n):
        return [n.readout.weight, n.first.planes.offset, n.first.planes.log_slope]

    exact = steep_kernel(ensemble, X, X)
    np.testing.assert_allclose(
        tangent_kernel(network, X, where=groups), exact, rtol=0.02, atol=0.005 * exact.max()
    )


def test_its_transform_in_the_middle_of_a_wide_domain_is_the_rate():
    ensemble = SteepEnsemble(4.0, span=8.0, features="bump")
    y = np.linspace(-4.0, 4.0, 2001)[:, None]
    row = steep_kernel(ensemble, np.zeros((1, 1)), y)[0]
    for xi in np.array([[1.0], [4.0], [7.0]]):
        found = np.trapezoid(row * np.cos(xi[0] * y[:, 0]), y[:, 0])
        np.testing.assert_allclose(found, ensemble.rate(xi)[0], rtol=1e-3)


def test_several_inputs_are_refused():
    ensemble = SteepEnsemble(4.0, span=1.0, dim=2, trained={"readout": 1.0})
    with pytest.raises(ValueError, match="one input; got 2"):
        steep_kernel(ensemble, np.zeros((1, 2)), np.zeros((1, 2)))
