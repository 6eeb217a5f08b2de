"""Gradient training against recurrences by hand, least squares, and its own single runs."""

import dataclasses
import importlib

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

from repnet.nn import FROZEN, MLP, Linear, RepLinear, RepNet
from repnet.problem import Box, Problem, Term, regression
from repnet.solve import RESULTS, Gradient, Solution, train_many

_default_network = importlib.import_module("repnet.solve._default_network")
SMALL = Gradient(steps=60, chunk=20, width=16, hidden=(8,), scale=8.0)


def wave(count=65):
    x = np.linspace(0.0, 3.0, count)
    return x, 5.0 + 2.0 * np.sin(4.0 * x)


def linear_model(seed=0, width=12):
    """A network whose read-out alone is trained, in float64: its loss is a quadratic."""
    with jax.enable_x64(True):
        first_key, rest_key = jr.split(jr.key(seed))
        first = RepLinear(1, width, scale=6.0, rates=FROZEN, key=first_key)
        return MLP(first, 1, hidden=(), key=rest_key)


def design(network, x):
    """Features at standardized points and a column of ones, in NumPy."""
    points = (x - x.mean()) / (0.5 * np.ptp(x))
    with jax.enable_x64(True):
        features = np.asarray(jax.vmap(network.first)(jnp.asarray(points[:, None])))
    return np.hstack([features, np.ones((len(x), 1))])


def theta(network):
    return np.append(np.asarray(network.readout.weight)[0], np.asarray(network.readout.bias))


def standardized(y):
    return (y - y.mean()) / np.sqrt(np.mean((y - y.mean()) ** 2))


def leaves(tree):
    return [np.asarray(a) for a in jax.tree.leaves(eqx.filter(tree, eqx.is_inexact_array))]


