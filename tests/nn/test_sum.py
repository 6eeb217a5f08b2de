"""Sums of networks: values and derivatives against closed forms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet import laplacian, partial
from repnet.nn import Standardized, Sum

FIRST = jnp.array([0.3, -0.7])


def wave(x):
    return jnp.array([jnp.sin(2.0 * x[0]) * x[1] ** 3, x[0]])


def bend(x):
    return jnp.array([jnp.cos(x[0]) * x[1], x[1] ** 2])


@pytest.fixture
def both():
    """2·wave + 5·bend + (1, 0), the first in units of its own."""
    scaled = Standardized(wave, jnp.zeros(2), jnp.ones(2), jnp.array([1.0, 0.0]), 2.0 * jnp.ones(2))
    return Sum([scaled, lambda x: 5.0 * bend(x)], out_size=2)


def test_values_and_derivatives_add(both):
    x, y = 0.3, -0.7
    value = [2 * np.sin(2 * x) * y**3 + 1.0 + 5 * np.cos(x) * y, 2 * x + 5 * y**2]
    mixed = [12 * np.cos(2 * x) * y**2 - 5 * np.sin(x), 0.0]
    curved = [
        -8 * np.sin(2 * x) * y**3 + 12 * np.sin(2 * x) * y - 5 * np.cos(x) * y,
        10.0,
    ]
    np.testing.assert_allclose(both(FIRST), value, rtol=1e-5)
    np.testing.assert_allclose(partial(partial(both, 0), 1)(FIRST), mixed, rtol=1e-5)
    np.testing.assert_allclose(laplacian(both)(FIRST), curved, rtol=1e-5)


@pytest.mark.slow
def test_a_taylor_series_along_a_direction(both):
    along = np.array([0.6, 0.8])
    series = both.jet(FIRST).taylor(along, 2)

    def path(t):
        return both(FIRST + t * jnp.asarray(along))

    slope = jax.jacfwd(path)
    plain = jax.jit(lambda t: (path(t), slope(t), jax.jacfwd(slope)(t)))(0.0)
    np.testing.assert_allclose(series, plain, rtol=1e-4)


def test_needs_a_network():
    with pytest.raises(ValueError, match=r"`Sum\(parts=\.\.\.\)` needs at least one"):
        Sum([], out_size=1)
