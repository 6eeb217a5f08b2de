"""What the figures of the theory share."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from repnet.report._style import Card

Arrays = Mapping[str, np.ndarray]
Groups = list[tuple[str, list[Card]]]


def finish(axes: Any, across: str, up: str) -> None:
    """Labels, a grid, and a legend above the axes where there are several curves."""
    axes.set(xlabel=across, ylabel=up)
    axes.grid(True)
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=4,
            borderaxespad=0.1,
            handlelength=1.0,
            handletextpad=0.4,
            columnspacing=0.9,
        )
