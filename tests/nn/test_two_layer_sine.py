"""The two-layer sine network is the sum its docstring states, with the laws and draws asked for."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

from repnet.nn import Constant, Normal, Signs, TwoLayerSine, Uniform, learning_rates
from repnet.problem import partial, regression
from repnet.solve import Gradient, Solution, solve

KEY = jr.key(0)


def test_the_sum_by_hand():
    with jax.enable_x64(True):
        network = TwoLayerSine(2, 9, scales=(1.0, 3.0), paired=False, key=jr.key(1))
        x = np.array([0.3, -0.7])
        total = sum(
            float(a) * np.sin(float(s) * (np.asarray(w) @ x) + float(b))
            for a, w, b, s in zip(
                network.amplitude, network.weight, network.bias, network.scale, strict=True
            )
        )
        np.testing.assert_allclose(network(jnp.asarray(x)), [total / 3.0], rtol=1e-14)
        np.testing.assert_allclose(network.values(jnp.asarray([x, x])), [total / 3.0] * 2)
        found = network.features(jnp.asarray(x)) @ network.amplitude
        np.testing.assert_allclose(found, total / 3.0, rtol=1e-14)


def test_pairs_cancel_and_keep_the_laws():
    network = TwoLayerSine(1, 400, scales=(1.0, 2.0, 4.0, 8.0), key=KEY)
    points = jnp.linspace(-3.0, 3.0, 7)[:, None]
    # Sums of 400 terms of order 0.05 in float32.
    np.testing.assert_allclose(network.values(points), 0.0, atol=1e-6)
    np.testing.assert_array_equal(network.amplitude[:200], -network.amplitude[200:])
    np.testing.assert_array_equal(network.weight[:200], network.weight[200:])
    scales, counts = np.unique(network.scale, return_counts=True)
    assert (scales.tolist(), counts.tolist()) == ([1.0, 2.0, 4.0, 8.0], [100] * 4)


def test_shares():
    shares = (0.5, 0.3, 0.2)
    network = TwoLayerSine(1, 200, scales=(1, 2, 5), shares=shares, key=KEY)
    assert np.unique(network.scale, return_counts=True)[1].tolist() == [100, 60, 40]


@pytest.mark.parametrize("draw", ["random", "sobol"])
@pytest.mark.parametrize(
    ("weight", "bias", "laws"),
    [
        (Normal(2.0), Uniform(-np.pi, np.pi), (stats.norm(0, 2), stats.uniform(-np.pi, 2 * np.pi))),
        (Uniform(-3.0, 3.0), Normal(0.5), (stats.uniform(-3, 6), stats.norm(0, 0.5))),
    ],
)
def test_laws(draw, weight, bias, laws):
    network = TwoLayerSine(2, 2000, weight=weight, bias=bias, draw=draw, paired=False, key=KEY)
    for axis in range(2):
        assert stats.kstest(np.asarray(network.weight)[:, axis], laws[0].cdf).pvalue > 0.01
    assert stats.kstest(np.asarray(network.bias), laws[1].cdf).pvalue > 0.01
    assert abs(np.corrcoef(np.asarray(network.weight[:, 0]), np.asarray(network.bias))[0, 1]) < 0.1


def test_signs_constants_and_a_law_of_ones_own():
    network = TwoLayerSine(
        1, 64, weight=lambda u: 2.0 * u, bias=Constant(0.0), amplitude=Signs(3.0), key=KEY
    )
    assert set(np.abs(network.amplitude).tolist()) == {3.0}
    assert not np.any(network.bias)
    assert 0.0 < float(network.weight.min()) < float(network.weight.max()) < 2.0


def kernel(network, points):
    """The tangent kernel of the read-out: mean over units of sin sin."""
    rows = jax.vmap(network.features)(points)
    return np.asarray(rows @ rows.T)


@pytest.mark.slow
def test_kernel_of_sobol_units_is_nearer_the_exact_one():
    # E sin(αwx+b) sin(αwx'+b) = exp(-α²(x-x')²/2)/2 for w ~ N(0, 1), b uniform on a period.
    points = jnp.linspace(-2.0, 2.0, 41)[:, None]
    distance = np.asarray(points - points.T)
    exact = 0.25 * (np.exp(-(distance**2) / 2) + np.exp(-9 * distance**2 / 2))
    error = {}
    for draw in ("random", "sobol"):
        network = TwoLayerSine(1, 4096, scales=(1.0, 3.0), draw=draw, key=KEY)
        error[draw] = np.linalg.norm(kernel(network, points) - exact) / np.linalg.norm(exact)
    # 2,048 independent pairs: about 2048**-½ per entry, four times that relative to the norm.
    assert error["random"] < 0.1
    assert error["sobol"] < 0.2 * error["random"]


@pytest.mark.slow
def test_scales_are_constants():
    network = TwoLayerSine(1, 8, paired=False, key=KEY)
    gradient = jax.grad(lambda n: n(jnp.array([0.4]))[0])(network)
    assert not np.any(gradient.scale)
    assert np.all(np.asarray(gradient.weight) != 0.0)
    rates = learning_rates(network)
    assert (rates.amplitude, rates.weight, rates.bias, rates.scale) == (1.0, 1.0, 1.0, 0.0)


@pytest.mark.slow
def test_derivatives():
    with jax.enable_x64(True):
        network = TwoLayerSine(2, 6, scales=(1.0, 3.0), paired=False, key=jr.key(1))
        x = jnp.array([0.2, -0.1])
        along = jnp.array([1.0, 0.0])
        plain = jax.jvp(
            lambda y: jax.jvp(lambda z: network.features(z) @ network.amplitude, (y,), (along,))[1],
            (x,),
            (along,),
        )[1]
        np.testing.assert_allclose(partial(network, 0, 2)(x), [plain], rtol=1e-12)


@pytest.mark.slow
def test_trains_and_is_saved(tmp_path):
    x = np.linspace(-1.0, 1.0, 65)
    problem = regression(x, np.sin(5.0 * x))
    network = TwoLayerSine(1, 256, scales=(1.0, 4.0), key=KEY)
    solution = solve(problem, network, Gradient(steps=300, rate=0.02), key=KEY)
    # The target's mean is zero and its rms 0.71: untrained, the error is the target.
    assert np.sqrt(np.mean((solution(x[:, None])[:, 0] - np.sin(5.0 * x)) ** 2)) < 0.02
    solution.save(tmp_path / "solution.npz")
    again = Solution.load(tmp_path / "solution.npz")
    np.testing.assert_array_equal(again(x[:, None]), solution(x[:, None]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"units": 7}, r"`TwoLayerSine\(units=...\)` must be even for pairs of units; got 7"),
        ({"scales": ()}, r"`TwoLayerSine\(scales=...\)` must hold at least one scale"),
        ({"scales": (1.0, -2.0)}, r"must be finite and positive; got -2.0"),
        ({"scales": (float("nan"),)}, r"must be finite and positive; got nan"),
        ({"scales": (1.0, 2.0), "shares": (0.5, 0.6)}, r"sum to 1; got 2 that sum to 1.1"),
        ({"scales": (1.0, 2.0), "shares": (1.0,)}, r"one per scale, 2 in all"),
        ({"units": 4, "scales": (1, 2, 3)}, r"at least one unit to each scale; got 3 scales for 2"),
        ({"draw": "sobl"}, r"Did you mean 'sobol'"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        TwoLayerSine(1, **{"units": 8, **options}, key=KEY)
