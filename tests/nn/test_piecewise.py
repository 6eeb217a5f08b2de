"""Cubics between samples: SciPy's values, their derivatives, and what lies beyond the samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import Akima1DInterpolator

from repnet.nn import PiecewiseCubic


@pytest.fixture
def samples(rng):
    x = np.sort(rng.uniform(-1, 1, 40))
    return x, np.stack([np.sin(7 * x), np.abs(x)], axis=1)


def test_both_ways_of_calling_are_scipys(samples, rng):
    inside = rng.uniform(samples[0][0], samples[0][-1], (200, 1))
    reference = Akima1DInterpolator(*samples)(inside[:, 0])
    with jax.enable_x64(True):
        cubic = PiecewiseCubic.akima(*samples)
        one_by_one = jax.vmap(cubic)(jnp.asarray(inside))
    np.testing.assert_allclose(cubic.many(inside), reference, atol=1e-14)
    np.testing.assert_allclose(one_by_one, reference, atol=1e-14)


def test_slopes_are_continuous_at_the_knots_and_the_outermost_pieces_go_on(samples):
    x, _ = samples
    with jax.enable_x64(True):
        cubic = PiecewiseCubic.akima(*samples)
        slope = jax.jit(jax.vmap(jax.jacfwd(cubic)))
        left, right = (slope(jnp.asarray(x[1:-1, None] + shift)) for shift in (-1e-9, 1e-9))
        np.testing.assert_allclose(left, right, atol=1e-4)
        beyond = Akima1DInterpolator(*samples, extrapolate=True)(x[-1] + 0.01)
        np.testing.assert_allclose(cubic(jnp.array([x[-1] + 0.01])), beyond, atol=1e-13)


def test_two_samples_are_a_line():
    with jax.enable_x64(True):
        cubic = PiecewiseCubic.akima(np.array([0.0, 2.0]), np.array([[1.0], [5.0]]))
        assert float(cubic(jnp.array([0.5]))[0]) == 2.0


def test_samples_must_increase():
    with pytest.raises(ValueError, match="increasing"):
        PiecewiseCubic.akima(np.array([0.0, 1.0, 1.0]), np.zeros((3, 1)))
