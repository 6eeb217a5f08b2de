"""The loss of a training: weighted means, and earlier times first."""

import jax
import jax.numpy as jnp
import numpy as np

from repnet.solve._loss import causal_mean


def test_causal_weights_are_those_of_a_sum_by_hand(rng):
    time, square = rng.uniform(-1.0, 1.0, 400), rng.uniform(0.0, 3.0, 400)
    place = np.floor((time + 1.0) * 16).astype(int)
    means = np.array([square[place == k].mean() if (place == k).any() else 0.0 for k in range(32)])
    before = np.concatenate([[0.0], np.cumsum(means)[:-1]]) / 32
    expected = np.mean(np.exp(-1.7 * before) * means)
    with jax.enable_x64(True):
        found = causal_mean(jnp.asarray(square), jnp.asarray(time), jnp.asarray(1.7))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_causal_weights_are_constants_of_the_derivative():
    # Two slices: d/dq of (q1 w1 + q2 w2)/32 with w held is w/32, w2 = exp(-eps q1 / 32).
    time = jnp.array([-0.99, 0.99])
    slope = jax.grad(lambda q: causal_mean(q, time, jnp.array(4.0)))(jnp.array([8.0, 1.0]))
    np.testing.assert_allclose(slope, np.array([1.0, np.exp(-1.0)]) / 32, rtol=1e-6)
