"""Sizes of a training follow the data where nothing is said of them."""

import numpy as np
import pytest

from repnet.problem import regression
from repnet.solve._sized import sized_gradient


@pytest.mark.parametrize(("waves", "width"), [(20, 256), (400, 448), (3000, 1024)])
def test_a_record_has_a_unit_per_wavelength(waves, width):
    x = np.linspace(3.0, 8.0, 10_000)
    problem = regression(x, np.sin(2.0 * np.pi * waves * (x - 3.0) / 5.0))
    assert sized_gradient(problem).width == width
    assert sized_gradient(problem, width=80).width == 80


def test_several_inputs_and_many_points():
    x = np.random.default_rng(0).uniform(size=(5000, 2))
    solver = sized_gradient(regression(x, np.sin(900.0 * x[:, 0])), depth=2)
    assert (solver.width, solver.hidden, solver.batch) == (256, (64,), 2048)
    assert sized_gradient(regression(x[:200], x[:200, 0]), batch=500).batch == 200