@pytest.mark.slow
def test_plain_descent_is_the_recurrence_of_the_normal_equations():
    x, y = wave()
    network = linear_model()
    matrix, target, t = design(network, x), standardized(y), theta(network)
    losses = []
    for step in range(1, 31):
        t = t - 0.1 * 2.0 / len(x) * matrix.T @ (matrix @ t - target)
        if step % 10 == 0:
            losses.append(np.mean((matrix @ t - target) ** 2))
    solver = Gradient(steps=30, chunk=10, optimiser=optax.sgd(0.1))
    solution = solver.run(regression(x, y), network, key=jr.key(0))
    np.testing.assert_allclose(theta(solution.network.network), t, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(solution.history["loss"], losses, rtol=1e-9)
    assert solution.history["step"].tolist() == [10, 20, 30]


@pytest.mark.slow
def test_the_default_optimiser_is_adam_with_a_cosine():
    x, y = wave()
    network = linear_model()
    matrix, target, t = design(network, x), standardized(y), theta(network)
    m, v = np.zeros_like(t), np.zeros_like(t)
    for step in range(25):
        g = 2.0 / len(x) * matrix.T @ (matrix @ t - target)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        unit = (m / (1 - 0.9 ** (step + 1))) / (np.sqrt(v / (1 - 0.999 ** (step + 1))) + 1e-8)
        t = t - 0.01 * 0.5 * (1 + np.cos(np.pi * step / 25)) * unit
    solver = Gradient(steps=25, rate=0.01)
    solution = solver.run(regression(x, y), network, key=jr.key(0))
    np.testing.assert_allclose(theta(solution.network.network), t, rtol=1e-8, atol=1e-10)


@pytest.mark.slow
def test_a_line_search_reaches_the_least_squares_solution():
    x, y = wave()
    network = linear_model(width=6)
    matrix, target = design(network, x), standardized(y)
    best = np.linalg.lstsq(matrix, target)[0]
    solver = Gradient(steps=200, optimiser=optax.lbfgs())
    solution = solver.run(regression(x, y), network, key=jr.key(0))
    excess = solution.history["loss"][-1] - np.mean((matrix @ best - target) ** 2)
    assert -1e-15 <= excess < 1e-9  # round-off of a mean of order 1 may fall below the least


@pytest.mark.slow
def test_updates_are_multiplied_by_the_learning_rates():
    x, y = wave()
    points, target = (x - 1.5) / 1.5, standardized(y)
    network = RepNet(1, width=16, hidden=(8,), scale=9.0, key=jr.key(0))

    def loss(n):
        return jnp.mean((jax.vmap(n)(points[:, None])[:, 0] - target) ** 2)

    slope = eqx.filter_jit(eqx.filter_grad(loss))(network)
    solver = Gradient(steps=1, optimiser=optax.sgd(0.1))
    after = solver.run(regression(x, y), network, key=jr.key(0)).network.network
    planes, moved, g = network.first.planes, after.first.planes, slope.first.planes
    np.testing.assert_allclose(moved.offset - planes.offset, -0.1 / 3.0 * g.offset, atol=2e-6)
    np.testing.assert_allclose(moved.log_slope, planes.log_slope - 0.1 * g.log_slope, atol=2e-6)
    assert after.first.scale == network.first.scale
    assert after.first.gain == network.first.gain


@pytest.mark.slow
def test_units_of_inputs_and_targets_do_not_matter():
    x, y = wave()
    plain = SMALL.run(regression(x, y), key=jr.key(0))
    scaled = SMALL.run(regression(1e4 * x - 3e5, 1e-6 * y + 2.0), key=jr.key(0))
    np.testing.assert_allclose(scaled(1e4 * x - 3e5) - 2.0, 1e-6 * plain(x), atol=2e-7, rtol=1e-3)


@pytest.mark.slow
def test_terms_are_added_and_unknowns_are_found():
    # u' = -k u with u given: the residual is zero for k = 1.7 alone.
    def decay(u, x, unknowns):
        value, slope = jax.jvp(u, (x,), (jnp.ones_like(x),))
        return slope + unknowns["k"] * value

    def data(u, x, unknowns):
        return u(x)

    x = np.linspace(0.0, 1.0, 33)[:, None]
    terms = {"equation": Term(decay, x), "data": Term(data, x, np.exp(-1.7 * x))}
    problem = Problem(Box(0.0, 1.0), terms, unknowns={"k": np.array(0.5)})
    with jax.enable_x64(True):
        network = MLP(Linear(1, 10, key=jr.key(1)), 1, hidden=(), key=jr.key(2))
    solver = Gradient(steps=800, optimiser=optax.lbfgs())
    solution = solver.run(problem, network, key=jr.key(0))
    assert solution.result is RESULTS.successful
    assert float(solution.unknowns["k"]) == pytest.approx(1.7, abs=1e-3)
    np.testing.assert_allclose(solution(x), np.exp(-1.7 * x), atol=1e-4)


@pytest.mark.slow
def test_the_precision_is_the_networks():
    x, y = wave()
    single = RepNet(1, width=8, hidden=(), scale=5.0, key=jr.key(0))
    with jax.enable_x64(True):
        inside = SMALL.run(regression(x, y), single, key=jr.key(0))
        double = SMALL.run(
            regression(x, y), RepNet(1, width=8, scale=5.0, key=jr.key(0)), key=jr.key(0)
        )
    assert {a.dtype for a in leaves(inside.network.network)} == {np.dtype(np.float32)}
    assert {a.dtype for a in leaves(double.network)} == {np.dtype(np.float64)}


@pytest.mark.slow
def test_the_same_key_gives_the_same_network_to_the_bit():
    x, y = wave()
    solver = dataclasses.replace(SMALL, batch=16)
    first, again = (solver.run(regression(x, y), key=jr.key(3)) for _ in range(2))
    other = solver.run(regression(x, y), key=jr.key(4))
    for a, b in zip(leaves(first.network), leaves(again.network), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first(x), other(x))


@pytest.mark.slow
def test_chunks_change_the_records_and_nothing_else():
    x, y = wave()
    one, many = (
        dataclasses.replace(SMALL, chunk=chunk, batch=16).run(regression(x, y), key=jr.key(3))
        for chunk in (60, 7)
    )
    np.testing.assert_array_equal(one(x), many(x))
    assert many.history["step"].tolist() == [7, 14, 21, 28, 35, 42, 49, 56, 60]


def test_a_batch_of_all_points_is_no_minibatch():
    x, y = wave()
    full, batched = (
        dataclasses.replace(SMALL, batch=batch).run(regression(x, y), key=jr.key(0))
        for batch in (None, 65)
    )
    np.testing.assert_array_equal(full(x), batched(x))


@pytest.mark.parametrize("batch", [None, 16])
@pytest.mark.slow
def test_many_at_once_are_the_single_runs(batch):
    x, y = wave()
    problem, solver = regression(x, y), dataclasses.replace(SMALL, batch=batch)

    def make(key, scale):
        return RepNet(1, width=16, hidden=(8,), scale=scale, key=key)

    keys, scales = jr.split(jr.key(5), 3), jnp.array([4.0, 8.0, 16.0])
    together = train_many(problem, make, solver, scales, keys=keys)
    for solution, key, scale in zip(together, keys, scales, strict=True):
        alone = solver.run(problem, make(jr.split(key)[0], scale), key=key)
        np.testing.assert_allclose(solution(x), alone(x), atol=2e-4)
        np.testing.assert_allclose(
            solution.history["loss"], alone.history["loss"], rtol=2e-3, atol=1e-6
        )
        assert solution.plan.scale == pytest.approx((float(scale),))
        assert solution.steps == alone.steps == 60


def test_a_second_training_of_the_same_shapes_compiles_nothing():
    x, y = wave()
    problem = regression(x, y)
    network = RepNet(1, width=16, hidden=(8,), scale=8.0, key=jr.key(0))
    SMALL.run(problem, network, key=jr.key(0))
    other = dataclasses.replace(SMALL, steps=75, rate=2e-3, chunk=30)
    assert other.run(problem, network, key=jr.key(1)).compile_seconds < 0.02


def test_a_loss_that_is_not_finite_keeps_the_best_network():
    x, y = wave()
    problem = regression(x, y)
    network = RepNet(1, width=16, hidden=(8,), scale=8.0, key=jr.key(0))
    growing = optax.sgd(lambda step: jnp.where(step < 40, 1e-2, 1e30))
    solution = Gradient(steps=500, chunk=10, optimiser=growing).run(problem, network, key=jr.key(0))
    assert solution.result is RESULTS.nonfinite
    assert solution.steps < 60
    best = np.nanmin(solution.history["loss"])
    assert np.mean(((solution(x)[:, 0] - y) / np.std(y)) ** 2) == pytest.approx(best, rel=1e-3)


@pytest.mark.slow
def test_one_diverging_seed_leaves_the_others_alone():
    x, y = wave()

    def make(key, factor):
        network = RepNet(1, width=16, hidden=(8,), scale=8.0, key=key)
        return eqx.tree_at(lambda n: n.readout.weight, network, replace_fn=lambda w: factor * w)

    factors = jnp.array([1.0, 1e30])
    good, bad = train_many(regression(x, y), make, SMALL, factors, keys=jr.split(jr.key(0), 2))
    assert good.result is RESULTS.successful
    assert bad.result is RESULTS.nonfinite
    assert np.isfinite(good.history["loss"]).all()
    assert np.isfinite(leaves(bad.network)[0]).all()


class Interrupting:
    """A meter during whose n-th update somebody presses Ctrl-C."""

    def __init__(self, at):
        self.at, self.seen, self.stopped = at, [], False

    def start(self, total, label):
        if self.at == 0:
            raise KeyboardInterrupt

    def update(self, step, loss):
        self.seen.append(loss)
        if len(self.seen) == self.at:
            raise KeyboardInterrupt

    def stop(self):
        self.stopped = True


def test_an_interrupt_returns_the_best_network_so_far():
    x, y = wave()
    meter = Interrupting(3)
    solver = dataclasses.replace(SMALL, steps=100_000)
    solution = solver.run(regression(x, y), key=jr.key(0), progress=meter)
    assert solution.result is RESULTS.interrupted
    assert solution.steps == 60
    assert meter.stopped
    error = np.mean(((solution(x)[:, 0] - y) / np.std(y)) ** 2)
    assert error == pytest.approx(min(meter.seen), rel=1e-4)


@pytest.mark.slow
def test_an_interrupt_before_the_first_record_returns_the_initial_network():
    x, y = wave()
    solution = SMALL.run(regression(x, y), key=jr.key(0), progress=Interrupting(0))
    assert (solution.result, solution.steps) == (RESULTS.interrupted, 0)
    initial = jax.vmap(solution.initial)(jnp.asarray(x[:, None], jnp.float32))
    np.testing.assert_allclose(solution(x), initial, atol=1e-5)


def test_an_interrupt_in_the_search_for_a_scale_returns_the_guess(monkeypatch):
    def interrupt(*arguments, **keywords):
        raise KeyboardInterrupt

    search = importlib.import_module("repnet.solve._scale_search")
    monkeypatch.setattr(search, "advance", interrupt)
    x, y = wave()
    solver = dataclasses.replace(SMALL, steps=1000, scale="auto")
    solution = solver.run(regression(x, y), key=jr.key(0))
    assert (solution.result, solution.steps) == (RESULTS.interrupted, 0)
    assert np.isfinite(solution(x)).all()


@pytest.mark.slow
def test_the_best_network_on_held_out_points_is_kept(rng):
    x = np.linspace(-1.0, 1.0, 80)
    y = np.sin(3 * x) + 0.3 * rng.normal(size=80)
    solver = Gradient(steps=1500, chunk=50, hold_out=0.25, width=64, scale=40.0)
    solution = solver.run(regression(x, y), key=jr.key(0))
    held = solution.history["heldout"]
    assert held.argmin() < len(held) - 1  # it overfits
    rows = np.flatnonzero((np.arange(80) * (np.sqrt(5) - 1) / 2 + 0.5) % 1.0 < 0.25)
    rows = rows[(rows > 0) & (rows < 79)]
    error = np.mean(((solution(x[rows])[:, 0] - y[rows]) / np.std(y)) ** 2)
    assert error == pytest.approx(held.min(), rel=1e-3)


@pytest.mark.slow
def test_a_watched_training_records_what_it_is_told():
    x, y = wave()

    def watch(network):
        return {"middle": jax.vmap(network)(jnp.array([[1.5]]))[0]}

    solution = dataclasses.replace(SMALL, watch=watch).run(regression(x, y), key=jr.key(0))
    steps = solution.history["watch_step"]
    assert (steps[0], steps[1], steps[-1]) == (0, 1, 60)
    assert solution.history["middle"].shape == (len(steps), 1)
    assert solution.history["middle"][-1] == pytest.approx(solution(1.5 * np.ones(1))[0])


@pytest.mark.slow
def test_several_outputs_are_fitted_and_saved(tmp_path):
    x, y = wave()
    problem = regression(x, np.stack([y, 100.0 * np.cos(3.0 * x)], axis=1))
    solution = Gradient(steps=400, width=32, hidden=(16,), rate=1e-2).run(problem, key=jr.key(0))
    values = problem.terms["data"].values
    error = np.sqrt(np.mean((solution(x) - values) ** 2, axis=0)) / values.std(axis=0)
    assert (error < 0.05).all()
    solution.save(tmp_path / "model.npz")
    again = Solution.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(again(x), solution(x))
    assert again.plan == solution.plan


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"steps": 0}, ("steps", "0")),
        ({"batch": -3}, ("batch", "-3")),
        ({"chunk": True}, ("chunk", "True")),
        ({"rate": float("nan")}, ("rate", "nan")),
        ({"rate": -1.0}, ("rate", "-1.0")),
        ({"hold_out": 1.0}, ("hold_out", "1.0")),
        ({"hold_out": 0.2, "finish": 3}, ("finish", "hold_out", "3")),
        ({"scale": "big"}, ("scale", "auto", "big")),
        ({"scale": -2.0}, ("scale", "-2.0")),
    ],
)
def test_bad_arguments_are_named(arguments, words):
    with pytest.raises(ValueError) as caught:
        Gradient(**arguments)
    for word in ("Gradient", *words):
        assert word in str(caught.value)


