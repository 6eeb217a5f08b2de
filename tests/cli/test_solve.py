"""Tests of `repnet solve` and `repnet zoo`: what they write, print and refuse."""

import json

import numpy as np
import pytest

from repnet.cli import run
from repnet.problem import zoo
from repnet.report import read_run
from repnet.solve import Solution

SMALL = ["--width", "60", "--set", "frequency=6"]
FILES = ["arrays.npz", "model.npz", "report.html", "report.md", "run.json"]
FILE = '''"""Problems of a user."""

import jax.numpy as jnp

from repnet import Box, LeastSquares, Problem, Term, dirichlet, partial

line = Box(0.0, 1.0)


def membrane(u, x, unknowns):
    return partial(u, 0, 2)(x) + 9.0 * jnp.sin(3.0 * x)


def stated(load=9.0, *, ends=0.0):
    """A loaded string.

    More words.
    """

    def equation(u, x, unknowns):
        return partial(u, 0, 2)(x) + load * jnp.sin(jnp.pi * x)

    return Problem(line, {"equation": Term(equation), "ends": dirichlet(line.boundary(), ends)})


def hard(u, x):
    return x * (1.0 - x) * u(x)


def broken_residual(u, x, unknowns):
    return x @ missing


ready = stated()
transformed = Problem(line, {"equation": Term(membrane)}, transform=hard)
broken = Problem(line, {"equation": Term(broken_residual)})
impossible = Problem(
    line, {"zero": dirichlet(line.boundary(), 0.0), "one": dirichlet(line.boundary(), 1.0),
           "equation": Term(membrane)})
number = 3


def needy(size):
    return number


def raising():
    raise RuntimeError("no such case")
'''


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """The folder of a small solve. Not to be changed."""
    out = tmp_path_factory.mktemp("solves") / "poisson"
    assert run(["solve", "poisson1d_ms", *SMALL, "--out", str(out), "--quiet"]) == 0
    return out


@pytest.fixture(scope="module")
def user_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("user") / "mine.py"
    path.write_text(FILE)
    return path


