"""Multi-scale layers and networks against sums written out by hand, and wherever networks go."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import (
    MLP,
    BlockDiagonal,
    MscaleDNN,
    MscaleLinear,
    TwoLayerSine,
    Uniform,
    magnitude,
    s2relu,
    srelu,
)
from repnet.nn._derivatives import along
from repnet.problem import Box, Problem, Term, dirichlet, laplacian, partial, regression
from repnet.solve import Gradient, LeastSquares, Solution, solve, train_many
from repnet.theory import check_magnitude, first_layer, partition_points, slope_scales

KEY = jr.key(0)
SCALES = (1.0, 3.0)
SQUARE = Box([0.0, 0.0], [1.0, 1.0])
PLANE = Problem(SQUARE, {"value": Term(lambda u, x, _: u(x), SQUARE)})


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("hidden", [(), (5,), (5, 4)])
@pytest.mark.slow
def test_the_sum_of_sub_networks_by_hand(shared, hidden):
    with jax.enable_x64(True):
        network = MscaleDNN(
            2, 3, scales=SCALES, width=6, hidden=hidden, shared=shared, key=jr.key(0)
        )
        x = np.array([0.3, -0.8])
        first = network.first
        total = np.asarray(network.readout.bias).copy()
        out = np.asarray(network.readout.weight).reshape(3, 2, -1)
        for s, scale in enumerate(SCALES):
            own = slice(0, 6) if shared else slice(6 * s, 6 * s + 6)
            h = np.sin(np.asarray(first.weight)[own] @ (scale * x) + np.asarray(first.bias)[own])
            for layer in network.hidden:
                width = layer.weight.blocks.shape[1]
                block = 0 if shared else s
                bias = np.asarray(layer.bias)[block * width : (block + 1) * width]
                h = np.sin(np.asarray(layer.weight.blocks)[block] @ h + bias)
            total += out[:, s] @ h
        np.testing.assert_allclose(network(jnp.asarray(x)), total, rtol=1e-13)
        found = network.readout(network.features(jnp.asarray(x)))
        np.testing.assert_allclose(found, total, rtol=1e-13)
    assert (network.in_size, network.out_size) == (2, 3)


def test_block_diagonal_products_equal_the_full_matrix(rng):
    with jax.enable_x64(True):
        blocks = rng.normal(size=(3, 2, 4))
        full = np.zeros((6, 12))
        for i, block in enumerate(blocks):
            full[2 * i : 2 * i + 2, 4 * i : 4 * i + 4] = block
        h = rng.normal(size=12)
        matrix = BlockDiagonal(jnp.asarray(blocks))
        np.testing.assert_allclose(matrix @ jnp.asarray(h), full @ h, rtol=1e-13)
        assert matrix.shape == full.shape
        alike = np.kron(np.eye(3), blocks[0])
        again = BlockDiagonal(jnp.asarray(blocks[:1]), repeats=3)
        np.testing.assert_allclose(again @ jnp.asarray(h), alike @ h, rtol=1e-13)
        assert again.shape == alike.shape


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.slow
def test_derivatives_equal_nested_forward_mode(shared):
    with jax.enable_x64(True):
        network = MscaleDNN(2, 1, scales=SCALES, width=4, hidden=(3,), shared=shared, key=jr.key(2))
        x, e = jnp.array([0.1, 0.4]), jnp.eye(2)

        def plain(y):
            return network.readout(network.features(y))

        both = along(plain, x, [e[0], e[0]]) + along(plain, x, [e[1], e[1]])
        np.testing.assert_allclose(laplacian(network)(x), both[0], rtol=1e-10)
        np.testing.assert_allclose(partial(network, 1)(x), along(plain, x, [e[1]]), rtol=1e-10)


def test_activations_of_compact_support():
    z = np.linspace(-1.0, 2.0, 61)
    inside = np.where((z > 0) & (z < 1), z * (1 - z), 0.0)
    np.testing.assert_allclose(srelu(jnp.asarray(z)), inside, atol=1e-6)
    np.testing.assert_allclose(s2relu(jnp.asarray(z)), np.sin(2 * np.pi * z) * inside, atol=1e-6)


@pytest.mark.parametrize(("activation", "order"), [(srelu, 2), (s2relu, 3)])
@pytest.mark.slow
def test_derivatives_with_steps_below_are_refused(activation, order):
    network = MscaleDNN(1, width=4, hidden=(), activation=activation, key=KEY)
    e, x = np.ones(1), jnp.array([0.3])
    with pytest.raises(ValueError, match=rf"order {order} .*{activation.__name__}.*has steps"):
        network.jet(x).derivative(*[e] * order)
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda a: a.astype(jnp.float64), network)
        x = jnp.array([0.3])
        lower = [e] * (order - 2)
        up, down = (wide.jet(x + h).derivative(*lower) for h in (1e-6, -1e-6))
        found = wide.jet(x).derivative(*lower, e)
        np.testing.assert_allclose(found, (up - down) / 2e-6, rtol=1e-4)


def test_scales_share_the_units_and_get_no_gradient():
    layer = MscaleLinear(2, 10, scales=(1, 2, 4), activation=jnp.tanh, key=KEY)
    assert layer.scale.tolist() == [1.0] * 4 + [2.0] * 3 + [4.0] * 3
    gradient = jax.grad(lambda each: jnp.sum(each(jnp.array([0.3, 0.1]))))(layer)
    assert not np.any(gradient.scale)
    assert np.all(np.asarray(gradient.weight) != 0.0)
    halves = MscaleLinear(1, 8, scales=(1, 2), shares=(0.75, 0.25), key=KEY)
    assert halves.scale.tolist() == [1.0] * 6 + [2.0] * 2


def test_partition_points_cover_the_box_at_every_scale():
    layer = MscaleLinear(1, 256, scales=(1, 64), activation=jnp.tanh, lower=2.0, upper=6.0, key=KEY)
    points = np.asarray(partition_points(layer)).reshape(2, 128)
    for own in points:
        # A Sobol sequence puts 16 of 128 points into each eighth.
        assert np.histogram(own, 8, (2.0, 6.0))[0].tolist() == pytest.approx([16] * 8, abs=2)
    crowded = MscaleLinear(
        1, 256, scales=(1, 64), activation=jnp.tanh, bias=Uniform(-np.pi, np.pi), key=KEY
    )
    assert np.mean(np.abs(np.asarray(partition_points(crowded))[128:]) < 0.25) > 0.7
    steep = np.asarray(slope_scales(layer)).reshape(2, 128)
    assert np.median(steep[1]) == pytest.approx(64 * np.median(steep[0]), rel=0.05)


@pytest.mark.slow
def test_shared_units_move_together():
    network = MscaleDNN(1, scales=SCALES, width=4, hidden=(3,), shared=True, key=KEY)
    plain = MscaleDNN(1, scales=SCALES, width=4, hidden=(3,), key=KEY)

    def count(tree):
        return sum(leaf.size for leaf in jax.tree.leaves(eqx.filter(tree, eqx.is_inexact_array)))

    # First layer 4 weights and biases and 8 scales, hidden 3 × 4 + 3, read-out 6 + 1.
    assert count(network) == 8 + 8 + 15 + 7
    assert count(plain) == 16 + 8 + 30 + 7


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "shared"), [(jnp.sin, True), (jax.nn.relu, False), (srelu, False)]
)
def test_magnitudes_match_random_networks(activation, shared):
    def make(key):
        return MscaleDNN(
            1, 8, scales=(1, 4, 16), width=128, hidden=(128,), shared=shared,
            activation=activation, key=key,
        )  # fmt: skip

    found = check_magnitude(make, networks=60, key=KEY)
    assert found.predicted_output == pytest.approx(1.0, rel=1e-3)
    # Sixty networks know the rms to 2 or 3 %.
    assert found.worst < 0.1


@pytest.mark.slow
def test_the_two_layer_sine_network_as_an_mlp():
    network = TwoLayerSine(1, 30, scales=SCALES, paired=False, key=KEY)
    same = network.as_mlp()
    x = jnp.array([0.7])
    np.testing.assert_allclose(same(x), network(x), rtol=1e-5)
    np.testing.assert_array_equal(partition_points(network), partition_points(same))
    assert isinstance(first_layer(network), MscaleLinear)
    # E sin² = (1 - e^{-2v})/2 for z of variance v, on average over units and the box.
    assert 0.5 < float(magnitude(same).output_rms) < 0.9


@pytest.mark.slow
def test_least_squares_of_data_and_of_an_equation(tmp_path):
    network = MscaleDNN(1, scales=(1, 4, 16), width=48, hidden=(), key=KEY)
    x = np.linspace(-1.0, 1.0, 301)
    solution = solve(regression(x, np.sin(30 * x) + x), network, key=KEY)
    assert solution.plan.solver == "LeastSquares"
    between = 0.5 * (x[1:] + x[:-1])
    error = solution(between[:, None])[:, 0] - np.sin(30 * between) - between
    assert np.abs(error).max() < 1e-3  # 144 sines at frequencies of a law, none of them chosen
    solution.save(tmp_path / "s.npz")
    again = Solution.load(tmp_path / "s.npz")
    np.testing.assert_array_equal(again(between), solution(between))

    box = Box(0.0, 2.0)
    equation = Term(lambda u, x, _: laplacian(u)(x) + 900.0 * jnp.sin(30 * x[0]), box)
    edges = dirichlet(box.boundary(), lambda x: jnp.sin(30 * x))
    solved = solve(Problem(box, {"equation": equation, "edges": edges}), network, key=KEY)
    assert solved.plan.solver == "LeastSquares, least squares"
    places = np.linspace(0.0, 2.0, 500)
    assert np.abs(solved(places)[:, 0] - np.sin(30 * places)).max() < 1e-3


@pytest.mark.long
def test_trained_on_an_equation_and_saved(tmp_path):
    box = Box(-1.0, 1.0)
    equation = Term(lambda u, x, _: partial(u, 0, 2)(x) + 36.0 * jnp.sin(6 * x[0]), box)
    edges = dirichlet(box.boundary(), lambda x: jnp.sin(6 * x))
    network = MscaleDNN(1, scales=(1, 4), width=24, hidden=(16,), key=KEY)
    problem = Problem(box, {"equation": equation, "edges": edges})
    solution = solve(problem, network, Gradient(steps=1500, rate=3e-3), key=KEY)
    x = np.linspace(-1.0, 1.0, 200)
    assert np.sqrt(np.mean((solution(x)[:, 0] - np.sin(6 * x)) ** 2)) < 0.07
    assert np.any(solution.network.network.hidden[0].weight.blocks
                  != network.hidden[0].weight.blocks)  # fmt: skip
    np.testing.assert_array_equal(solution.network.network.first.scale, network.first.scale)
    solution.save(tmp_path / "s.npz")
    np.testing.assert_array_equal(Solution.load(tmp_path / "s.npz")(x), solution(x))


@pytest.mark.slow
def test_before_hidden_layers_that_mix_the_scales_and_in_stacks():
    x = np.linspace(-1.0, 1.0, 129)

    def make(key):
        one, two = jr.split(key)
        first = MscaleLinear(1, 24, scales=(1, 4, 16), activation=jnp.tanh, key=one)
        return MLP(first, hidden=(16,), key=two)

    problem = regression(x, np.sin(9 * x))
    found = train_many(problem, make, Gradient(steps=200, rate=3e-3), keys=jr.split(KEY, 2))
    for solution in found:
        assert np.sqrt(np.mean((solution(x)[:, 0] - np.sin(9 * x)) ** 2)) < 0.2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MscaleDNN(1, scales=(), key=KEY), r"scales=...\)` must hold at least"),
        (lambda: MscaleDNN(1, scales=(-1.0,), key=KEY), r"scales=...\)` must be finite"),
        (lambda: MscaleDNN(1, width=0, key=KEY), r"`MscaleDNN\(width=...\)` must be an integer"),
        (lambda: MscaleDNN(1, hidden=(0,), key=KEY), r"`MscaleDNN\(hidden=...\)` must be an integ"),
        (lambda: MscaleLinear(1, 2, scales=(1, 2, 3), key=KEY), "leave at least one unit to each"),
        (
            lambda: MscaleLinear(1, 7, scales=(1, 2), shared=True, key=KEY),
            "must give every scale as many units",
        ),
        (
            lambda: solve(PLANE, MscaleDNN(1, hidden=(), key=KEY), LeastSquares(), key=KEY),
            r"`solve\(network=...\)` must have as many inputs as the problem, 2; it has 1",
        ),
    ],
)  # fmt: skip
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
