"""Archives of arrays, written by NumPy."""

import numpy as np
import pytest

from repnet.data import read_npz, read_table


def test_points_and_values_come_back(tmp_path, rng):
    x, y = rng.normal(size=(9, 2)), rng.normal(size=(9, 3))
    np.savez_compressed(tmp_path / "a.npz", x=x, y=y)
    data = read_npz(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.x, x)
    np.testing.assert_array_equal(data.y, y)
    assert data.input_names == ("x1", "x2")


def test_keys_are_chosen(tmp_path):
    np.savez(tmp_path / "a.npz", lon=np.arange(4), lat=np.ones(4), h=np.arange(4) ** 2)
    data = read_npz(tmp_path / "a.npz", inputs=["lat", "lon"], target="h")
    assert data.x.tolist() == [[1, 0], [1, 1], [1, 2], [1, 3]]
    assert data.y.ravel().tolist() == [0, 1, 4, 9]


@pytest.mark.parametrize("shape", [(6,), (4, 5), (2, 3, 4)])
def test_one_array_is_a_field_on_its_indices(tmp_path, rng, shape):
    field = rng.normal(size=shape)
    np.savez(tmp_path / "a.npz", field=field, step=0.5)  # a lone number is no field
    np.save(tmp_path / "a.npy", field)
    for data in (read_npz(tmp_path / "a.npz"), read_table(tmp_path / "a.npy")):
        assert data.grid_shape == shape
        rows = [field[tuple(index)] for index in data.x.astype(int)]
        np.testing.assert_array_equal(data.y[:, 0], rows)


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("keys", [("x", "y", "z"), ("lat", "lon", "x"), ("a", "b", "c", "y")])
def test_a_field_lies_on_its_axes(tmp_path, rng, keys, named):
    *axes, key = keys
    arrays = {
        name: np.linspace(-1, 3, 4 + i)[:: (-1) ** i].astype(np.float32)
        for i, name in enumerate(axes)
    }
    field = rng.normal(size=[len(axis) for axis in arrays.values()])
    np.savez(tmp_path / "a.npz", **arrays, **{key: field}, time=0.5)
    data = read_npz(tmp_path / "a.npz", *((axes, key) if named else ()))
    assert data.grid_shape == field.shape
    assert (data.input_names, data.target_names) == (tuple(axes), (key,))
    for row, index in enumerate(np.ndindex(*field.shape)):
        point = [arrays[name][i] for name, i in zip(axes, index, strict=True)]
        assert (data.x[row].tolist(), data.y[row, 0]) == (point, field[index])


def test_the_order_of_named_axes_is_that_of_the_field(tmp_path, rng):
    field = rng.normal(size=(3, 4))
    np.savez(tmp_path / "a.npz", x=np.arange(4.0), y=np.arange(3.0), z=field, u=2 * field)
    data = read_npz(tmp_path / "a.npz", inputs=["y", "x"], target="u")
    assert (data.input_names, data.grid_shape) == (("y", "x"), (3, 4))
    np.testing.assert_array_equal(data.y[:, 0], 2 * field[tuple(data.x.astype(int).T)])
    square = rng.normal(size=(3, 3))
    np.savez(tmp_path / "a.npz", x=np.arange(3.0), y=np.arange(3.0) / 2, z=square)
    assert read_npz(tmp_path / "a.npz", inputs=["x", "y"], target="z").grid_shape == (3, 3)
    assert read_npz(tmp_path / "a.npz", inputs="x", target="z").y.shape == (3, 3)


@pytest.mark.parametrize("axis", [[0.0, 1.0, 3.0], [1.0, 1.0, 1.0], [2.0]])
def test_the_nodes_of_uneven_axes_are_scattered(tmp_path, axis):
    np.savez(tmp_path / "a.npz", a=axis, b=[0.0, 0.5], c=np.ones((len(axis), 2)))
    data = read_npz(tmp_path / "a.npz")
    assert data.grid_shape is None
    assert data.x.tolist() == [[a, b] for a in axis for b in (0.0, 0.5)]


