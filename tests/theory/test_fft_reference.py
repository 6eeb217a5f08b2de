"""The reference in physical space against the dense kernel."""

import numpy as np
import pytest
import scipy

from repnet.theory import NormalBias, SineEnsemble, SpectralGrid, TensorPoints, WindowedWaves
from repnet.theory._descent import measured_history
from repnet.theory._fft_reference import fft_reference

WAVES = WindowedWaves((1.0, 3.0), width=0.6)
POINTS = TensorPoints(8.0, 160)
GRID = SpectralGrid(18.0, 90)


@pytest.mark.parametrize("bias", [NormalBias(0.4), NormalBias(0.0)])
def test_flow_of_the_dense_kernel(bias):
    ensemble = SineEnsemble((1.0, 2.0), bias=bias)
    times = np.array([0.0, 0.5, 1.5])
    start = -WAVES(POINTS.points)
    found = fft_reference(ensemble, start, POINTS, times, GRID)
    kernel = ensemble.kernel(POINTS.points, POINTS.points) * POINTS.step
    flow = np.stack([scipy.linalg.expm(-t * kernel) @ start for t in times])
    expected = measured_history(flow, POINTS, times, GRID)
    # The box is periodic for one and ends for the other.
    np.testing.assert_allclose(found.parts, expected.parts, atol=1e-5)


def test_bad_input():
    with pytest.raises(
        ValueError, match=r"reference\(initial=...\)` must hold one value per point"
    ):
        fft_reference(SineEnsemble(), np.zeros(3), POINTS, np.zeros(1), GRID)
    small = TensorPoints(1.0, 32)
    with pytest.raises(ValueError, match=r"reference\(points=...\)` must be a box that the first"):
        fft_reference(SineEnsemble(), WAVES(small.points), small, np.zeros(1), GRID)
