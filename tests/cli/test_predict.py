"""Tests of `repnet predict` and `repnet report` on a saved fit."""

import csv
import json

import numpy as np
import pytest

from repnet.cli import run
from repnet.solve import Solution


def refused(capsys, *arguments: object) -> str:
    code = run([str(word) for word in arguments])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    return err


@pytest.fixture
def points(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("place,time (s)\npier,0.25\nbuoy,1.5\npier,0.1\n")
    return path


def test_predictions_are_the_model_s_to_the_bit(fitted, points, tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert run(["predict", str(fitted), str(points), "--output", str(out)]) == 0
    with out.open() as file:
        header, *rows = list(csv.reader(file))
    assert header == ["time (s)", "height (m)"]
    x = np.array([0.25, 1.5, 0.1])
    found = np.array(rows, float)
    np.testing.assert_array_equal(found[:, 0], x)
    wanted = Solution.load(fitted / "model.npz")(x)[:, 0].astype(float)
    np.testing.assert_array_equal(found[:, 1], wanted)
    assert json.loads((tmp_path / "out.run.json").read_text())["command"] == "predict"


def test_without_an_output_predictions_are_printed(fitted, points, capsys):
    assert run(["predict", str(fitted), str(points)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("time (s),height (m)\n0.25,")
    assert out.count("\n") == 4


def test_json_prints_the_record(fitted, points, tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert run(["predict", str(fitted), str(points), "--output", str(out), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["metrics"] == {"points": 3}


def test_a_file_is_never_overwritten(fitted, points, tmp_path, capsys):
    (tmp_path / "out.csv").write_text("mine")
    message = refused(capsys, "predict", fitted, points, "--output", tmp_path / "out.csv")
    assert "must be a new file" in message
    assert (tmp_path / "out.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,height\n1,2\n2,3\n", "must be one of 'time', 'height'; got 'time (s)'"),
        ("place,time (s)\na,1\nb,nan\n", "column 'time (s)' must be finite"),
        ("place,time (s)\na,1\nb,late\n", "column 'time (s)' must be numeric; row 2 has 'late'"),
        ("", "it is empty"),
    ],
)
def test_points_that_do_not_fit_are_refused(text, message, fitted, tmp_path, capsys):
    (tmp_path / "bad.csv").write_text(text)
    assert message in refused(capsys, "predict", fitted, tmp_path / "bad.csv")


def test_dates_have_no_origin(copied, tmp_path, capsys):
    text = (copied / "run.json").read_text()
    (copied / "run.json").write_text(text.replace("time (s)", "time"))
    (tmp_path / "dates.csv").write_text("time\n2024-01-01\n2024-01-02\n")
    assert "it holds dates" in refused(capsys, "predict", copied, tmp_path / "dates.csv")


# NumPy leaves the file open that it can't read.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("damage", ["cut", "text", "missing"])
def test_a_corrupt_model_is_refused(damage, copied, points, capsys):
    model = copied / "model.npz"
    whole = model.read_bytes()
    model.unlink()
    if damage != "missing":
        model.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"no model")
    message = refused(capsys, "predict", copied, points)
    assert "missing" in message if damage == "missing" else "not readable" in message


def test_a_folder_without_a_run_is_refused(tmp_path, points, capsys):
    assert "must be the folder of a run" in refused(capsys, "predict", tmp_path / "x", points)
    assert "must be the record of a run" in refused(capsys, "report", tmp_path)


@pytest.mark.slow
def test_report_draws_the_same_page_again(copied, capsys):
    page = (copied / "report.html").read_text()
    for name in ("report.html", "report.md", "model.npz"):
        (copied / name).unlink()
    assert run(["report", str(copied)]) == 0
    assert (copied / "report.html").read_text() == page
    assert str(copied) in capsys.readouterr().out
