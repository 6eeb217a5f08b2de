"""Whether windows agree between the samples that they agree at."""

import numpy as np
from jaxtyping import Bool, Float, Int, PRNGKeyArray

from repnet.solve._batches import Batch, Cut, Sampled
from repnet.solve._candidates import Candidate
from repnet.solve._local import factorize, feature_values, make_design, readouts
from repnet.solve._off_samples import off_samples

_POINTS = 128  # per window
_LITTLE = 0.03  # share of a layer in a window that is not looked at


def squares_between(
    data: Sampled,
    cut: Cut,
    windows: Int[np.ndarray, " some"],
    draws: tuple[list[Candidate], list[Candidate]],
    shares: Float[np.ndarray, "some candidates ridges out"],
    key: PRNGKeyArray,
) -> Float[np.ndarray, "some out"]:
    """Half the mean square by which two draws of all layers differ inside the cells of a grid.

    Errors of two independent draws that are equally large differ by the square root of two times
    either. Nodes left out one by one have others on the same line, and are met by functions that
    go astray between the lines.

    **Arguments:** `shares`: of the candidates and their ridges in every window, by target.
    """
    assert data.grid is not None
    found = np.zeros((len(windows), data.y.shape[1]))
    step = np.asarray(data.grid.step)
    shares = np.where(shares.sum(axis=2, keepdims=True) < _LITTLE, 0.0, shares)
    for batch in data.batches(cut, windows):
        chosen = windows[batch.position]
        centre, radius = cut.cover.centre[chosen], cut.cover.radius[chosen]
        points = np.stack(
            [
                off_samples(local[held], step / wide, _POINTS, key)
                for local, held, wide in zip(batch.local, _held(batch), radius, strict=False)
            ]
        )
        values = [_values(batch, draw, shares[batch.position], points) for draw in draws]
        weight = cut.cover.weights(chosen, centre[:, None] + radius[:, None] * points) + 1e-6
        weight /= 2.0 * weight.sum(axis=1, keepdims=True)
        apart = np.square(values[0] - values[1])
        found[batch.position] = np.einsum("wp,wpo->wo", weight, apart)
    return found


def _held(batch: Batch) -> Bool[np.ndarray, "geometries points"]:
    """Where the local points are: nodes of a grid, though without data, or not padding."""
    shared = len(batch.local) < len(batch.y)
    return np.ones(batch.local.shape[:2], bool) if shared else batch.mask


def _values(
    batch: Batch,
    candidates: list[Candidate],
    shares: Float[np.ndarray, "windows candidates ridges out"],
    points: Float[np.ndarray, "geometries points dim"],
) -> Float[np.ndarray, "windows points out"]:
    """What the mixture of every window is at points of its geometry."""
    geometries, count, dim = points.shape
    total = np.zeros((len(batch.y), count, batch.y.shape[-1]))
    columns = np.concatenate([np.ones((geometries, count, 1)), points], axis=2)
    for place, candidate in enumerate(candidates):
        share = shares[:, place, : len(candidate.ridges)]
        if not np.any(share > 0.0):
            continue
        design = make_design(candidate.layer, batch.local)
        factors = factorize(design, batch.mask, candidate.precise)
        weight, affine = readouts(design, factors, batch.mask, candidate.ridges, share, batch.y)
        features = feature_values(candidate.layer, points.reshape(-1, dim))
        features = features.reshape(geometries, count, -1)
        total += features @ weight.swapaxes(1, 2) + columns @ affine.swapaxes(1, 2)
    return total
