"""Batches of windows on grids with holes: every window once, and alike in what they miss."""

import numpy as np

from repnet import Box
from repnet.solve._batches import Sampled
from repnet.solve._local import misses_few
from repnet.spectrum import detect_grid


def test_windows_are_kept_apart_by_what_they_miss(rng):
    points = Box([0.0, 0.0], [1.0, 1.0]).grid(40)
    x = points[(rng.uniform(size=len(points)) < 0.95) & (np.linalg.norm(points, axis=1) > 0.5)]
    y = np.sin(3.0 * x @ [[1.0], [2.0]])
    data = Sampled(x, y, detect_grid(x))
    cut = data.cover(64, np.ones(2))
    regular = np.flatnonzero(~cut.widened)
    batches = data.batches(cut, regular)
    found = np.concatenate([batch.position for batch in batches])
    assert sorted(found) == list(range(len(regular)))
    kinds = set()
    for batch in batches:
        few = misses_few(batch.mask)
        assert few.all() or not few.any()
        kinds.add((bool(few[0]), bool(batch.mask.all())))
        held = np.broadcast_to(batch.mask, batch.site.shape)
        expected = np.sin(3.0 * points[batch.site] @ [[1.0], [2.0]])
        np.testing.assert_allclose(batch.y, np.where(held[..., None], expected, 0.0), atol=1e-12)
    assert kinds == {(True, True), (True, False), (False, False)}
