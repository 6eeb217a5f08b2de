"""A small fit that several tests of the command line share."""

import shutil

import numpy as np
import pytest

from repnet.cli import run

SMALL = ["--solver", "gradient", "--steps", "20", "--width", "16", "--depth", "2"]


@pytest.fixture(scope="session")
def wave(tmp_path_factory):
    """A table of a wave: time in seconds, height in metres."""
    path = tmp_path_factory.mktemp("data") / "wave.csv"
    time = np.linspace(0, 2, 120)
    rows = [f"{t!r},{float(np.sin(9 * t))!r}" for t in time.tolist()]
    path.write_text("\n".join(["time (s),height (m)", *rows]) + "\n")
    return path


@pytest.fixture(scope="session")
def fitted(wave, tmp_path_factory):
    """The folder of a fit of that wave. Not to be changed."""
    out = tmp_path_factory.mktemp("fits") / "wave"
    assert run(["fit", str(wave), *SMALL, "--out", str(out), "--quiet"]) == 0
    return out


@pytest.fixture
def copied(fitted, tmp_path):
    """A copy of that folder, to be damaged."""
    return shutil.copytree(fitted, tmp_path / "copy")
