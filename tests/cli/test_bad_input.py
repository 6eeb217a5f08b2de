"""Values that no fit can take, in tables and in archives, and inputs that tell nothing."""

import json

import numpy as np
import pytest

from repnet.cli import run
from repnet.report import read_run
from repnet.solve import Solution

X = np.linspace(0, 1, 40)
Y = np.sin(9 * X)


def spoilt(values, value):
    """The values with another one in the eighth row."""
    return np.where(np.arange(40) == 7, value, values)


TARGETS = {
    np.nan: "must be finite; row 8 has nan",
    np.inf: "must be finite; row 8 has inf",
    -np.inf: "must be finite; row 8 has -inf",
    1e300: "must stay below 1e+150 in magnitude; row 8 has 1e+300",
    -1e151: "must stay below 1e+150 in magnitude; row 8 has -1e+151",
}


def refused(capsys, path):
    """The one line with which a fit refuses a file; it leaves nothing beside it."""
    code = run(["fit", str(path), "--out", str(path.parent / "out" / "run")])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("repnet: `")
    assert err.count("\n") == 1
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    return err


@pytest.mark.parametrize("value", TARGETS)
def test_targets_that_cannot_be_fitted_are_named(value, capsys, tmp_path):
    path = tmp_path / "table.csv"
    table = np.stack([X, spoilt(Y, value)], axis=1)
    np.savetxt(path, table, delimiter=",", header="x,y", comments="")
    assert f"column 'y' {TARGETS[value]}" in refused(capsys, path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        *(({"x": X, "y": spoilt(Y, v)}, f"'y' {words}") for v, words in TARGETS.items()),
        ({"x": spoilt(X, np.nan), "y": Y}, "'x' must be finite; row 8 has nan"),
        ({"field": spoilt(Y, np.nan)}, "'field' must be finite; row 8 has nan"),
        ({"x": X, "y": np.full(40, "high")}, "'y' must hold real numbers; it holds <U4"),
        ({"x": np.full(40, "here"), "y": Y}, "'x' must hold real numbers; it holds <U4"),
        ({"x": X, "y": 1j * Y}, "'y' must hold real numbers; it holds complex128"),
        ({"x": X, "y": np.full(40, None)}, "must be an archive of arrays"),  # pickled
        ({"x": X[:39], "y": Y}, "they are x (39,), y (40,)."),
    ],
)
def test_arrays_that_cannot_be_fitted_are_named(arrays, message, capsys, tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, **arrays)
    assert message in refused(capsys, path)


# What Matplotlib says of an axis without extent; the run goes on.
@pytest.mark.filterwarnings("ignore:Attempting to set identical low and high")
@pytest.mark.slow
def test_a_constant_input_is_fitted_and_changes_nothing(capsys, tmp_path):
    path, out = tmp_path / "table.csv", tmp_path / "run"
    table = np.stack([X, np.full(40, 3.0), Y], axis=1)
    np.savetxt(path, table, delimiter=",", header="x,level,y", comments="")
    options = ["--solver", "least-squares", "--width", "64", "--out", str(out), "--quiet"]
    assert run(["fit", str(path), *options]) == 0
    assert capsys.readouterr().out == ""
    json.loads((out / "run.json").read_text(), parse_constant=pytest.fail)
    record = read_run(out).record
    assert record.metrics["data"]["inputs"] == ["x", "level"]
    between = np.stack([X[:-1] + np.diff(X) / 2, np.full(39, 3.0)], axis=1)
    error = Solution.load(out / "model.npz")(between)[:, 0] - np.sin(9 * between[:, 0])
    assert np.abs(error).max() < 1e-9  # 2e-12: 64 units of tanh for one and a half waves
