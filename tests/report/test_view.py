"""Tests of what figures show of a data set."""

import numpy as np

from repnet.data import Dataset
from repnet.report._view import lifted, moving_inputs, over_inputs

GRID = np.stack(np.meshgrid(np.arange(3.0), [5.0], np.arange(2.0), indexing="ij"), -1).reshape(6, 3)
DATA = Dataset("grid", GRID, GRID[:, :1], ("a", "b", "c"), ("y",), ("m", "s", "K", "J"), "",
               (3, 1, 2))  # fmt: skip


def test_a_grid_without_its_constant_input_is_a_grid():
    assert moving_inputs(DATA) == (0, 2)
    shown = over_inputs(DATA, (0, 2))
    assert (shown.input_names, shown.units) == (("a", "c"), ("m", "K", "J"))
    assert shown.grid_shape == (3, 2)
    np.testing.assert_array_equal(shown.x, GRID[:, [0, 2]])


def test_a_lifted_solution_keeps_the_other_inputs_in_the_middle():
    along = lifted(lambda x: x @ np.array([[1.0], [10.0], [100.0]]), DATA, (0,))
    np.testing.assert_array_equal(along(np.array([[0.0], [2.0]]))[:, 0], [100.0, 102.0])
