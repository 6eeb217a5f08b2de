"""Active directions, against the gradients and waves of known functions."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.spectrum import active_directions, suggest_scale

RNG = np.random.default_rng(1)


@pytest.fixture(autouse=True)
def same_draws_in_any_order(monkeypatch):
    """Every test draws the same, whichever tests the worker ran before it."""
    monkeypatch.setattr(sys.modules[__name__], "RNG", np.random.default_rng(1))


KEY = jax.random.key(0)


def rotation(dim):
    return np.linalg.qr(RNG.normal(size=(dim, dim)))[0]


def angle(units, axis):
    return np.abs(units @ (axis / np.linalg.norm(axis)))


@pytest.mark.slow
@pytest.mark.parametrize("dim", [2, 3, 8])
def test_a_ridge_is_found_in_any_dimension(dim):
    x = RNG.uniform(-1, 1, (3000, dim))
    w = 6.0 * rotation(dim)[0]
    law = active_directions(x, np.sin(x @ w))
    assert law.explained > 0.95
    assert np.linalg.norm(law.covariance @ w / 6.0 - w / 6.0) < 0.02
    assert abs(law.omega_max - 6.0) < 0.3
    assert np.mean(angle(law.draw(40, key=KEY), w) > 0.99) >= 0.85


def test_ridges_that_share_a_subspace_are_told_apart():
    x = RNG.uniform(-1, 1, (6000, 4))
    w = rotation(4)[:3] * np.array([[8.0], [12.0], [18.0]])
    units = active_directions(x, np.sin(x @ w.T).sum(axis=1)).draw(100, key=KEY)
    shares = [np.mean(angle(units, each) > 0.995) for each in w]
    np.testing.assert_allclose(np.array(shares), 0.9 * np.array([8, 12, 18]) / 38, atol=0.06)


def test_the_covariance_is_that_of_the_gradient():
    q = rotation(2)
    x = RNG.uniform(-1, 1, (6000, 2))

    def gradient(x):
        a, b = (x @ q).T
        inner = np.exp(-((a / 0.2) ** 2) - b**2)[:, None]
        return inner * np.stack([-2 * a / 0.04, -2 * b], axis=1) @ q.T

    a, b = (x @ q).T
    law = active_directions(x, np.exp(-((a / 0.2) ** 2) - b**2))
    slopes = gradient(RNG.uniform(-1, 1, (50_000, 2)))
    expected = slopes.T @ slopes / np.sum(slopes**2)
    np.testing.assert_allclose(law.covariance, expected, atol=0.06)
    assert "covariance of its gradient lies 9" in law.reason()


@pytest.mark.slow
def test_a_radial_target_has_no_preferred_direction():
    x = RNG.uniform(-1, 1, (4000, 2))
    law = active_directions(x, np.cos(15 * np.linalg.norm(x, axis=1)))
    np.testing.assert_allclose(law.covariance, 0.5 * np.eye(2), atol=0.1)


@pytest.mark.parametrize("y", [lambda x: RNG.normal(size=len(x)), lambda x: 3 * x[:, 0] + 1])
def test_noise_and_planes_have_no_directions(y):
    x = RNG.uniform(-1, 1, (800, 3))
    assert active_directions(x, y(x)) is None


def test_one_dimension_has_no_directions():
    assert active_directions(np.linspace(0, 1, 50), np.sin(np.linspace(0, 9, 50))) is None


def test_slopes_along_a_ridge_are_not_held_back_by_the_distance_of_points():
    x = RNG.uniform(-1, 1, (4000, 4))
    y = np.sin(20 * x @ rotation(4)[0])
    guess = suggest_scale(x, y, activation=jnp.tanh, features="local")
    law = active_directions(x, y)
    choice = law.choice(guess, len(x), activation=jnp.tanh, features="local")
    np.testing.assert_allclose(choice.scale, 0.3 * 2**0.5 * 20, rtol=0.05)
    assert min(guess.scale) < 0.7 * choice.scale[0]


def test_the_same_key_draws_the_same_units():
    x = RNG.uniform(-1, 1, (500, 2))
    law = active_directions(x, np.sin(9 * x[:, 0] + 4 * x[:, 1]))
    np.testing.assert_array_equal(law.draw(9, key=KEY), law.draw(9, key=KEY))
    off = np.linalg.norm(np.abs(law.frequencies(64, 2.0, key=KEY)) - [9, 4], axis=1)
    assert np.mean(off < 2.1) > 0.5  # the rest stands for what one wave leaves
    assert off[:2].max() < 0.1
