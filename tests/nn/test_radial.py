"""Radial basis functions are what their formula says, and smooth at their centres."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.nn import RadialBasis
from repnet.nn._radial import KERNELS, radial_profile, radial_slope

SCALING = np.array([[1.3, -0.4], [0.0, 0.9], [0.5, 0.5]])

PROFILES = {
    "gaussian": lambda r: np.exp(-(r**2) / 2),
    "inverse_multiquadric": lambda r: (1 + r**2) ** -0.5,
    "multiquadric": lambda r: -np.hypot(1, r),
    "cubic_multiquadric": lambda r: np.hypot(1, r) ** 3,
}


def _network(kernel, rng, scaling=SCALING):
    centres, weight = rng.normal(size=(5, 2)), rng.normal(size=(3, 5))
    slope, bias = rng.normal(size=(3, 2)), rng.normal(size=3)
    arrays = [jnp.asarray(each, jnp.float32) for each in (centres, weight, slope, bias)]
    return RadialBasis(arrays[0], jnp.asarray(scaling, jnp.float32), *arrays[1:], kernel)


@pytest.mark.parametrize("kernel", KERNELS)
def test_values_are_those_of_the_formula(kernel, rng):
    network, x = _network(kernel, rng), rng.normal(size=2)
    distance = np.linalg.norm((x - np.asarray(network.centres)) @ SCALING.T, axis=1)
    expected = np.asarray(network.weight) @ PROFILES[kernel](distance)
    expected += np.asarray(network.slope) @ x + np.asarray(network.bias)
    np.testing.assert_allclose(network(jnp.asarray(x)), expected, rtol=1e-5, atol=1e-5)
    assert (network.in_size, network.out_size) == (2, 3)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.slow
def test_second_derivatives_are_finite_at_a_centre(kernel, rng):
    network = _network(kernel, rng)
    assert np.isfinite(jax.jit(jax.hessian(network))(network.centres[0])).all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_slopes_are_those_of_the_profiles(kernel, rng):
    square = rng.uniform(0.0, 4.0, 20)
    above, below = (radial_profile(kernel, square + step, np) for step in (1e-6, -1e-6))
    np.testing.assert_allclose(radial_slope(kernel, square, np), (above - below) / 2e-6, rtol=1e-6)


def test_an_unknown_kernel_and_a_scaling_of_another_shape_are_refused(rng):
    with pytest.raises(ValueError, match=r"`RadialBasis\(kernel=...\)` must be one of"):
        _network("quintic", rng)
    with pytest.raises(
        ValueError, match=r"scaling=...\)` must have the shape \(rank, 2\) .*\(3, 3\)"
    ):
        _network("gaussian", rng, scaling=np.eye(3))
