"""Tests of the decomposition that does not give up."""

import numpy as np
import pytest

from repnet._svd import thin_svd


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (3, 6, 5)])
def test_where_the_quick_routine_fails_the_sure_one_takes_over(shape, rng, monkeypatch):
    matrices = rng.normal(size=shape)

    def fails(*_, **__):
        raise np.linalg.LinAlgError("SVD did not converge")

    monkeypatch.setattr(np.linalg, "svd", fails)
    left, singular, right = thin_svd(matrices)
    assert np.all(np.diff(singular) <= 0)
    np.testing.assert_allclose((left * singular[..., None, :]) @ right, matrices, atol=1e-13)
    products = right @ np.swapaxes(right, -1, -2)
    unit = np.broadcast_to(np.eye(singular.shape[-1]), products.shape)
    np.testing.assert_allclose(products, unit, atol=1e-13)
