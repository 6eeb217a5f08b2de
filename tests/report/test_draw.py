"""Tests of the reports: drawn from record and arrays alone, complete, safe and small."""

import dataclasses
import re
from html.parser import HTMLParser

import jax.random as jr
import numpy as np
import pytest

from repnet.data import Dataset, holdout
from repnet.nn import RepNet
from repnet.problem import regression
from repnet.report import (
    Run,
    arrays_of,
    bands_of,
    data_arrays,
    describe_data,
    describe_spectra,
    draw_reports,
    measure,
    number,
    plain,
    read_run,
    record_of,
    spectrum_arrays,
    write_run,
)
from repnet.report._view import of_target
from repnet.solve import RESULTS, Gradient, Plan, Solution, standardization
from repnet.spectrum import axis_spectra

KINDS = ("line", "map", "scatter", "many")
FITTED = ("fit", "error", "zoom_fit", "slice_fit", "heldout_fit")  # arrays that hold a fit
HISTORY = {
    "step": np.array([1, 10]), "loss": np.array([1.0, 0.1]),
    "watch_step": np.array([0, 10]), "band_error": np.array([[1.0, np.nan], [0.1, 0.5]]),
    "band_edges": np.array([[0.0, 1.0, 2.0]] * 2),
}  # fmt: skip


def make_run(data: Dataset, name: str = "net") -> tuple[Run, Solution]:
    """A run with an untrained network and a made-up history."""
    train, test = holdout(data, 0.2, seed=0)
    inner = RepNet(data.x.shape[1], data.y.shape[1], width=8, scale=5.0, key=jr.key(0))
    network = standardization(regression(train.x, train.y)).wrap(inner, double=False)
    solution = Solution(
        network, None, RESULTS.successful, HISTORY, Plan("net", "solver", (5.0,), ("<why>",)), 1.0,
        initial=network,
    )  # fmt: skip
    found, predicted = measure(solution, test), {name: solution(data.x)}
    spectra = axis_spectra(data.x, data.y, data.grid_shape)
    methods = {name: {**found, "seconds": 1.0, "compile_seconds": 0.5, "steps": 10,
                      "parameters": 99, "reasons": []}}  # fmt: skip
    metrics = {
        "psnr": found["psnr"],
        "data": describe_data(data, train, test),
        "spectrum": describe_spectra(spectra, data, solution),
        "bands": bands_of(predicted, data),
        "methods": methods,
    }
    arguments = {"data": "my file.csv", "holdout": 0.2}
    record = record_of("fit", arguments, seed=0, solution=solution, metrics=metrics,
                       heldout_rmse=found["rmse"], relative_l2=found["relative_l2"])  # fmt: skip
    return Run(record, arrays_of(data, train, test, {name: solution}, predicted, spectra)), solution


def make_data(kind: str) -> Dataset:
    rng = np.random.default_rng(0)
    if kind == "line":
        x = np.linspace(0, 1, 200)[:, None]
        return Dataset("wave", x, np.sin(40 * x), ("time",), ("height",), ("s", "m"))
    if kind == "map":
        axis = np.arange(24.0)
        x = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
        y = np.sin(x[:, :1]) + np.cos(x[:, 1:])
        return Dataset("hills", x, y, ("row", "column"), ("z",), ("px", "px", "m"), "", (24, 24))
    dim = {"scatter": 2, "many": 4}[kind]
    x = rng.uniform(size=(300, dim))
    names = tuple("abcd"[:dim])
    return Dataset("cloud", x, np.sin(9 * x[:, :1]), names, ("y",))


class Page(HTMLParser):
    """What a page would fetch, its headings, and whether its tags close."""

    def __init__(self, text: str):
        super().__init__()
        self.fetched: list[str] = []
        self.cards = 0
        self.depth = 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        void = ("meta", "br", "link", "img")
        self.depth += tag not in void
        self.cards += tag == "figure"
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and not value.startswith(("#", "data:")):
                self.fetched.append(value)

    def handle_startendtag(self, tag, attrs):
        self.depth -= tag not in ("meta", "br", "link", "img")
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        self.depth -= 1


@pytest.mark.parametrize(
    ("kind", "cards"), [("line", 8), ("map", 10), ("scatter", 10), ("many", 16)]
)
@pytest.mark.slow
def test_every_layout_is_drawn_from_record_and_arrays_alone(tmp_path, kind, cards):
    run, solution = make_run(make_data(kind))
    write_run(tmp_path, run, solution)
    (tmp_path / "model.npz").unlink()
    draw_reports(tmp_path)
    text = (tmp_path / "report.html").read_text()
    page = Page(text)
    assert page.fetched == []
    assert page.depth == 0
    assert page.cards == cards
    assert "url(http" not in text
    assert "@import" not in text
    assert len(text) < 1_000_000
    assert (tmp_path / "picture.png").exists() == (kind == "map")
    first = text
    draw_reports(tmp_path)
    assert (tmp_path / "report.html").read_text() == first


