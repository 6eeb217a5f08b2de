import numpy as np
import pytest

from repnet.spectrum._samples import as_samples, detrended


def test_columns_and_float32_coordinates_are_kept():
    x, y = as_samples(np.arange(4, dtype=np.float32), [1, 2, 3, 4])
    assert x.shape == y.shape == (4, 1)
    assert x.dtype == np.float32
    assert y.dtype == np.float64


def test_bad_rows_are_named():
    x = np.linspace(0, 1, 10)
    with pytest.raises(ValueError, match="`x` must be finite; row 9"):
        as_samples(np.append(x[:-1], np.inf), x)
    with pytest.raises(ValueError, match="as many rows as each other; got 10 and 5"):
        as_samples(x, x[:5])


def test_trend_is_numpys_least_squares_plane():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(3, 9, (200, 2)), rng.normal(size=(200, 3)) + 4
    y[:, 1] += 5 * x[:, 0]
    plane = np.column_stack([np.ones(200), x])
    rest = y - plane @ np.linalg.lstsq(plane, y, rcond=None)[0]
    found, variance, share = detrended(x, y)
    np.testing.assert_allclose(found, rest / rest.std(axis=0), atol=1e-9)
    assert variance == pytest.approx(rest.var(axis=0).mean())
    assert share == pytest.approx(np.sqrt(np.mean(rest.var(axis=0) / y.var(axis=0))))
