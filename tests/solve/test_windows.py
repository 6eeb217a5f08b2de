"""Windows reach closed forms on grids, with holes, scattered, in one to four dimensions."""

import importlib
import re

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import MLP, Linear
from repnet.problem import Box, regression
from repnet.solve import Solution, Windows, solve
from repnet.solve._local import factorize

KEY = jr.key(0)


def waves(x):
    """Two outputs, of different size, that every axis moves."""
    phase = 6.0 * x.sum(axis=1) / x.shape[1]
    return np.stack([np.sin(phase), 40.0 + 5.0 * np.cos(phase + x[:, 0])], axis=1)


def relative(solution, x, exact=waves):
    truth = exact(x)
    return np.linalg.norm(solution(x) - truth, axis=0) / np.linalg.norm(
        truth - truth.mean(axis=0), axis=0
    )


def fitted(x, **options):
    return solve(regression(x, waves(x)), None, Windows(**options), key=KEY)


@pytest.mark.parametrize(
    ("dim", "count", "bound"),
    [
        (1, 200, 1e-8),
        (2, 24, 1e-4),
        (3, 9, 0.1),
        pytest.param(4, 6, 0.2, marks=pytest.mark.long),
    ],
)
@pytest.mark.slow
def test_grids_of_every_dimension(dim, count, bound, rng):
    box = Box([-1.0] * dim, [2.0] * dim)
    solution = fitted(box.grid(count), per_window={1: 16, 2: 64, 3: 125, 4: 256}[dim])
    inner = rng.uniform(-0.9, 1.9, (200, dim))
    assert (relative(solution, inner) < bound).all()


@pytest.mark.slow
def test_holes_and_scattered_points_agree(rng):
    """A grid with holes, shuffled, goes the grid's way; a jitter far below the error does not."""
    x = rng.permutation(Box([0.0, 0.0], [2.0, 2.0]).grid(28))[:620]
    jittered = x + rng.uniform(-1e-4, 1e-4, x.shape)
    inner = rng.uniform(0.1, 1.9, (300, 2))
    on_grid, scattered = (relative(fitted(p, per_window=64), inner) for p in (x, jittered))
    assert (on_grid < 1e-3).all()
    assert (scattered < 1e-3).all()


@pytest.mark.slow
def test_broadband_reaches_its_floor():
    omega = 100 * np.pi

    def exact(x):
        return np.sin(omega * x + 0.3) + 0.5 * np.sin(0.37 * omega * x) + np.exp(-x * x)

    x = np.linspace(-1, 1, 1401)  # 14 points per wavelength of 100 periods
    solution = solve(regression(x, exact(x)), None, Windows(), key=KEY)
    dense = np.linspace(-1, 1, 8001)
    assert relative(solution, dense[:, None], exact=lambda p: exact(p)) < 1e-6


@pytest.mark.slow
def test_noise_is_averaged(rng):
    x = np.sort(rng.uniform(-1, 1, 900))
    truth = np.sin(30.0 * x)
    noisy = truth + 0.1 * rng.normal(size=len(x))
    found = solve(regression(x, noisy), None, Windows(), key=KEY)(x)[:, 0]
    assert np.sqrt(np.mean(np.square(found - truth))) < 0.05  # half of the noise


@pytest.mark.parametrize("jitter", [0.0, 1e-3])
@pytest.mark.slow
def test_duplicate_points_get_their_mean(jitter, rng):
    x = np.linspace(0, 1, 120) + jitter * rng.uniform(-1, 1, 120)
    values = np.concatenate([np.sin(9 * x) - 0.5, np.sin(9 * x) + 0.5])
    found = solve(regression(np.tile(x, 2), values), None, Windows(), key=KEY)(x)[:, 0]
    # On a grid the means are taken first; elsewhere noise of 0.5 costs a third of that at the ends.
    np.testing.assert_allclose(found, np.sin(9 * x), atol=0.15 if jitter else 0.05)


@pytest.mark.slow
def test_constant_target():
    x = np.linspace(0, 1, 100)
    found = solve(regression(x, np.full(100, 3.5)), None, Windows(), key=KEY)(x)
    np.testing.assert_allclose(found, 3.5, rtol=1e-12)


@pytest.mark.slow
def test_network_is_differentiable_and_the_same_however_it_is_called():
    x = np.linspace(-1, 1, 300)
    solution = solve(regression(x, np.sin(20 * x)), None, Windows(), key=KEY)
    inner = np.linspace(-0.95, 0.95, 50)[:, None]
    with jax.enable_x64(True):
        points = jnp.asarray(inner)
        network = solution.network
        values = eqx.filter_jit(eqx.filter_vmap(network))(points)
        np.testing.assert_allclose(values, solution(inner), atol=1e-13)
        slope = jax.jit(jax.vmap(jax.jacrev(network)))(points)[:, 0, 0]
        forward = jax.jit(jax.vmap(jax.jacfwd(network)))(points)[:, 0, 0]
    np.testing.assert_allclose(slope, forward, atol=1e-9)
    np.testing.assert_allclose(slope, 20 * np.cos(20 * inner[:, 0]), atol=1e-4)