@pytest.mark.slow
def test_the_page_holds_numbers_plan_and_command(tmp_path):
    run, solution = make_run(make_data("line"))
    write_run(tmp_path, run, solution)
    draw_reports(tmp_path)
    for name in ("report.html", "report.md"):
        text = (tmp_path / name).read_text()
        assert "repnet fit " in text
        assert "my file.csv" in text
        assert f"{number(run.record.heldout_rmse)} m" in text or name.endswith("md")
        assert number(run.record.relative_l2) in text
        assert "160 points to learn from, 40 held out" in re.sub(r"\s+", " ", text)
    assert "&lt;why&gt;" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *zip(KINDS, (0.0, np.nan, np.inf, 0.0), strict=True),
        *zip(KINDS, (np.inf, 0.0, np.nan, np.nan), strict=True),
    ],
)
def test_a_target_of_zeros_is_drawn_whatever_the_fit(tmp_path, kind, value):
    data = make_data(kind)
    run, solution = make_run(dataclasses.replace(data, y=np.zeros_like(data.y)))
    history = {**run.record.history, "loss": [value, value], "band_error": [[value, value]] * 2}
    arrays = {name: np.full_like(array, value) if name.startswith(FITTED) else array
              for name, array in run.arrays.items()}  # fmt: skip
    record = dataclasses.replace(run.record, history=plain(history))
    write_run(tmp_path, Run(record, arrays), solution)
    draw_reports(tmp_path)
    text = (tmp_path / "report.html").read_text()
    assert "Numbers per band" not in text
    assert "Error per band" not in text
    assert not re.search(r">\s*-?(nan|inf|None)\b", text)
    assert (tmp_path / "report.md").exists()


@pytest.mark.slow
def test_bands_of_earlier_records_without_energy_are_left_out(tmp_path):
    run, solution = make_run(make_data("line"))
    bands = run.record.metrics["bands"]
    empty = {**bands, "share": [None] * len(bands["share"])}
    metrics = {**run.record.metrics, "bands": empty}
    write_run(tmp_path, Run(dataclasses.replace(run.record, metrics=metrics), run.arrays), solution)
    draw_reports(tmp_path)
    assert "Numbers per band" not in (tmp_path / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "still"),
    [*zip(KINDS, (0, 1, 2, 2), strict=True), *zip(KINDS, (1, 0, 1, 0), strict=True)],
)
def test_constant_inputs_are_no_axes_of_figures(tmp_path, kind, still):
    data = make_data(kind)
    data = dataclasses.replace(
        data,
        x=np.insert(data.x, still, 5.0, axis=1),
        input_names=(*data.input_names[:still], "standstill", *data.input_names[still:]),
        units=(*data.units[:still], "", *data.units[still:]),
        grid_shape=None if kind != "map" else tuple(np.insert([24, 24], still, 1).tolist()),
    )
    run, solution = make_run(data)
    assert run.record.metrics["data"]["layout"] == kind
    write_run(tmp_path, run, solution)
    draw_reports(tmp_path)
    text = (tmp_path / "report.html").read_text()
    for group in ("Spectrum along", "Slice along", "Crossings of partition planes,"):
        assert f"{group} standstill" not in text
    assert ">standstill" not in text.split("</h1>")[1]
    assert f"Crossings of partition planes, {data.input_names[still - 1]}" in text


def make_targets(kind: str, count: int) -> Dataset:
    """Data whose every target is another multiple of one function, in another unit."""
    data = make_data(kind)
    dim, numbers = data.x.shape[1], np.arange(1.0, count + 1)
    names = tuple(f"channel {number:g}" for number in numbers)
    units = (*data.units[:dim], *(f"u{number:g}" for number in numbers))
    return dataclasses.replace(data, y=data.y * numbers, target_names=names, units=units)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["line", "map", "scatter", pytest.param("many", marks=pytest.mark.long)]
)
def test_every_target_is_judged_and_drawn(tmp_path, kind):
    run, solution = make_run(make_targets(kind, 2))
    errors = run.record.metrics["methods"]["net"]["targets"]
    write_run(tmp_path, run, solution)
    draw_reports(tmp_path)
    page, words = ((tmp_path / name).read_text() for name in ("report.html", "report.md"))
    for found, unit in zip(errors, ("u1", "u2"), strict=True):
        label = f"{found['target']} [{unit}]"
        assert f"<h2>Data and fit: {found['target']}</h2>" in page
        assert f"<td>{label}</td><td>{number(found['rmse'])}</td>" in page
        assert f"| {label} | {number(found['rmse'])} | {number(found['relative_l2'])} |" in words
    single, _ = make_run(make_data(kind))
    (tmp_path / "one").mkdir()
    write_run(tmp_path / "one", single, None)
    draw_reports(tmp_path / "one")
    one = Page((tmp_path / "one" / "report.html").read_text()).cards
    assert one < Page(page).cards < 2 * one


