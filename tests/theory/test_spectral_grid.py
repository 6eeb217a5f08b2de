"""Parts and weights of a frequency grid against norms in physical space."""

import numpy as np
import pytest
from scipy.special import jv

from repnet.theory import SpectralGrid, SpectralHistory, WindowedWaves


def norm_square(waves, half_width=8.0, count=400):
    axis = (np.arange(count) + 0.5) * 2 * half_width / count - half_width
    mesh = np.stack(np.meshgrid(*[axis] * waves.dim, indexing="ij"), axis=-1)
    values = waves(mesh.reshape(-1, waves.dim))
    return np.sum(values**2) * (2 * half_width / count) ** waves.dim


@pytest.mark.parametrize(
    ("waves", "grid"),
    [
        (WindowedWaves((1.0, 4.0, 7.0), width=0.9), SpectralGrid(20.0, 400)),
        (
            WindowedWaves(((1.0, 2.0), (-3.0, 0.5)), width=1.2),
            SpectralGrid(12.0, 240, dim=2, modes=30),
        ),
    ],
)
def test_parseval(waves, grid):
    parts = grid.parts(waves.transform(grid.points))
    history = SpectralHistory(grid, np.zeros(1), parts[None])
    # Smooth functions of frequency: the middles of cells integrate them to round-off.
    np.testing.assert_allclose(history.energy(), norm_square(waves), rtol=1e-9)


def test_parts_in_one_dimension_are_even_and_odd():
    grid = SpectralGrid(12.0, 120)
    even = WindowedWaves((2.0,), width=1.0, phases=(np.pi / 2,))
    odd = WindowedWaves((2.0,), width=1.0, phases=(0.0,))
    assert grid.parities == ["even", "odd"]
    for waves, own in ((even, 0), (odd, 1)):
        parts = grid.parts(waves.transform(grid.points))
        assert np.abs(parts[own]).max() > 1.0
        np.testing.assert_allclose(parts[1 - own], 0.0, atol=1e-14)


def test_parts_in_two_dimensions_are_angular_modes():
    # J. Bessel: the transform of a shifted Gaussian e^{-|x-c|²/2} is 2π e^{-ρ²/2} e^{-iξ·c}, and
    # e^{-iρ|c| cos(θ-α)} = Σ (-i)^m J_m(ρ|c|) e^{im(θ-α)}.
    grid = SpectralGrid(6.0, 30, dim=2, modes=20)
    centre = np.array([0.6, -0.8])
    rho2 = np.sum(grid.points**2, axis=1)
    parts = grid.parts(2 * np.pi * np.exp(-rho2 / 2 - 1j * grid.points @ centre))
    angle = np.arctan2(centre[1], centre[0])
    for mode in (0, 1, 5):
        expected = (-1j) ** mode * jv(mode, grid.centres) * np.exp(-1j * mode * angle)
        expected = expected * 2 * np.pi * np.exp(-(grid.centres**2) / 2)
        np.testing.assert_allclose(parts[mode], expected, atol=1e-12)
    assert grid.parities[:3] == ["even", "odd", "even"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"highest": 0.0, "cells": 10}, r"`SpectralGrid\(highest=...\)` must be finite and pos"),
        ({"highest": float("nan"), "cells": 10}, r"must be finite and positive; got nan"),
        ({"highest": 1.0, "cells": 3}, r"`SpectralGrid\(cells=...\)` must be an integer >= 4; got"),
        ({"highest": 1.0, "cells": 8, "dim": 3}, r"`SpectralGrid\(dim=...\)` must be one of"),
        ({"highest": 1.0, "cells": 8, "modes": 0}, r"`SpectralGrid\(modes=...\)` must be an int"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        SpectralGrid(**options)
