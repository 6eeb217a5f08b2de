"""The data set's own checks, and the held-out split."""

import numpy as np
import pytest

from repnet.data import Dataset, holdout


def line(rows: int) -> Dataset:
    x = np.arange(float(rows))[:, None]
    return Dataset("line", x, 2 * x, ("x",), ("y",), grid_shape=(rows,))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (
            [0.0, np.nan, np.nan],
            r"`waves`: column 'h' must be finite; row 2 has nan \(2 such values\)",
        ),
        ([0.0, 1.0, -np.inf], r"column 'h' must be finite; row 3 has -inf \(1 such value\)"),
        ([1e300, 1.0, 2.0], r"column 'h' must stay below 1e\+150 in magnitude; row 1 has 1e\+300"),
    ],
)
def test_values_that_cannot_be_used_are_located(bad, message):
    with pytest.raises(ValueError, match=message):
        Dataset("waves", np.zeros((3, 1)), np.array(bad)[:, None], ("t",), ("h",))
    with pytest.raises(ValueError, match=message):
        Dataset("waves", np.array(bad)[:, None], np.zeros((3, 1)), ("h",), ("t",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_names": ("a", "b")}, "`input_names` needs one entry per column, 1"),
        ({"units": ("m",)}, "`units` needs one entry per column, 2"),
        ({"grid_shape": (2, 2)}, r"`grid_shape` must hold 3 nodes; got \(2, 2\)"),
    ],
)
def test_names_and_shapes_must_fit(change, message):
    fields = {"input_names": ("t",), "target_names": ("h",)} | change
    with pytest.raises(ValueError, match=message):
        Dataset("waves", np.zeros((3, 1)), np.zeros((3, 1)), **fields)


def test_holdout_parts_are_the_whole_and_no_row_is_in_both():
    train, test = holdout(line(101), 0.1, seed=3)
    assert (len(train.x), len(test.x)) == (91, 10)
    assert sorted([*train.x[:, 0], *test.x[:, 0]]) == list(range(101))
    assert np.all(np.diff(train.x[:, 0]) > 0)
    np.testing.assert_array_equal(test.y, 2 * test.x)
    assert train.grid_shape is None


def test_holdout_depends_on_the_seed_alone():
    first, again, other = (holdout(line(50), 0.3, seed)[1].x for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("rows", "share", "message"),
    [
        (10, 0.0, "must lie between 0 and 1; got 0.0"),
        (10, 1.5, "must lie between 0 and 1; got 1.5"),
        (4, 0.1, "0.1 of the 4 rows of 'line' holds out 0"),
        (3, 0.6, "0.6 of the 3 rows of 'line' holds out 2"),
    ],
)
def test_holdout_names_what_is_wrong(rows, share, message):
    with pytest.raises(ValueError, match=message):
        holdout(line(rows), share, seed=0)
