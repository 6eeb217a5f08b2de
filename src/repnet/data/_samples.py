"""Real data sets that installed packages carry: nothing is downloaded, nothing is cached."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pywt.data

from repnet.data._csv import read_csv
from repnet.data._dataset import Dataset, on_grid

SECONDS_PER_DAY = 86_400.0


def terrain() -> Dataset:
    """Elevation around the Jacksboro fault, Tennessee: 344 × 403 nodes, 3 arc-seconds apart.

    ```python
    >>> data = terrain()
    >>> data.grid_shape, float(data.y.min()), float(data.y.max())
    ((344, 403), 236.0, 1076.0)

    ```

    **Returns:** inputs `south` and `east` in metres from the north-west corner (92.5 m and 74.5 m
    between nodes, the lengths of 3 arc-seconds at the middle latitude); target `elevation` in
    metres.

    **Source:** matplotlib's sample data `jacksboro_fault_dem.npz` (USGS National Elevation
    Dataset).
    """
    file = _matplotlib_sample("jacksboro_fault_dem.npz")
    latitude = float(file["ymin"] + file["ymax"]) / 2
    return _map(
        "terrain",
        file["elevation"],
        degrees=(float(file["dy"]), float(file["dx"])),
        latitude=latitude,
        source="matplotlib sample data jacksboro_fault_dem.npz (USGS)",
    )


def sea_floor() -> Dataset:
    """Land and sea floor around Vancouver Island: 91 × 120 nodes, -1437 to 2205 m.

    ```python
    >>> sea_floor().grid_shape
    (91, 120)

    ```

    **Returns:** inputs `south` and `east` in metres from the north-west corner; target
    `elevation` in metres, negative below sea level.

    **Source:** matplotlib's sample data `topobathy.npz`.
    """
    file = _matplotlib_sample("topobathy.npz")
    north, east = file["latitude"].astype(np.float64), file["longitude"].astype(np.float64)
    return _map(
        "sea_floor",
        file["topo"][::-1],  # the file's first row is the southernmost
        degrees=(np.ptp(north) / (len(north) - 1), np.ptp(east) / (len(east) - 1)),
        latitude=float(north.mean()),
        source="matplotlib sample data topobathy.npz",
    )


def camera() -> Dataset:
    """The cameraman photograph: 512 × 512 pixels of 256 grey levels.

    ```python
    >>> camera().grid_shape
    (512, 512)

    ```

    **Returns:** inputs `row` (downwards) and `column` in pixels; target `grey`, 0 to 255.

    **Source:** PyWavelets, `pywt.data.camera` (Lav Varshney, CC0).
    """
    return _pixels("camera", pywt.data.camera(), "PyWavelets, pywt.data.camera (CC0)")


def heart() -> Dataset:
    """An electrocardiogram: 1,024 samples.

    ```python
    >>> heart().x.shape
    (1024, 1)

    ```

    **Returns:** input `time` in samples (the package gives no rate); target `voltage` in the
    recorder's counts.

    **Source:** PyWavelets, `pywt.data.ecg`.
    """
    values = pywt.data.ecg()
    axes = [np.arange(len(values))]
    units = ("samples", "counts")
    return on_grid("heart", values, axes, ("time",), "voltage", units, "PyWavelets, pywt.data.ecg")


def sea_surface_temperature() -> Dataset:
    """Sea-surface temperature in the Gulf of Maine: 19,226 half-hourly values over 13 months.

    One stamp occurs twice and one gap lasts 12 hours; both are kept as they are.

    ```python
    >>> data = sea_surface_temperature()
    >>> len(data.x), float(data.y.min()), float(data.y.max())
    (19226, 3.612, 22.15)

    ```

    **Returns:** input `time` in days since 2016-02-15; target `temperature` in degrees Celsius.

    **Raises:** `ImportError` that names the package to install.

    **Source:** NERACOOS station B01, Western Maine Shelf, in the package bokeh-sampledata.
    """
    package = importlib.util.find_spec("bokeh_sampledata")
    if package is None or package.origin is None:
        raise ImportError(
            "`sea_surface_temperature()` needs the package bokeh-sampledata, which is absent; "
            "`pip install bokeh-sampledata` installs it."
        )
    path = Path(package.origin).parent / "_data" / "sea_surface_temperature.csv.gz"
    table = read_csv(path)
    return replace(
        table,
        name="sea_surface_temperature",
        x=table.x / SECONDS_PER_DAY,
        input_names=("time",),
        target_names=("temperature",),
        units=("days", "°C"),
        source="NERACOOS station B01, in bokeh-sampledata",
        origins={},  # which are those of seconds
    )


def _matplotlib_sample(name: str) -> dict[str, np.ndarray]:
    from matplotlib.cbook import get_sample_data  # late: `import repnet` loads no matplotlib

    file: Any = get_sample_data(name)
    with file:
        return dict(file)


def _map(
    name: str, values: np.ndarray, degrees: tuple[float, float], latitude: float, source: str
) -> Dataset:
    """A map whose rows run from north to south, in metres from its north-west corner."""
    steps = [
        step * metres for step, metres in zip(degrees, metres_per_degree(latitude), strict=True)
    ]
    axes = [step * np.arange(size) for step, size in zip(steps, values.shape, strict=True)]
    return on_grid(name, values, axes, ("south", "east"), "elevation", ("m", "m", "m"), source)


def _pixels(name: str, values: np.ndarray, source: str) -> Dataset:
    axes = [np.arange(size) for size in values.shape]
    units = ("pixels", "pixels", "levels")
    return on_grid(name, values, axes, ("row", "column"), "grey", units, source)


def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Lengths in metres of one degree of latitude and of longitude, at a latitude in degrees.

    ```python
    >>> [round(length) for length in metres_per_degree(0.0)]
    [110574, 111319]

    ```

    **Source:** arcs of the WGS 84 ellipsoid along the meridian and the parallel.
    """
    axis, eccentricity2 = 6_378_137.0, 6.69437999014e-3  # metres; squared first eccentricity
    phi = np.radians(latitude)
    bend = 1 - eccentricity2 * np.sin(phi) ** 2
    meridian = axis * (1 - eccentricity2) / bend**1.5
    parallel = axis * np.cos(phi) / np.sqrt(bend)
    return float(np.radians(meridian)), float(np.radians(parallel))
