"""Windows blend to one, and their network has the derivatives that finite differences show."""

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import PiecewiseCubic, RepLinear
from repnet.nn._windowed import LocalReadout, SharedPieces, Windowed, blend


def windowed(counts, out, rng):
    """A network of windows with random read-outs on [-1, 1]^d; call in float64 mode."""
    dim, windows = len(counts), int(np.prod(counts))
    spacing = np.array([2.0 / (n - 1) if n > 1 else 1.0 for n in counts])
    start = np.where(np.array(counts) > 1, -1.0, 0.0)
    node = np.array(list(itertools.product(*map(range, counts))))
    layer = RepLinear(dim, 5, scale=2.0, features="plain", key=jr.key(0))
    weight = rng.normal(size=(windows + 1, out, 5))
    weight[0] = 0.0
    return Windowed(
        (LocalReadout(layer, jnp.asarray(weight), jnp.arange(1, windows + 1, dtype=jnp.int32)),),
        jnp.asarray(rng.normal(size=(windows, out, 1 + dim))),
        jnp.asarray(start + spacing * node),
        jnp.asarray(np.broadcast_to(spacing, (windows, dim))),
        jnp.asarray(start),
        jnp.asarray(spacing),
        tuple(counts),
    )


COUNTS = [(4,), (3, 5), (2, 1, 3), (2, 3, 2, 2)]


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.slow
def test_weights_sum_to_one(counts, rng):
    with jax.enable_x64(True):
        network = windowed(counts, 2, rng)
        # Local networks that are all the same constant blend to that constant everywhere.
        constant = np.zeros(network.affine.shape)
        constant[..., 0] = [1.0, -3.0]
        affine = jnp.asarray(constant)
        flat = Windowed(
            (), affine, network.centre, network.radius, network.start, network.spacing, counts
        )
        points = jnp.asarray(rng.uniform(-1.3, 1.3, (200, len(counts))))
        values = eqx.filter_jit(eqx.filter_vmap(flat))(points)
    np.testing.assert_allclose(values, np.broadcast_to([1.0, -3.0], (200, 2)), atol=1e-13)


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.slow
def test_blend_of_all_windows_by_hand(counts, rng):
    """Every window summed with its weight, not only the 2^d that the network looks at."""
    with jax.enable_x64(True):
        network = windowed(counts, 2, rng)
        (part,) = network.parts
        features, step = eqx.filter_jit(part.layer), jax.jit(blend)
        weights, affine, centre, radius, start, spacing = map(
            np.asarray,
            (part.weight, network.affine, network.centre, network.radius, network.start,
             network.spacing),
        )  # fmt: skip
        x = rng.uniform(-1, 1, len(counts))
        total = np.zeros(2)
        for window, node in enumerate(itertools.product(*map(range, counts))):
            place = (x - start) / spacing - np.array(node)
            share = np.prod([step(t) for t, n in zip(place, counts, strict=True) if n > 1])
            local = (x - centre[window]) / radius[window]
            value = weights[window + 1] @ np.asarray(features(local))
            value += affine[window] @ np.concatenate([np.ones(1), local])
            total += share * value
        np.testing.assert_allclose(eqx.filter_jit(network)(x), total, atol=1e-12)


def test_a_readout_times_factors_adds_that_much_of_itself(rng):
    with jax.enable_x64(True):
        (part,) = windowed((4,), 2, rng).parts
        factor = np.array([[1.0, 2.0], [0.0, 0.0], [0.25, 1.0], [-2.0, 0.5]])
        times = part.times(factor)
        for window in range(4):
            x = jnp.asarray(rng.uniform(-1, 1, 1))
            at = jnp.asarray(window)
            np.testing.assert_allclose(times(at, x), factor[window] * part(at, x), atol=1e-14)


@pytest.mark.slow
def test_windows_take_their_shares_of_the_pieces(rng):
    knots, share = np.sort(rng.uniform(-1, 1, 12)), np.array([[0, 0.3, 1, 0], [1, 0.5, 0, 0]]).T
    with jax.enable_x64(True):
        network = windowed((4,), 2, rng)
        cubic = PiecewiseCubic.akima(knots, rng.normal(size=(12, 2)))
        both = eqx.tree_at(
            lambda n: n.pieces,
            network,
            SharedPieces(cubic, jnp.asarray(share)),
            is_leaf=lambda leaf: leaf is None,
        )
        points = rng.uniform(-1, 1, (50, 1))
        weight = np.asarray(jax.jit(blend)((points + 1.0) * 1.5 - np.arange(4))) @ share
        expected = network.many(points) + weight * cubic.many(points)
        np.testing.assert_allclose(both.many(points), expected, atol=1e-12)
        each = eqx.filter_jit(eqx.filter_vmap(both))
        np.testing.assert_allclose(each(jnp.asarray(points)), expected, atol=1e-12)


@pytest.mark.slow
def test_derivatives(rng):
    with jax.enable_x64(True):
        network = windowed((3, 4), 2, rng)
        value, slope = eqx.filter_jit(network), jax.jit(jax.jacfwd(network))
        reverse, hessian = jax.jit(jax.jacrev(network)), jax.jit(jax.hessian(network))
        x, step = np.array([0.31, -0.42]), 1e-5
        for axis in range(2):
            shift = step * np.eye(2)[axis]
            difference = (np.asarray(value(x + shift)) - value(x - shift)) / (2 * step)
            np.testing.assert_allclose(slope(x)[:, axis], difference, atol=1e-7)
            np.testing.assert_allclose(reverse(x)[:, axis], difference, atol=1e-7)
            second = (np.asarray(slope(x + shift)) - slope(x - shift)) / (2 * step)
            np.testing.assert_allclose(hessian(x)[:, :, axis], second, atol=1e-5)


def test_blend_is_smooth_where_windows_begin_and_end():
    with jax.enable_x64(True):
        tau = jnp.linspace(0.0, 1.0, 101)
        np.testing.assert_allclose(blend(tau) + blend(1.0 - tau), 1.0, atol=1e-14)
        derivative = blend
        for _ in range(3):
            derivative = jax.grad(derivative)
            for end in (1e-6, 1.0 - 1e-6):  # 840 is the largest fourth derivative
                assert abs(float(derivative(end))) < 840 * 1.1e-6
