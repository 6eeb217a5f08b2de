"""Least squares against NumPy's, closed forms and brute force."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import MLP, FourierFeatures, RepLinear
from repnet.problem import Box, Problem, Term, regression
from repnet.solve import LeastSquares, Solution, solve
from repnet.solve._search import ridges_among
from repnet.solve._triangular import Triangle, solved

KEY = jr.key(0)
X = np.linspace(-1.0, 3.0, 301)
TWO = np.stack([np.sin(9.0 * X), 1e6 + 1e3 * np.exp(-X)], axis=1)


def rms(values):
    return np.sqrt(np.mean(np.square(values), axis=0))


def test_given_network_equals_lstsq(rng):
    """Read-out of given features, with a ridge at round-off: NumPy's own least squares."""
    x, y = rng.uniform(-1, 1, (400, 2)), rng.normal(size=(400, 3))
    x[:4] = [[-1, -1], [1, 1], [-1, 1], [1, -1]]  # the box is [-1, 1]²: no change of units
    network = MLP(FourierFeatures(2, 20, key=KEY), 3, hidden=(), key=KEY)
    solution = solve(regression(x, y), network, LeastSquares(ridge=1e-13), key=KEY)
    with jax.enable_x64(True):
        double = jax.tree.map(lambda a: a.astype(jnp.float64), network)
        rows = np.asarray(jax.vmap(double.features)(jnp.asarray(x)))
    rows = np.column_stack([rows, np.ones(len(x))])
    expected = rows @ np.linalg.lstsq(rows, y)[0]
    np.testing.assert_allclose(solution(x), expected, atol=1e-9)
    assert solution(x).dtype == np.float64


@pytest.mark.slow
def test_hidden_layers_of_a_given_network_stay():
    network = MLP(RepLinear(1, 32, scale=6.0, key=KEY), 2, hidden=(40,), key=KEY)
    solution = solve(regression(X, TWO), network, LeastSquares(), key=KEY)
    kept = solution.network.network
    np.testing.assert_array_equal(kept.hidden[0].weight, network.hidden[0].weight)
    assert (rms(solution(X) - TWO) / TWO.std(axis=0) < 0.02).all()


@pytest.mark.parametrize("activation", [None, jnp.tanh])
def test_smooth_targets_of_two_outputs(activation):
    solution = solve(regression(X, TWO), None, LeastSquares(activation=activation), key=KEY)
    between = 0.5 * (X[1:] + X[:-1])
    truth = np.stack([np.sin(9.0 * between), 1e6 + 1e3 * np.exp(-between)], axis=1)
    assert (rms(solution(between) - truth) / TWO.std(axis=0) < 1e-6).all()


@pytest.mark.slow
def test_multiscale_reaches_its_floor():
    def exact(x):
        angle = np.pi * x
        return np.sin(2 * angle) + 0.5 * np.sin(20 * angle) + 0.3 * np.sin(100 * angle)

    x, dense = np.linspace(-1, 1, 2001), np.linspace(-1, 1, 8001)
    solver = LeastSquares(512, activation=jnp.tanh)
    found = solve(regression(x, exact(x)), None, solver, key=KEY)(dense)[:, 0]
    assert np.linalg.norm(found - exact(dense)) <= 1e-6 * np.linalg.norm(exact(dense))


@pytest.mark.slow
def test_noise_is_averaged(rng):
    noisy = np.sin(9.0 * X) + 0.1 * rng.normal(size=len(X))
    found = solve(regression(X, noisy), None, LeastSquares(), key=KEY)(X)[:, 0]
    assert rms(found - np.sin(9.0 * X)) < 0.05  # half of the noise


@pytest.mark.long
@pytest.mark.parametrize("dim", [1, 2])
def test_ten_times_the_noisy_points_leave_three_fifths_of_the_error(dim):
    direction = np.array([7.0, 4.0])[:dim]
    new = np.random.default_rng(5).uniform(-1.0, 1.0, (2000, dim))
    errors: dict[int, list[float]] = {2000: [], 20_000: []}
    for points, found in errors.items():
        for seed in range(3):
            rng = np.random.default_rng(seed)
            x = rng.uniform(-1.0, 1.0, (points, dim))
            noisy = np.sin(x @ direction) + 0.3 * rng.normal(size=points)
            solution = solve(regression(x, noisy), None, LeastSquares(), key=KEY)
            found.append(rms(solution(new)[:, 0] - np.sin(new @ direction)))
    few, many = (np.exp(np.mean(np.log(found))) for found in errors.values())
    assert many < 0.6 * few, errors


