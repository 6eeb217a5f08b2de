"""Laws of weights and biases against numerical integrals and against their own draws."""

import jax.numpy as jnp
import numpy as np
import pytest

from repnet.theory import NormalBias, NormalWeights, ParabolicWeights, UniformBias, UniformWeights

LAWS = [NormalWeights(1.7), UniformWeights(2.5), ParabolicWeights(3.0)]
SHARES = (np.arange(200_000) + 0.5) / 200_000  # midpoints: an average is an integral over the law


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS)
def test_characteristic_is_the_mean_cosine_of_the_draws(law):
    drawn = np.asarray(law.law(jnp.asarray(SHARES)), np.float64)
    r = np.array([0.0, 1e-3, 0.3, 1.0, 4.0])
    mean = np.cos(np.outer(r, drawn)).mean(axis=1)
    # Draws are float32.
    np.testing.assert_allclose(law.characteristic(r[:, None]), mean, atol=2e-5)


@pytest.mark.parametrize("law", LAWS)
def test_transform_is_that_of_the_characteristic(law):
    # Backwards: k(r) = (1/π) ∫₀ k̂(ξ) cos(ξr) dξ, whose integrand is smooth inside its reach.
    node, weight = np.polynomial.legendre.leggauss(200)
    for end, accuracy in ((law.reach, 1e-6), (1.5 * law.reach, 3e-2)):
        xi = 0.5 * end * (node + 1)
        for r in (0.0, 0.4, 2.0, 7.0):
            found = 0.5 * end * weight @ (law.transform(xi, 1) * np.cos(xi * r)) / np.pi
            # Past a sharp end the rule is exact to a node's weight alone.
            np.testing.assert_allclose(found, law.characteristic(np.array([[r]]))[0], atol=accuracy)


@pytest.mark.parametrize("law", LAWS)
def test_transform_is_the_density_of_the_draws(law):
    drawn = np.asarray(law.law(jnp.asarray(SHARES)), np.float64)
    edges = np.linspace(-1.2 * law.reach, 1.2 * law.reach, 25)
    density = np.histogram(drawn, edges)[0] / len(drawn) / np.diff(edges)
    fine = (edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(200) + 0.5) / 200).ravel()
    expected = law.transform(fine, 1).reshape(len(density), -1).mean(axis=1) / (2 * np.pi)
    # 200 midpoints a bin; a bin in which a uniform density ends is known to half of one.
    np.testing.assert_allclose(density, expected, atol=0.004 * expected.max())


@pytest.mark.parametrize("law", LAWS)
def test_nothing_is_left_beyond_the_reach(law):
    peak = law.transform(np.zeros(1), 1)[0]
    assert law.transform(np.array([1.001 * law.reach]), 1)[0] < 1e-6 * peak


def test_normal_transform_in_two_and_three_dimensions():
    law = NormalWeights(1.3)
    step = 0.05
    axis = np.arange(-8.0, 8.0, step)  # the trapezoidal rule is exact to round-off here
    for dim in (2, 3):
        mesh = np.stack(np.meshgrid(*[axis[::dim]] * dim, indexing="ij"), axis=-1)
        for xi in (0.0, 1.0, 2.5):
            found = np.sum(law.characteristic(mesh) * np.cos(xi * mesh[..., 0]))
            expected = law.transform(np.array([xi]), dim)[0]
            np.testing.assert_allclose(found * (dim * step) ** dim, expected, rtol=1e-9)


def test_parabolic_characteristic_has_no_seam_at_its_series():
    z = np.array([0.0099999, 0.0100001])
    # Both branches differ by the next term of the series, z⁶/15120, and by cancellation.
    values = ParabolicWeights(1.0).characteristic(z[:, None])
    assert abs(values[0] - values[1]) < 1e-9


@pytest.mark.parametrize("bias", [UniformBias(), NormalBias(0.4), NormalBias(0.0)])
def test_q_is_the_mean_of_cos_2b(bias):
    drawn = np.asarray(bias.law(jnp.asarray(SHARES)), np.float64)
    assert bias.q == pytest.approx(np.cos(2 * drawn).mean(), abs=1e-5)


@pytest.mark.parametrize("kind", [NormalWeights, UniformWeights, ParabolicWeights])
def test_a_law_needs_a_positive_width(kind):
    for value in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=rf"`{kind.__name__}\(.*must be finite and positive"):
            kind(value)


@pytest.mark.parametrize("law", [UniformWeights(), ParabolicWeights()])
def test_laws_of_one_weight_say_so(law):
    message = rf"`{type(law).__name__}` is a law of one weight per unit, for `dim=1`; got dim 2"
    with pytest.raises(ValueError, match=message):
        law.transform(np.ones(2), 2)
    with pytest.raises(ValueError, match=message):
        law.characteristic(np.ones((3, 2)))


def test_a_bias_needs_a_spread_of_at_least_0():
    for value in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"`NormalBias\(std=...\)` must be finite and >= 0"):
            NormalBias(value)
