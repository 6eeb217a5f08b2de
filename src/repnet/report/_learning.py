"""What is said of training before it starts: steps per band, as a table and a figure."""

from typing import Any

import numpy as np

from repnet.report._labels import number
from repnet.report._style import Card, colour, drawing, styled, to_svg
from repnet.report._theory_frame import finish

_SMALLEST = 1e-4  # bands with less of the energy are not shown


def learning_rows(learning: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Columns and rows: the band, its share of the energy, and steps per network."""
    columns = ["band [rad per half-width]"]
    for name, entry in learning["networks"].items():
        columns += [name, f"{name}, measured"] if "measured" in entry else [name]
    rows = []
    for band in _shown(learning):
        row = [f"{number(learning['edges'][band], 3)}–{number(learning['edges'][band + 1], 3)}"]
        for entry in learning["networks"].values():
            row.append(_steps(entry["steps"][band], None))
            if "measured" in entry:
                row.append(_steps(entry["measured"][band], entry["verified_steps"]))
        rows.append(row)
    checked = [e["same_order"] for e in learning["networks"].values() if "same_order" in e]
    if checked:
        words = [w for same in checked for w in ("", "same order" if same else "other order")]
        rows.append(["order", *words])
    return columns, rows


def learning_cards(learning: dict[str, Any] | None) -> list[Card]:
    """Predicted steps per band of each network; dots where they were measured."""
    if not learning or len(_shown(learning)) < 2:
        return []
    figure, axes = drawing()
    bands = _shown(learning)
    edges = learning["edges"]
    # The lowest band begins at zero, which a logarithmic axis does not show.
    middles = np.array([np.sqrt(max(edges[b], edges[b + 1] / 4) * edges[b + 1]) for b in bands])
    with styled():
        for index, (name, entry) in enumerate(reversed(list(learning["networks"].items()))):
            ink = colour(index)
            axes.plot(middles, _finite(entry["steps"], bands), "-x", ms=4, color=ink, label=name)
            if "measured" in entry:
                axes.plot(middles, _finite(entry["measured"], bands), "o", ms=4, color=ink)
        axes.set_xscale("log")
        axes.set_yscale("log")
        finish(axes, "angular frequency [rad per half-width]", "steps")
    caption = (
        f"Steps of plain descent until a band's error is down to {learning['fraction']:.0%}, "
        "predicted from each network's tangent kernel before training. A curve ends where ten "
        "million steps are not enough. Crosses: predicted. Dots: measured."
    )
    title = "Steps to learn each band"
    return [Card(title, to_svg(figure, title), caption)]


def _shown(learning: dict[str, Any]) -> list[int]:
    shares = [entry["share"] for entry in learning["networks"].values()]
    return [b for b in range(len(shares[0])) if max(share[b] for share in shares) > _SMALLEST]


def _steps(steps: float | None, most: int | None) -> str:
    if steps is None:
        return "> 10 million" if most is None else f"> {number(most)}"
    return number(round(steps)) if steps >= 10 else number(steps, 2)


def _finite(steps: list[float | None], bands: list[int]) -> np.ndarray:
    return np.array([np.nan if steps[b] is None else steps[b] for b in bands], float)
