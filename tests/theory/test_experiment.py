"""The domain that the model's assumptions ask for, and runs of model and training."""

import jax
import numpy as np
import pytest

from repnet.theory import (
    NormalBias,
    SineEnsemble,
    WindowedWaves,
    compare_kernels,
    diffusion_run,
    require_wide,
    scale_scan,
    speed_up,
)
from repnet.theory._experiment import stable_rate, training_points
from repnet.theory._kernel_error import sine_kernel

KEY = jax.random.key(0)


def test_a_narrow_domain_says_what_would_do():
    waves = WindowedWaves((1.0,), width=0.8)
    with pytest.raises(ValueError, match="`half_width` must be at least 3.4"):
        require_wide(SineEnsemble((1.0, 4.0)), waves, 3.0)
    require_wide(SineEnsemble((1.0, 4.0)), waves, 3.5)


def test_dimensions_must_agree():
    waves = WindowedWaves(((1.0, 0.0),), width=0.8)
    with pytest.raises(ValueError, match=r"dimension of the ensemble, 1.* got 2"):
        diffusion_run(
            SineEnsemble((1.0,)), waves, np.array([0.0, 1.0]), units=8, half_width=4.0, key=KEY
        )


def test_the_rate_is_stable_for_the_kernel_on_the_domain():
    ensemble = SineEnsemble((1.0, 8.0))
    points = training_points(ensemble, WindowedWaves((4.0,), width=0.8), 4.0)
    largest = np.linalg.eigvalsh(ensemble.kernel(points.points, points.points))[-1] * points.step
    assert stable_rate(ensemble, 4.0) * largest < 2.0


@pytest.mark.slow
def test_the_kernel_of_units_is_their_jacobians_product():
    network = SineEnsemble((1.0, 3.0)).draw(32, key=KEY)
    x = np.linspace(-1.0, 1.0, 5)[:, None]
    parts = jax.vmap(jax.jacrev(lambda p, x: p(x)[0]), (None, 0))(network, x)
    rows = [np.asarray(part).reshape(5, -1) for part in jax.tree.leaves(parts)]
    rows = np.concatenate(rows, axis=1)  # the scales are constants: their derivative is zero
    np.testing.assert_allclose(sine_kernel(network, x), rows @ rows.T, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_the_error_of_random_kernels_falls_with_the_root_of_their_number():
    counts = np.array([200, 800, 3200])
    _, slope = compare_kernels(SineEnsemble((1.0, 2.0)), counts, half_width=2.0, key=KEY)
    assert -0.7 < slope < -0.3  # four draws each


@pytest.mark.slow
def test_a_wrong_bias_law_is_seen():
    waves, times = WindowedWaves((1.0, 3.0), width=0.8), np.linspace(0.0, 2.0, 11)
    ensemble = SineEnsemble((2.0,), bias=NormalBias(0.5))
    given = {"units": 4096, "half_width": 3.2, "key": KEY}
    right = diffusion_run(ensemble, waves, times, **given).discrepancy.trajectory
    wrong = diffusion_run(ensemble, waves, times, modelled=SineEnsemble((2.0,)), **given)
    assert right < 0.05
    assert wrong.discrepancy.trajectory > 3.0 * right


@pytest.mark.slow
def test_reparameterizing_is_as_much_faster_as_the_formula_says():
    gain = speed_up(scale=6.0, wave=5.0, units=1024, key=KEY)
    measured = gain.raw[1] / gain.reparameterized[1]
    assert measured > 10.0
    # The formula takes up to 1.6 % too long for the raw network and up to 7 % for the other, at
    # 512, 1,024 and 2,048 units, two draws each.
    assert gain.raw[0] / gain.reparameterized[0] == pytest.approx(measured, rel=0.1)


@pytest.mark.slow
def test_the_best_scale_lies_in_the_predicted_range():
    scan = scale_scan([3.0, 20.0, 150.0], wave=12.0, points=97, units=256, steps=800, key=KEY)
    assert scan.predicted[0] <= 20.0 <= scan.predicted[1]
    assert np.argmin(scan.errors) == 1
    np.testing.assert_allclose(scan.kernel_errors, scan.errors, rtol=0.3)
