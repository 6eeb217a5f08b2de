"""Solutions answer for any number of points, as the network itself does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.problem import regression
from repnet.solve import RESULTS, Gradient, LeastSquares, Plan, Solution

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


def test_another_number_of_columns_is_refused(rng):
    x = rng.uniform(size=(40, 2))
    solution = LeastSquares(8, activation=jnp.tanh, scale=2.0).run(
        regression(x, x.sum(axis=1)), key=jax.random.key(0)
    )
    for points in (np.array([0.1, 0.2]), np.zeros((3, 1)), np.zeros((3, 3))):
        with pytest.raises(ValueError, match="one column per input, 2; got shape"):
            solution(points)


@pytest.mark.parametrize(("origin", "level"), [(1.7e9, 0.0), (0.0, 1e8), (-1e6, 1e5)])
def test_an_origin_far_away_moves_no_values(origin, level):
    near = np.linspace(0.0, 10.0, 60)
    y = np.sin(near)
    solver = Gradient(steps=200, width=16, hidden=(8,), scale=5.0)
    here = solver.run(regression(near, y), key=jax.random.key(0))
    far = solver.run(regression(origin + near, level + y), key=jax.random.key(0))
    # The targets' own rounding at the level, trained through 200 steps in single precision.
    np.testing.assert_allclose(far(origin + near) - level, here(near), atol=1e-4)
    point = jnp.asarray([3.0])
    if origin == 0.0:  # and called on one point, in the network's own precision
        found = far.network(point)[0] - far.network.mean[0]
        assert abs(found - here.network(point)[0]) < 1e-6 * level