@pytest.mark.slow
def test_same_key_same_bits_saved_and_session_left_alone(tmp_path):
    x = np.linspace(-1, 1, 200)
    one, two = (
        solve(regression(x, np.sin(20 * x)), None, Windows(), key=jr.key(3)) for _ in range(2)
    )
    assert one(x).tobytes() == two(x).tobytes()
    one.save(tmp_path / "w.npz")
    assert Solution.load(tmp_path / "w.npz")(x).tobytes() == one(x).tobytes()
    assert not jax.config.jax_enable_x64
    assert jnp.ones(3).dtype == jnp.float32


@pytest.mark.parametrize(("name", "bad"), [("per_window", 0), ("scale", -1.0), ("width", -3)])
def test_bad_arguments(name, bad):
    message = rf"`Windows\({name}=...\)` must be .*; got {re.escape(str(bad))}"
    with pytest.raises(ValueError, match=message):
        Windows(**{name: bad})


def test_what_it_can_not_solve(rng):
    with pytest.raises(ValueError, match="takes 1 to 4 inputs; the problem has 5"):
        solve(regression(rng.random((30, 5)), rng.random(30)), None, Windows(), key=KEY)
    network = MLP(Linear(1, 4, key=KEY), key=KEY)
    with pytest.raises(ValueError, match="leave `network` out"):
        solve(regression(np.arange(9.0), np.arange(9.0)), network, Windows(), key=KEY)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["grid", "holes", "scattered"])
def test_kept_factors_change_nothing(layout, rng, monkeypatch):
    points = Box([0.0, 0.0], [2.0, 2.0]).grid(24)
    layouts = {
        "grid": points,
        "holes": points[rng.uniform(size=len(points)) < 0.9],
        "scattered": points + rng.uniform(-1e-2, 1e-2, points.shape),
    }
    x = layouts[layout]
    kept = fitted(x, per_window=64)
    module = importlib.import_module("repnet.solve._window_fit")
    calls = []
    monkeypatch.setattr(module, "_KEPT_BYTES", 0)
    monkeypatch.setattr(module, "factorize", lambda *a: calls.append(0) or factorize(*a))
    anew = fitted(x, per_window=64)
    without = len(calls)
    monkeypatch.setattr(module, "_KEPT_BYTES", 1e9)
    fitted(x, per_window=64)
    assert len(calls) - without < without  # the last solves took what was there
    inner = rng.uniform(0.1, 1.9, (300, 2))
    np.testing.assert_allclose(kept(inner), anew(inner), rtol=1e-12)


@pytest.mark.slow
def test_isolated_pieces_of_a_grid(rng):
    axes = np.meshgrid(np.arange(60.0), np.arange(60.0), indexing="ij")
    x = np.stack(axes, axis=-1).reshape(-1, 2)
    pieces = (x[:, 0] % 10 < 4) & (x[:, 1] % 10 < 5) & (rng.uniform(size=len(x)) < 0.8)
    x = x[(x[:, 0] < 28) | pieces] / 30.0 - 1.0
    assert relative(fitted(x, per_window=64), x).max() < 1e-5


@pytest.mark.slow
def test_the_error_does_not_grow_with_the_number_of_outputs(rng):
    x = rng.uniform(size=(200, 1))
    y = np.sin(9.0 * x) + 0.1 * rng.normal(size=x.shape)
    one, nine = (
        solve(regression(x, np.tile(y, outputs)), None, Windows(48), key=KEY).plan.numbers
        for outputs in (1, 9)
    )
    assert nine["leave_one_out"] == pytest.approx(one["leave_one_out"], rel=1e-6)


@pytest.mark.slow
def test_a_rough_target_takes_no_digits_from_a_smooth_one():
    def targets(x):
        return np.stack([np.sin(40.0 * x), np.sign(np.sin(7.0 * x))], axis=1)

    x, between = np.linspace(-1, 1, 400), np.linspace(-1, 1, 1001)
    solution = solve(regression(x, targets(x)), None, Windows(per_window=48), key=KEY)
    smooth, rough = np.sqrt(np.mean(np.square(solution(between) - targets(between)), axis=0))
    assert smooth < 1e-12
    assert rough < 0.2


@pytest.mark.slow
def test_an_axis_without_extent_takes_no_windows(rng):
    x = rng.uniform(size=(400, 2))
    flat = np.concatenate([x, np.full((400, 1), 7.0)], axis=1)
    counts = [fitted(points, per_window=64).plan.numbers["windows"] for points in (x, flat)]
    assert counts[0] == counts[1]
