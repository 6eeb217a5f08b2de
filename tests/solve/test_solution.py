"""Solutions answer for any number of points, as the network itself does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.solve import RESULTS, Plan, Solution

PLAN = Plan("made up", "by hand", None, ("Because.",))


def planar(x):
    return jnp.stack([x[0] + 2.0 * x[1], x[0] * x[1]])


SOLUTION = Solution(planar, None, RESULTS.successful, {}, PLAN, 0.0)


@pytest.mark.parametrize("count", [0, 1, 3, 4096, 4097, 10_001])
def test_any_number_of_points(count, rng):
    x = rng.normal(size=(count, 2)).astype(np.float32)
    expected = np.stack([x[:, 0] + 2 * x[:, 1], x[:, 0] * x[:, 1]], axis=1)
    found = SOLUTION(x)
    assert found.shape == (count, 2)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_lists_of_shapes():
    one = Solution(lambda x: jnp.sin(x), None, RESULTS.successful, {}, PLAN, 0.0)
    points = np.linspace(0, 1, 5)
    np.testing.assert_array_equal(one(points), one(points[:, None]))
    assert one(np.arange(3)).shape == (3, 1)  # integers are points too
    for bad in (np.zeros((2, 2, 2)), np.zeros(2, complex), np.array(["a"])):
        with pytest.raises((ValueError, TypeError), match=r"points|Type-check"):
            one(bad)


def test_every_result_has_a_sentence_and_a_plan_reads_as_text():
    assert all(result.value.endswith(".") for result in RESULTS)
    assert str(PLAN) == "network: made up\nsolver:  by hand\nBecause."


def test_solutions_pass_through_jax_transformations():
    leaves, shape = jax.tree.flatten(SOLUTION)
    assert jax.tree.unflatten(shape, leaves).result is RESULTS.successful
