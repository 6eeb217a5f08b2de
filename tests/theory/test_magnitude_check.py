"""The Monte Carlo check finds what a network's law says, and says how surely."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import MLP, FourierFeatures, Linear
from repnet.theory import check_magnitude


def _fourier(key, sigma):
    first_key, rest_key = jr.split(key)
    layer = FourierFeatures(1, 64, sigmas=(1.0,), key=first_key)
    layer = jax.tree.map(lambda leaf: sigma * leaf, layer)
    return MLP(layer, 8, hidden=(), initialization="lecun", key=rest_key)


@pytest.mark.slow
def test_fourier_features_in_closed_form():
    # Var of a read-out weight 1/64 and 32 cosines and sines: E u² = 1/2. A slope of 2πB in each
    # feature, B ~ N(0, σ²): E u'² = (2πσ)²/2.
    for sigma in (0.5, 2.0):
        found = check_magnitude(_fourier, jnp.asarray(sigma), networks=200, key=jr.key(0))
        expected = 0.5**0.5, 2 * np.pi * sigma * 0.5**0.5
        # Four standard errors.
        assert found.measured_output == pytest.approx(expected[0], rel=4 * found.output_error)
        assert found.measured_slope == pytest.approx(expected[1], rel=4 * found.slope_error)
        assert found.predicted_slope == pytest.approx(expected[1], rel=0.1)
        assert found.worst < 4 * max(found.output_error, found.slope_error)


@pytest.mark.slow
def test_standard_errors_are_the_spread_of_repetitions():
    def make(key):
        return MLP(Linear(1, 16, key=key), 1, hidden=(), key=jr.fold_in(key, 1))

    found = [check_magnitude(make, networks=40, points=4, key=jr.key(k)) for k in range(30)]
    spread = np.std([each.measured_slope for each in found], ddof=1)
    stated = np.mean([each.slope_error * each.measured_slope for each in found])
    # Thirty repetitions give a spread to 13 %.
    assert stated == pytest.approx(spread, rel=0.4)


def test_one_network_is_no_sample():
    with pytest.raises(ValueError, match=r"`check_magnitude\(networks=...\)` must be an integer >"):
        check_magnitude(_fourier, jnp.asarray(1.0), networks=1, key=jr.key(0))
