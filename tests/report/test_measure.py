"""Tests of what a fit is measured by."""

import dataclasses

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.data import Dataset, holdout
from repnet.nn import RepNet, siren
from repnet.problem import regression
from repnet.report import bands_of, describe_data, measure
from repnet.report._measure import layout_of, scales_in_units
from repnet.solve import RESULTS, Plan, Solution, standardization


def dataset(x, y, grid_shape=None) -> Dataset:
    names = tuple("abcdef"[: x.shape[1]])
    return Dataset("set", x, y[:, None], names, ("y",), grid_shape=grid_shape)


def test_measures_are_those_of_numpy(rng):
    x = rng.uniform(size=(50, 1))
    test = dataset(x, 3 + x[:, 0])
    found = measure(lambda points: 3.1 + points, test)
    assert found["rmse"] == pytest.approx(0.1)
    assert found["max_error"] == pytest.approx(0.1)
    assert found["rmse_share"] == pytest.approx(0.1 / np.std(x))
    assert found["psnr"] == pytest.approx(20 * np.log10(np.ptp(x) / 0.1))


def test_without_held_out_points_there_is_no_measure():
    assert set(measure(lambda x: x, None).values()) == {None}


def test_every_target_has_its_own_errors(rng):
    x, y = rng.uniform(size=(50, 1)), rng.normal(size=(50, 2))
    test = Dataset("two", x, y, ("t",), ("left", "right"))
    found = measure(lambda _: y + np.array([0.5, 0.0]), test)
    left, right = found["targets"]
    assert (left["target"], left["rmse"], right["rmse"]) == ("left", pytest.approx(0.5), 0.0)
    assert left["relative_l2"] == pytest.approx(0.5 * np.sqrt(50) / np.linalg.norm(y[:, 0]))
    assert found["rmse"] == pytest.approx(0.5 / np.sqrt(2))
    alone = Dataset("one", x, y[:, :1], ("t",), ("left",))
    assert measure(lambda _: y[:, :1], alone)["targets"] is None


def test_a_constant_target_has_no_share():
    flat = dataset(np.arange(5.0)[:, None], np.ones(5))
    assert measure(lambda x: np.ones((5, 1)), flat)["rmse_share"] is None


def test_bands_tell_what_was_learnt():
    x = np.linspace(-1, 1, 1025)[:, None]
    slow, fast = np.sin(4 * np.pi * x), np.sin(128 * np.pi * x)
    data = dataset(x, (slow + fast)[:, 0], (1025,))
    bands = bands_of({"slow": slow, "all": slow + fast}, data)
    assert bands is not None
    where = np.searchsorted(bands["edges"], 128 * np.pi) - 1
    assert bands["error"]["slow"][where] == pytest.approx(1.0, abs=1e-3)
    assert bands["error"]["slow"][0] < 1e-3
    assert np.nanmax(bands["error"]["all"][[0, where]]) < 1e-12


def test_a_target_of_zeros_has_no_bands():
    data = dataset(np.arange(40.0)[:, None], np.zeros(40), (40,))
    assert bands_of({"fit": data.y}, data) is None


def test_inputs_that_are_all_constant_have_no_bands():
    data = dataset(np.full((40, 2), 5.0), np.arange(40.0))
    assert bands_of({"fit": data.y}, data) is None


def test_four_scattered_axes_have_no_bands(rng):
    x = rng.uniform(size=(100, 4))
    assert bands_of({"fit": x[:, :1]}, dataset(x, x[:, 0])) is None


def test_layouts(rng):
    x = rng.uniform(size=(6, 4))
    assert layout_of(dataset(x[:, :1], x[:, 0])) == "line"
    assert layout_of(dataset(x[:, :2], x[:, 0], (2, 3))) == "map"
    assert layout_of(dataset(x[:, :2], x[:, 0])) == "scatter"
    assert layout_of(dataset(x, x[:, 0])) == "many"


def test_constant_inputs_do_not_count(rng):
    x = rng.uniform(size=(6, 4))
    x[:, 1:3] = 5.0, -2.0
    assert layout_of(dataset(x[:, :2], x[:, 0])) == "line"
    assert layout_of(dataset(x, x[:, 0], (2, 1, 1, 3))) == "map"
    assert layout_of(dataset(x, x[:, 0])) == "scatter"
    assert layout_of(dataset(x[:, 1:3], x[:, 0])) == "many"


def test_the_bands_of_a_line_are_those_with_a_constant_input():
    t = np.linspace(0, 1, 200)
    y, fit = np.sin(40 * t), 0.9 * np.sin(40 * t)[:, None]
    alone = bands_of({"fit": fit}, dataset(t[:, None], y, (200,)))
    beside = bands_of({"fit": fit}, dataset(np.stack([0 * t + 5, t], 1), y, (1, 200)))
    np.testing.assert_array_equal(beside["error"]["fit"], alone["error"]["fit"])
    np.testing.assert_array_equal(beside["edges"], alone["edges"])


def test_the_description_counts_both_parts():
    data = dataset(np.arange(20.0)[:, None], np.ones(20))
    train, test = holdout(data, 0.25, seed=0)
    found = describe_data(data, train, test)
    assert (found["points"], found["heldout_points"]) == (15, 5)


def test_the_description_keeps_the_origins_of_dates():
    data = dataclasses.replace(
        dataset(np.arange(20.0)[:, None], np.ones(20)), origins={"a": "2016-02-15T00:00:00+00:00"}
    )
    train, test = holdout(data, 0.25, seed=0)
    assert train.origins == data.origins
    assert describe_data(data, train, test)["origins"] == data.origins


@pytest.mark.parametrize("double", [False, True])
def test_the_scale_is_told_in_the_data_s_units(double):
    problem = regression(np.array([[0.0, 0.0], [10.0, 4.0]]), np.array([0.0, 1.0]))
    with jax.enable_x64(double):
        inner = RepNet(2, width=8, scale=jnp.array([30.0, 8.0]), key=jr.key(0))
        network = standardization(problem).wrap(inner, double=double)
    solution = Solution(network, None, RESULTS.successful, {}, Plan("n", "s"), 0.0)
    assert scales_in_units(solution, 0) == pytest.approx([6.0])  # 30 per half-width of 5
    assert scales_in_units(solution, 1) == pytest.approx([4.0])


def test_a_network_without_a_scale_has_none():
    problem = regression(np.arange(3.0), np.arange(3.0))
    network = standardization(problem).wrap(siren(1, width=4, depth=1, key=jr.key(0)), double=False)
    solution = Solution(network, None, RESULTS.successful, {}, Plan("n", "s"), 0.0)
    assert scales_in_units(solution, 0) is None
