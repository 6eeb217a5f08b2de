"""What a fit is measured by: errors on points it never saw, and per band of frequencies."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from repnet.data import Dataset
from repnet.judge import BandError, band_error, report_card
from repnet.nn import Beside, RepLinear, Standardized
from repnet.nn._windowed import Windowed
from repnet.report._view import moving_inputs, over_inputs
from repnet.solve import Solution
from repnet.spectrum import Spectrum

Function = Callable[[np.ndarray], np.ndarray]
MOST_BAND_POINTS = 20_000  # scattered points whose bands are fitted by least squares


def measure(solution: Function, test: Dataset | None) -> dict[str, Any]:
    """Errors on the held-out set: `rmse`, `relative_l2`, `psnr`, `max_error` and `rmse_share`.

    `rmse_share` is the RMSE over the standard deviation of the held-out values: 1 is what a
    constant reaches. `targets` are the first four of every target where there are several, in
    a list. Without a held-out set, or with one that is constant, entries are `None`.

    >>> from repnet.data import Dataset
    >>> test = Dataset("line", np.arange(4.0)[:, None], np.arange(4.0)[:, None], ("x",), ("y",))
    >>> measure(lambda x: x + 0.5, test)["rmse"]
    0.5
    """
    if test is None:
        names = ("rmse", "relative_l2", "psnr", "max_error", "rmse_share", "targets")
        return dict.fromkeys(names)
    predicted = np.asarray(solution(test.x), np.float64)
    card = report_card(lambda _: predicted, test.x, test.y)
    spread = float(np.std(test.y - test.y.mean(axis=0)))
    share = card["rmse"] / spread if spread > 0 else None
    return {**card, "rmse_share": share, "targets": _per_target(predicted, test)}


def _per_target(
    predicted: Float[np.ndarray, "points out"], test: Dataset
) -> list[dict[str, Any]] | None:
    """Name and errors of every target; `None` of a single one."""
    if test.y.shape[1] == 1:
        return None
    cards = [
        report_card(lambda _, column=column: column, test.x, truth)
        for column, truth in zip(predicted.T, test.y.T, strict=True)
    ]
    return [{"target": n, **card} for n, card in zip(test.target_names, cards, strict=True)]


def bands_of(
    predicted: Mapping[str, Float[np.ndarray, "points out"]], data: Dataset
) -> dict[str, Any] | None:
    """The error of every method per band of frequencies, over all points of a data set.

    **Arguments:**

    - `predicted`: name of the method to its values at `data.x`.
    - `data`: the whole data set; on a grid the bands reach to the grid's own limit. Of scattered
      points at most 20,000 are used. Inputs that are constant count for nothing.

    **Returns:** `edges` (radians per unit length), `share` of the target's energy per band, and
    `error`: name to error over the target's energy in the band. `None` where there are too few
    points or more than 3 scattered axes, and for a target of zeros, which has no energy.
    """
    moving = moving_inputs(data)
    if not moving:
        return None
    data = over_inputs(data, moving)
    rows = np.arange(len(data.x))
    if data.grid_shape is None and len(rows) > MOST_BAND_POINTS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_BAND_POINTS, replace=False))
    errors: dict[str, BandError] = {}
    for name, values in predicted.items():
        try:
            errors[name] = band_error(
                lambda _, values=values: values[rows],
                data.x[rows],
                data.y[rows],
                grid_shape=data.grid_shape,
            )
        except ValueError:  # too few points, no extent, no grid on 4 axes: there are no bands
            return None
    first = next(iter(errors.values()))
    if not np.any(first.share > 0):
        return None
    return {
        "edges": first.edges,
        "share": first.share,
        "error": {name: error.of_band for name, error in errors.items()},
    }


def describe_data(data: Dataset, train: Dataset, test: Dataset | None) -> dict[str, Any]:
    """What a report says about the data, as JSON values."""
    return {
        "name": data.name,
        "layout": layout_of(data),
        "inputs": data.input_names,
        "targets": data.target_names,
        "units": data.units,
        "source": data.source,
        "left_out": data.left_out,
        "origins": data.origins,
        "grid_shape": data.grid_shape,
        "points": len(train.x),
        "heldout_points": 0 if test is None else len(test.x),
        "lower": data.x.min(axis=0),
        "upper": data.x.max(axis=0),
    }


def layout_of(data: Dataset) -> str:
    """How a report draws it: `"line"`, `"map"` (a 2-D grid), `"scatter"` (2-D) or `"many"`.

    Only inputs that are not constant count.
    """
    match len(moving_inputs(data)), data.grid_shape:
        case 1, _:
            return "line"
        case 2, None:
            return "scatter"
        case 2, _:
            return "map"
    return "many"


def describe_spectra(
    spectra: tuple[Spectrum, ...], data: Dataset, solution: Solution | None
) -> list[dict[str, Any]]:
    """Per axis: highest frequency, noise, sampling, and the chosen scale in the data's units."""
    return [
        {
            "axis": name,
            "omega_max": spectrum.omega_max,
            "omega_rms": spectrum.omega_rms,
            "noise": spectrum.noise,
            "spacing": spectrum.spacing,
            "nyquist": spectrum.nyquist,
            "scale": None if solution is None else scales_in_units(solution, axis),
        }
        for axis, (name, spectrum) in enumerate(zip(data.input_names, spectra, strict=True))
    ]


def scales_in_units(solution: Solution, axis: int) -> list[float] | None:
    """Slope scales of a fit along one axis, in radians per unit of the data.

    One for a network with one reparameterized layer, several for a windowed network, `None` for a
    network without a scale.
    """
    return _scales_of(solution.network, axis)


def _scales_of(outer: Any, axis: int) -> list[float] | None:
    if isinstance(outer, Beside):
        found = [scale for part in outer.parts for scale in _scales_of(part, axis) or ()]
        return found or None
    if not isinstance(outer, Standardized):
        return None
    half_width = float(np.asarray(outer.half_width)[axis])
    inner: Any = outer.network
    if isinstance(inner, Windowed):
        reach = (
            np.median(np.broadcast_to(np.asarray(inner.radius), inner.centre.shape)[:, axis])
            * half_width
        )
        layers = [part.layer for part in inner.parts]
        return [float(s) / reach for layer in layers if (s := _scale(layer, axis)) is not None]
    scale = _scale(getattr(inner, "first", None), axis)
    return None if scale is None else [scale / half_width]


def _scale(layer: Any, axis: int) -> float | None:
    return float(np.asarray(layer.scale)[axis]) if isinstance(layer, RepLinear) else None