@pytest.mark.slow
def test_steps_that_start_small_bend_less_between_few_points(monkeypatch):
    """Half the size, said in the plan; smooth functions are met better at random points."""
    x = np.sort(np.random.default_rng(5).uniform(-1.0, 1.0, 33))
    between = np.linspace(x[0], x[-1], 1001)
    solver = Gradient(steps=1500, width=128, features="plain", scale=1.0, finish=0)

    def trained(function, size):
        monkeypatch.setattr(_default_network, "_GENTLE", size)
        return solver.run(regression(x, function(x)), key=jr.key(0))

    def error(function, size):
        truth = function(between)
        return np.linalg.norm(trained(function, size)(between)[:, 0] - truth)

    functions = (np.exp, np.arctan, lambda t: np.sin(2.0 * t + 1.0), lambda t: np.log(1.2 + t))
    gains = [error(function, 1.0) / error(function, 0.5) for function in functions]
    assert np.exp(np.mean(np.log(gains))) > 1.3
    whole, half = (trained(np.exp, size) for size in (1.0, 0.5))
    gain = half.initial.network.first.gain / whole.initial.network.first.gain
    assert float(gain) == pytest.approx(0.5)
    assert "start at 0.5 of their size" in half.plan.reasons[-1]


@pytest.mark.long
@pytest.mark.parametrize("features", ["local", "plain"])
def test_relu_starts_small_on_few_points(monkeypatch, features):
    """A tenth of the size, said in the plan, meets smooth functions better between the points."""
    x = np.linspace(-1.0, 1.0, 33)
    between = np.linspace(-1.0, 1.0, 1001)
    solver = Gradient(width=128, features=features, activation=jax.nn.relu)

    def trained(function, size):
        monkeypatch.setattr(_default_network, "_GENTLE_RELU", size)
        return solver.run(regression(x, function(x)), key=jr.key(0))

    def error(function, size):
        return np.linalg.norm(trained(function, size)(between)[:, 0] - function(between))

    functions = (lambda t: np.exp(1.5 * t), lambda t: 1.0 / (1.0 + 9.0 * t**2))
    gains = [error(function, 1.0) / error(function, 0.1) for function in functions]
    assert np.exp(np.mean(np.log(gains))) > 1.3
    assert "start at 0.1 of their size" in trained(np.sin, 0.1).plan.reasons[-1]


def test_local_features_and_many_points_start_at_their_size():
    x, y = wave(200)
    for solver, points in ((SMALL, 65), (dataclasses.replace(SMALL, features="plain"), 200)):
        solution = solver.run(regression(x[:points], y[:points]), key=jr.key(0))
        assert not any("of their size" in reason for reason in solution.plan.reasons)
