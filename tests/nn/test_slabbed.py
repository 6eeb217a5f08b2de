"""Slabbed: the slab that holds a time answers, derivatives included."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.nn import MLP, Linear, Slabbed, Standardized
from repnet.problem import partial


def _network(seed: int, width: int, start: float) -> Standardized:
    layer_key, key = jax.random.split(jax.random.key(seed))
    network = MLP(Linear(2, width, key=layer_key), 2, hidden=(), key=key)
    centre, half = jnp.array([0.5, start + 0.5]), jnp.array([0.5, 0.5])
    return Standardized(network, centre, half, jnp.zeros(2), jnp.ones(2))


@pytest.fixture
def parts() -> list[Standardized]:
    return [_network(0, 8, 0.0), _network(1, 12, 1.0), _network(2, 5, 2.0)]


@pytest.mark.parametrize(
    ("time", "place"), [(-1.0, 0), (0.0, 0), (0.999, 0), (1.0, 1), (2.5, 2), (9.0, 2)]
)
@pytest.mark.slow
def test_answers_with_the_slab_of_the_time(
    parts: list[Standardized], time: float, place: int
) -> None:
    whole = Slabbed.of(parts, [0.0, 1.0, 2.0])
    x = jnp.array([0.3, time])
    np.testing.assert_allclose(whole(x), parts[place](x), rtol=1e-6)
    for axis in (0, 1):
        found, right = (partial(u, axis, 2)(x) for u in (whole, parts[place]))
        np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_many_points_compiled(parts: list[Standardized]) -> None:
    whole = Slabbed.of(parts, [0.0, 1.0, 2.0])
    x = jax.random.uniform(jax.random.key(5), (20, 2), maxval=3.0)
    found = eqx.filter_jit(jax.vmap(whole))(x)
    right = [parts[int(point[1])](point) for point in x]
    np.testing.assert_allclose(found, jnp.stack(right), rtol=1e-5, atol=1e-6)


def test_wants_a_start_for_each_network(parts: list[Standardized]) -> None:
    with pytest.raises(ValueError, match="3 networks and 2 starts"):
        Slabbed.of(parts, [0.0, 1.0])
