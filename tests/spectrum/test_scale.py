"""The guess of a scale: units, caps, and what it is fitted to."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.spectrum import suggest_scale


def test_the_scale_does_not_depend_on_units():
    x = np.linspace(-1, 1, 401)
    y = np.sin(30 * x) + 0.5 * np.cos(11 * x)
    plain = suggest_scale(x, y)
    scaled = suggest_scale(1e5 * x + 7e4, 1e-8 * y - 3.0)
    assert scaled.scale == pytest.approx(plain.scale, rel=1e-3)


@pytest.mark.parametrize(
    ("activation", "features", "expected"),
    [
        (jnp.tanh, "local", 0.3 * 50),
        (jnp.tanh, "step", 0.08 * 50**1.4),
        (jax.nn.relu, "local", 0.08 * 50),
        (jax.nn.relu, "step", 0.08 * 50**1.4),
        (lambda z: jnp.sin(z), "local", 0.3 * 50),
    ],
)
def test_a_well_sampled_wave_gives_the_rule_of_its_features(activation, features, expected):
    x = np.linspace(-1, 1, 2001)
    choice = suggest_scale(x, np.sin(50 * x), activation=activation, features=features)
    assert choice.scale[0] == pytest.approx(expected, rel=0.1)
    assert choice.numbers["omega_max"][0] == pytest.approx(50, rel=0.05)


def test_samples_cap_the_scale():
    x = np.linspace(-1, 1, 201)
    choice = suggest_scale(x, np.sign(np.sin(20 * x)))  # its spectrum never ends
    assert choice.scale[0] == pytest.approx(0.35 / 0.01)
    assert "samples" in choice.reasons[0]


def test_every_axis_has_its_own_scale():
    x, z = np.meshgrid(np.linspace(0, 1, 64), np.linspace(0, 9, 64), indexing="ij")
    points = np.stack([x.ravel(), z.ravel()], axis=1)
    choice = suggest_scale(points, np.sin(40 * points[:, 0]) + np.sin(points[:, 1]))
    fast, slow = choice.scale
    # The slow axis holds 1.4 periods, whose frequency is found to half of a bin, a third, at best;
    # 11 % too low here.
    assert fast / slow == pytest.approx(20 / 4.5, rel=0.2)


def test_noise_does_not_raise_the_scale(rng):
    x = np.linspace(-1, 1, 257)
    y = np.sin(12 * x)
    noisy = y + 0.1 * rng.normal(size=257)
    clean, choice = suggest_scale(x, y), suggest_scale(x, noisy)
    assert choice.scale == pytest.approx(clean.scale, rel=0.02)  # 0.5 % at most for 12 draws
    # In units of the target's deviation; over 12 draws the estimate varies by 9 %.
    assert choice.numbers["noise"] == pytest.approx(0.1 / np.std(noisy), rel=0.2)


def test_a_constant_has_the_least_scale():
    assert suggest_scale(np.linspace(0, 1, 30), np.ones(30)).scale == (0.5,)


def test_unknown_features_are_named():
    with pytest.raises(ValueError, match="local"):
        suggest_scale(np.linspace(0, 1, 9), np.ones(9), features="locla")
