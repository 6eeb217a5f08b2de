"""Real data sets: sizes and ranges as their packages state them, scales against geodesy."""

import importlib.util
import math

import numpy as np
import pytest

from repnet.data import camera, heart, sea_floor, sea_surface_temperature, terrain
from repnet.data._samples import metres_per_degree


@pytest.mark.parametrize(
    ("load", "shape", "low", "high"),
    [
        (terrain, (344, 403), 236, 1076),
        (sea_floor, (91, 120), -1437, 2205),
        (camera, (512, 512), 0, 255),
        (heart, (1024,), -112, 250),
    ],
)
def test_gridded_sets(load, shape, low, high):
    data = load()
    assert data.grid_shape == shape
    assert data.x.shape == (math.prod(shape), len(shape))
    assert (data.y.min(), data.y.max()) == (low, high)
    assert data.source
    # C order on a uniform grid: the last axis runs fastest.
    grid = data.x.reshape(*shape, len(shape))
    for axis in range(len(shape)):
        steps = np.diff(grid[..., axis], axis=axis)
        np.testing.assert_allclose(steps, steps.ravel()[0], rtol=1e-9)
        assert steps.ravel()[0] > 0


def test_maps_run_from_north_to_south():
    # Mountains fill the north of Vancouver Island; the Pacific lies in the south-west. The highest
    # node stands beside Mount Garibaldi (49.85 N, 123.00 W): south of 49.98 N, east of 125.98 W.
    data = sea_floor()
    heights = data.y.reshape(data.grid_shape)
    assert heights[0, :20].min() > 0 > -1000 > heights[-1, 0]
    south, east = data.x[data.y.argmax()] / metres_per_degree(49.0)
    assert (49.984 - south, 125.983 - east) == pytest.approx((49.85, 123.0), abs=0.03)


def test_a_degree_is_as_long_as_geodesy_says():
    # Lengths at 45° from the tables of the WGS 84 ellipsoid: 111,132 m and 78,847 m.
    assert metres_per_degree(45.0) == pytest.approx((111_132, 78_847), abs=1)


def test_sea_surface_temperature_keeps_duplicate_and_gap():
    pytest.importorskip("bokeh_sampledata", reason="bokeh-sampledata is not installed")
    data = sea_surface_temperature()
    steps = np.diff(data.x[:, 0])
    assert len(data.x) == 19_226
    assert np.count_nonzero(steps == 0) == 1
    assert steps.max() == pytest.approx(0.5, abs=0.05)
    assert data.units == ("days", "°C")


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install bokeh-sampledata"):
        sea_surface_temperature()
