"""Tests of the two parts of a data set."""

import numpy as np
import pytest

from repnet.cli._parts import split
from repnet.data import Dataset


def line(rows: int) -> Dataset:
    x = np.linspace(0, 1, rows)[:, None]
    return Dataset("line", x, np.hstack([x, -x]), ("x",), ("a", "b"), ("m", "s", "kg"))


def test_the_rows_are_those_that_were_held_out():
    parts = split(line(200), 0.25, seed=3)
    assert parts.test is not None
    np.testing.assert_array_equal(parts.data.x[parts.test_rows], parts.test.x)
    np.testing.assert_array_equal(parts.data.y[parts.test_rows], parts.test.y)
    together = np.concatenate([parts.train.x, parts.test.x])
    np.testing.assert_array_equal(np.sort(together, axis=0), parts.data.x)


def test_a_share_of_nothing_holds_out_nothing():
    parts = split(line(9), 0.0, seed=0)
    assert parts.test is None
    assert parts.train is parts.data


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_other_shares_are_refused(share):
    with pytest.raises(ValueError, match="`--holdout` must be 0 or lie between 0 and 1"):
        split(line(9), share, seed=0)
