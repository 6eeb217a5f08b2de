"""Tiled: the tile that holds a point answers, derivatives included."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.nn import MLP, Linear, Tiled
from repnet.problem import partial
from repnet.solve._store import load_tree, save_tree

EDGES = [np.array([0.0, 1.0, 3.0]), np.array([0.0, 0.5, 1.0, 3.0])]
TIMES = np.array([0.0, 1.0, 1.5])
WIDTH = 6


@pytest.fixture
def layer() -> MLP:
    first = Linear(2, WIDTH, activation=jnp.tanh, key=jax.random.key(0))
    return MLP(first, 2, hidden=(), key=jax.random.key(1))


@pytest.fixture
def tiled(layer: MLP, rng: np.random.Generator) -> Tiled:
    weight = [rng.normal(size=(len(each) - 1, 2, WIDTH)).astype(np.float32) for each in EDGES]
    bias = [rng.normal(size=(len(each) - 1, 2)).astype(np.float32) for each in EDGES]
    return Tiled.of(layer, weight, bias, EDGES, TIMES)


@pytest.mark.parametrize(
    ("x", "tile"),
    [
        ((0.2, 0.3), 0),
        ((1.0, 0.999), 1),
        ((0.2, 1.0), 2),
        ((0.7, 1.2), 3),
        ((2.9, 1.4), 4),
        ((-5.0, -1.0), 0),  # beyond the domain the nearest
        ((9.0, 9.0), 4),
    ],
)
def test_the_tile_that_holds_a_point_answers(
    tiled: Tiled, layer: MLP, x: tuple[float, float], tile: int
) -> None:
    local = (jnp.array(x) - tiled.centre[tile]) / tiled.half_width[tile]
    expected = tiled.weight[tile] @ layer.first(local) + tiled.bias[tile]
    np.testing.assert_allclose(tiled(jnp.array(x)), expected, rtol=1e-5, atol=1e-6)


def test_tiles_lie_between_their_edges(tiled: Tiled) -> None:
    lower, upper = tiled.centre - tiled.half_width, tiled.centre + tiled.half_width
    np.testing.assert_allclose(lower[:, 0], [0.0, 1.0, 0.0, 0.5, 1.0], atol=1e-6)
    np.testing.assert_allclose(upper[:, 0], [1.0, 3.0, 0.5, 1.0, 3.0], atol=1e-6)
    np.testing.assert_allclose(upper[:, 1], [1.0, 1.0, 1.5, 1.5, 1.5], atol=1e-6)


def test_derivatives_are_those_of_the_tile(tiled: Tiled) -> None:
    x = jnp.array([0.7, 1.2])
    for axis in (0, 1):
        found = partial(tiled, axis)(x)
        expected = jax.jacfwd(tiled)(x)[:, axis]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_file_gives_it_back(tiled: Tiled, tmp_path: Path) -> None:
    save_tree(tiled, tmp_path / "network.npz")
    back = load_tree(tmp_path / "network.npz")
    x = jnp.array([2.2, 0.4])
    np.testing.assert_array_equal(back(x), tiled(x))
