"""Tables of text: every form they come in, and one clear line for every fault."""

import gzip

import numpy as np
import pytest

from repnet.data import read_csv


@pytest.fixture
def write(tmp_path):
    def to_file(text: str, name: str = "table.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("header", ["a{0}b{0}c\n", ""])
def test_separator_and_header_are_found(write, rng, separator, header):
    table = rng.normal(size=(20, 3)).round(6)
    body = "\n".join(separator.join(map(str, row)) for row in table)
    data = read_csv(write(header.format(separator) + body))
    np.testing.assert_array_equal(np.hstack([data.x, data.y]), table)
    assert data.input_names == (("a", "b") if header else ("column1", "column2"))


@pytest.mark.parametrize("separator", [";", "\t", "|", " "])
@pytest.mark.parametrize("header", ["a{0}b{0}c\n", ""])
def test_a_comma_may_be_the_decimal_point(write, rng, separator, header):
    table = rng.normal(size=(20, 3)) * 10.0 ** rng.integers(-9, 9, (20, 3))
    table[:, 1] = np.arange(20)
    body = "\n".join(separator.join(f"{v:+.3e}".replace(".", ",") for v in row) for row in table)
    data = read_csv(write(header.format(separator) + body))
    np.testing.assert_allclose(np.hstack([data.x, data.y]), table, rtol=5e-4)  # 4 digits


def test_columns_are_chosen_by_name(write):
    data = read_csv(write("a,b,c\n1,2,3\n4,5,6\n"), inputs="c", target=["a", "b"])
    assert data.x.tolist() == [[3], [6]]
    assert data.y.tolist() == [[1, 2], [4, 5]]


def test_quotes_spaces_comments_blank_lines_and_windows_ends(write):
    text = '\ufeff# made by hand\r\n"t, hours" , "h (m)"\r\n1 , 2\r\n\r\n3 , 4\r\n'
    data = read_csv(write(text))
    assert (data.input_names, data.target_names, data.units) == (
        ("t, hours",),
        ("h (m)",),
        ("", "m"),
    )
    assert data.y.tolist() == [[2], [4]]


def test_labels_are_left_out_and_one_column_is_a_signal(write):
    labelled = read_csv(write("place,t,h\npier,0,1\nquay,1,2\n"))
    assert (labelled.input_names, labelled.left_out) == (("t",), ("place",))
    assert read_csv(write("t,place,h\n0,pier,1\n1,quay,2\n"), target="h").left_out == ("place",)
    chosen = read_csv(write("t,h,place\n0,1,pier\n1,2,quay\n"), inputs="t", target="h")
    assert chosen.left_out == ()
    signal = read_csv(write("h\n5\n6\n7\n"))
    assert signal.x.ravel().tolist() == [0, 1, 2]
    rows = read_csv(write("row\n5\n7\n9\n"))
    assert (rows.x.ravel().tolist(), rows.y.ravel().tolist()) == ([0, 1, 2], [5, 7, 9])


def test_an_index_without_a_name_is_no_input(write):
    path = write(",t,h\n0,0.5,1\n1,0.7,4\n")
    data = read_csv(path)
    assert (data.input_names, data.left_out) == (("t",), ("index",))
    assert read_csv(path, target="t").input_names == ("h",)
    assert read_csv(path, inputs="", target="h").x.ravel().tolist() == [0, 1]  # asked for
    signal = read_csv(write(",h\n0,5\n1,7\n"))
    assert (signal.input_names, signal.left_out) == (("row",), ("index",))
    other = read_csv(write(",h\n1,5\n2,7\n"))  # no index of pandas
    assert (other.input_names, other.left_out) == (("",), ())


@pytest.mark.parametrize("header", ["t;h;;\n", ""])
def test_a_separator_at_the_end_of_every_line_is_no_column(write, header):
    data = read_csv(write(header + "0;1;;\n1;4; ;\n"))
    assert (data.x.tolist(), data.y.tolist()) == ([[0], [1]], [[1], [4]])
    assert (data.input_names, data.left_out) == (("t",) if header else ("column1",), ())


def test_the_rows_are_numbered_where_that_is_asked_for(write):
    path = write("date,temp\n01.01.2023,5\n02.01.2023,7\n")
    data = read_csv(path, inputs=[], target="temp")
    assert (data.input_names, data.x.ravel().tolist()) == (("row",), [0, 1])
    both = read_csv(write("left,right\n1,2\n3,4\n"), target=["left", "right"])
    assert (both.input_names, both.y.tolist()) == (("row",), [[1, 2], [3, 4]])


def test_points_alone_have_no_target(write):
    data = read_csv(write("a,b,c\n1,2,3\n"), inputs=["c", "a"], target=[], fewest=1)
    assert (data.x.tolist(), data.y.shape) == ([[3, 1]], (1, 0))


def test_dates_become_seconds_since_the_earliest(write):
    text = "when,h\n2016-02-15T01:00:00Z,1\n2016-02-15T00:30:00Z,2\n2016-02-16T02:00:00+02:00,3\n"
    data = read_csv(write(text))
    assert data.x.ravel().tolist() == [1800, 0, 84_600]
    assert data.units == ("s", "")
    assert data.origins == {"when": "2016-02-15T00:30:00+00:00"}
    zone = read_csv(write("when,h\n2016-02-16T02:00:00+02:00,1\n2016-02-16T01:00:00Z,2\n"))
    assert zone.origins == {"when": "2016-02-16T02:00:00+02:00"}
    days = read_csv(write("when,h\n2016-02-28,1\n2016-03-01,2\n"))
    assert np.ptp(days.x) == 2 * 86_400  # a leap year
    spaced = read_csv(write("when,h\n2016-02-28 10:00:00,1\n2016-02-28 10:00:01.5,2\n"))
    assert np.ptp(spaced.x) == 1.5


def test_dates_are_counted_from_a_given_origin(write):
    path = write("h,when\n1,2016-02-16\n2,2016-02-14T23:00:00-01:00\n")
    data = read_csv(path, inputs="when", origins={"when": "2016-02-15"})
    assert data.x.ravel().tolist() == [86_400, 0]
    assert data.origins == {"when": "2016-02-15T00:00:00+00:00"}
    numbers = read_csv(write("when,h\n5,1\n7,2\n"), origins={"when": "2016-02-15"})
    assert (numbers.x.ravel().tolist(), numbers.origins) == ([5, 7], {})
    with pytest.raises(ValueError, match="`origins` must be ISO 8601 dates; 'when' has 'noon'"):
        read_csv(path, origins={"when": "noon"})


def test_repeated_stamps_are_no_fault(write):
    assert read_csv(write("t,h\n1,2\n1,3\n")).y.tolist() == [[2], [3]]


def test_compressed_tables_are_read(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"t,h\n1,2\n3,4\n"))
    assert read_csv(path).name == "table"


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        ("", {}, "it is empty"),
        ("\n\n", {}, "it is empty"),
        ("a,b\n", {}, "at least 2 rows of numbers; it has 0"),
        ("a,b\n1,2\n", {}, "at least 2 rows of numbers; it has 1"),
        ("a,b\n1,2\n3\n", {}, "2 cells in every row; row 2 has 1"),
        ("a,a\n1,2\n3,4\n", {}, "'a' stands twice"),
        (",,\n,,\n,,\n", {}, "its cells are empty"),
        (",,a\n1,2,3\n4,5,6\n", {}, "'' stands twice"),
        ("a,b\nx,y\nz,w\n", {}, "must have a numeric column"),
        ("a,b\n1,x\n2,y\n", {}, "'b', the last and so the target .* row 1 has 'x'"),
        ("a,b,c\n1,x,2\n2,y,3\n", {"inputs": ["a", "c"]}, "'b', the last and so the target"),
        (
            "date,temp\n01.01.2023 00:00,5\n02.01.2023 00:00,7\n",
            {},
            "beside the target 'temp'; column 'date' holds words, the first '01.01.2023 00:00'. "
            "Dates must be ISO 8601, such as 2023-01-31T12:00",
        ),
        ("at,temp\npier,5\nquay,7\n", {"target": "temp"}, "'at' holds words, the first 'pier'"),
        ("a,b\n1,2\n3,oops\n4,5\n", {}, "column 'b' must be numeric; row 2 has 'oops'"),
        ("a;b\n1;2,5\n3;1.234,5\n", {}, "column 'b' must be numeric; row 2 has '1.234,5'"),
        ("a b\n1,5 2\n3 2,\n", {}, "cells in every row"),
        ("a,b\nx,2\ny,3\n", {"inputs": "a"}, "column 'a' must be numeric; row 1 has 'x'"),
        ("a,b\n1,2\n3,\n4,NA\n", {}, r"column 'b' must be finite; row 2 has nan \(2 such"),
        ("a,b\n1,2\ninf,3\n", {}, "column 'a' must be finite; row 2 has inf"),
        ("a,b\n1,2\n1e400,3\n", {}, "column 'a' must be finite; row 2 has inf"),
        ("a,b\n1,2\n1e300,3\n", {}, "column 'a' must stay below"),
        ("a,b\n1,2\n3,1_0\n5,6\n", {}, "column 'b' must be numeric; row 2 has '1_0'"),
        (
            "t,b\n2016-01-01,2\n2016-01-02,1\nlater,3\n",
            {},
            "'t' must be all dates; row 3 has 'later'",
        ),
        (
            "depth,b\n1,2\n3,4\n",
            {"target": "dept"},
            "'depth', 'b'; got 'dept'. Did you mean 'depth'",
        ),
        ("depth,b\n1,2\n3,4\n", {"inputs": ["q"]}, "`inputs` must be one of 'depth', 'b'; got 'q'"),
        ("a,b\n1,2\n3,4\n", {"inputs": "a", "target": "a"}, "'a' is named as both"),
        ("a,b\n1,2\n3,4\n", {"inputs": ["a", "b"]}, "must leave a numeric column"),
    ],
)
def test_faults_are_one_clear_line(write, text, arguments, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(write(text), **arguments)
    assert "table.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_table(tmp_path):
    (tmp_path / "noise.csv").write_bytes(bytes(range(256)))
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"t,h\n1,2\n" * 1000)[:-20])
    for name in ("noise.csv", "cut.csv.gz"):
        with pytest.raises(ValueError, match="must be a table of text"):
            read_csv(tmp_path / name)
    (tmp_path / "latin.csv").write_bytes("Höhe,b\n1,2\n3,4\n".encode("latin-1"))
    with pytest.raises(ValueError, match="in UTF-8; it holds other bytes, such as 0xf6"):
        read_csv(tmp_path / "latin.csv")
    with pytest.raises(ValueError, match="must be a file; there is none"):
        read_csv(tmp_path / "absent.csv")
    with pytest.raises(ValueError, match="must be a file; it is a folder"):
        read_csv(tmp_path)
