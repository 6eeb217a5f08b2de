"""Profiles: density where a solution bends, and the speed of what moves."""

import numpy as np
import pytest

from repnet.solve.equations._adapt import profile, space_nodes


@pytest.mark.parametrize("ring", [False, True])
def test_density_has_integral_one_and_gathers_at_a_layer(ring: bool) -> None:
    x = space_nodes()
    values = np.tanh(x / 0.02)[None, :, None] * (np.cos(np.pi * x / 2) ** 2)[None, :, None]
    found = profile(values, np.zeros_like(values), ring=ring)
    assert abs(found.density.mean() * 2.0 - 1.0) < 1e-12
    assert found.density.min() >= 0.1 - 1e-12  # the even share
    near = np.abs(x) < 0.05
    assert found.density[near].mean() > 5.0 * found.density[~near].mean()


def test_place_inverts_the_distribution() -> None:
    x = space_nodes()
    values = np.tanh(x / 0.1)[None, :, None]
    found = profile(values, np.zeros_like(values), ring=False)
    shares = np.linspace(0.0, 1.0, 11)
    places = found.place(shares)
    assert places[0] == -1.0
    assert places[-1] == 1.0
    below = [found.density[x < place].sum() * (x[1] - x[0]) for place in places]
    np.testing.assert_allclose(below, shares, atol=2 * found.density.max() * (x[1] - x[0]))


def test_speed_of_a_travelling_wave_on_a_ring() -> None:
    x, c = space_nodes(), 0.13
    values = np.sin(3 * np.pi * x)[None, :, None]
    rates = -c * 3 * np.pi * np.cos(3 * np.pi * x)[None, :, None]
    found = profile(values, rates, ring=True)
    # The regularization slows things down where the slope vanishes.
    assert np.median(found.speed) == pytest.approx(c, rel=0.1)
    assert np.all(found.speed <= c * 1.001)
    assert np.all(found.speed > 0.0)


def test_a_constant_is_even() -> None:
    values = np.ones((2, space_nodes().size, 1))
    found = profile(values, np.zeros_like(values), ring=True)
    np.testing.assert_allclose(found.density, 0.5)
    np.testing.assert_allclose(found.speed, 0.0)
