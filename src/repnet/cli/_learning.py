"""What `repnet diagnose` says of training: steps per band, and which scale would be better."""

from typing import Any

import jax
import jax.random as jr
import numpy as np

from repnet.data import Dataset
from repnet.judge import Forecast, check_learning, time_to_learn
from repnet.nn import MLP, Linear, RepNet
from repnet.problem import regression
from repnet.report import number
from repnet.solve._standardize import standardization

WIDTH, HIDDEN = 256, (64, 64)
FRACTION = 0.5
FEWEST = 16  # points
MOST_AXES = 3  # beyond, scattered points have no bands
FEWER = 512  # points of the kernels that compare scales
FACTORS = (0.25, 0.5, 2.0)
MATTERS = 0.01  # share of the energy of bands that a scale is judged by
FEW = 20  # steps that need not be fewer
BETTER = 0.8  # a scale that needs less than this share of the steps is better
VERIFIED = 1000  # steps of the short descent


def why_no_forecast(data: Dataset) -> str | None:
    """Why the data have no bands to forecast, in a sentence; `None` where they have.

    ```python
    >>> from repnet.data import heart
    >>> why_no_forecast(heart()) is None
    True

    ```
    """
    if data.x.shape[1] > MOST_AXES and data.grid_shape is None:
        return f"Scattered points on more than {MOST_AXES} axes have no bands to forecast."
    if len(data.x) < FEWEST:
        return f"Fewer than {FEWEST} points have no bands to forecast."
    if np.any(np.ptp(data.x, axis=0) == 0):
        name = data.input_names[int(np.argmax(np.ptp(data.x, axis=0) == 0))]
        return f"{name} is the same throughout: there are no bands to forecast along it."
    return None


def forecast_learning(
    data: Dataset, scale: np.ndarray, *, verify: bool, key: jax.Array
) -> dict[str, Any]:
    """Steps per band of a vanilla network and of a RepNet, as JSON values.

    **Arguments:** `scale`: of the RepNet, per axis; `verify`: also train for a moment.
    """
    target = _standard(data)
    vanilla_key, repnet_key, thin_key = jr.split(key, 3)
    networks = {"vanilla": _vanilla(data, vanilla_key), "RepNet": _repnet(data, scale, repnet_key)}
    found, edges = {}, None
    for name, network in networks.items():
        forecast = time_to_learn(network, target, fraction=FRACTION, bands=edges, key=thin_key)
        edges = forecast.edges.tolist()
        found[name] = _describe(forecast)
        if verify:
            check = check_learning(network, target, forecast, steps=VERIFIED, key=thin_key)
            found[name] |= {
                "measured": check.steps,
                "left": check.left,
                "same_order": check.same_order,
                "verified_steps": check.last,
            }
    return {
        "fraction": FRACTION,
        "edges": edges,
        "networks": found,
        "reasons": [*_advice(data, target, scale, repnet_key, thin_key), *_doubts(found)],
    }


def _standard(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Points and values in the units that networks see."""
    units = standardization(regression(data.x, data.y))
    return units.inputs(data.x), units.targets(data.y)


def _vanilla(data: Dataset, key: jax.Array) -> MLP:
    first_key, rest_key = jr.split(key)
    first = Linear(data.x.shape[1], WIDTH, key=first_key)
    return MLP(first, data.y.shape[1], hidden=HIDDEN, key=rest_key)


def _repnet(data: Dataset, scale: np.ndarray, key: jax.Array) -> MLP:
    sizes = {"width": WIDTH, "hidden": HIDDEN}
    return RepNet(data.x.shape[1], data.y.shape[1], scale=scale, key=key, **sizes)


def _describe(forecast: Forecast) -> dict[str, Any]:
    return {
        "steps": forecast.steps,
        "share": forecast.share,
        "rate": forecast.rate,
        "points": forecast.points,
        "drift": forecast.drift,
        "doubts": list(forecast.doubts),
    }


def _advice(
    data: Dataset,
    target: tuple[np.ndarray, np.ndarray],
    scale: np.ndarray,
    key: jax.Array,
    thin_key: jax.Array,
) -> list[str]:
    """Whether another scale would learn what matters in fewer steps, and why."""
    needed = {
        factor: _needed(_repnet(data, factor * scale, key), target, thin_key)
        for factor in (*FACTORS, 1.0)
    }
    best = min(FACTORS, key=lambda factor: needed[factor])
    here, there = needed[1.0], needed[best]
    if here <= FEW:
        return [f"At the suggested scale the bands that hold the energy take {_count(here)} steps."]
    steps = f"{_count(there)} steps where the suggested one needs {_count(here)}"
    if not there < BETTER * here:
        return [
            "No scale of a quarter, half or twice the suggested one learns the bands that hold the "
            f"energy in clearly fewer steps: the best of them needs {steps}."
        ]
    if best > 1.0:
        return [
            f"Twice the suggested scale would learn faster, in {steps}: steeper units reach the "
            "higher bands. It follows noise and gaps between samples sooner; judge on held-out "
            "points."
        ]
    part = {0.5: "Half", 0.25: "A quarter of"}[best]
    return [
        f"{part} the suggested scale would learn faster, in {steps}: the bands that hold the "
        "energy are lower than the highest frequency that the data show."
    ]


def _needed(network: MLP, target: tuple[np.ndarray, np.ndarray], key: jax.Array) -> float:
    """Steps until the last band that matters is learnt."""
    forecast = time_to_learn(network, target, fraction=FRACTION, points=FEWER, key=key)
    return float(np.max(forecast.steps[forecast.share >= MATTERS]))


def _count(steps: float) -> str:
    return number(int(np.ceil(steps))) if np.isfinite(steps) else "more than ten million"


def _doubts(found: dict[str, Any]) -> list[str]:
    """What does not hold, each sentence once, with the networks it is about."""
    said: dict[str, list[str]] = {}
    for name, entry in found.items():
        for doubt in entry["doubts"]:
            said.setdefault(doubt, []).append(name)
    return [
        doubt if len(names) == len(found) else f"{' and '.join(names)}: {doubt}"
        for doubt, names in said.items()
    ]
