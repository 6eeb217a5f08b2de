"""Meters: when they write, and what."""

import io

import pytest

from repnet.solve import AbstractProgress, NoProgress, TextProgress


def test_the_meters_are_meters():
    assert isinstance(NoProgress(), AbstractProgress)
    assert isinstance(TextProgress(io.StringIO()), AbstractProgress)
    assert not isinstance(io.StringIO(), AbstractProgress)


def test_text_is_rewritten_in_place_and_the_last_step_always_shown():
    stream = io.StringIO()
    meter = TextProgress(stream, interval=3600.0)
    meter.start(1000, "gradient")
    for step in (100, 200, 300):
        meter.update(step, 0.5)
    meter.update(1000, 0.125)
    meter.stop()
    first, last = stream.getvalue().rstrip("\n").split("\r")
    assert first == "gradient 100/1000 (10 %), loss 5.000e-01"
    assert last == "gradient 1000/1000 (100 %), loss 1.250e-01"


def test_nothing_is_written_before_the_first_step():
    stream = io.StringIO()
    meter = TextProgress(stream)
    meter.start(10, "gradient")
    meter.stop()
    assert stream.getvalue() == ""


def test_a_negative_interval_is_refused():
    with pytest.raises(ValueError, match=r"interval.*-1"):
        TextProgress(interval=-1.0)
