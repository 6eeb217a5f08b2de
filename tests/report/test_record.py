"""Tests of the record of a run."""

import dataclasses
import json
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import MLP, Linear, Standardized
from repnet.report import Record, plain, read_record, record_of
from repnet.solve import RESULTS, Plan, Solution

KEYS = [
    "command", "arguments", "seed", "precision", "versions", "machine", "network", "plan",
    "result", "relative_l2", "heldout_rmse", "metrics", "unknowns", "seconds", "compile_seconds",
    "peak_memory_mb", "steps", "history",
]  # fmt: skip


def solution(unknowns=None, history=None) -> Solution:
    """A network of 2·5 + 5 + 5·3 + 3 = 33 parameters, never trained."""
    first = Linear(2, 5, key=jr.key(0))
    inner = MLP(first, 3, hidden=(), key=jr.key(1))
    ones = jnp.ones(2), jnp.ones(2), jnp.ones(3), jnp.ones(3)
    return Solution(
        Standardized(inner, *ones),
        unknowns,
        RESULTS.successful,
        history or {},
        Plan("a network", "a solver", (2.0, 3.0), ("because",), {"error": 0.5}),
        1.5,
        compile_seconds=0.25,
        steps=7,
    )


def test_every_key_is_there_and_null_where_it_does_not_apply():
    content = json.loads(record_of("diagnose", {}).to_json())
    assert list(content) == KEYS
    empty = ("seed", "precision", "network", "plan", "result", "relative_l2", "heldout_rmse",
             "metrics", "unknowns", "seconds", "compile_seconds", "steps", "history")  # fmt: skip
    assert all(content[name] is None for name in empty)
    assert {"python", "repnet", "jax", "equinox", "optax", "numpy"} == set(content["versions"])
    assert {"cpus", "platform", "device"} == set(content["machine"])
    assert content["peak_memory_mb"] > 10  # a Python with JAX


def test_a_solution_fills_network_plan_times_and_history():
    history = {"step": np.array([1, 2]), "loss": np.array([0.5, np.nan])}
    record = record_of("fit", {"out": Path("x")}, seed=3, solution=solution(history=history))
    assert record.network == {
        "kind": "MLP", "first": "Linear", "first_width": 5, "hidden": [], "parameters": 33,
    }  # fmt: skip
    assert record.plan is not None
    assert record.plan["scale"] == [2.0, 3.0]
    assert record.plan["numbers"] == {"error": 0.5}
    assert (record.seconds, record.compile_seconds, record.steps) == (1.5, 0.25, 7)
    assert record.history == {"step": [1, 2], "loss": [0.5, None]}
    assert (record.result, record.precision) == ("successful", "float32")
    assert record.arguments == {"out": "x"}


def test_precision_is_that_of_the_parameters():
    with jax.enable_x64(True):
        assert record_of("fit", {}, solution=solution()).precision == "float64"


def test_unknowns_are_named_by_their_place():
    unknowns = {"speed": jnp.array(2.5), "field": eqx.nn.Linear(1, 1, key=jr.key(0))}
    found = record_of("solve", {}, solution=solution(unknowns)).unknowns
    assert found is not None
    assert found["speed"] == {"value": 2.5, "interval": None}
    assert found["field"] == {"value": None, "interval": None}  # a function: no single value


def test_unknowns_have_the_intervals_of_the_plan():
    solved = dataclasses.replace(
        solution({"k": np.array(2.0), "parts": [np.array(1.0), np.array([3.0, 4.0])]}),
        plan=Plan("a network", "a solver", numbers={"intervals": {"k": [1.9, 2.1]}}),
    )
    found = record_of("solve", {}, solution=solved).unknowns
    assert found == {
        "k": {"value": 2.0, "interval": [1.9, 2.1]},
        "parts.0": {"value": 1.0, "interval": None},
        "parts.1": {"value": [3.0, 4.0], "interval": None},
    }


def test_json_holds_no_nan_and_no_infinity():
    metrics = {
        "a": float("nan"),
        "b": [np.inf, 1.0],
        "c": {"d": np.float32("-inf")},
        "e": np.int8(4),
    }
    text = record_of("fit", {}, relative_l2=float("inf"), metrics=metrics).to_json()
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in the record"))
    assert content["relative_l2"] is None
    assert content["metrics"] == {"a": None, "b": [None, 1.0], "c": {"d": None}, "e": 4}


def test_plain_keeps_what_json_knows():
    assert plain({1: (True, None, "x", 2, 0.5)}) == {"1": [True, None, "x", 2, 0.5]}
    assert plain(jnp.arange(3)) == [0, 1, 2]


def test_a_record_reads_back_as_itself(tmp_path):
    record = record_of("fit", {"data": "x.csv"}, seed=1, solution=solution())
    (tmp_path / "run.json").write_text(record.to_json())
    assert read_record(tmp_path / "run.json") == record


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "it is no JSON"),
        ("[]", "it lacks command"),
        ('{"command": "fit"}', "it lacks arguments, seed"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        read_record(tmp_path / "run.json")
    with pytest.raises(ValueError, match="No such file"):
        read_record(tmp_path / "none.json")


def test_record_fields_are_the_documented_keys():
    assert list(Record.__dataclass_fields__) == KEYS