def test_ridges_for_more_rows_say_the_same_of_the_readout(rng):
    matrix, y = rng.normal(size=(30, 8)), rng.normal(size=(30, 2))
    ridges, times = np.array([0.3, 1.1]), 5
    triangle = Triangle(8, 2)
    triangle.add(np.tile(matrix, (times, 1)), np.tile(y, (times, 1)))
    found = solved(triangle, ridges_among(30 * times, ridges, 30))
    norms = np.sqrt(np.square(matrix).sum(axis=0))
    largest = np.linalg.svd(matrix / norms, compute_uv=False)[0]
    for target, ridge in enumerate(ridges):
        prior = np.diag(np.square(ridge * largest * norms))
        exact = np.linalg.solve(times * matrix.T @ matrix + prior, times * matrix.T @ y[:, target])
        np.testing.assert_allclose(found[:, target], exact, rtol=1e-9)
    least = np.array([1e-13, 1e-12])
    assert np.all(ridges_among(10**6, least, 100) == 1e-13)


@pytest.mark.slow
def test_a_noisy_target_takes_no_digits_from_an_exact_one(rng):
    both = np.stack([np.sin(5.0 * X), np.cos(3.0 * X)], axis=1)
    noisy = both + np.array([0.0, 0.2]) * rng.normal(size=both.shape)
    solution = solve(regression(X, noisy), None, LeastSquares(), key=KEY)
    found = solution(X) - both
    assert rms(found[:, 0]) < 1e-7
    assert rms(found[:, 1]) < 0.1  # half of the noise
    exact, averaged = solution.plan.numbers["ridge"]
    assert exact < averaged
    assert f"ridges {exact:.0e} to {averaged:.0e}" in str(solution.plan)


def test_duplicate_points_get_their_mean():
    twice = np.concatenate([X, X])
    values = np.concatenate([np.sin(X) - 1.0, np.sin(X) + 1.0])
    found = solve(regression(twice, values), None, LeastSquares(), key=KEY)(X)[:, 0]
    assert rms(found - np.sin(X)) < 0.05


@pytest.mark.parametrize("level", [0.0, 7.25, -1e9])
def test_constant_target(level):
    found = solve(regression(X, np.full(len(X), level)), None, LeastSquares(width=32), key=KEY)(X)
    np.testing.assert_allclose(found, level, rtol=1e-12, atol=1e-12)


def test_one_scale_or_one_per_axis(rng):
    x = rng.uniform(size=(200, 3))
    for scale in (2.0, np.array([2.0, 1.0, 0.5])):
        plan = solve(regression(x, x), None, LeastSquares(32, scale=scale), key=KEY).plan
        assert plan.scale == tuple(np.broadcast_to(scale, 3))
    with pytest.raises(ValueError, match=r"scale=...\)` must be .* one per input"):
        solve(regression(x, x), None, LeastSquares(32, scale=np.ones(2)), key=KEY)


def test_same_key_same_bits_and_saved_too(tmp_path):
    one, two = (solve(regression(X, TWO), None, LeastSquares(64), key=jr.key(5)) for _ in range(2))
    assert one(X).tobytes() == two(X).tobytes()
    one.save(tmp_path / "s.npz")
    assert Solution.load(tmp_path / "s.npz")(X).tobytes() == one(X).tobytes()
    assert not jax.config.jax_enable_x64
    assert jnp.ones(3).dtype == jnp.float32


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("width", 0),
        ("scale", 0.0),
        ("scale", np.array([1.0, -1.0])),
        ("ridge", np.nan),
    ],
)
def test_bad_arguments(name, bad):
    with pytest.raises(ValueError, match=rf"`LeastSquares\({name}=...\)` must be .*; got"):
        LeastSquares(**{name: bad})


def test_what_it_can_not_solve():
    with pytest.raises(ValueError, match=r"needs a network with `features` and a linear `readout`"):
        solve(regression(X, X), jnp.sin, LeastSquares(), key=KEY)
    with pytest.raises(ValueError, match="needs at least 2 points; got 1"):
        solve(regression(np.zeros(1), np.zeros(1)), None, LeastSquares(), key=KEY)
    term = Term(lambda u, x, unknowns: u(x), X)
    network = MLP(RepLinear(1, 8, scale=1.0, key=KEY), 2, hidden=(), key=KEY)
    with pytest.raises(ValueError, match=r"must have out_size 1 for this problem; got 2"):
        solve(Problem(Box(-1.0, 3.0), {"edge": term}), network, LeastSquares(), key=KEY)


def test_unknown_directions_are_named():
    with pytest.raises(ValueError, match=r"`LeastSquares\(directions=...\)` must be one of"):
        LeastSquares(directions="diagonal")
