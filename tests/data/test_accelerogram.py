"""Readers of a user's own accelerogram: units, steps and faults."""

import numpy as np
import pytest

from repnet.data import GRAVITY, Accelerogram, read_accelerogram


def _wave(step: float = 0.01, count: int = 400) -> np.ndarray:
    return 2.0 * np.sin(2.0 * np.pi * 1.5 * step * np.arange(count))


def _write(path, text: str):
    path.write_text(text)
    return path


def _table(tmp_path, header: str, times: np.ndarray, values: np.ndarray):
    rows = "\n".join(f"{t:.4f},{v:.9f}" for t, v in zip(times, values, strict=True))
    return _write(tmp_path / "quake.csv", f"{header}\n{rows}\n")


@pytest.mark.parametrize(("unit", "factor"), [("g", GRAVITY), ("m/s2", 1.0), ("gal", 0.01)])
def test_units_come_from_the_header_or_the_argument(tmp_path, unit, factor):
    values = _wave() / factor
    times = 0.01 * np.arange(len(values))
    path = _table(tmp_path, f"time (s),acceleration ({unit})", times, values)
    np.testing.assert_allclose(read_accelerogram(path).acceleration, _wave(), atol=1e-7)
    path = _table(tmp_path, "time,acceleration", times, values)
    np.testing.assert_allclose(read_accelerogram(path, unit=unit).acceleration, _wave(), atol=1e-7)


@pytest.mark.parametrize(
    "header",
    ["NPTS=   400, DT=   .0100 SEC,", "   400    0.0100    NPTS, DT", "NPTS= 400, DT= 1e-2"],
)
def test_both_headers_of_at2_files(tmp_path, header):
    values = (_wave() / GRAVITY).reshape(-1, 5)
    body = "\n".join(" ".join(f"{v: .7E}" for v in row) for row in values)
    text = f"PEER NGA\nNorthridge\nACCELERATION IN UNITS OF G\n{header}\n{body}\n"
    record = read_accelerogram(_write(tmp_path / "record.AT2", text))
    assert record.step == 0.01
    np.testing.assert_allclose(record.acceleration, _wave(), atol=1e-5)


def test_a_single_column_needs_a_step(tmp_path):
    path = _write(tmp_path / "a.csv", "acceleration[g]\n" + "\n".join(map(str, _wave() / GRAVITY)))
    with pytest.raises(ValueError, match="`step` must be given"):
        read_accelerogram(path)
    assert read_accelerogram(path, step=0.01).step == 0.01
    path.write_text(path.read_text().replace("acceleration[g]", "acceleration [g]", 1))
    assert read_accelerogram(path, step=0.01).step == 0.01


@pytest.mark.parametrize(
    ("header", "change", "message"),
    [
        ("time,acceleration", {}, "`unit` must be given"),
        ("time,acceleration (furlong)", {}, "'furlong'"),
        ("time,acceleration (g)", {"scale": 1e3}, "unit right"),
        ("time,acceleration (gal)", {"scale": 1e-4}, "unit right"),
        ("time,acceleration (g)", {"gap": True}, "equal steps"),
        ("time,acceleration (g)", {"nan": True}, "acceleration.*1"),
        ("time,acceleration (g)", {"short": True}, "at least 64"),
    ],
)
def test_faults_say_what_is_wrong(tmp_path, header, change, message):
    values = _wave() / GRAVITY * change.get("scale", 1.0)
    times = 0.01 * np.arange(len(values))
    if change.get("gap"):
        times[200:] += 0.05
    if change.get("nan"):
        values[7] = np.nan
    if change.get("short"):
        times, values = times[:20], values[:20]
    with pytest.raises(ValueError, match=message):
        read_accelerogram(_table(tmp_path, header, times, values))


@pytest.mark.parametrize(
    ("given", "message"),
    [({"unit": "m/s2"}, "`unit` must be g"), ({"step": 0.02}, "agree with the DT .* 0.01 s, not")],
)
def test_an_at2_file_is_not_contradicted(tmp_path, given, message):
    numbers = " ".join(f"{value:.6e}" for value in _wave() / GRAVITY)
    head = f"a\nb\nc\nNPTS= {len(_wave())}, DT= .01\n"
    path = _write(tmp_path / "x.at2", head + numbers)
    assert read_accelerogram(path, unit="G", step=0.01).step == 0.01
    with pytest.raises(ValueError, match=message):
        read_accelerogram(path, **given)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a\nb\nc\nd\n1 2 3\n", "no NPTS and DT"), ("a\nb\nc\nNPTS= 9, DT= .01\n1 2 3\n", "9 values")],
)
def test_what_is_no_at2_file(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_accelerogram(_write(tmp_path / "x.at2", text))


@pytest.mark.parametrize("step", [0.0024, 0.005, 0.02])
def test_resampling_keeps_a_slow_wave_and_drops_a_fast_one(step):
    times = step * np.arange(round(20.0 / step))
    taper = np.hanning(len(times))
    slow_before = Accelerogram("slow", taper * np.sin(2 * np.pi * 3.0 * times), step)
    slow = slow_before.resampled(0.01)
    wanted = np.interp(0.01 * np.arange(len(slow.acceleration)), times, taper)
    wanted = wanted * np.sin(2 * np.pi * 3.0 * 0.01 * np.arange(len(wanted)))
    np.testing.assert_allclose(slow.acceleration, wanted, atol=3e-3)
    if step < 0.005:  # 70 Hz, above the new Nyquist frequency of 50 Hz, would alias to 30 Hz
        fast = taper * np.sin(2 * np.pi * 70.0 * times)
        both = slow_before.acceleration + fast
        found = Accelerogram("both", both, step).resampled(0.01)
        assert np.abs(found.acceleration - slow.acceleration).max() < 0.02


def test_drift_tells_a_wrong_baseline():
    wave = np.hanning(2000) * _wave(0.01, 2000)
    assert Accelerogram("good", wave, 0.01).drift < 0.05
    assert Accelerogram("off", wave + 0.3, 0.01).drift > 0.9


def test_a_step_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"step must lie between 0\.0002 and 0\.1"):
        Accelerogram("slow", _wave(), 0.5)
