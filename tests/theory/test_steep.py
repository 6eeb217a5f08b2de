"""Rates of steep units against their printed formulas and Monte Carlo."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from repnet.theory import SteepEnsemble

XI = np.array([0.5, 2.0, 8.0, 30.0])


def test_the_formulas_of_tanh():
    s, span, sigma = 6.0, 3.0, 1.3
    y = np.pi * XI / (2 * s)
    ratio = (y / np.sinh(y)) ** 2
    slope = (np.pi**2 / s**4) * ((np.sinh(y) - y * np.cosh(y)) / np.sinh(y) ** 2) ** 2
    found = SteepEnsemble(s, span, amplitude=sigma).channels(XI)
    for group, expected in [
        ("readout", 4 / XI**2 * ratio),
        ("offset", 4 * sigma**2 * ratio),
        ("slope", sigma**2 * slope),
    ]:
        np.testing.assert_allclose(2 * span * found[group], expected, rtol=1e-9)


def test_the_formulas_of_relu():
    s, span, sigma = 6.0, 3.0, 1.3
    found = SteepEnsemble(s, span, activation=jax.nn.relu, amplitude=sigma).channels(XI)
    for group, expected in [
        ("readout", s**2 / XI**4),
        ("offset", sigma**2 * s**2 / XI**2),
        ("slope", sigma**2 / XI**4),
    ]:
        np.testing.assert_allclose(2 * span * found[group], expected, rtol=1e-12)


def test_multipliers_gain_and_the_sum():
    plain = SteepEnsemble(6.0, 3.0)
    scaled = SteepEnsemble(6.0, 3.0, gain=2.0, trained={"readout": 3.0, "slope": 0.5})
    found, before = scaled.channels(XI), plain.channels(XI)
    np.testing.assert_allclose(found["readout"], 12.0 * before["readout"])
    np.testing.assert_allclose(found["slope"], 2.0 * before["slope"])
    np.testing.assert_allclose(scaled.rate(XI), found["readout"] + found["slope"])
    np.testing.assert_array_equal(scaled.reaction(XI), scaled.rate(XI))


def test_the_kernel_of_steep_units_by_quadrature_over_offsets():
    # Rayleigh quotients of the kernel with a windowed wave: an integral over t of squares.
    s, span, k = 5.0, 12.0, 4.0
    x = np.arange(-6.0, 6.0, 0.02)
    t = np.arange(-span, span, 0.02)
    raw = SteepEnsemble(s, span, trained={"bias": 1.0, "weight": 1.0})
    steep = SteepEnsemble(s, span)
    z = s * (x - t[:, None])
    slope = 1.0 / np.cosh(np.minimum(np.abs(z), 300.0)) ** 2
    found = dict.fromkeys(("readout", "offset", "slope", "bias", "weight"), 0.0)
    for phase in (0.0, np.pi / 2):
        g = np.exp(-(x**2) / 8.0) * np.sin(k * x + phase)
        derivatives = {
            "readout": np.tanh(z),
            "offset": -s * slope,
            "slope": (x - t[:, None]) * slope,
            "bias": slope,
            "weight": x * slope,
        }
        for group, values in derivatives.items():
            square = np.sum((values @ g * 0.02) ** 2) * 0.02 / (2 * span)
            found[group] += 0.5 * square / (np.sum(g**2) * 0.02)
    # The window of width 2 spreads the wave over k ± 0.35: averages over that.
    xi = np.linspace(2.0, 6.0, 401)
    weight = np.exp(-4.0 * (xi - k) ** 2)
    weight /= weight.sum()
    for ensemble, groups in ((steep, ("readout", "offset", "slope")), (raw, ("bias",))):
        for group in groups:
            expected = weight @ ensemble.channels(xi)[group]
            assert found[group] == pytest.approx(expected, rel=1e-2), group
    # ∫D|ĝ'|² over ∫|ĝ|², with ĝ = e^{-2(ξ-k)²}.
    expected = weight @ (raw.diffusion(xi) * 16.0 * (xi - k) ** 2)
    assert found["weight"] == pytest.approx(expected, rel=1e-2)


@pytest.mark.slow
@pytest.mark.parametrize("activation", [jnp.tanh, jax.nn.relu])
def test_rates_in_two_dimensions_by_monte_carlo(activation, rng):
    s, span, k, width = 6.0, 8.0, 5.0, 1.0
    features = "plain" if activation is jnp.tanh else "ramp"
    ensemble = SteepEnsemble(
        s, span, activation, features, dim=2, trained={"readout": 1.0, "offset": 1.0}
    )
    # u(x) along a direction: the windowed wave's projection onto it is a one-dimensional one.
    angle = (np.arange(1500) + rng.uniform(size=1500)) * 2 * np.pi / 1500
    step = 1.0 / 24  # a ramp rises over 8 of them: its kinks lie on the ends of cells
    y = np.arange(-6.0, 6.0, step) + 0.5 * step
    t = np.arange(-span, span, step)
    f = ensemble._feature
    z = jnp.asarray(s * (y - t[:, None]), jnp.float32)
    value = np.asarray(f(z), np.float64)
    slope = -s * np.asarray(jax.jvp(f, (z,), (jnp.ones_like(z),))[1], np.float64)
    cos, sin = np.cos(angle), np.sin(angle)
    near = np.abs(sin) < 0.95
    # ∫ g over the line n̂·x = y, in closed form: real and imaginary part are the two phases.
    profile = np.exp(-0.5 * (width * k * sin[near]) ** 2)
    wave = np.exp(-(y**2) / (2 * width**2) + 1j * k * cos[near, None] * y)
    line = profile[:, None] * np.sqrt(2 * np.pi) * width * wave
    total = {}
    for group, derivative in (("readout", value), ("offset", slope)):
        inner = line @ derivative.T * step
        total[group] = 0.5 * np.sum(np.abs(inner) ** 2) * step / (2 * span) / len(angle)
    energy = 0.5 * np.pi * width**2
    axis = np.linspace(-4.0, 4.0, 81)
    mesh = np.stack(np.meshgrid(k + axis, axis, indexing="ij"), axis=-1)
    weight = np.exp(-(width**2) * np.sum((mesh - [k, 0.0]) ** 2, axis=-1))
    rates = ensemble.channels(np.linalg.norm(mesh, axis=-1))
    for group, found in total.items():
        expected = np.sum(weight * rates[group]) / weight.sum()
        # Directions in equal cells; lines with |sin| above 0.95 hold nothing.
        assert found / energy == pytest.approx(expected, rel=0.03), group


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": -1.0}, r"`SteepEnsemble\(scale=...\)` must be finite and positive; got -1.0"),
        ({"span": float("nan")}, r"`SteepEnsemble\(span=...\)` must be finite and positive; got"),
        ({"features": "hatt"}, r"\(features=...\)` must be one of .* Did you mean 'hat'"),
        ({"trained": {"ofset": 1.0}}, r"\(trained=...\)` must be one of .* mean 'offset'"),
        ({"trained": {"bias": 1.0, "offset": 1.0}}, r"groups of one kind of unit, .* 'offset'\)\."),
        ({"trained": {"slope": 1.0, "weight": 1.0}}, r"groups of one kind of unit, .* or raw"),
        ({"trained": {"offset": -1.0}}, r"finite and >= 0; got -1.0 of 'offset'"),
        ({"dim": 2}, r"only 'readout' and 'offset' in several dimensions"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        SteepEnsemble(**{"scale": 8.0, "span": 4.0, **options})


def test_sine_units_are_sent_elsewhere():
    with pytest.raises(ValueError, match=r"For sine units there is `SineEnsemble`"):
        SteepEnsemble(8.0, 4.0, activation=jnp.sin).rate(XI)
    with pytest.raises(ValueError, match=r"coefficients\(parity=...\)` must be one of"):
        SteepEnsemble(8.0, 4.0).coefficients("both")