def refused(capsys, *words: object) -> str:
    """The one line on standard error of a solve that refuses its input."""
    code = run(["solve", *map(str, words)])
    out, err = capsys.readouterr()
    assert (code, out) == (2, ""), (out, err)
    assert err.startswith("repnet: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.slow
def test_an_evolution_by_elements_of_space_and_time_is_recorded(tmp_path):
    out = tmp_path / "convection"
    words = ["solve", "convection1d", "--set", "beta=10", "--solver", "space-time"]
    assert run([*words, "--out", str(out), "--quiet"]) == 0
    record = read_run(out).record
    assert record.relative_l2 < 1e-8
    assert "SpaceTimeElements" in (out / "report.md").read_text()
    problem = zoo.make("convection1d", beta=10)
    x = zoo.entry("convection1d").test_points(problem)
    error = Solution.load(out / "model.npz")(x) - problem.exact(x)
    assert record.metrics["max_error"] == pytest.approx(np.abs(error).max())


@pytest.mark.slow
def test_a_solve_writes_its_files_and_the_record_holds_what_the_model_does(solved):
    assert sorted(path.name for path in solved.iterdir()) == FILES
    record = read_run(solved).record
    problem = zoo.make("poisson1d_ms", frequency=6)
    x = zoo.entry("poisson1d_ms").test_points(problem)
    truth = problem.exact(x)
    error = Solution.load(solved / "model.npz")(x) - truth
    assert record.relative_l2 == pytest.approx(np.linalg.norm(error) / np.linalg.norm(truth))
    assert record.relative_l2 < 1e-8
    assert record.metrics["max_error"] == pytest.approx(np.abs(error).max())
    assert (record.command, record.result, record.precision) == ("solve", "successful", "float64")
    assert record.arguments["problem"] == "poisson1d_ms"
    assert record.metrics["problem"]["parameters"] == {"frequency": 6, "amplitude": 0.1}
    assert record.network["first_width"] == 60
    assert set(record.metrics["residuals"]) == {"equation", "boundary"}
    assert record.metrics["residuals"]["boundary"]["rms"] < 1e-9


@pytest.mark.slow
def test_the_page_shows_solution_error_residual_and_spectrum(solved):
    page = (solved / "report.html").read_text()
    for words in ("<h3>Solution u", "<h3>Error", "<h3>Residual of equation", "<h3>Spectrum",
                  "repnet solve poisson1d_ms --set frequency=6 --width 60"):  # fmt: skip
        assert words in page


@pytest.mark.slow
def test_json_prints_the_record_and_the_table_shows_errors(tmp_path, capsys, user_file):
    words = ["solve", f"{user_file}:stated", "--set", "load=4", "--width", "40"]
    assert run([*words, "--out", str(tmp_path / "a"), "--json"]) == 0
    out, err = capsys.readouterr()
    record = json.loads(out)
    assert err == ""
    assert record == json.loads((tmp_path / "a" / "run.json").read_text())
    assert record["relative_l2"] is None  # there is no reference
    assert record["metrics"]["problem"]["summary"] == "A loaded string"
    assert record["metrics"]["problem"]["parameters"] == {"load": 4, "ends": 0.0}
    x = np.linspace(0.0, 1.0, 21)
    exact = 4.0 / np.pi**2 * np.sin(np.pi * x)
    found = Solution.load(tmp_path / "a" / "model.npz")(x)[:, 0]
    np.testing.assert_allclose(found, exact, atol=1e-8)


@pytest.mark.slow
def test_predictions_of_a_solution(solved, tmp_path, capsys):
    points = tmp_path / "points.csv"
    points.write_text("x\n0.25\n0.5\n")
    assert run(["predict", str(solved), str(points)]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == "x,u"
    exact = zoo.make("poisson1d_ms", frequency=6).exact(np.array([[0.25], [0.5]]))
    found = [float(row.split(",")[1]) for row in rows[1:]]
    np.testing.assert_allclose(found, exact[:, 0], atol=1e-8)


@pytest.mark.slow
def test_hard_conditions_of_a_file_are_solved_and_said_not_to_be_saved(user_file, tmp_path, capsys):
    out = tmp_path / "run"
    assert run(["solve", f"{user_file}:transformed", "--width", "40", "--out", str(out)]) == 0
    printed, err = capsys.readouterr()
    assert "the network is not saved" in err
    assert "report.html" in printed
    assert not (out / "model.npz").exists()
    arrays = read_run(out).arrays
    exact = np.sin(3 * arrays["x:0"]) - arrays["x:0"] * np.sin(3.0)
    np.testing.assert_allclose(arrays["value:0"][:, 0], exact, atol=1e-7)


@pytest.mark.slow
def test_a_solve_that_fails_keeps_what_it_has_and_says_what_to_try(user_file, tmp_path, capsys):
    out = tmp_path / "run"
    assert run(["solve", f"{user_file}:impossible", "--width", "30", "--out", str(out)]) == 1
    err = capsys.readouterr().err
    assert "repnet: stalled: " in err
    assert str(out) in err
    assert "conditions that contradict" in err
    assert read_run(out).record.result == "stalled"
    assert (out / "model.npz").exists()


REFUSED = {
    ("helmholz2d",): "Did you mean 'helmholtz2d'?",
    ("helmholtz2d", "--set", "a3=1"): "`helmholtz2d(...)` has no parameter 'a3' (closest: 'a",
    ("helmholtz2d", "--set", "a1=0.5"): "`helmholtz2d(a1=...)` must be a whole number",
    ("helmholtz2d", "--set", "a1"): "`--set` must be name=value",
    ("helmholtz2d", "--noise", "0.1"): "`--noise` is for problems with data",
    ("helmholtz1d_wavenumber", "--noise", "-1"): "`--noise` must be 0 or above; got -1",
    ("helmholtz2d", "--solver", "magic"): "`--solver` must be one of auto, least-squares",
    ("helmholtz2d", "--features", "tahn"): "Did you mean 'tanh'?",
    ("helmholtz2d", "--steps", "9"): "`--steps` is for `--solver gradient`",
    ("helmholtz2d", "--stages", "0"): "`--stages` must be at least 1; got 0",
    ("helmholtz2d", "--stages", "2", "--solver", "slabs"): "are not for `--solver slabs`",
    ("helmholtz2d", "--width", "0"): "`--width` must be at least 1; got 0",
    ("helmholtz1d_wavenumber", "--solver", "least-squares"): "without `unknowns`",
    ("nowhere.py:p",): "there is no nowhere.py",
    ("nowhere.py",): "must be file.py:name",
}


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_bad_input_is_one_line_and_leaves_nothing(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert REFUSED[words] in refused(capsys, *words)
    assert list(tmp_path.iterdir()) == []


OF_FILES = {
    "number": "mine.py:number is of type int",
    "reddy": "has no 'reddy'. Did you mean 'ready'?",
    "needy": "needs `--set size=...`, which has no default",
    "raising": "raised RuntimeError: no such case (line 48)",
    "broken": "raised NameError: name 'missing' is not defined (line 31)",
}


@pytest.mark.parametrize("name", OF_FILES)
def test_faults_of_a_users_file_name_the_place(name, capsys, user_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert OF_FILES[name] in refused(capsys, f"{user_file}:{name}")
    assert list(tmp_path.iterdir()) == []


def test_files_that_raise_return_nothing_or_are_no_python(capsys, user_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad = tmp_path / "bad.py"
    bad.write_text("x = 1\n1 / 0\n")
    assert "raised ZeroDivisionError: division by zero (line 2)" in refused(capsys, f"{bad}:x")
    bad.write_text("def x(:\n")
    assert "raised SyntaxError" in refused(capsys, f"{bad}:x")
    assert "returns one of type int" in refused(capsys, f"{user_file}:needy", "--set", "size=1")
    assert "has no parameter 'lod'. Did you mean 'load'?" in refused(
        capsys, f"{user_file}:stated", "--set", "lod=1"
    )
    assert "are for functions" in refused(capsys, f"{user_file}:ready", "--set", "load=1")


def test_the_zoo_is_listed_and_described(capsys):
    assert run(["zoo"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in zoo.names())
    assert run(["zoo", "helmholtz2d"]) == 0
    out = capsys.readouterr().out
    for words in ("a1=1, a2=4, k=1", "boundary value", "**Source:**", "3e-3"):
        assert words in out
    assert ">>>" not in out
    assert run(["zoo", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [entry["name"] for entry in listed] == list(zoo.names())
    assert run(["zoo", "helmholz"]) == 2
    assert "Did you mean 'helmholtz2d'?" in capsys.readouterr().err
