"""The error per band while a network trains, measured on a small part of the data."""

from collections.abc import Callable, Mapping

import numpy as np

from repnet.data import Dataset
from repnet.judge import band_error
from repnet.solve._solution import evaluate

BLOCK = 8_192  # nodes of a grid
EMPTY = 1e-5  # share of the energy below which a band holds nothing to learn
SCATTERED = 1_500  # points whose bands are fitted by least squares at every look


def band_watch(train: Dataset, data: Dataset) -> Callable | None:
    """What a gradient solver calls now and then: the network's error per octave.

    Of gridded data a contiguous block is taken, so that the highest bands are seen; its held-out
    nodes are part of it. Of scattered data some training points are taken.

    **Returns:** `watch(network) -> {"band_error", "band_edges"}`, or `None` where there are no
    bands to measure.
    """
    x, y, shape = (
        _block(data, data.grid_shape) if data.grid_shape is not None else _some_points(train)
    )

    def watch(network: Callable) -> Mapping[str, np.ndarray]:
        error = band_error(lambda points: evaluate(network, points), x, y, grid_shape=shape)
        learnable = np.where(error.share > EMPTY, error.of_band, np.nan)
        return {"band_error": learnable, "band_edges": error.edges}

    try:
        band_error(lambda points: np.zeros((len(points), y.shape[1])), x, y, grid_shape=shape)
    except ValueError:  # too few points, a constant axis, more than 3 scattered axes
        return None
    return watch


def _some_points(train: Dataset) -> tuple[np.ndarray, np.ndarray, None]:
    rows = np.arange(len(train.x))
    if len(rows) > SCATTERED:
        if train.x.shape[1] == 1:  # neighbours, so that the highest bands are seen
            rows = np.argsort(train.x[:, 0], kind="stable")[:SCATTERED]
        else:
            rows = np.sort(np.random.default_rng(0).choice(rows, SCATTERED, replace=False))
    return train.x[rows], train.y[rows], None


def _block(data: Dataset, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """The middle of a grid: equally many nodes per axis, as far as there are so many."""
    side = list(shape)
    while np.prod(side) > BLOCK:
        side[int(np.argmax(side))] = max(1, max(side) * 9 // 10)
    middle = tuple(
        slice((size - part) // 2, (size - part) // 2 + part)
        for size, part in zip(shape, side, strict=True)
    )
    rows = np.arange(len(data.x)).reshape(shape)[middle].ravel()
    return data.x[rows], data.y[rows], tuple(side)
