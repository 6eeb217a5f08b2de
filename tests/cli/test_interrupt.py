"""Tests of Ctrl-C: the best network so far is saved, or nothing is there at all."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from repnet.solve import Solution

SOURCE = Path(__file__).parents[2] / "src"
ENDLESS = [
    "--solver",
    "gradient",
    "--steps",
    "100000000",
    "--width",
    "16",
    "--depth",
    "2",
    "--scale",
    "8",
]


@dataclass(frozen=True)
class Ended:
    """How a training ended, what it said, and whether it took a second signal."""

    returncode: int
    stderr: str
    deaf: bool


def interrupted(wave: Path, outs: dict[Path, int], wait: float) -> list[Ended]:
    """Trainings without end, side by side; each gets its signal when all output folders are ready
    and each has worked for some seconds after."""
    with ExitStack() as open_ones:
        processes = [open_ones.enter_context(_training(wave, out)) for out in outs]
        open_ones.callback(_kill, processes)
        deadline = time.monotonic() + 90
        while not all(any(out.parent.glob(f".{out.name}.partial-*")) for out in outs):
            for process in processes:
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < deadline
            time.sleep(0.05)
        _let_work(processes, wait)
        pairs = list(zip(processes, outs.values(), strict=True))
        for process, number in pairs:
            process.send_signal(number)
        said = [_patiently(process, number) for process, number in pairs]
    return [Ended(process.returncode, *each) for process, each in zip(processes, said, strict=True)]


def _training(wave: Path, out: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "repnet.cli", "fit", str(wave), *ENDLESS, "--out", str(out)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _let_work(processes: list[subprocess.Popen], seconds: float) -> None:
    """Wait for each to have so much more processor time, whatever else the machine does."""
    if not Path("/proc/self/stat").exists():
        time.sleep(seconds)
        return
    ends = [_worked(process) + seconds for process in processes]
    deadline = time.monotonic() + 10 * seconds + 10
    while any(_worked(process) < end for process, end in zip(processes, ends, strict=True)):
        assert all(process.poll() is None for process in processes)
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _worked(process: subprocess.Popen) -> float:
    """Processor seconds of a process: the 14th and 15th field of what Linux tells of it."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _kill(processes: list[subprocess.Popen]) -> None:
    for process in processes:
        if process.poll() is None:
            process.kill()


def _patiently(process: subprocess.Popen, number: int) -> tuple[str, bool]:
    """What the process says on standard error, and whether it was deaf to the first signal.

    One that is lost in a compilation is sent again, as a user would.
    """
    try:
        return process.communicate(timeout=45)[1], False
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        return process.communicate(timeout=90)[1], True


def _tell_losses(ended: list[Ended]) -> None:
    """Show a lost signal as an expected failure, after all else held: rare, so never all of two."""
    lost = sum(each.deaf for each in ended)
    assert lost < max(len(ended), 2), "every first signal was lost"
    if lost:
        pytest.xfail("a first signal was lost; see Ctrl-C in docs/shortfalls.md")


@pytest.mark.slow
def test_the_best_network_so_far_is_saved(wave, tmp_path):
    outs = {tmp_path / "int": signal.SIGINT, tmp_path / "term": signal.SIGTERM}
    ended = interrupted(wave, outs, 10.0)
    for out, done in zip(outs, ended, strict=True):
        assert done.returncode == 1, done.stderr
        assert "Traceback" not in done.stderr
        assert "interrupted" in done.stderr
        assert str(out) in done.stderr
        record = json.loads((out / "run.json").read_text())
        assert record["result"] == "interrupted"
        assert record["steps"] > 0
        assert np.isfinite(record["heldout_rmse"])
        assert np.isfinite(Solution.load(out / "model.npz")(np.linspace(0, 2, 9))).all()
        assert (out / "report.html").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["int", "term"]
    _tell_losses(ended)


@pytest.mark.slow
def test_an_early_interrupt_leaves_nothing_half_written(wave, tmp_path):
    out = tmp_path / "run"
    (done,) = interrupted(wave, {out: signal.SIGINT}, 0.2)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "interrupted" in done.stderr
    if out.exists():
        assert json.loads((out / "run.json").read_text())["result"] == "interrupted"
    assert not list(tmp_path.glob(".*"))
    _tell_losses([done])


@pytest.mark.slow
@pytest.mark.parametrize("place", ["__eq__", "__hash__", "_xla_gc_callback"])
def test_a_signal_where_an_exception_would_be_lost_comes_back(place):
    """Inside of what JAX calls while it compares static arguments or collects garbage."""
    said = subprocess.run(
        [sys.executable, "-c", _DEAF.format(place=place)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert said.stdout.split() == ["heard", "nothing", "then", "interrupted"], said.stderr


_DEAF = """
import os, signal, time
from repnet.cli._main import _interrupt

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
    signal.signal(number, _interrupt)

def inside():
    os.kill(os.getpid(), signal.SIGTERM)
    print("heard nothing")

def {place}():
    inside()

try:
    {place}()
    time.sleep(5)
except KeyboardInterrupt:
    print("then interrupted")
"""
