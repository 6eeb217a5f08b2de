"""Tests of exit codes and of the one line on standard error that every fault gets."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from repnet import __version__
from repnet.cli import run

SOURCE = Path(__file__).parents[2] / "src"


def program(
    *arguments: object, start: tuple[str, str] = ("-m", "repnet.cli")
) -> subprocess.CompletedProcess:
    """The program in a process of its own."""
    return subprocess.run(
        [sys.executable, *start, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        timeout=120,
    )


def fault(capsys, *arguments: object) -> str:
    """The one line on standard error of a command that refuses its input."""
    code = run([str(word) for word in arguments])
    out, err = capsys.readouterr()
    assert code == 2, (out, err)
    assert out == ""
    assert err.startswith("repnet: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def test_the_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"repnet {__version__}\n"


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ([], ["demo", "fit", "solve", "zoo", "predict", "diagnose", "report", "theory"]),
        (["theory"], ["magnitude", "partition", "diffusion", "kernel"]),
    ],
)
def test_help_lists_the_commands_and_each_has_its_own(group, names, capsys):
    assert run([*group, "--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:\n")[2]
    assert re.findall(r"^  ([a-z]+)  +[A-Z]", listed, re.MULTILINE) == names
    for name in names:
        assert run([*group, name, "--help"]) == 0
        usage = " ".join(["Usage: repnet", *group, name])
        assert capsys.readouterr().out.startswith(f"{usage} ")


def test_usage_errors_are_one_line(capsys):
    assert "No such option: --sead" in fault(capsys, "fit", "heart", "--sead", "3")
    assert "Missing argument" in fault(capsys, "fit")
    assert "No such command" in fault(capsys, "fitt", "heart")
    assert "'--seed': Input should be a valid integer" in fault(
        capsys, "fit", "heart", "--seed", "x"
    )


FILES = {
    "nan.csv": ("x,y\n0,1\n1,nan\n2,3\n3,4\n", "column 'y' must be finite; row 2 has nan"),
    "inf.csv": ("x,y\n0,1\ninf,2\n2,3\n3,4\n", "column 'x' must be finite; row 2 has inf"),
    "empty.csv": ("", "it is empty"),
    "one.csv": ("x,y\n0,1\n", "at least 2 rows of numbers; it has 1"),
    "word.csv": ("x,y\n0,1\n1,two\n2,3\n", "column 'y' must be numeric; row 2 has 'two'"),
    "huge.csv": ("x,y\n0,1\n1e300,2\n2,3\n", "column 'x' must stay below 1e+150"),
    "three.csv": ("x,y\n0,1\n1,2\n2,3\n", "`--holdout` must hold out at least 1 row"),
    "cut.npz": ("PK\x03\x04nothing", "must be an archive of arrays"),
    "cut.wav": ("RIFF", "must be a WAV file"),
    "sound.mp3": ("x", "must end in .csv"),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_files_are_one_line_and_leave_nothing(name, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text, message = FILES[name]
    (tmp_path / name).write_text(text)
    assert message in fault(capsys, "fit", name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "heigth"], "'heigth'. Did you mean 'height (m)'?"),
        (["--inputs", "when"], "`inputs` must be one of 'time (s)', 'height (m)'; got 'when'"),
        (["--method", "vanila"], "got 'vanila'. Did you mean 'vanilla'?"),
        (["--solver", "window"], "got 'window'. Did you mean 'windows'?"),
        (["--activation", "relo"], "got 'relo'. Did you mean 'relu'?"),
        (["--scale", "0"], "`--scale` must be auto or a number above 0; got '0'"),
        (["--scale", "-3"], "got '-3'"),
        (["--scale", "nan"], "got 'nan'"),
        (["--scale", "big"], "got 'big'"),
        (["--steps", "0"], "`--steps` must be at least 1; got 0"),
        (["--width", "-1"], "`--width` must be at least 1; got -1"),
        (["--holdout", "1"], "`--holdout` must be 0 or lie between 0 and 1; got 1"),
        (["--holdout", "0.001"], "`--holdout` must hold out at least 1 row"),
        (["--seed", "-1"], "`--seed` must lie between 0 and"),
        (["--method", "siren", "--solver", "windows"], "`--solver windows` is for RepNet"),
        (["--method", "vanilla", "--scale", "3"], "`--scale` must be auto for --method vanilla"),
        (["--solver", "windows", "--steps", "9"], "`--steps` is for `--solver gradient`"),
        (["--method", "siren", "--solver", "radial"], "`--solver radial` is for RepNet"),
        (
            ["--solver", "radial", "--scale", "3"],
            "`--scale` must be left out with `--solver radial`",
        ),
    ],
)
def test_bad_options_are_one_line(options, message, capsys, wave, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in fault(capsys, "fit", wave, *options)
    assert list(tmp_path.iterdir()) == []


def test_unknown_data_names_what_there_is(capsys):
    assert "terrain, sea_floor, camera, heart" in fault(capsys, "fit", "terain")
    assert "Did you mean 'terrain'?" in fault(capsys, "diagnose", "terain")
    assert "there is none" in fault(capsys, "fit", "no_such_file.csv")


@pytest.mark.parametrize("name", ["folder", "folder.v1", "folder.csv"])
def test_a_folder_is_no_data(name, capsys, tmp_path):
    (tmp_path / name).mkdir()
    assert "must be a file; it is a folder" in fault(capsys, "fit", tmp_path / name)


def test_a_built_in_takes_no_columns(capsys):
    assert "'heart' is a built-in" in fault(capsys, "fit", "heart", "--target", "voltage")


def test_an_output_folder_with_files_is_kept(capsys, wave, tmp_path):
    (tmp_path / "old.txt").write_text("old")
    assert "is not empty" in fault(capsys, "fit", wave, "--out", tmp_path)
    assert "is not empty" in fault(capsys, "demo", "--out", tmp_path)
    assert "is not empty" in fault(capsys, "diagnose", wave, "--out", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["old.txt"]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc, which nobody can write")
def test_an_output_folder_that_cannot_be_written_is_found_before_the_solve(capsys, wave):
    message = fault(capsys, "fit", wave, "--out", "/proc/repnet/run")
    assert "`--out` must be a folder that can be written" in message


def test_a_sound_of_one_sample(capsys, tmp_path):
    wavfile.write(tmp_path / "click.wav", 8000, np.zeros(1, np.int16))
    assert "at least 2 rows" in fault(capsys, "fit", tmp_path / "click.wav")


@pytest.mark.slow
def test_the_program_ends_with_the_code_and_no_traceback(tmp_path):
    done = program("fit", tmp_path / "none.csv")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"repnet: `{tmp_path}/none.csv` must be a file; there is none.\n"


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from repnet.cli import main
main()
"""


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_leaves_nothing(wave, tmp_path):
    """Files beyond 20 kB can't be written in this process, as on a full disk."""
    pytest.importorskip("resource")
    options = ["--solver", "gradient", "--steps", "2", "--depth", "1", "--quiet"]
    done = program("fit", wave, *options, "--out", tmp_path / "run", start=("-c", LIMITED))
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].startswith("repnet: nothing was written: File too large")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_importing_the_library_loads_no_corner():
    code = "import sys, repnet, repnet.solve, repnet.data; print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )  # fmt: skip
    for module in ("typer", "rich", "matplotlib", "sklearn", "jinja2"):
        assert f"'{module}'" not in done.stdout
