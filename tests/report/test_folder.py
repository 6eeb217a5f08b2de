"""Tests of the folder that appears whole or not at all."""

import os
from pathlib import Path

import pytest

from repnet.report import OutputFolder, free_name


def fill(target, commit=True):
    """Write one file into a folder; with an error before `commit` if asked."""
    with OutputFolder(target) as folder:
        (folder.path / "a.txt").write_text("a")
        if not commit:
            raise RuntimeError("half-way")
        folder.commit()


def test_files_appear_with_the_commit(tmp_path):
    target = tmp_path / "deep" / "run"
    with OutputFolder(target) as folder:
        (folder.path / "a.txt").write_text("a")
        assert not target.exists()
        assert folder.commit() == target
    assert [file.name for file in target.iterdir()] == ["a.txt"]
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["run"]


def test_an_empty_target_is_filled_in_place(tmp_path):
    fill(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_an_error_leaves_nothing_behind(tmp_path):
    with pytest.raises(RuntimeError):
        fill(tmp_path / "deep" / "run", commit=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_refused_and_kept(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old.txt").write_text("old")
    (tmp_path / "run-2").mkdir()
    with pytest.raises(ValueError, match=r"run is not empty.*try `--out .*run-3`"):
        OutputFolder(tmp_path / "run")
    assert (tmp_path / "run" / "old.txt").read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run", "run-2"]


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="is a file"):
        OutputFolder(tmp_path / "file")
    with pytest.raises(ValueError, match="can be written"):
        OutputFolder(tmp_path / "file" / "run")


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs /proc, which even root can't fill")
def test_a_place_that_cannot_be_written_is_found_at_once():
    with pytest.raises(ValueError, match="`--out` must be a folder that can be written"):
        OutputFolder(Path("/proc/repnet-run"))


def test_the_free_name_is_the_first_without_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(free_name("run")) == "run"
    fill(tmp_path / "run")
    assert str(free_name("run")) == "run-2"
    fill(tmp_path / "run-2")
    assert str(free_name("run")) == "run-3"
