"""Forecasts of steps against descent itself, which is exact where the network is linear."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.judge import time_to_learn
from repnet.judge._learning import band_norms
from repnet.nn import MLP, RepLinear, RepNet
from repnet.theory import descend_network, steep_ensemble, time_to_fraction

KEY = jr.key(0)
X = np.linspace(-1.0, 1.0, 65)[:, None]
EDGES = [0.0, 8.0, 40.0]


class Cosines(eqx.Module):
    """Linear in what is trained, so that its kernel never changes."""

    weight: jax.Array
    frequency: jax.Array

    def __call__(self, x):
        return self.weight @ jnp.cos(self.frequency * x[0] + 0.4 * self.frequency**2)

    def learning_rates(self):
        return eqx.tree_at(lambda n: (n.weight, n.frequency), self, (1.0, 0.0))


def cosines(outputs):
    return Cosines(jnp.zeros((outputs, 12)), jnp.arange(1.0, 36.0, 3.0))


def target(outputs):
    columns = [np.sin(4.0 * X) + 0.5 * np.sin(22.0 * X), np.cos(16.0 * X) - X]
    return np.concatenate(columns[:outputs], axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("outputs", [1, 2])
def test_linear_networks_are_forecast_exactly(outputs):
    network, y = cosines(outputs), target(outputs)
    forecast = time_to_learn(network, (X, y), bands=EDGES, fraction=0.6, key=KEY)
    assert forecast.drift < 1e-5
    records = forecast.records[forecast.records <= 300]
    _, errors = descend_network(network, X, y, records, rate=forecast.rate, rates=True)
    _, norms = band_norms(errors, X, np.array(EDGES))
    np.testing.assert_allclose(forecast.norms[: len(records)], norms, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(forecast.share, norms[0] ** 2 / np.sum(norms[0] ** 2), rtol=1e-5)
    measured = time_to_fraction(records, norms, 0.6)
    np.testing.assert_allclose(forecast.steps, measured, rtol=1e-3)
    said = any("mean kernel" in doubt for doubt in forecast.doubts)
    assert said == (outputs == 2)


@pytest.mark.slow
def test_wide_repnet_is_forecast_nearly():
    network = RepNet(1, width=512, hidden=(), scale=20.0, key=KEY)
    y = np.sin(3.0 * X) + np.sin(30.0 * X)
    forecast = time_to_learn(network, (X, y), bands=EDGES, fraction=0.3, key=KEY)
    records = forecast.records[forecast.records <= 3000]
    _, errors = descend_network(network, X, y, records, rate=forecast.rate, rates=True)
    _, norms = band_norms(errors, X, np.array(EDGES))
    measured = time_to_fraction(records, norms, 0.3)
    assert np.isfinite(measured).all()
    # The kernel's own drift bounds the relative change of its rates.
    assert forecast.drift < 0.3
    np.testing.assert_allclose(forecast.steps, measured, rtol=0.3)


@pytest.mark.slow
def test_formula_and_kernel_agree_on_bands():
    first = RepLinear(1, 400, scale=12.0, features="plain", key=KEY)
    network = MLP(first, hidden=(), key=jr.key(1))
    edges, rate = [20.0, 24.0, 28.0], 1e-3
    by_formula = time_to_learn(network, edges, rate=rate, key=KEY)
    middles = np.sqrt(np.array(edges[:-1]) * edges[1:])
    x = np.linspace(-1.0, 1.0, 193)[:, None]
    # Windowed, so that the ends do not mix frequencies; u starts from the network's values.
    y = np.exp(-8.0 * x**2) * np.sin(x * middles).sum(axis=1, keepdims=True)
    start = np.asarray(jax.vmap(network)(jnp.asarray(x, jnp.float32)), np.float64)
    by_kernel = time_to_learn(network, (x, start + y), bands=edges, rate=rate, key=KEY)
    # A window 0.25 wide spreads a wave over k ± 3, as wide as the bands.
    np.testing.assert_allclose(by_kernel.steps, by_formula.steps, rtol=0.35)
    ensemble = steep_ensemble(network, rates=True)
    rates = ensemble.rate(middles) / (2 * ensemble.span)
    np.testing.assert_allclose(by_formula.steps, np.log(2.0) / (rate * rates))
    np.testing.assert_allclose(by_formula.norms[1], np.exp(-rate * rates))
    assert "taken by themselves" in by_formula.doubts[0]


@pytest.mark.slow
def test_formula_without_a_rate_and_beyond_ten_million_steps():
    network = RepNet(1, width=64, hidden=(), scale=4.0, key=KEY)
    forecast = time_to_learn(network, [2.0, 4.0, 90.0, 100.0], fraction=0.1, key=KEY)
    assert forecast.steps.min() == pytest.approx(np.log(10.0))
    assert forecast.steps[-1] == np.inf


@pytest.mark.slow
def test_doubts():
    network, y = cosines(1), target(1)
    plain = time_to_learn(network, (X, y), key=KEY)
    assert len(plain.doubts) == 1
    assert plain.edges[0] == 0.0
    fast = time_to_learn(network, (X, y), rate=3.0 * plain.rate, key=KEY)
    assert any("1.5 times the largest at which descent converges" in d for d in fast.doubts)
    assert fast.drift == np.inf
    narrow = RepNet(1, width=4, hidden=(), scale=3.0, key=KEY)
    large = time_to_learn(narrow, (X, 100.0 * y), key=KEY)
    assert large.drift > 0.3
    assert any("tangent kernel changes by" in doubt for doubt in large.doubts)
    fewer = time_to_learn(network, (X, y), points=16, key=KEY)
    assert (fewer.points, plain.points) == (16, 65)
    assert any("that of 16 points made of 65" in doubt for doubt in fewer.doubts)


@pytest.mark.parametrize(
    ("aim", "options", "message"),
    [
        ((X, target(1)), {"fraction": 1.0}, r"`time_to_learn\(fraction=...\)` must lie between"),
        ((X, target(1)), {"points": 8}, r"`time_to_learn\(points=...\)` must be an integer >= 16"),
        ((X, target(1)), {"rate": -1.0}, r"`time_to_learn\(rate=...\)` must be finite and posit"),
        ((X, target(1)[:-1]), {}, r"must hold one value per point; got 65 points and 64 values"),
        ((X, target(2)), {}, r"as many values per point as the network has outputs, 1; got 2"),
        ((X, target(1) * np.nan), {}, r"target=...\)` and the network's values must be finite"),
        ([3.0, 2.0], {}, r"`edges` must be at least 2 ascending frequencies"),
        ([1.0, 2.0], {"bands": [1.0, 2.0]}, r"\(bands=...\)` belongs to points and values"),
        ([1.0, 2.0], {}, r"must have .* an `MLP` .*; got Cosines. `tangent_kernel` covers every"),
    ],
)
def test_bad_input(aim, options, message):
    with pytest.raises(ValueError, match=message):
        time_to_learn(cosines(1), aim, **options, key=KEY)
