"""Ctrl-C in a solve without a network, while writing and while drawing: what is said and left."""

import json

import pytest

from repnet.cli import run
from repnet.report import read_run
from repnet.solve import Solution, _least_squares, _plan, _windows

SMALL = ["--solver", "gradient", "--steps", "20", "--width", "16", "--depth", "2"]


def interrupt(*arguments, **options):
    """What Ctrl-C does in the function that this one replaces."""
    raise KeyboardInterrupt


def names(folder):
    """The files of a folder, hidden ones included."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("solver", "module", "inside"),
    [
        ("auto", _plan, "choose_solver"),
        ("least-squares", _least_squares, "choose_features"),
        ("windows", _windows, "choose_windows"),
    ],
)
def test_a_direct_fit_that_is_interrupted_leaves_its_record(
    solver, module, inside, wave, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(module, inside, interrupt)
    out = tmp_path / "run"
    assert run(["fit", str(wave), "--solver", solver, "--out", str(out), "--json"]) == 1
    said = capsys.readouterr()
    line = f"repnet: interrupted before there was a network; the record is in {out}.\n"
    assert said.err == line
    assert json.loads(said.out) == read_run(out).record.as_dict()
    record = read_run(out).record
    assert (record.command, record.result, record.seed) == ("fit", "interrupted", 0)
    assert record.arguments["solver"] == solver
    assert record.metrics["data"]["points"] == 120
    assert record.network is record.plan is record.heldout_rmse is record.steps is None
    assert names(out) == ["arrays.npz", "report.html", "report.md", "run.json"]
    assert names(tmp_path) == ["run"]


@pytest.fixture
def solved(fitted, monkeypatch):
    """A fit whose solution is there at once."""
    solution = Solution.load(fitted / "model.npz")
    monkeypatch.setattr("repnet.cli._fit.solve_with", lambda *_, **__: solution)


@pytest.mark.slow
def test_an_interrupted_drawing_can_be_made_up_for(
    solved, wave, fitted, tmp_path, capsys, monkeypatch
):
    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("repnet.report._run.draw_markdown", interrupt)  # the last to be drawn
        assert run(["fit", str(wave), *SMALL, "--out", str(out), "--quiet"]) == 0
    line = "repnet: interrupted while drawing; `repnet report` draws it.\n"
    assert capsys.readouterr() == ("", line)
    assert names(out) == ["arrays.npz", "model.npz", "report.html", "run.json"]
    assert read_run(out).record.result == "successful"
    assert run(["report", str(out)]) == 0
    assert names(out) == names(fitted)


@pytest.mark.slow
@pytest.mark.parametrize("inside", ["measure", "write_run"])
def test_an_interrupt_before_all_is_written_leaves_nothing(
    inside, solved, wave, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(f"repnet.cli._finish.{inside}", interrupt)
    out = tmp_path / "above" / "run"
    assert run(["fit", str(wave), *SMALL, "--out", str(out)]) == 1
    assert capsys.readouterr() == ("", "repnet: interrupted; nothing was written.\n")
    assert names(tmp_path) == []
