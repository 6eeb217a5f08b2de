"""Plain descent of any network against powers of its matrix."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.theory import descend_network


class Features(eqx.Module):
    """A network that is linear in its only trained parameter."""

    weight: jax.Array
    frequency: jax.Array

    def __call__(self, x):
        return self.weight @ jnp.cos(self.frequency * x[0])

    def learning_rates(self):
        return eqx.tree_at(lambda n: (n.weight, n.frequency), self, (1.0, 0.0))


NETWORK = Features(jnp.array([[0.5, -0.2, 0.1], [0.0, 0.3, -0.4]]), jnp.arange(1.0, 4.0))
X = np.linspace(-1.0, 1.0, 9)[:, None]
Y = np.concatenate([np.sin(X), X**2], axis=1)
STEPS = np.array([0, 1, 7, 30])


def of_powers(rate, share):
    j = np.cos(np.arange(1.0, 4.0) * X)
    first = j @ np.asarray(NETWORK.weight, np.float64).T - Y
    left = np.eye(len(X)) - rate * share * j @ j.T
    return np.stack([np.linalg.matrix_power(left, int(k)) @ first for k in STEPS])


@pytest.mark.slow
@pytest.mark.parametrize("share", [None, 0.2])
def test_errors_are_powers_of_the_matrix(share):
    trained, found = descend_network(
        NETWORK, X, Y, STEPS, rate=0.3, share=share, where=lambda n: n.weight
    )
    # Thirty steps of float32.
    expected = of_powers(0.3, 1 / 9 if share is None else share)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    np.testing.assert_allclose(
        jax.vmap(trained)(jnp.asarray(X, jnp.float32)) - Y, found[-1], atol=1e-6
    )
    np.testing.assert_array_equal(trained.frequency, NETWORK.frequency)


@pytest.mark.slow
def test_multipliers_of_the_network():
    trained, found = descend_network(NETWORK, X, Y, STEPS, rate=0.3, rates=True)
    np.testing.assert_allclose(found, of_powers(0.3, 1 / 9), atol=2e-6)
    np.testing.assert_array_equal(trained.frequency, NETWORK.frequency)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0.0}, r"`descend_network\(rate=...\)` must be finite and positive; got 0.0"),
        ({"steps": np.array([2.0, 1.0])}, r"whole numbers that ascend from 0 .*; got \[2.0, 1.0\]"),
        (
            {"steps": np.array([0.5])},
            r"\(steps=...\)` must be whole numbers that ascend .* \[0.5\]",
        ),
        ({"steps": np.array([-1.0])}, r"ascend from 0 or above; got \[-1.0\]"),
        ({"steps": np.zeros(0)}, r"ascend from 0 or above; got \[\]"),
        (
            {"y": Y[:, :1]},
            r"\(y=...\)` must have shape \(points, outputs\), \(9, 2\); got \(9, 1\)",
        ),
        ({"where": lambda n: []}, r"\(where=...\)` must name at least one parameter"),
    ],
)
def test_bad_input(options, message):
    given = {"x": X, "y": Y, "steps": np.array([0.0, 1.0]), "rate": 0.1, **options}
    with pytest.raises(ValueError, match=message):
        descend_network(NETWORK, **given)
