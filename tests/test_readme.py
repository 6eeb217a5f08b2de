"""What the README says holds: its Python runs, its files exist, and importing stays light."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
HEAVY = ("matplotlib", "sklearn", "typer", "rich", "scipy.stats", "pandas", "finufft", "pywt")


CHECK = """
t = np.array([0.0, 0.123, 0.7])
np.savez("values.npz", solution=solution(t), one_layer=one_layer(t))
"""


@pytest.mark.slow  # it compiles three solvers
def test_python_blocks_run_in_turn(tmp_path):
    shown = run_python("".join([*BLOCKS, CHECK]), tmp_path)
    x = np.array([0.0, 0.123, 0.7])
    with np.load(tmp_path / "values.npz") as values:
        truth = np.sin(100 * np.pi * x)
        np.testing.assert_allclose(values["solution"][:, 0], truth, atol=1e-6)
        np.testing.assert_allclose(values["one_layer"][:, 0], np.sin(40 * x), atol=1e-5)
    assert "solver:" in shown
    assert (tmp_path / "sine.repnet").exists()


def test_the_first_block_has_five_lines():
    assert len(BLOCKS[0].strip().splitlines()) <= 6  # the imports and five lines


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+?)\)", text)
    assert [a for a in links if "://" not in a and not (page.parent / a).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_benchmarks_exist(page):
    named = re.findall(r"benchmarks/\w+\.py", page.read_text(encoding="utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_import_loads_no_more_than_it_must(tmp_path):
    lines = f"import sys, repnet; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert run_python(lines, tmp_path) == "[]\n"


def test_import_changes_no_setting(tmp_path):
    lines = (
        "import jax, numpy as np; before = dict(jax.config.values), np.geterr();"
        "import repnet; print((dict(jax.config.values), np.geterr()) == before)"
    )
    assert run_python(lines, tmp_path) == "True\n"


def run_python(lines, folder):
    """What a fresh interpreter prints, warnings being errors; it may say nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", lines],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": os.defpath, "JAX_PLATFORMS": "cpu"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
