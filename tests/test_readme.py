"""What README and pages say holds: Python runs, files and flags exist, importing stays light."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
BLOCKS = PYTHON.findall(README)
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SCIPY = ("scipy.linalg", "scipy.spatial", "scipy.interpolate", "scipy.ndimage", "scipy.stats")
HEAVY = ("matplotlib", "sklearn", "typer", "rich", "pandas", "finufft", "pywt", *SCIPY)


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_benchmarks_take_the_flags_that_are_quoted_with_them(page):
    """In one span of code, and in later ones of the same paragraph that start with a flag."""
    unknown = []
    for paragraph in re.split(r"\n\n|\n\|", page.read_text(encoding="utf-8")):
        name = None
        for span in re.findall(r"`([^`]+)`", paragraph):
            script = re.search(r"benchmarks/(\w+)\.py", span)
            name = script[1] if script else name
            if name and (script or span.startswith("--")):
                known = flags_of(name)
                unknown += [f for f in re.findall(r"--[a-z][\w-]*", span) if f not in known]
    assert unknown == []


def flags_of(name):
    """The flags that a benchmark's source adds to its parser."""
    source = (ROOT / "benchmarks" / f"{name}.py").read_text(encoding="utf-8")
    return re.findall(r"""add_argument\(\s*["'](--[\w-]+)""", source)


@pytest.mark.long
def test_the_page_on_scales_prints_what_it_says(capsys):
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    of_widths, of_errors = PYTHON.findall(page)
    widths_said, errors_said = re.findall(r"It prints `(.*)`", page)
    exec(compile(of_widths, "scale.md", "exec"), {})
    for text in (widths_said, capsys.readouterr().out):
        widths = np.float64(text.split())
        assert widths[1] < 10.0
        assert (widths[2:] == 100.0).all()
    exec(compile(of_errors, "scale.md", "exec"), {})
    said, shown = (np.float64(text.split()) for text in (errors_said, capsys.readouterr().out))
    # A factor of two tells an order of magnitude, which is what the page is about.
    np.testing.assert_allclose(np.log2(shown), np.log2(said), atol=1.0)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_import_what_there_is(page):
    blocks = PYTHON.findall(page.read_text(encoding="utf-8"))
    body = [line for block in blocks for line in ast.parse(block).body]
    imports = [line for line in body if isinstance(line, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(imports, []), page.name, "exec"), {})


@pytest.mark.slow
def test_import_loads_no_more_than_it_must(tmp_path):
    lines = f"import sys, repnet; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert run_python(lines, tmp_path) == "[]\n"


@pytest.mark.slow
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
