"""Transforms of windowed waves against quadrature."""

import numpy as np
import pytest

from repnet.theory import WindowedWaves


@pytest.mark.parametrize(
    "waves",
    [
        WindowedWaves((1.0, 4.0), width=0.8),
        WindowedWaves((3.0,), width=0.5, phases=(0.7,), amplitudes=(-2.0,)),
        WindowedWaves(((1.0, 2.0), (-3.0, 0.5)), width=0.9, amplitudes=(1.0, 0.3)),
    ],
)
def test_transform_by_quadrature(waves, rng):
    step = 0.05  # the trapezoidal rule is exact to round-off for such functions
    axis = np.arange(-8.0, 8.0 + step / 2, step)
    x = np.stack(np.meshgrid(*[axis] * waves.dim, indexing="ij"), axis=-1).reshape(-1, waves.dim)
    xi = rng.uniform(-6.0, 6.0, (8, waves.dim))
    found = np.exp(-1j * xi @ x.T) @ waves(x) * step**waves.dim
    np.testing.assert_allclose(waves.transform(xi), found, atol=1e-10)


def test_values_by_hand():
    waves = WindowedWaves(((1.0, 2.0),), width=2.0, phases=(0.3,), amplitudes=(1.5,))
    expected = 1.5 * np.exp(-(0.25 + 0.01) / 8.0) * np.sin(0.5 - 0.2 + 0.3)
    np.testing.assert_allclose(waves(np.array([[0.5, -0.1]])), [expected], rtol=1e-14)


def test_nothing_is_left_beyond_the_highest_frequency():
    for waves in (WindowedWaves((1.0, 9.0), 0.8), WindowedWaves(((3.0, 4.0),), 0.8)):
        xi = np.linspace(0.0, 20.0, 2001)[:, None] * np.ones(waves.dim) / waves.dim**0.5
        size = np.abs(waves.transform(xi))
        beyond = np.linalg.norm(xi, axis=1) > waves.highest
        assert size[beyond].max() < 1e-12 * size.max()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"waves": ()}, r"`WindowedWaves\(waves=...\)` must hold at least one finite frequency"),
        ({"waves": (1.0, float("nan"))}, r"at least one finite frequency, all of one dimension"),
        ({"waves": ((1.0, 2.0), (1.0,))}, r"all of one dimension; got \(\(1.0, 2.0\), \(1.0,\)\)"),
        ({"waves": (1.0,), "width": 0.0}, r"`WindowedWaves\(width=...\)` must be finite and pos"),
        ({"waves": (1.0, 2.0), "phases": (0.0,)}, r"\(phases=...\)` must hold one number per wave"),
        ({"waves": (1.0,), "phases": (float("nan"),)}, r"\(phases=...\)` must be finite; got"),
        ({"waves": (1.0,), "amplitudes": (1.0, 2.0)}, r"\(amplitudes=...\)` must hold one number"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        WindowedWaves(**{"width": 1.0, **options})
