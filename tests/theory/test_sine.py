"""The kernel of sine networks against drawn units; R and D against the integral operator."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.theory import (
    NormalBias,
    NormalWeights,
    ParabolicWeights,
    SineEnsemble,
    UniformBias,
    UniformWeights,
    WindowedWaves,
)

KEY = jr.key(0)
BIASES = [UniformBias(), NormalBias(0.4), NormalBias(0.0)]
FROZEN = [("amplitude", "weight", "bias"), ("weight",), ("amplitude",), ("bias", "amplitude")]


def drawn_kernel(network, points, trained):
    """The sum of products of derivatives, written out."""
    a, w, b, s = (
        np.asarray(each, np.float64)
        for each in (network.amplitude, network.weight, network.bias, network.scale)
    )
    z = points @ (s[:, None] * w).T + b
    total = np.zeros((len(points), len(points)))
    slope = a * np.cos(z)
    if "amplitude" in trained:
        total += np.sin(z) @ np.sin(z).T
    if "bias" in trained:
        total += slope @ slope.T
    if "weight" in trained:
        total += (points @ points.T) * ((slope * s) @ (slope * s).T)
    return total / len(a)


def relative(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.slow
@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("trained", FROZEN)
def test_kernel_is_the_mean_over_drawn_units(bias, trained):
    ensemble = SineEnsemble((1.0, 3.0), (0.7, 0.3), bias=bias, amplitude=1.5, trained=trained)
    points = np.linspace(-2.0, 2.0, 17)[:, None]
    network = ensemble.draw(16_384, key=KEY)
    found = drawn_kernel(network, points, trained)
    # Sobol pairs: 8,192 points per two scales.
    assert relative(found, ensemble.kernel(points, points)) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("weights", [UniformWeights(2.0), ParabolicWeights(2.0)])
def test_kernel_with_other_laws_of_the_weight(weights):
    ensemble = SineEnsemble((1.0, 2.0), weights=weights, bias=NormalBias(0.3))
    points = np.linspace(-2.0, 2.0, 17)[:, None]
    found = drawn_kernel(ensemble.draw(16_384, key=KEY), points, ensemble.trained)
    assert relative(found, ensemble.kernel(points, points)) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("bias", BIASES)
def test_kernel_in_two_dimensions(bias):
    ensemble = SineEnsemble((1.0, 2.0), weights=NormalWeights(0.8), bias=bias, dim=2)
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (20, 2))
    found = drawn_kernel(ensemble.draw(16_384, key=KEY), points, ensemble.trained)
    assert relative(found, ensemble.kernel(points, points)) < 0.02


@pytest.mark.slow
def test_error_of_random_units_falls_like_one_over_the_root():
    ensemble = SineEnsemble((1.0, 2.0, 4.0, 8.0))
    points = np.linspace(-4.0, 4.0, 41)[:, None]
    exact = ensemble.kernel(points, points)
    counts = np.array([256, 1024, 4096, 16_384])
    errors = []
    for count in counts:
        networks = (
            ensemble.draw(int(count), draw="random", paired=False, key=jr.key(seed))
            for seed in range(8)
        )
        found = [relative(drawn_kernel(n, points, ensemble.trained), exact) for n in networks]
        errors.append(np.sqrt(np.mean(np.square(found))))
    slope = np.polyfit(np.log(counts), np.log(errors), 1)[0]
    # Eight networks give each error to about a tenth, and the slope to 0.03.
    assert slope == pytest.approx(-0.5, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("scaled", [True, False])
def test_the_trained_weight_with_and_without_its_scale(scaled):
    ensemble = SineEnsemble((1.0, 4.0), scaled=scaled)
    points = np.linspace(-2.0, 2.0, 17)[:, None]
    network = ensemble.draw(16_384, key=KEY)
    found = drawn_kernel(network, points, ensemble.trained)
    assert relative(found, ensemble.kernel(points, points)) < 0.01
    # The function is the same either way.
    other = SineEnsemble((1.0, 4.0), scaled=not scaled).draw(16_384, key=KEY)
    z = points @ np.asarray(network.affine()[0]).T
    np.testing.assert_allclose(z, points @ np.asarray(other.affine()[0]).T, atol=1e-5)


@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("parity", ["even", "odd"])
def test_integral_operator_is_reaction_and_diffusion_in_frequency(bias, parity):
    # On a domain wide enough, ∫Θ(x, y) e(y) dy has the transform c_R R ê - c_W (D ê')'.
    ensemble = SineEnsemble((1.0, 2.5), (0.6, 0.4), bias=bias, amplitude=1.4)
    phase = np.pi / 2 if parity == "even" else 0.0
    waves = WindowedWaves((3.0,), width=1.0, phases=(phase,))
    step = 0.05
    x = np.arange(-400, 401)[:, None] * step / 2
    values = ensemble.kernel(x, x) @ waves(x) * (step / 2)
    xi = np.linspace(0.2, 8.0, 40)
    found = np.exp(-1j * np.outer(xi, x[:, 0])) @ values * (step / 2)
    np.testing.assert_allclose(found, _right_side(ensemble, waves, xi, parity), atol=1e-6)


def _right_side(ensemble, waves, xi, parity):
    h = 1e-3  # central differences, of fourth order

    def transform(at):
        return waves.transform(at[:, None])

    def flux(at):
        d = 8 * (transform(at + h) - transform(at - h))
        d = (d - (transform(at + 2 * h) - transform(at - 2 * h))) / (12 * h)
        return ensemble.diffusion(at) * d

    divergence = 8 * (flux(xi + h) - flux(xi - h)) - (flux(xi + 2 * h) - flux(xi - 2 * h))
    of_reaction, of_diffusion = ensemble.coefficients(parity)
    reaction = of_reaction * ensemble.reaction(xi) * transform(xi)
    return reaction - of_diffusion * divergence / (12 * h)


def test_reach_is_where_the_coefficients_have_died_out():
    ensemble = SineEnsemble((1.0, 6.0))
    xi = np.array([0.0, ensemble.reach])
    for coefficient in (ensemble.reaction(xi), ensemble.diffusion(xi)):
        assert coefficient[1] < 1e-6 * coefficient[0]


@pytest.mark.slow
def test_pairs_start_at_zero_and_single_units_do_not():
    points = jnp.linspace(-2.0, 2.0, 9)[:, None]
    for scaled in (True, False):
        ensemble = SineEnsemble((1.0, 2.0), scaled=scaled)
        paired = ensemble.draw(64, key=KEY)
        # 64 terms of float32.
        np.testing.assert_allclose(jax.vmap(paired)(points), 0.0, atol=1e-6)
    single = ensemble.draw(64, paired=False, key=KEY)
    assert np.abs(single.values(points)).max() > 0.1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scales": ()}, r"`SineEnsemble\(scales=...\)` must hold at least one scale; got none"),
        ({"scales": (1.0, -2.0)}, r"\(scales=...\)` must be finite and positive; got -2.0"),
        ({"scales": (float("nan"),)}, r"\(scales=...\)` must be finite and positive; got nan"),
        ({"amplitude": 0.0}, r"\(amplitude=...\)` must be finite and positive; got 0.0"),
        ({"dim": 0}, r"\(dim=...\)` must be an integer >= 1; got 0"),
        (
            {"trained": ("weigth",)},
            r"\(trained=...\)` must be one of .* got 'weigth'. Did you mean",
        ),
        ({"scales": (1.0, 2.0), "shares": (0.5, 0.6)}, r"of sum 1; got 2 of sum 1.1 for 2 scales"),
        ({"scales": (1.0, 2.0), "shares": (1.0,)}, r"one share per scale, .* got 1 of sum 1 for 2"),
        ({"scales": (1.0, 2.0), "shares": (1.5, -0.5)}, r"must be finite and positive; got -0.5"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        SineEnsemble(**options)


def test_points_and_parities_are_checked():
    with pytest.raises(ValueError, match=r"kernel\(x=..., y=...\)` must have shape \(points, 1\)"):
        SineEnsemble().kernel(np.zeros((3, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"coefficients\(parity=...\)` must be one of"):
        SineEnsemble().coefficients("evn")
