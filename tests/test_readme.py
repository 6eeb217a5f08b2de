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
np.savez("values.npz", solution=solution(t), one_layer=one_layer(t), wave=wave(NODES))
"""
NODES = [[0.3, 0.4], [-0.3, 0.4], [0.0, 0.0], [1.0, 0.25]]


@pytest.mark.slow  # it compiles three solvers
def test_python_blocks_run_in_turn(tmp_path):
    shown = run_python("".join([*BLOCKS, CHECK.replace("NODES", repr(NODES))]), tmp_path)
    x = np.array([0.0, 0.123, 0.7])
    with np.load(tmp_path / "values.npz") as values:
        truth = np.sin(100 * np.pi * x)
        np.testing.assert_allclose(values["solution"][:, 0], truth, atol=1e-6)
        np.testing.assert_allclose(values["one_layer"][:, 0], np.sin(40 * x), atol=1e-5)
        left, right, middle, edge = values["wave"][:, 0]
    exact = helmholtz_by_sines(np.array(NODES))
    np.testing.assert_allclose([left, right, middle, edge], exact, atol=1e-6)
    assert "solver:" in shown
    assert (tmp_path / "sine.repnet").exists()


def helmholtz_by_sines(x):
    """The README's equation by its sine series: quadrature for the source, a division per mode."""
    n, nodes = np.arange(1, 81), np.polynomial.legendre.leggauss(200)
    modes = np.sin(np.outer(n, np.pi * (nodes[0] + 1) / 2))
    given = modes @ (nodes[1] * np.exp(-10 * nodes[0] ** 2))
    strength = np.outer(given, given) / (100 - np.pi**2 / 4 * np.add.outer(n**2, n**2))
    first, second = (np.sin(np.outer(n, np.pi * (x[:, i] + 1) / 2)) for i in (0, 1))
    return np.einsum("mn,mp,np->p", strength, first, second)


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
