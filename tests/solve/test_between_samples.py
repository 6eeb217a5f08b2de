"""On grids, errors to expect hold between the nodes, where held-out nodes cannot tell."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet import regression, solve
from repnet.solve import LeastSquares, Windows
from repnet.solve._families import folded


def _grid(dim, count):
    axes = np.meshgrid(*[np.linspace(-1, 1, count)] * dim, indexing="ij")
    return np.stack(axes, axis=-1).reshape(-1, dim)


def _error(solution, f, dim):
    x = np.random.default_rng(1).uniform(-0.97, 0.97, (2000, dim))
    apart = np.ravel(solution(x)) - f(x)
    return float(np.sqrt(np.mean(np.square(apart))) / np.std(f(x)))


def _oblique(x):
    return np.sin(5.0 * x.sum(axis=1)) + 0.3 * np.cos(9.0 * x[:, 0])


def _kink(x):
    return np.abs(x.sum(axis=1) - 0.3)


def _fast(x):
    return np.sin(12.0 * x[:, 0] + 3.0 * x[:, -1])


@pytest.mark.long
@pytest.mark.parametrize(
    ("f", "dim", "count", "bound"),
    [(_oblique, 3, 9, 1e-2), (_kink, 2, 17, 0.03), (_kink, 3, 14, 0.03), (_fast, 3, 9, 1e-2)],
)
def test_what_follows_a_direction_is_right_between_the_nodes(f, dim, count, bound):
    x = _grid(dim, count)
    assert _error(solve(regression(x, f(x)), key=jr.key(0)), f, dim) < bound


@pytest.mark.slow
@pytest.mark.parametrize("solver", [Windows(), LeastSquares()])
@pytest.mark.parametrize(("f", "dim", "count"), [(_fast, 2, 17), (_fast, 3, 9), (_oblique, 3, 9)])
def test_two_draws_of_a_layer_tell_the_error_that_held_out_nodes_hide(solver, f, dim, count):
    x = _grid(dim, count)
    solution = solver.run(regression(x, f(x)), key=jr.key(0))
    numbers = solution.plan.numbers
    held = numbers["leave_one_out"] if isinstance(solver, Windows) else numbers["heldout"]
    error = _error(solution, f, dim)
    assert 0.1 * error < max(numbers["between"], held) < 10 * error
    assert "two draws of the layer" in " ".join(solution.plan.reasons)


def test_one_dimension_is_judged_by_held_out_points_alone():
    x = np.linspace(-1, 1, 60)[:, None]
    solution = LeastSquares(64, activation=jnp.tanh).run(
        regression(x, np.sin(9 * x)), key=jr.key(0)
    )
    assert solution.plan.numbers["between"] == 0.0


def test_folded_frequencies_agree_at_the_nodes_and_lie_below_nyquist():
    nyquist = np.array([4.0 * np.pi, np.inf])
    nodes = np.linspace(-1.0, 1.0, 9)
    frequencies = np.array([[13.1, 90.0], [-14.0, 1.0], [12.0, 0.0]])
    below = folded(frequencies, nyquist)
    assert np.all(np.abs(below[:, 0]) <= nyquist[0])
    np.testing.assert_array_equal(below[:, 1], frequencies[:, 1])
    waves = [np.cos(np.outer(f[:, 0], nodes)) for f in (frequencies, below)]
    np.testing.assert_allclose(*waves, atol=1e-12)
