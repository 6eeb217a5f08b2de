"""Periodic bumps: against their formula, their period and their derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.nn import MLP, RingBumps
from repnet.problem import partial


def _layer(width: int = 9) -> RingBumps:
    rng = np.random.default_rng(1)
    sharpness = rng.uniform(0.5, 40.0, width)
    rest = rng.normal(size=(3, width))
    return RingBumps(*map(jnp.asarray, (sharpness, *rest)))


def test_a_sharp_bump_is_a_gaussian_that_moves_and_grows() -> None:
    with jax.enable_x64(True):
        one = jnp.ones(1)
        layer = RingBumps(1e4 * one, 0.2 * one, 0.5 * one, 0.3 * one)
        x, t = 0.303, 0.2  # 0.003 beside the bump, which is 1/(100 π) wide
        right = np.exp(-0.5e4 * (np.pi * 0.003) ** 2 + 0.3 * t)
        assert abs(float(layer(jnp.array([x, t]))[0]) / right - 1.0) < 1e-5


@pytest.mark.slow
def test_all_derivatives_have_period_two() -> None:
    with jax.enable_x64(True):
        network = MLP(_layer(), hidden=(), key=jax.random.key(0))
        x, there = jnp.array([-1.0, 0.3]), jnp.array([1.0, 0.3])
        for order in range(4):
            u = partial(network, 0, order)
            np.testing.assert_allclose(u(x), u(there), rtol=1e-9, atol=1e-9)


def test_derivatives_against_differences() -> None:
    with jax.enable_x64(True):
        network = MLP(_layer(), hidden=(), key=jax.random.key(0))
        x, h = np.array([0.4, -0.2]), 1e-5
        for axis in (0, 1):
            step = h * np.eye(2)[axis]
            slope = partial(network, 1)
            difference = (slope(jnp.asarray(x + step)) - slope(jnp.asarray(x - step))) / (2 * h)
            mixed = partial(slope, axis)(jnp.asarray(x))
            np.testing.assert_allclose(mixed, difference, rtol=1e-6, atol=1e-7)
