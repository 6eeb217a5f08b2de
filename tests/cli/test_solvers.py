"""Tests of what the options of a fit mean: solvers and networks as objects."""

import io

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from rich.console import Console

from repnet.cli import run
from repnet.cli._progress import BarProgress, progress_for
from repnet.cli._solvers import Choice, _direct, _gradient, _rival, _watched, read_choice
from repnet.cli._watch import band_watch
from repnet.data import Dataset
from repnet.judge import band_error
from repnet.nn import FourierFeatures, Linear, SineLinear
from repnet.problem import regression
from repnet.report import read_run
from repnet.solve import AbstractProgress, Gradient, LeastSquares, Radial, Windows
from repnet.solve._automatic import Automatic

PROBLEM = regression(np.linspace(0, 1, 5_000), np.zeros((5_000, 2)))


def wave(count: int) -> Dataset:
    x = np.linspace(0, 1, count)[:, None]
    return Dataset("wave", x, np.sin(40 * x), ("x",), ("y",), grid_shape=(count,))


def test_nothing_said_leaves_everything_to_the_library():
    choice = read_choice({})
    assert choice == Choice()
    assert not choice.trains
    solver = _direct(choice)
    assert isinstance(solver, Automatic)
    assert solver.adapt(Windows()) == Windows()


@pytest.mark.parametrize(
    "options",
    [{"method": "vanilla"}, {"solver": "gradient"}, {"steps": 5}, {"batch": 5}, {"depth": 2}],
)
def test_options_of_training_mean_training(options):
    assert read_choice(options).trains


def test_direct_solvers_take_scale_width_and_activation():
    given = {"activation": jnp.tanh, "scale": 3.0, "width": 7}
    words = {"activation": "tanh", "scale": "3", "width": 7}
    assert _direct(read_choice({"solver": "windows", **words})) == Windows(**given)
    assert _direct(read_choice(words)) == LeastSquares(**given)
    assert _direct(read_choice({"solver": "radial"})) == Radial()


def test_an_activation_alone_leaves_the_solver_open():
    solver = _direct(read_choice({"activation": "tanh"}))
    assert solver.adapt(Windows(80)) == Windows(80, activation=jnp.tanh)


def test_a_training_that_was_chosen_is_watched():
    def watch(network):
        return {}

    found = _watched(_direct(Choice()), lambda: watch)
    assert found.adapt(Gradient()).watch is watch
    assert found.adapt(LeastSquares()) == LeastSquares()
    assert _watched(Gradient(), lambda: watch).watch is watch


def test_large_data_are_trained_in_batches():
    assert _gradient(read_choice({"steps": 5}), PROBLEM).batch == 2048
    few = regression(np.arange(9.0), np.arange(9.0))
    assert _gradient(read_choice({"steps": 5}), few).batch is None
    assert _gradient(read_choice({"batch": 100}), few).batch == 9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "first"),
    [("vanilla", Linear), ("fourier", FourierFeatures), ("siren", SineLinear)],
)
def test_rivals_have_the_sizes_that_were_asked_for(method, first):
    network = _rival(Choice(method=method, width=10, depth=3), PROBLEM, jr.key(0))
    assert isinstance(network.first, first)
    assert (network.in_size, network.out_size, network.first.width) == (1, 2, 10)
    assert [layer.bias.size for layer in network.hidden] == [10, 10]


@pytest.mark.slow
def test_the_rivals_scale_is_in_radians():
    network = _rival(Choice(method="fourier", scale=200.0, width=2_000), PROBLEM, jr.key(0))
    weight, _ = network.first.affine()
    assert float(jnp.std(weight)) == pytest.approx(200.0, rel=0.1)
    siren = _rival(Choice(method="siren", scale=12.0), PROBLEM, jr.key(0))
    assert siren.first.frequency == 12.0


def test_a_bar_is_a_meter_and_is_absent_where_nobody_looks():
    assert isinstance(BarProgress(), AbstractProgress)
    assert progress_for(hidden=True) is None
    assert progress_for(hidden=False) is None  # the tests' standard error is no terminal


def test_a_bar_goes_through_a_solve():
    screen = io.StringIO()
    bar = BarProgress(Console(file=screen, force_terminal=True, width=100))
    bar.start(10, "gradient")
    bar.update(10, 0.25)
    bar.stop()
    bar.stop()
    assert "gradient" in screen.getvalue()
    assert "10/10  loss 2.50e-01" in screen.getvalue()


def test_the_watch_measures_every_band_of_a_block():
    data = wave(20_000)
    watch = band_watch(data, data)
    assert watch is not None
    found = watch(lambda x: jnp.zeros(1))
    assert found["band_edges"][-1] == pytest.approx(np.pi * 19_999, rel=1e-3)  # Nyquist's
    np.testing.assert_allclose(found["band_error"][np.isfinite(found["band_error"])], 1.0)


def test_the_watch_agrees_with_the_judge_where_all_points_count():
    data = wave(500)
    watch = band_watch(data, data)
    assert watch is not None
    found = watch(lambda x: 0.9 * jnp.sin(40 * x))["band_error"]
    wanted = band_error(lambda x: 0.9 * np.sin(40 * x), data.x, data.y)
    filled = wanted.share > 1e-5
    np.testing.assert_array_equal(np.isfinite(found), filled)
    np.testing.assert_allclose(found[filled], wanted.of_band[filled], rtol=1e-3)


def test_without_bands_there_is_no_watch():
    x = np.random.default_rng(0).uniform(size=(50, 4))
    few = Dataset("few", x, x[:, :1], tuple("abcd"), ("y",))
    assert band_watch(few, few) is None


@pytest.mark.parametrize(
    ("command", "module"),
    [("fit heart", "_fit.solve_with"), ("solve poisson1d_ms", "_solve.solve")],
)
def test_an_interrupted_direct_solve_leaves_its_record(
    tmp_path, capsys, monkeypatch, command, module
):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"repnet.cli.{module}", interrupt)
    target = tmp_path / "run"
    assert run([*command.split(), "--out", str(target), "--quiet"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert str(target) in err
    assert read_run(target).record.result == "interrupted"
    assert not (target / "model.npz").exists()


def test_an_interrupt_before_the_solve_leaves_nothing(tmp_path, capsys, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("repnet.cli._fit.load", interrupt)
    monkeypatch.chdir(tmp_path)
    assert run(["fit", "heart"]) == 1
    assert capsys.readouterr().err == "repnet: interrupted; nothing was written.\n"
    assert list(tmp_path.iterdir()) == []
