"""Networks side by side: every output and its derivatives are those of its own network."""

import jax.numpy as jnp
import numpy as np
import pytest

from repnet import laplacian, partial
from repnet.nn import Beside, Standardized

POINT = jnp.array([0.3, -0.7])


def wave(x):
    return jnp.array([jnp.sin(2.0 * x[0]) * x[1] ** 3, x[0]])


def bend(x):
    return jnp.array([jnp.cos(x[0]) * x[1]])


@pytest.fixture
def three():
    """Wave's first, bend, and wave's second output; the waves in units of their own."""
    scaled = Standardized(wave, jnp.zeros(2), jnp.ones(2), jnp.array([1.0, 0.0]), 2.0 * jnp.ones(2))
    return Beside([scaled, bend], order=(0, 2, 1))


def test_values_and_derivatives_stand_in_order(three):
    x, y = 0.3, -0.7
    value = [2 * np.sin(2 * x) * y**3 + 1.0, np.cos(x) * y, 2 * x]
    mixed = [12 * np.cos(2 * x) * y**2, -np.sin(x), 0.0]
    curved = [-8 * np.sin(2 * x) * y**3 + 12 * np.sin(2 * x) * y, -np.cos(x) * y, 0.0]
    assert three.out_size == 3
    np.testing.assert_allclose(three(POINT), value, rtol=1e-5)
    np.testing.assert_allclose(partial(partial(three, 0), 1)(POINT), mixed, rtol=1e-5)
    np.testing.assert_allclose(laplacian(three)(POINT), curved, rtol=1e-5)
    series = three.jet(POINT).taylor(np.array([0.0, 1.0]), 2)
    np.testing.assert_allclose(series[1], [12 * np.sin(2 * x) * y**2 / 2, np.cos(x), 0], rtol=1e-5)


@pytest.mark.parametrize("order", [(0, 0), (1, 2), (0, 2, 1, 4)])
def test_an_order_that_is_none_is_refused(order):
    with pytest.raises(ValueError, match=r"`Beside\(order=...\)` must hold every place"):
        Beside([wave, bend], order=order)


def test_needs_a_network():
    with pytest.raises(ValueError, match=r"`Beside\(parts=\.\.\.\)` needs at least one"):
        Beside([], order=())