@pytest.mark.parametrize(
    "arrays",
    [
        {"x": np.arange(9.0), "y": np.ones((9, 2))},
        {"x": np.arange(9.0), "y": np.ones((9, 2)), "weight": np.ones(2)},
        {"x": np.arange(9.0), "weight": np.ones(9), "y": np.ones((9, 9))},
        {"x": np.ones((9, 2)), "y": np.ones(9), "weight": np.ones(2)},
        {"x": np.arange(9.0), "y": np.ones(9), "z": np.ones((9, 4))},
    ],
)
def test_points_and_values_are_no_field(tmp_path, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    data = read_npz(tmp_path / "a.npz")
    assert data.grid_shape is None
    np.testing.assert_array_equal(data.x, arrays["x"].reshape(9, -1))
    np.testing.assert_array_equal(data.y, arrays["y"].reshape(9, -1))


def test_points_that_are_the_target_are_a_field(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.arange(4.0) ** 2, y=np.ones(4))
    data = read_npz(tmp_path / "x.npz", target="x")
    assert data.grid_shape == (4,)
    assert (data.x.ravel().tolist(), data.y.ravel().tolist()) == ([0, 1, 2, 3], [0, 1, 4, 9])


@pytest.mark.parametrize(
    ("arrays", "arguments", "message"),
    [
        (
            {"x": np.ones(3), "y": np.ones(4)},
            {},
            r"equally many rows, .* they are x \(3,\), y \(4,\)",
        ),
        ({"x": np.ones(1), "y": np.ones(1)}, {}, "at least 2 rows of numbers; it has 1"),
        ({"a": np.ones(3), "b": np.ones(3)}, {}, r"it holds a \(3,\), b \(3,\)"),
        (
            {"height": np.ones(3)},
            {"target": "hight"},
            "'height'; got 'hight'. Did you mean 'height'",
        ),
        ({"x": np.ones(3), "y": np.array(["a", "b", "c"])}, {}, "'y' must hold real numbers"),
        ({"x": np.ones(3), "y": 1j * np.ones(3)}, {}, "'y' must hold real numbers"),
        ({"x": np.ones(3), "y": np.array([1, np.nan, 2])}, {}, "column 'y' must be finite; row 2"),
        (
            {"x": np.ones((2, 2, 2)), "y": np.ones(2)},
            {},
            r"shape \(points,\) or \(points, columns\)",
        ),
        ({"a": np.ones((2, 2, 2, 2))}, {}, "must have 1 to 3 axes"),
        ({"a": np.ones(1)}, {}, "at least 2 rows of numbers; it has 1"),
        (
            {"x": np.zeros(0), "y": np.zeros(0)},
            {},
            "at least 2 rows of numbers; array 'x' has none",
        ),
        (
            {"x": np.ones(3), "y": np.ones(4), "z": np.ones((4, 3))},
            {"inputs": ["x", "y"], "target": "z"},
            r"axes of a field .* they are x \(3,\), y \(4,\), z \(4, 3\)",
        ),
        (
            {"x": np.ones(3), "y": np.ones(4), "z": np.ones((4, 3))},
            {},
            r"axes of a field and the field, as x \(40,\), y \(50,\), z \(40, 50\) are",
        ),
        (
            {"a": np.ones(3), "b": np.ones(4), "z": np.ones((4, 3))},
            {},
            r"a field and its axes .* it holds a \(3,\), b \(4,\), z \(4, 3\)",
        ),
        (
            {"a": np.ones(2), "b": np.ones(3), "c": np.ones(5), "z": np.ones((2, 3, 4))},
            {"inputs": ["a", "b", "c"], "target": "z"},
            "A field needs a 1-D array per axis, of its length",
        ),
        (
            {"x": np.ones(3), "y": np.ones(3), "z": np.ones((3, 3))},
            {},
            "two ways, .* 'x' and 'y' as points and values, or 'x', 'y' and 'z' as axes and field",
        ),
        (
            {"x": np.ones(3), "y": np.ones(4), "z": np.ones((3, 4))},
            {"target": "z"},
            "'x' and 'z' as points and values, or 'x', 'y' and 'z' as axes and field",
        ),
        (
            {"a": np.ones(0), "b": np.ones(4), "z": np.ones((0, 4))},
            {},
            "at least 2 rows of numbers; array 'z' has none",
        ),
        (
            {"a": np.array([0.0, np.nan]), "b": np.ones(3), "z": np.ones((2, 3))},
            {},
            "column 'a' must be finite; row 4 has nan",
        ),
        ({"x": np.ones(3), "y": np.ones(3)}, {"inputs": "y"}, "'y' is named as both"),
    ],
)
def test_faulty_archives_are_one_clear_line(tmp_path, arrays, arguments, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ValueError, match=message) as caught:
        read_npz(tmp_path / "a.npz", **arguments)
    assert "\n" not in str(caught.value)


def test_damaged_archives_are_one_clear_line(tmp_path):
    np.savez_compressed(tmp_path / "whole.npz", x=np.arange(1000.0), y=np.arange(1000.0))
    whole = (tmp_path / "whole.npz").read_bytes()
    flipped = bytearray(whole)
    flipped[200:400] = bytes(200)
    np.savez(tmp_path / "pickled.npz", x=np.array([{}], dtype=object), y=np.ones(1))
    damaged = {"text": b"no archive", "cut": whole[:900], "flipped": bytes(flipped)}
    for name, content in damaged.items():
        (tmp_path / f"{name}.npz").write_bytes(content)
    for name in (*damaged, "pickled"):
        with pytest.raises(ValueError, match="must be an archive of arrays") as caught:
            read_npz(tmp_path / f"{name}.npz")
        assert "\n" not in str(caught.value)
        assert "allow_pickle" not in str(caught.value)
        assert not str(caught.value).endswith("..")
    with pytest.raises(ValueError, match=r"it begins as neither \.npz nor \.npy does\.$"):
        read_npz(tmp_path / "text.npz")
    with pytest.raises(ValueError, match=r"it holds Python objects\.$"):
        read_npz(tmp_path / "pickled.npz")
