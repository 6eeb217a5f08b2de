"""Draws that are compiled for many sizes at once give the numbers of `jax.random`."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn._random import normal, permutation, signs, uniform


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("shape", [(1,), (7, 3), (1100, 4)])
def test_numbers_are_those_of_jax(shape, double):
    key = jr.key(3)
    with jax.enable_x64(double):
        pairs = [(normal, jr.normal), (uniform, jr.uniform), (signs, jr.rademacher)]
        for own, reference in pairs:
            found = own(key, shape)
            assert found.dtype == jnp.zeros(()).dtype
            np.testing.assert_array_equal(found, reference(key, shape))


@pytest.mark.parametrize("count", [0, 1, 2, 900, 1700])  # of no, one and two sorts
def test_an_order_is_that_of_jax(count):
    np.testing.assert_array_equal(permutation(jr.key(count), count), _order(jr.key(count), count))


def _order(key, count):
    return jr.permutation(key, count) if count else []


def test_keys_may_be_traced_or_fixed_inside_of_a_trace():
    known = uniform(jr.key(1), (5,), -2.0, 3.0)

    @jax.jit
    def both(key):
        return uniform(key, (5,), -2.0, 3.0), uniform(jr.key(1), (5,), -2.0, 3.0)

    for found in both(jr.key(1)):
        np.testing.assert_allclose(found, known, rtol=1e-6)
    many = jax.vmap(lambda key: normal(key, (4,)))(jr.split(jr.key(2), 3))
    np.testing.assert_array_equal(many[1], normal(jr.split(jr.key(2), 3)[1], (4,)))
