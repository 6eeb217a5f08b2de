"""Ctrl-C in `repnet demo`: the methods until then are reported, those after are not tried."""

from dataclasses import replace

import pytest

from repnet.cli import _demo, run
from repnet.data import read_csv
from repnet.report import read_run
from repnet.solve import RESULTS, Solution

METHODS = ["vanilla, trained", "RepNet, trained", "RepNet, direct"]  # in the order of their solves
SAID = "repnet: interrupted; the methods after were not tried.\n"


@pytest.fixture
def solutions(wave, monkeypatch):
    """A list of what each solve of the demo gives in turn, a solution or Ctrl-C; at first empty.

    The data are a wave, so that solutions are there at once.
    """
    given = []

    def solve_with(*arguments, **options):
        found = given.pop(0)
        if found is KeyboardInterrupt:
            raise found
        return found

    monkeypatch.setattr(_demo, "terrain", lambda: read_csv(wave))
    monkeypatch.setattr(_demo, "solve_with", solve_with)
    return given


@pytest.fixture
def solution(fitted):
    """A solution of the wave."""
    return Solution.load(fitted / "model.npz")


@pytest.mark.slow
def test_an_interrupt_before_the_first_network_leaves_the_record(solutions, tmp_path, capsys):
    solutions += [KeyboardInterrupt]
    out = tmp_path / "demo"
    assert run(["demo", "--out", str(out), "--quiet"]) == 1
    line = f"repnet: interrupted before there was a network; the record is in {out}.\n"
    assert capsys.readouterr() == ("", line)
    record = read_run(out).record
    assert (record.command, record.result, record.network) == ("demo", "interrupted", None)
    assert (out / "report.html").exists()
    assert not (out / "model.npz").exists()


@pytest.mark.slow
def test_an_interrupt_in_the_direct_solve_reports_the_trained_ones(
    solutions, solution, tmp_path, capsys
):
    solutions += [solution, solution, KeyboardInterrupt]
    out = tmp_path / "demo"
    assert run(["demo", "--out", str(out), "--quiet"]) == 1
    assert capsys.readouterr() == ("", SAID)
    record = read_run(out).record
    assert list(record.metrics["methods"]) == METHODS[1::-1]  # the last one is the main one
    assert record.result == "successful"
    assert (out / "model.npz").exists()
    assert (out / "report.html").exists()


@pytest.mark.slow
def test_an_interrupted_training_ends_the_demo(solutions, solution, tmp_path, capsys):
    solutions += [solution, replace(solution, result=RESULTS.interrupted), solution]
    out = tmp_path / "demo"
    assert run(["demo", "--out", str(out), "--quiet"]) == 1
    assert len(solutions) == 1  # the direct solve was not asked for
    err = capsys.readouterr().err
    assert err.startswith("repnet: RepNet, trained: interrupted.")
    assert err.endswith(f"Saved in {out}.\n")
    assert err.count("\n") == 1
    record = read_run(out).record
    assert list(record.metrics["methods"]) == METHODS[1::-1]
    assert record.result == "interrupted"