def test_arrays_of_a_second_target_are_those_of_it_alone():
    data = make_targets("line", 2)
    both, alone = data_arrays(data), data_arrays(of_target(data, 1))
    np.testing.assert_array_equal(both["target:1:data_y"], alone["data_y"])


@pytest.mark.slow
def test_of_many_targets_the_first_four_are_drawn(tmp_path):
    run, solution = make_run(make_targets("line", 6))
    write_run(tmp_path, run, solution)
    draw_reports(tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.count("<h2>Data and fit: ") == 4
    assert "The figures show the first 4 of 6 targets." in page
    assert "<td>channel 6 [u6]</td>" in page


@pytest.mark.slow
def test_inputs_that_are_all_constant_are_judged_without_a_curve(tmp_path):
    data = Dataset("still", np.full((40, 1), 5.0), np.arange(40.0)[:, None], ("a",), ("y",))
    run, solution = make_run(data)
    write_run(tmp_path, run, solution)
    draw_reports(tmp_path)
    text = (tmp_path / "report.html").read_text()
    assert "Predicted and true" in text
    assert "Slice along" not in text


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["line", "many"])
def test_names_from_files_are_escaped(tmp_path, kind):
    evil = '"><script>alert("x")</script>'
    data = make_data(kind)
    names = tuple(f"{evil}{axis}" for axis in range(data.x.shape[1]))
    data = Dataset(evil, data.x, data.y, names, (evil,), ("<b>",) * (len(names) + 1), evil)
    run, solution = make_run(data, name=evil)
    write_run(tmp_path, run, solution)
    draw_reports(tmp_path)
    assert "<script" not in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_figures_follow_the_page_s_ink(tmp_path):
    run, solution = make_run(make_data("line"))
    write_run(tmp_path, run, solution)
    draw_reports(tmp_path)
    text = (tmp_path / "report.html").read_text()
    assert "currentColor" in text
    assert ">10⁻" in text  # a power of ten in plain letters
    assert "#123457" not in text
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
    assert "repeat(auto-fit, minmax(min(100%" in text  # cards fill their row


def test_a_diagnosis_without_a_fit_is_drawn(tmp_path):
    data = make_data("scatter")
    spectra = axis_spectra(data.x, data.y)
    metrics = {
        "data": describe_data(data, data, None),
        "spectrum": describe_spectra(spectra, data, None),
        "sampling": {"level": "warning", "findings": ["Too few."], "points_per_wavelength": []},
        "suggestion": {"scale": [3.0], "reasons": ["Take 3."]},
    }
    record = record_of("diagnose", {"data": "x"}, metrics=metrics)
    write_run(tmp_path, Run(record, {**data_arrays(data), **spectrum_arrays(spectra)}), None)
    draw_reports(tmp_path)
    text = (tmp_path / "report.html").read_text()
    assert "Too few." in text
    assert "Take 3." in text
    assert Page(text).cards == 3


def test_damaged_runs_are_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match="must be the folder of a run"):
        read_run(tmp_path / "none")
    run, solution = make_run(make_data("line"))
    write_run(tmp_path, run, solution)
    whole = (tmp_path / "arrays.npz").read_bytes()
    (tmp_path / "arrays.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="it is damaged"):
        read_run(tmp_path)


@pytest.mark.slow
def test_a_real_training_has_every_card(tmp_path):
    data = make_data("line")
    train, test = holdout(data, 0.2, seed=0)
    solution = Gradient(steps=4, width=8, hidden=(4,), chunk=2).run(
        regression(train.x, train.y), key=jr.key(0)
    )
    spectra = axis_spectra(data.x, data.y)
    arrays = arrays_of(data, train, test, {"net": solution}, {"net": solution(data.x)}, spectra)
    assert arrays["density_before:0:net"].sum() > 0
