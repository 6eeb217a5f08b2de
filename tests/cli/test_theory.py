"""The commands of the theory write a record, a table and a page, and refuse bad input."""

import json
import re

import numpy as np
import pytest

from repnet.cli import run
from repnet.report import draw_reports, read_run

SMALL = ["--depths", "1,2", "--scales", "4,32", "--width", "24", "--networks", "8"]


@pytest.fixture(scope="module")
def magnitudes(tmp_path_factory):
    """The folder of a small comparison of magnitudes. Not to be changed."""
    out = tmp_path_factory.mktemp("theory") / "run"
    assert run(["theory", "magnitude", *SMALL, "--out", str(out), "--quiet"]) == 0
    return out


@pytest.mark.slow
def test_magnitudes_are_recorded_and_drawn(magnitudes):
    record = read_run(magnitudes).record
    assert record.command == "theory magnitude"
    assert record.arguments["scales"] == "4,32"
    assert record.seconds > 0.0
    about = record.metrics["theory"]
    (table,) = about["tables"]
    names = [row[0] for row in table["rows"]]
    assert names[:3] == ["vanilla, depth 1", "RepNet, depth 1, s = 4", "RepNet, depth 1, s = 32"]
    # A vanilla layer of tanh units starts with less than its weights' slope; RepNet near its scale.
    slopes = {row[0]: row[4] for row in table["rows"]}
    assert slopes["vanilla, depth 1"] < 1.0 < 10.0 < slopes["RepNet, depth 1, s = 32"]
    assert 0.0 < record.metrics["mean"] <= record.metrics["worst"] < 0.5
    page = (magnitudes / "report.html").read_text()
    assert page.count("<figure") == 4
    assert "RepNet, depth 2, s = 32" in page
    assert "repnet theory magnitude --depths 1,2" in page
    assert "| vanilla, depth 2 |" in (magnitudes / "report.md").read_text()


@pytest.mark.slow
def test_the_page_is_drawn_from_record_and_arrays_alone(magnitudes, tmp_path):
    for name in ("run.json", "arrays.npz"):
        (tmp_path / name).write_bytes((magnitudes / name).read_bytes())
    draw_reports(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert re.sub(r"p[0-9a-f]{10}", "", page) == re.sub(
        r"p[0-9a-f]{10}", "", (magnitudes / "report.html").read_text()
    )


@pytest.mark.slow
def test_same_seed_same_record(magnitudes, tmp_path, capsys):
    out = tmp_path / "again"
    assert run(["theory", "magnitude", *SMALL, "--out", str(out), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    before = read_run(magnitudes).record
    assert again["metrics"]["theory"]["tables"] == before.metrics["theory"]["tables"]
    for name, values in read_run(out).arrays.items():
        np.testing.assert_array_equal(values, read_run(magnitudes).arrays[name])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scales", ""], "`--scales` must be numbers above 0, such as 1,2,4; got ''"),
        (["--scales", "4,-1"], "`--scales` must be numbers above 0"),
        (["--scales", "4,nan"], "`--scales` must be numbers above 0"),
        (["--depths", "1.5"], "`--depths` must be whole numbers above 0"),
        (["--activation", "tanj"], "Did you mean 'tanh'?"),
        (["--features", "hats"], "Did you mean 'hat'?"),
        (["--networks", "1"], "`--networks` must be at least 2; got 1"),
        (["--width", "0"], "`--width` must be at least 1; got 0"),
    ],
)
def test_bad_input_of_magnitude(words, message, tmp_path, capsys):
    assert run(["theory", "magnitude", *words, "--out", str(tmp_path / "x")]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert message in err
    assert not (tmp_path / "x").exists()


PARTITION = ["--frequencies", "2,8", "--scales", "1,16", "--spreads", "0.2,1", "--units", "24"]


@pytest.mark.slow
def test_partition_is_recorded_and_drawn(tmp_path, capsys):
    out = tmp_path / "run"
    words = ["theory", "partition", *PARTITION, "--steps", "60", "--out", str(out), "--json"]
    assert run(words) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == read_run(out).record.as_dict()
    assert record["metrics"]["starts"] == ["vanilla", "RepNet", "s = 1", "s = 16", "±0.2", "±1"]
    error, best = np.array(record["metrics"]["error"]), np.array(record["metrics"]["attainable"])
    assert error.shape == best.shape == (6, 2)
    # Points within ±0.2 leave straight lines elsewhere, for any read-out and any training.
    assert np.all(best[4] > 3 * best[5])
    assert [len(table["rows"]) for table in record["metrics"]["theory"]["tables"]] == [2, 2, 2]
    assert (out / "report.html").read_text().count("<figure") == 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--frequencies", "x"], "`--frequencies` must be numbers above 0"),
        (["--spreads", "0"], "`--spreads` must be numbers above 0"),
        (["--rates", "-1"], "`--rates` must be numbers above 0"),
        (["--units", "1"], "`--units` must be at least 2; got 1"),
    ],
)
def test_bad_input_of_partition(words, message, tmp_path, capsys):
    assert run(["theory", "partition", *words, "--out", str(tmp_path / "x")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
