"""Tests of `repnet fit`: what it writes, prints and reproduces."""

import json

import numpy as np
import pytest

from repnet.cli import run
from repnet.data import holdout, read_csv
from repnet.report import number, read_run
from repnet.solve import Solution

SMALL = ["--solver", "gradient", "--steps", "20", "--width", "16", "--depth", "2"]
FILES = ["arrays.npz", "model.npz", "report.html", "report.md", "run.json"]


@pytest.mark.slow
def test_a_fit_writes_its_files_and_no_other(fitted):
    assert sorted(path.name for path in fitted.iterdir()) == FILES
    assert [path.name for path in fitted.parent.iterdir()] == ["wave"]


@pytest.mark.slow
def test_the_record_holds_what_the_model_does(fitted, wave):
    record = read_run(fitted).record
    _, test = holdout(read_csv(wave), 0.1, seed=0)
    error = Solution.load(fitted / "model.npz")(test.x) - test.y
    assert record.heldout_rmse == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-6)
    wanted = np.linalg.norm(error) / np.linalg.norm(test.y)
    assert record.relative_l2 == pytest.approx(wanted, rel=1e-6)
    assert (record.command, record.seed, record.result) == ("fit", 0, "successful")
    assert (record.steps, record.precision) == (20, "float32")
    assert record.network is not None
    assert record.network["hidden"] == [16]
    assert record.seconds > 0
    assert record.compile_seconds > 0
    assert record.metrics["data"]["units"] == ["s", "m"]
    assert (record.metrics["data"]["points"], record.metrics["data"]["heldout_points"]) == (108, 12)
    assert len(record.history["band_error"]) == len(record.history["watch_step"])


@pytest.mark.slow
def test_json_prints_the_record_and_nothing_else(wave, tmp_path, capsys):
    assert run(["fit", str(wave), *SMALL, "--out", str(tmp_path / "a"), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads((tmp_path / "a" / "run.json").read_text())
    assert err == ""


@pytest.mark.slow
def test_the_same_command_gives_the_same_model(wave, fitted, tmp_path):
    again = tmp_path / "again"
    assert run(["fit", str(wave), *SMALL, "--out", str(again), "--quiet"]) == 0
    x = np.linspace(0, 2, 50)
    one, two = (Solution.load(folder / "model.npz")(x) for folder in (fitted, again))
    np.testing.assert_array_equal(one, two)


@pytest.mark.slow
def test_the_table_shows_error_time_and_plan(wave, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["fit", str(wave), *SMALL]) == 0
    out = capsys.readouterr().out
    record = read_run(tmp_path / "repnet-wave").record
    assert number(record.heldout_rmse) in out
    assert number(record.metrics["psnr"]) in out
    for words in ("held-out RMSE [m]", "relative L2", "solve", "rad", "Plan: ", "report.html"):
        assert words in out
    assert run(["fit", str(wave), *SMALL, "--quiet"]) == 0  # takes the next free name
    assert (tmp_path / "repnet-wave-2" / "run.json").exists()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("method", ["vanilla", "fourier", "siren"])
@pytest.mark.slow
def test_rivals_are_trained(method, wave, tmp_path):
    out = tmp_path / method
    options = ["--method", method, "--steps", "3", "--width", "8", "--depth", "2", "--quiet"]
    assert run(["fit", str(wave), *options, "--out", str(out)]) == 0
    record = read_run(out).record
    kinds = {"vanilla": "Linear", "fourier": "FourierFeatures", "siren": "SineLinear"}
    assert record.network["first"] == kinds[method]
    assert record.steps == 3


@pytest.mark.slow
def test_without_held_out_points_errors_are_null(wave, tmp_path):
    out = tmp_path / "all"
    options = ["--steps", "2", "--width", "8", "--depth", "1", "--holdout", "0", "--quiet"]
    assert run(["fit", str(wave), *options, "--out", str(out)]) == 0
    record = read_run(out).record
    assert record.heldout_rmse is None
    assert record.metrics["data"]["heldout_points"] == 0


@pytest.mark.slow
def test_columns_are_chosen_and_several_targets_fitted(tmp_path, capsys):
    x = np.linspace(0, 1, 40)
    table = np.stack([x, np.sin(9 * x), x**2, 1 - x], axis=1)
    np.savetxt(tmp_path / "t.csv", table, delimiter=",", header="x,a,b,c", comments="")
    options = ["--inputs", "x", "--target", "a,c", "--steps", "2", "--width", "8", "--depth", "1"]
    out = tmp_path / "run"
    assert run(["fit", str(tmp_path / "t.csv"), *options, "--out", str(out)]) == 0
    assert Solution.load(out / "model.npz")(x).shape == (40, 2)
    errors = read_run(out).record.metrics["methods"]["RepNet"]["targets"]
    shown = capsys.readouterr().out
    assert "RMSE, relative L2 per target" in shown
    for found, name in zip(errors, "ac", strict=True):
        assert found["target"] == name
        assert f"{number(found['rmse'])}, {number(found['relative_l2'])}" in shown


@pytest.mark.slow
def test_columns_of_words_are_told(tmp_path, capsys):
    path = tmp_path / "t.csv"
    rows = "".join(f"{t},{'pier' if t % 3 else 'quay'},{t * t}\n" for t in range(30))
    path.write_text("t,place,h\n" + rows)
    sentence = "Column left out: place."
    options = ["--steps", "2", "--width", "8", "--depth", "1", "--out", str(tmp_path / "run")]
    assert run(["fit", str(path), *options]) == 0
    assert capsys.readouterr().out.startswith("t: h over t, 27 points, 3 held out\n" + sentence)
    assert read_run(tmp_path / "run").record.metrics["data"]["left_out"] == ["place"]
    assert sentence in (tmp_path / "run" / "report.html").read_text()
    assert sentence in (tmp_path / "run" / "report.md").read_text()


def test_words_in_the_place_of_the_target_are_refused(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("t,h\n0,low\n1,high\n")
    assert run(["fit", str(path), "--out", str(tmp_path / "run")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "column 'h', the last and so the target" in err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("share", ["0", "0.1"])
def test_a_target_of_zeros_is_fitted_and_reported(share, tmp_path, capsys):
    np.savez(tmp_path / "zeros.npz", x=np.arange(60.0), y=np.zeros(60))
    out = tmp_path / "run"
    options = ["--solver", "gradient", "--steps", "3", "--width", "8", "--depth", "1"]
    words = ["fit", str(tmp_path / "zeros.npz"), *options, "--holdout", share, "--out", str(out)]
    assert run(words) == 0
    assert capsys.readouterr().err == ""
    assert read_run(out).record.metrics["bands"] is None
    assert "Data and fit" in (out / "report.html").read_text()


@pytest.mark.slow
def test_a_constant_target_and_contradicting_duplicates_are_fitted(tmp_path):
    for name, y in {"flat": np.ones(30), "twice": np.arange(30.0) % 2}.items():
        table = np.stack([np.repeat(np.arange(15.0), 2), y], axis=1)
        np.savetxt(tmp_path / f"{name}.csv", table, delimiter=",", header="x,y", comments="")
        options = ["--steps", "5", "--width", "8", "--depth", "1", "--quiet"]
        out = tmp_path / name
        assert run(["fit", str(tmp_path / f"{name}.csv"), *options, "--out", str(out)]) == 0
        json.loads((out / "run.json").read_text(), parse_constant=pytest.fail)
