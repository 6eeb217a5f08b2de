import numpy as np
import pytest
import scipy.signal

from repnet.spectrum._window import blur, spread, taper_share, tukey


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_tukey_is_scipys_between_its_samples(share):
    ours = tukey(200, share)
    theirs = scipy.signal.windows.tukey(401, share)[1::2]
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_blur_of_hann_in_closed_form():
    assert blur(1.0) == pytest.approx(1 / np.sqrt(3), rel=1e-4)


def test_spread_is_the_tail_of_the_transform():
    share, beyond = 0.4, 1e-3
    frequencies, kernel = scipy.signal.periodogram(
        tukey(500, share), window="boxcar", nfft=64 * 500, detrend=False
    )
    kernel[0] *= 2  # one-sided density counts 0 once
    tail = 1 - np.cumsum(kernel) / kernel.sum()
    exact = 500 * frequencies[np.argmax(tail <= 2 * beyond)]
    assert spread(share, beyond) == pytest.approx(exact, abs=0.25)


def test_taper_shortens_with_the_number_of_cycles():
    assert taper_share(2.0) == 1.0
    assert taper_share(120.0) == pytest.approx(0.1)
    assert taper_share(1e9) > 0
