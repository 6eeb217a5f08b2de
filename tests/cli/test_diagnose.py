"""Tests of `repnet diagnose` against waves whose spectrum is known, and of `repnet demo`."""

import json
from dataclasses import replace

import numpy as np
import pytest

from repnet.cli import _demo, run
from repnet.data import Dataset, terrain
from repnet.report import read_run


@pytest.mark.slow
def test_a_diagnosis_finds_frequency_and_sampling(tmp_path, capsys):
    x = np.linspace(0, 1, 201)
    table = np.stack([x, np.sin(2 * np.pi * 25 * x)], axis=1)
    np.savetxt(tmp_path / "w.csv", table, delimiter=",", header="x (km),y", comments="")
    out = tmp_path / "run"
    assert run(["diagnose", str(tmp_path / "w.csv"), "--out", str(out), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == read_run(out).record.as_dict()
    (spectrum,) = record["metrics"]["spectrum"]
    assert spectrum["omega_max"] == pytest.approx(50 * np.pi, rel=0.1)
    assert record["metrics"]["sampling"]["points_per_wavelength"][0] == pytest.approx(8, rel=0.1)
    assert record["metrics"]["sampling"]["level"] == "ok"
    suggestion = record["metrics"]["suggestion"]
    assert suggestion["wavelengths"][0] == pytest.approx(25, rel=0.1)
    assert suggestion["solver"] in ("LeastSquares", "Windows", "Gradient")
    assert (record["command"], record["result"]) == ("diagnose", None)
    assert (out / "report.html").exists()


@pytest.mark.long
def test_steps_per_band_are_predicted_and_verified(tmp_path, capsys):
    x = np.linspace(0.0, 2.0, 257)
    y = np.sin(4 * x) + 0.5 * np.sin(60 * x)
    np.savetxt(tmp_path / "w.csv", np.stack([x, y], axis=1), delimiter=",")
    out = tmp_path / "run"
    words = ["diagnose", str(tmp_path / "w.csv"), "--verify", "--out", str(out), "--json"]
    assert run(words) == 0
    learning = json.loads(capsys.readouterr().out)["metrics"]["learning"]
    vanilla, ours = learning["networks"]["vanilla"], learning["networks"]["RepNet"]
    band = int(np.searchsorted(learning["edges"], 60.0)) - 1
    assert ours["share"][band] > 0.01
    # The wave of 60 radians per half-width: minutes of steps at most for one, never for the other.
    assert ours["steps"][band] < 1000 < (vanilla["steps"][band] or np.inf)
    assert ours["measured"][band] < 1000
    assert vanilla["measured"][band] is None
    assert vanilla["same_order"]
    assert ours["same_order"]
    page = (out / "report.html").read_text()
    assert "Steps to learn each band" in page
    assert "RepNet, measured" in page


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (np.random.default_rng(0).uniform(size=(40, 5)), "more than 3 axes"),
        (np.arange(18.0).reshape(9, 2), "Fewer than 16 points"),
    ],
)
def test_data_without_bands_are_diagnosed_all_the_same(table, reason, tmp_path, capsys):
    np.savetxt(tmp_path / "w.csv", table, delimiter=",")
    assert run(["diagnose", str(tmp_path / "w.csv"), "--out", str(tmp_path / "run")]) == 0
    assert reason in capsys.readouterr().out


@pytest.mark.slow
def test_coarse_sampling_is_told(tmp_path, capsys):
    x = np.linspace(0, 1, 61)
    np.savetxt(tmp_path / "w.csv", np.stack([x, np.sin(2 * np.pi * 15 * x)], 1), delimiter=",")
    assert run(["diagnose", str(tmp_path / "w.csv"), "--out", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "points per wavelength" in out
    assert "Sampling: warning" in out


def _corner() -> Dataset:
    """A twentieth of the terrain."""
    whole, shape = terrain(), (80, 80)
    rows = [each.reshape(*whole.grid_shape, -1)[:80, :80] for each in (whole.x, whole.y)]
    x, y = (each.reshape(80 * 80, -1) for each in rows)
    return replace(whole, x=x, y=y, grid_shape=shape)


@pytest.mark.long
def test_the_demo_shows_the_difference(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_demo, "terrain", _corner)
    out = tmp_path / "demo"
    assert run(["demo", "--steps", "300", "--out", str(out)]) == 0
    record = read_run(out).record
    errors = {name: entry["rmse"] for name, entry in record.metrics["methods"].items()}
    assert list(errors) == ["RepNet, direct", "RepNet, trained", "vanilla, trained"]
    assert errors["RepNet, direct"] < 5.0  # metres; the relief is 162 m rms
    assert errors["RepNet, trained"] < errors["vanilla, trained"] / 2
    assert record.heldout_rmse == errors["RepNet, direct"]
    assert (out / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert "terrain" in capsys.readouterr().out
