"""Files bring back every bit, and damaged ones are refused."""

import collections
import contextlib
import copy
import enum
import io
import json
import os
import pickle
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.nn import MLP, RepLinear
from repnet.solve import RESULTS, Plan, Solution
from repnet.solve._store import from_bytes, load_tree, save_tree, to_bytes


def make_solution(activation=jnp.tanh):
    with jax.enable_x64(True):
        first = RepLinear(2, 8, scale=3.0, activation=activation, key=jax.random.key(0))
        network = MLP(first, 1, hidden=(4,), activation=activation, key=jax.random.key(1))
    numbers = {"error": 0.1 + 0.2, "none": None, "bad": float("nan"), "list": [1, (2.0, "x")]}
    plan = Plan("a net", "made up", (1.5,), ("Because.",), numbers)
    history = {"loss": np.array([1.0, np.inf]), "step": np.array([1, 2])}
    return Solution(network, {"speed": np.float64(0.3)}, RESULTS.stalled, history, plan, 0.25)


def same_bits(one, two):
    leaves_one, shape_one = jax.tree.flatten(eqx.filter(one, eqx.is_array_like))
    leaves_two, shape_two = jax.tree.flatten(eqx.filter(two, eqx.is_array_like))
    assert shape_one == shape_two
    for a, b in zip(leaves_one, leaves_two, strict=True):
        assert type(a) is type(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


@pytest.mark.parametrize("way", ["file", "pickle", "deepcopy"])
def test_round_trip_to_the_bit(tmp_path, way):
    solution = make_solution()
    match way:
        case "file":
            solution.save(tmp_path / "s.npz")
            again = Solution.load(tmp_path / "s.npz")
        case "pickle":
            again = pickle.loads(pickle.dumps(solution))
        case _:
            again = copy.deepcopy(solution)
    same_bits(solution.network, again.network)
    same_bits(solution.history, again.history)
    assert again.result is RESULTS.stalled
    assert str(again.plan) == str(solution.plan)
    assert np.isnan(again.plan.numbers.pop("bad"))
    assert again.plan.numbers == {"error": 0.1 + 0.2, "none": None, "list": [1, (2.0, "x")]}
    assert (again.seconds, again.unknowns["speed"]) == (0.25, 0.3)
    points = np.random.default_rng(0).normal(size=(5, 2))
    assert again(points).tobytes() == solution(points).tobytes()


def test_loading_is_the_same_in_either_precision(tmp_path):
    solution = make_solution()
    solution.save(tmp_path / "s.npz")
    with jax.enable_x64(True):
        same_bits(solution.network, Solution.load(tmp_path / "s.npz").network)


def test_a_lambda_leaves_no_file(tmp_path):
    solution = make_solution(lambda z: jnp.tanh(z))
    with pytest.raises(ValueError, match="top of a module instead of as a lambda"):
        solution.save(tmp_path / "s.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_keeps_the_old_file(tmp_path):
    make_solution().save(tmp_path / "s.npz")
    before = (tmp_path / "s.npz").read_bytes()
    with pytest.raises(ValueError, match="lambda"):
        make_solution(lambda z: jnp.tanh(z)).save(tmp_path / "s.npz")
    assert (tmp_path / "s.npz").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_every_truncation_and_flip_is_refused_or_harmless(tmp_path):
    content, path = to_bytes({"a": np.arange(3.0), "f": jnp.tanh}), tmp_path / "s.npz"
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="not readable"):
            load_tree(path)
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        with contextlib.suppress(ValueError):  # a flip in a field that nobody reads does no harm
            load_tree(path)


def rewritten(change):
    """The bytes of a good file whose manifest is changed."""
    with np.load(io.BytesIO(to_bytes(make_solution()))) as file:
        arrays = dict(file)
    manifest = json.loads(bytes(arrays.pop("manifest")).decode())
    text = json.dumps(change(manifest)).encode()
    buffer = io.BytesIO()
    np.savez(buffer, manifest=np.frombuffer(text, np.uint8), **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda m: {**m, "format": "repnet-9"},
        lambda m: {"format": m["format"]},
        lambda m: [],
        lambda m: {**m, "tree": {"module": "repnet.nn:MLPP", "fields": {}}},
        lambda m: {**m, "tree": {"module": "no_such_module:Thing", "fields": {}}},
        lambda m: {**m, "tree": {"module": "os:system", "fields": {}}},
        lambda m: {**m, "tree": {"array": "a999", "kind": "numpy"}},
        lambda m: {**m, "tree": {"what": 1}},
        lambda m: {**m, "tree": 3},
    ],
)
def test_forged_manifests(tmp_path, change):
    (tmp_path / "s.npz").write_bytes(rewritten(change))
    with pytest.raises(ValueError, match=r"not readable|needs a saved solution"):
        Solution.load(tmp_path / "s.npz")


def test_a_file_calls_nothing(tmp_path):
    made = tmp_path / "made"
    tree = {"named": "os:mkdir", "fields": [str(made)]}
    (tmp_path / "s.npz").write_bytes(rewritten(lambda manifest: {**manifest, "tree": tree}))
    with pytest.raises(ValueError, match="which is no named tuple"):
        Solution.load(tmp_path / "s.npz")
    assert not made.exists()


def test_missing_file_and_other_kinds(tmp_path):
    with pytest.raises(ValueError, match=r"needs an existing file; .*none.npz is missing"):
        Solution.load(tmp_path / "none.npz")
    save_tree({"a": 1}, tmp_path / "d.npz")
    with pytest.raises(ValueError, match="needs a saved solution"):
        Solution.load(tmp_path / "d.npz")
    with pytest.raises(ValueError, match="got a set"):
        save_tree({"a": {1}}, tmp_path / "e.npz")


class Colour(enum.IntEnum):
    RED = 1


def test_plain_values_keep_their_types():
    tree = {"t": (1, 2.5), "l": [True, None, "a"], 3: -0.0, "c": jnp.cos, "f": np.float32(0.1)}
    again = from_bytes(to_bytes(tree))
    assert again == tree
    assert [type(v) for v in again["t"]] == [int, float]
    assert again["l"][0] is True
    assert np.signbit(again[3])


class Speeds(NamedTuple):
    fast: np.ndarray
    slow: float


class Level(enum.IntEnum):
    HIGH = 3


@pytest.mark.parametrize(
    "tree",
    [
        Speeds(np.arange(3.0), 0.5),
        [Level.HIGH, 3],
        np.float32(0.1),
        np.bool_(True),
        jnp.asarray([1.0, 1 / 3], jnp.bfloat16),
    ],
)
def test_kinds_come_back_as_they_were(tree):
    again = from_bytes(to_bytes(tree))
    assert type(again) is type(tree)
    same_bits(again, tree)
    if isinstance(tree, list):
        assert [type(item) for item in again] == [Level, int]


def test_what_could_not_be_read_again_is_not_saved():
    class Inside(eqx.Module):
        weight: float = 1.0

    for tree, message in (
        (Inside(), "importable name"),
        (jax.random.key(0), "got a key"),
        (np.array([None]), "Python objects"),
        (collections.OrderedDict(a=1), "OrderedDict"),
    ):
        with pytest.raises(ValueError, match=message):
            to_bytes(tree)


def test_files_have_the_rights_that_the_user_s_mask_leaves(tmp_path):
    before = os.umask(0o077)
    try:
        save_tree(1.0, tmp_path / "own.npz")
    finally:
        os.umask(before)
    assert (tmp_path / "own.npz").stat().st_mode & 0o777 == 0o600
