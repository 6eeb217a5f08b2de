"""An unknown field answers with its first guess until a solver replaces it."""

import jax
import jax.numpy as jnp
import pytest

from repnet.problem import partial
from repnet.problem._unknown import UnknownField


def test_it_is_its_first_guess_and_has_no_slope():
    field = UnknownField(out_size=2, initial=1.5)
    points = jnp.linspace(0.0, 1.0, 7)[:, None]
    assert jax.vmap(field)(points).tolist() == [[1.5, 1.5]] * 7
    assert partial(field, 0)(points[3]).tolist() == [0.0, 0.0]
    assert field(points[0].astype(jnp.float16)).dtype == jnp.float16


def test_it_holds_no_arrays():
    assert jax.tree.leaves(UnknownField()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"out_size": 0}, r"`UnknownField\(out_size=...\)` must be at least 1; got 0"),
        ({"initial": float("inf")}, r"`UnknownField\(initial=...\)` must be finite; got inf"),
    ],
)
def test_faults_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        UnknownField(**arguments)
