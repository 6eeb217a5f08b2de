"""The search for a scale: what it returns, and that it comes near the best of a scan."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import RepNet
from repnet.problem import Box, Problem, Term, regression
from repnet.solve import Gradient, find_scale, train_many
from repnet.solve._scale_search import _Short, _smallest, search_scale
from repnet.spectrum import ScaleChoice


def relative(solution, x, y):
    return np.linalg.norm(solution(x)[:, 0] - y) / np.linalg.norm(y)


def test_the_smallest_scale_near_the_best_wins():
    errors = {-1: 0.5, 0: 0.018, 1: 0.010, 2: 0.02}
    assert _smallest(errors, (0.7, 0.0, 0.0)) == 1
    assert _smallest({**errors, 0: 0.016}, (0.7, 0.0, 0.0)) == 0  # within 1.7 of the least
    assert _smallest({**errors, 0: 0.016}, (0.0, 0.0, 0.0)) == 1
    assert _smallest({**errors, 0: 0.016}, (0.7, 0.009, 0.0)) == 1  # most of it is noise
    assert _smallest(errors, (0.0, 0.009, 0.009)) == 0  # but chance could make as much


def test_few_points_keep_the_guess():
    x = np.linspace(0, 1, 9)
    guess = ScaleChoice((3.0,), ("because",), {"noise": 0.0})
    variants = {"a": lambda key, scale: None}
    found = search_scale(regression(x, x), variants, guess, key=jr.key(0))
    assert found == ("a", guess)


@pytest.mark.parametrize(("count", "trainings"), [(33, 15), (161, 3)])
def test_few_points_are_all_left_out_in_turn(monkeypatch, count, trainings):
    """One error per scale, of five trainings that leave out all points but the first and last."""
    x = np.linspace(-1, 1, count)
    held = []

    def squares(short, ready, rows):
        held.append(rows)
        return 1.0

    monkeypatch.setattr(_Short, "_squares", squares)
    guess = ScaleChoice((3.0,), (), {"noise": 0.0})
    variants = {"": lambda key, scale: RepNet(1, width=8, hidden=(), scale=scale, key=key)}
    _, choice = search_scale(regression(x, x), variants, guess, key=jr.key(0))
    assert set(choice.numbers["heldout"].values()) == {1.0}
    assert len(held) >= trainings
    left = np.sum(held[: trainings // 3], axis=0)
    assert left.max() == 1
    assert left[[0, -1]].sum() == 0
    assert (left.sum() == count - 2) == (count == 33)


@pytest.mark.slow
def test_a_bad_guess_is_left_behind():
    x = np.linspace(-1, 1, 257)
    problem = regression(x, np.sin(40 * x))
    guess = ScaleChoice((3.0,), (), {"noise": 0.0})

    def make(key, scale):
        return RepNet(1, width=64, hidden=(16,), scale=scale, key=key)

    _, choice = search_scale(problem, {"": make}, guess, steps=300, key=jr.key(0))
    assert choice.scale[0] >= 12.0
    assert len(choice.numbers["heldout"]) > 3


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_noise_on_few_points_wants_the_small_scale_that_learns_slowly(seed):
    """After 300 steps the scale of 1.8 has not learnt the faster wave; in the end it is best."""
    x = np.linspace(-1, 1, 129)
    y = np.sin(3 * x) + 0.3 * np.sin(13 * x)
    noisy = y + 0.1 * np.std(y) * np.random.default_rng(3).normal(size=x.shape)

    def make(key, scale):
        return RepNet(1, width=256, hidden=(64, 64), scale=scale, key=key)

    _, choice = find_scale(regression(x, noisy), {"": make}, key=jr.key(seed))
    assert choice.scale[0] < 3.0
    assert choice.numbers["heldout"]["0.5"] < 0.2


def test_a_problem_that_is_no_regression_has_no_scale():
    def zero(u, x, unknowns):
        return u(x)

    problem = Problem(Box(0.0, 1.0), {"equation": Term(zero, np.linspace(0, 1, 5))})
    with pytest.raises(ValueError, match="regression"):
        find_scale(problem, {}, key=jr.key(0))


@pytest.mark.slow
def test_directions_that_suit_the_target_are_found():
    x = np.random.default_rng(0).uniform(-1, 1, (2000, 3))
    y = np.sin(12 * x[:, 0]) + np.sin(9 * x[:, 1]) + np.cos(11 * x[:, 2])
    solution = Gradient(steps=800, width=96, hidden=(16,), batch=256).run(
        regression(x, y), key=jr.key(0)
    )
    errors = solution.plan.numbers["directions"]
    assert min(errors, key=errors.get) == "axis"


@pytest.mark.long
@pytest.mark.parametrize(
    ("activation", "features"),
    [(jnp.tanh, "local"), (jnp.tanh, "step"), (jax.nn.relu, "local"), (jax.nn.relu, "step")],
)
def test_the_scale_found_is_near_the_best_of_a_scan(activation, features):
    x, fine = np.linspace(-1, 1, 129), np.linspace(-1, 1, 2001)

    def target(t):
        return np.sin(4 * t) + 0.4 * np.cos(45 * t)

    problem = regression(x, target(x))
    solver = Gradient(steps=1200, width=96, activation=activation, features=features)

    def make(key, scale):
        return RepNet(1, width=96, scale=scale, activation=activation, features=features, key=key)

    _, choice = find_scale(
        problem, {"": make}, activation=activation, features=features, steps=1200, key=jr.key(1)
    )
    scales = jnp.asarray(np.append(np.geomspace(0.5, 128, 9), choice.scale[0]), jnp.float32)
    keys = jnp.repeat(jr.split(jr.key(2), 1), 10)
    solutions = train_many(problem, make, solver, scales, keys=keys)
    *scan, found = [relative(solution, fine, target(fine)) for solution in solutions]
    assert found < 2.5 * min(scan)
