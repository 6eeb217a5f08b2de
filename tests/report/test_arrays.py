"""Tests of what is saved for the figures: faithful, and small however large the data."""

import jax.random as jr
import numpy as np
import pytest

from repnet.data import Dataset, holdout
from repnet.nn import RepNet
from repnet.problem import regression
from repnet.report import arrays_of, data_arrays, spectrum_arrays
from repnet.report._arrays import MOST_LINE, MOST_PIXELS, MOST_POINTS, envelope
from repnet.solve import RESULTS, Plan, Solution
from repnet.solve._standardize import standardization
from repnet.spectrum import axis_spectra


def untrained(data: Dataset) -> Solution:
    """A solution of the right shape, before any training."""
    problem = regression(data.x, data.y)
    inner = RepNet(data.x.shape[1], data.y.shape[1], width=8, scale=5.0, key=jr.key(0))
    network = standardization(problem).wrap(inner, double=False)
    return Solution(network, None, RESULTS.successful, {}, Plan("n", "s"), 0.0, initial=network)


def everything(data: Dataset) -> dict[str, np.ndarray]:
    train, test = holdout(data, 0.1, seed=0)
    solution = untrained(data)
    spectra = axis_spectra(data.x, data.y, data.grid_shape)
    return arrays_of(data, train, test, {"net": solution}, {"net": solution(data.x)}, spectra)


def dataset(x: np.ndarray, y: np.ndarray, grid_shape=None) -> Dataset:
    names = tuple("abcdef"[: x.shape[1]])
    return Dataset("set", x, y[:, None], names, ("y",), grid_shape=grid_shape)


def test_an_envelope_keeps_the_extremes_of_every_stretch(rng):
    values = rng.normal(size=100_000)
    rows = envelope(values, most=1_000)
    assert len(rows) <= 1_000
    assert {np.argmin(values), np.argmax(values)} <= set(rows)
    for part in np.split(np.arange(100_000), 500):
        inside = rows[(rows >= part[0]) & (rows <= part[-1])]
        assert values[part].max() == values[inside].max()
        assert values[part].min() == values[inside].min()


@pytest.mark.slow
def test_a_long_curve_is_drawn_with_few_points_and_a_close_up(rng):
    x = np.linspace(0, 10, 50_001)
    arrays = everything(dataset(x[:, None], np.sin(300 * x), (50_001,)))
    assert len(arrays["data_x"]) <= MOST_LINE
    assert arrays["data_y"].max() > 0.9999
    assert arrays["zoom_x"][-1] - arrays["zoom_x"][0] < 0.3  # ten wavelengths are 0.21
    inside = (x >= arrays["zoom_x"][0]) & (x <= arrays["zoom_x"][-1])
    assert len(arrays["zoom_data_x"]) == inside.sum()


def test_the_close_up_lies_where_the_data_vary_most():
    x = np.linspace(-1, 1, 4_001)
    y = np.sin(400 * x) * np.exp(-((x - 0.6) ** 2) / 0.005)
    arrays = everything(dataset(x[:, None], y))
    assert arrays["zoom_x"][0] < 0.62
    assert arrays["zoom_x"][-1] > 0.5


@pytest.mark.slow
def test_errors_of_a_map_are_fit_minus_data():
    axis = np.linspace(0, 1, 40)
    x = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    data = dataset(x, x[:, 0] - 2 * x[:, 1], (40, 40))
    arrays = everything(data)
    solution = untrained(data)
    assert arrays["truth"].shape == (40, 40)
    wanted = (solution(x)[:, 0] - data.y[:, 0]).reshape(40, 40)
    np.testing.assert_allclose(arrays["error:net"], wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(arrays["extent:0"], [0, 1])


def test_large_maps_and_clouds_stay_small(rng):
    shape = (1_000, 900)
    axes = [np.arange(float(n)) for n in shape]
    x = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
    assert max(data_arrays(dataset(x, x[:, 0], shape))["truth"].shape) <= MOST_PIXELS
    cloud = rng.uniform(size=(30_000, 2))
    assert len(data_arrays(dataset(cloud, cloud[:, 0]))["values"]) == MOST_POINTS


def test_a_scattered_fit_is_blank_where_no_data_are_near(rng):
    angle, radius = rng.uniform(0, 2 * np.pi, 2_000), rng.uniform(0.8, 1.0, 2_000)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    fit = everything(dataset(x, x[:, 0]))["fit:net"]
    assert np.isnan(fit[90, 90])  # the middle of the ring
    assert np.isfinite(fit[90, 5])


@pytest.mark.slow
def test_slices_run_through_the_middle(rng):
    x = rng.uniform(-2, 4, (500, 4))
    data = dataset(x, x.sum(axis=1))
    arrays = everything(data)
    line = np.tile((x.min(axis=0) + x.max(axis=0)) / 2, (201, 1))
    line[:, 2] = arrays["slice_x:2"]
    np.testing.assert_allclose(arrays["slice_fit:2:net"], untrained(data)(line)[:, 0], rtol=1e-5)
    assert {
        f"density_{when}:{axis}:net" for when in ("before", "after") for axis in range(4)
    } <= set(arrays)


@pytest.mark.slow
def test_a_line_with_a_constant_input_is_a_curve_over_the_other():
    t = np.linspace(0, 3, 80)
    data = dataset(np.stack([0 * t + 5, t], axis=1), np.sin(9 * t))
    arrays = everything(data)
    np.testing.assert_array_equal(arrays["data_x"], t)
    line = np.stack([np.full(1_001, 5.0), arrays["zoom_x"]], axis=1)
    np.testing.assert_allclose(arrays["zoom_fit:net"], untrained(data)(line)[:, 0], rtol=1e-5)
    assert "density_after:1:net" in arrays
    assert "density_after:0:net" not in arrays


@pytest.mark.slow
def test_a_grid_with_a_constant_input_is_a_map_over_the_others():
    axes = [np.arange(6.0), np.array([5.0]), np.arange(4.0)]
    x = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    arrays = everything(dataset(x, x[:, 0] - 2 * x[:, 2], (6, 1, 4)))
    np.testing.assert_array_equal(arrays["truth"], axes[0][:, None] - 2 * axes[2])
    np.testing.assert_array_equal(arrays["extent:1"], [0, 3])


def test_grouped_power_keeps_its_sum(rng):
    x = np.linspace(0, 1, 20_001)
    spectra = axis_spectra(x, rng.normal(size=20_001))
    arrays = spectrum_arrays(spectra)
    assert len(arrays["power:0"]) <= 2_000
    assert arrays["power:0"].sum() == np.float64(spectra[0].power.sum()) or np.isclose(
        arrays["power:0"].sum(), spectra[0].power.sum(), rtol=1e-12
    )
