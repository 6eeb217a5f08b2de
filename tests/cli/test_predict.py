"""Tests of `repnet predict` and `repnet report` on a saved fit."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from repnet.cli import run
from repnet.cli._predict import _told, outside_of
from repnet.solve import Solution

SMALL = ["--solver", "gradient", "--steps", "20", "--width", "16", "--depth", "2"]


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


@pytest.mark.slow
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
    assert record["metrics"] == {"points": 3, "outside": 0, "predictions": None}


def test_json_without_a_file_holds_the_predictions(fitted, points, capsys):
    assert run(["predict", str(fitted), str(points), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["metrics"]["predictions"]
    wanted = Solution.load(fitted / "model.npz")(np.array([0.25, 1.5, 0.1]))[:, 0].astype(float)
    assert found == {"time (s)": [0.25, 1.5, 0.1], "height (m)": wanted.tolist()}


def test_points_outside_of_the_data_are_told_and_counted(fitted, tmp_path, capsys):
    path = tmp_path / "points.csv"
    path.write_text("time (s)\n-0.5\n0\n2\n2.5\n")
    assert run(["predict", str(fitted), str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == (
        "repnet: warning: 2 of 4 points lie outside of the data, "
        "which reach from 0 to 2 in 'time (s)'.\n"
    )
    assert json.loads(out)["metrics"]["outside"] == 2
    assert run(["predict", str(fitted), str(path), "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["metrics"]["outside"], err) == (2, "")


def test_only_the_axes_that_points_leave_are_told():
    data = {"inputs": ["a", "b", "c"], "lower": [0.0, 0.0, -1e6], "upper": [1.0, 0.3, 0.5]}
    points = np.array([[0.5, 0.1 + 0.2, 1.0], [-1.0, 0.1, 1.0], [0.5, 0.1, 0.0]])
    outside = outside_of(data, points)
    assert outside is not None
    assert outside.tolist() == [[False, False, True], [True, False, True], [False, False, False]]
    assert _told(outside, data) == (
        "2 of 3 points lie outside of the data, which reach from 0 to 1 in 'a' and "
        "from -1e+06 to 0.5 in 'c'."
    )
    assert _told(outside[1:], data).startswith("1 of 2 points lies outside")
    assert outside_of({"inputs": ["a"]}, points) is None  # the solution of an equation


def test_one_point_is_enough(fitted, tmp_path, capsys):
    (tmp_path / "one.csv").write_text("time (s)\n0.25\n")
    assert run(["predict", str(fitted), str(tmp_path / "one.csv")]) == 0
    assert capsys.readouterr().out.startswith("time (s),height (m)\n0.25,")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc, which nobody can write")
def test_a_file_that_cannot_be_written_is_found_before_the_work(fitted, points, capsys):
    message = refused(capsys, "predict", fitted, points, "--output", "/proc/out.csv")
    assert "`--output` must be a file that can be written; /proc/out.csv" in message


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
        ("1,2\n2,3\n", "`inputs` must be one of 'column1', 'column2'; got 'time (s)'"),
    ],
)
def test_points_that_do_not_fit_are_refused(text, message, fitted, tmp_path, capsys):
    (tmp_path / "bad.csv").write_text(text)
    assert message in refused(capsys, "predict", fitted, tmp_path / "bad.csv")


def of_dates(folder: Path, **described: object) -> None:
    """Make the record of a fit that of one over dates."""
    record = json.loads((folder / "run.json").read_text())
    del record["metrics"]["data"]["origins"]
    record["metrics"]["data"] |= {"inputs": ["when"], **described}
    (folder / "run.json").write_text(json.dumps(record))


def test_dates_are_counted_from_the_origin_of_the_fit(copied, tmp_path, capsys):
    of_dates(copied, origins={"when": "2024-01-01T00:00:00+00:00"})
    (tmp_path / "dates.csv").write_text("when\n2024-01-01T02:00:01.5+02:00\n2024-01-01\n")
    (tmp_path / "seconds.csv").write_text("when\n1.5\n0\n")
    found = []
    for name in ("dates.csv", "seconds.csv"):
        assert run(["predict", str(copied), str(tmp_path / name)]) == 0
        found.append(capsys.readouterr().out)
    assert found[0] == found[1]
    assert found[0].splitlines()[1].startswith("1.5,")


@pytest.mark.slow
def test_the_record_of_a_fit_over_dates_has_their_origin(tmp_path, capsys):
    rows = [f"2024-01-{day:02d},{day % 7}" for day in range(1, 31)]
    (tmp_path / "days.csv").write_text("when,h\n" + "\n".join(rows))
    run_of = tmp_path / "run"
    assert run(["fit", str(tmp_path / "days.csv"), *SMALL, "--quiet", "--out", str(run_of)]) == 0
    (tmp_path / "points.csv").write_text("when\n2024-01-02\n")
    assert run(["predict", str(run_of), str(tmp_path / "points.csv"), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["metrics"]["predictions"]["when"] == [86_400.0]


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({}, "must be a number of seconds since the first date of the data that were fitted"),
        ({"origins": {}}, "must be numbers, as in the data that were fitted; it holds dates"),
    ],
)
def test_dates_without_an_origin_are_refused(described, message, copied, tmp_path, capsys):
    of_dates(copied, **described)
    (tmp_path / "dates.csv").write_text("when\n2024-01-01\n2024-01-02\n")
    assert message in refused(capsys, "predict", copied, tmp_path / "dates.csv")


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


@pytest.mark.parametrize("table", ["metrics", "arguments", "history"])
def test_a_damaged_record_is_refused(table, copied, points, capsys):
    record = json.loads((copied / "run.json").read_text())
    (copied / "run.json").write_text(json.dumps({**record, table: [1]}))
    for command in (["predict", copied, points], ["report", copied]):
        assert f"its {table} must be a table" in refused(capsys, *command)


def test_a_record_of_other_inputs_is_refused(copied, tmp_path, capsys):
    record = json.loads((copied / "run.json").read_text())
    record["metrics"]["data"]["inputs"] = ["a", "b"]
    (copied / "run.json").write_text(json.dumps(record))
    (tmp_path / "two.csv").write_text("a,b\n1,2\n")
    message = refused(capsys, "predict", copied, tmp_path / "two.csv")
    assert "names 2 inputs, the network has 1" in message


def test_damaged_arrays_are_refused(copied, capsys):
    (copied / "arrays.npz").write_bytes(b"no arrays")
    message = refused(capsys, "report", copied)
    assert "must hold the arrays of a run" in message
    assert "pickle" not in message


def test_an_interrupted_run_has_no_network(copied, points, capsys):
    record = json.loads((copied / "run.json").read_text())
    (copied / "run.json").write_text(json.dumps({**record, "result": "interrupted"}))
    (copied / "model.npz").unlink()
    message = refused(capsys, "predict", copied, points)
    assert "was interrupted before there was one" in message


@pytest.mark.slow
def test_report_prints_the_record(copied, capsys):
    assert run(["report", str(copied), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((copied / "run.json").read_text())


@pytest.mark.slow
def test_report_draws_the_same_page_again(copied, capsys):
    page = (copied / "report.html").read_text()
    for name in ("report.html", "report.md", "model.npz"):
        (copied / name).unlink()
    assert run(["report", str(copied)]) == 0
    assert (copied / "report.html").read_text() == page
    assert str(copied) in capsys.readouterr().out
