"""Tests of `repnet solve` and `repnet predict` with named operators."""

import csv
import json

import jax
import numpy as np
import pytest

from repnet.cli import run
from repnet.data import Accelerogram
from repnet.operators import BoucWen, generated_motions, respond
from repnet.report import read_run
from repnet.solve import Solution

FILES = ["arrays.npz", "model.npz", "report.html", "report.md", "run.json"]
SMALL = ["--set", "folds=2", "--set", "units=60", "--set", "rows=2000"]


def _records() -> list[Accelerogram]:
    motions = generated_motions(6, 500, 0.01, key=jax.random.key(0))
    return [Accelerogram(f"r{i}", m, 0.01, f"event {i // 2}") for i, m in enumerate(motions)]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """The folder of a small `quake_response` on generated records. Not to be changed."""
    out = tmp_path_factory.mktemp("operators") / "quake"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("repnet.cli._operator_fits.quakes", _records)
        assert run(["solve", "quake_response", *SMALL, "--out", str(out), "--quiet"]) == 0
    return out


def _table(path, header: str, step: float, values: np.ndarray):
    rows = [f"{step * k:.4f},{v!r}" for k, v in enumerate(values.tolist())]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.slow
def test_a_run_holds_folds_errors_and_figures(learnt):
    assert sorted(file.name for file in learnt.iterdir()) == FILES
    found = read_run(learnt).record
    metrics = found.metrics
    assert found.result == "successful"
    assert len(metrics["fits"]) == 2
    held = [set(fold["held_out"]) for fold in metrics["fits"]]
    assert held[0].isdisjoint(held[1])
    assert set.union(*held) == {"event 0", "event 1", "event 2"}
    assert found.relative_l2 == metrics["errors"]["relative_l2"]["median"]
    page = (learnt / "report.html").read_text()
    for words in ("Response spectra", "The worst record", "Growth of the error"):
        assert words in page
    assert "| relative L2 |" in (learnt / "report.md").read_text()


@pytest.mark.slow
def test_a_users_record_is_answered_like_direct_integration(learnt, tmp_path, capsys):
    record = _records()[1]
    path = _table(tmp_path / "own.csv", "time (s),a (m/s2)", 0.01, record.acceleration)
    assert run(["predict", str(learnt), str(path), "--output", str(tmp_path / "o.csv")]) == 0
    with (tmp_path / "o.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["time (s)", "ground acceleration (m/s2)", "displacement (m)"]
    found = np.array(rows[1:], float)
    ground = np.append(record.acceleration, np.zeros(len(found) - len(record.acceleration)))
    truth = respond(BoucWen(0.5), ground[None], 0.01, tolerance=1e-3)[0, :, 0]
    assert np.linalg.norm(found[:, 2] - truth) / np.linalg.norm(truth) < 0.3  # of 60 units
    assert "warning" not in capsys.readouterr().err


@pytest.mark.slow
def test_a_record_unlike_training_is_said(learnt, tmp_path, capsys):
    record = _records()[1]
    values = 9.0 * record.acceleration / np.abs(record.acceleration).max() * 4.0
    path = _table(tmp_path / "strong.csv", "time (s),a", 0.01, values)
    assert run(["predict", str(learnt), str(path), "--unit", "m/s2", "--json"]) == 0
    captured = capsys.readouterr()
    warnings = json.loads(captured.out)["metrics"]["warnings"]
    assert "peak ground acceleration, 36 m/s²" in warnings[0]
    assert "warning: The peak ground acceleration" in captured.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("header", "change", "words", "message"),
    [
        ("time,a", {}, [], "`unit` must be given"),
        ("time,a (g)", {"nan": True}, [], "must be finite; row 4"),
        ("time,a (g)", {"scale": 100.0}, [], "unit right"),
        ("time,a (g)", {}, ["--step", "0.02"], "`step` must agree"),
        ("time,a (g)", {}, ["--unit", "gg"], "'gg'"),
    ],
)
def test_bad_records_end_with_one_line(learnt, tmp_path, capsys, header, change, words, message):
    values = _records()[1].acceleration / 9.81 * change.get("scale", 1.0)
    if change.get("nan"):
        values[3] = np.nan
    path = _table(tmp_path / "bad.csv", header, 0.01, values)
    assert run(["predict", str(learnt), str(path), *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "perod=1"], "Did you mean 'period'"),
        (["--set", "period=-1"], "positive number"),
        (["--set", "units=1.5"], "whole number"),
        (["--set", "local=3"], "True or False"),
        (["--set", "hardening=2"], "hardening=...)` must lie between 0 and 1"),
        (["--set", "damping=1.5"], "damping=...)` must lie between 0 and 1"),
        (["--set", "period=1e9", "--set", "folds=2"], "between 0.05 and 20 s"),
        (["--solver", "gradient"], "`--solver` is for differential equations"),
        (["--noise", "0.1"], "`--noise` is for differential equations"),
        (["--set", "folds=9"], "between 2 and the number of groups, 3"),
    ],
)
def test_bad_options_end_with_one_line(monkeypatch, tmp_path, capsys, words, message):
    monkeypatch.setattr("repnet.cli._operator_fits.quakes", _records)
    out = ["--out", str(tmp_path / "run"), "--quiet"]
    assert run(["solve", "quake_response", *words, *out]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_antiderivatives_are_learnt_saved_and_answered(tmp_path, capsys):
    out = tmp_path / "run"
    small = ["--set", "functions=300", "--set", "length=0.1", "--set", "units=60"]
    assert run(["solve", "antiderivative", *small, "--json", "--out", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["relative_l2"] < 1e-3
    x = np.linspace(0.0, 1.0, 101)
    table = np.stack([np.cos(9.0 * x), np.ones(101)])
    path = tmp_path / "functions.csv"
    names = ",".join(f"v{k}" for k in range(101))
    path.write_text(names + "\n" + "\n".join(",".join(map(repr, row)) for row in table.tolist()))
    assert run(["predict", str(out), str(path)]) == 0
    rows = list(csv.reader(capsys.readouterr().out.splitlines()))
    found = np.array(rows[1:], float)
    np.testing.assert_allclose(found[0], np.sin(9.0 * x) / 9.0, atol=1e-3)
    path.write_text("a,b,c\n1,2,3\n4,5,6\n")
    assert run(["predict", str(out), str(path)]) == 2
    assert "one column per sensor of the model, 101; it has 3" in capsys.readouterr().err
    path.write_text(names + "\n" + ",".join(map(repr, table[1].tolist())) + "\n")
    assert run(["predict", str(out), str(path)]) == 0  # one function alone
    capsys.readouterr()
    assert run(["solve", "antiderivative", "--set", "functions=1", "--out", str(out) + "1"]) == 2
    assert "needs two functions" in capsys.readouterr().err
    assert Solution.load(out / "model.npz").plan.solver == "OperatorLeastSquares"


@pytest.mark.slow  # it shares a fit
def test_units_and_steps_are_for_operators(fitted, tmp_path, capsys):
    path = tmp_path / "points.csv"
    path.write_text("time (s)\n1\n2\n")
    assert run(["predict", str(fitted), str(path), "--unit", "g"]) == 2
    assert "`--unit` and `--step` are for accelerograms" in capsys.readouterr().err
