"""DeepONet and flow maps against their formulas, written out."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.nn import (
    MLP,
    CausalConvolutions,
    DeepONet,
    DelayOperator,
    FlowMap,
    Linear,
    RepNet,
    windows_of,
)
from repnet.nn._causal import convolve, filtered
from repnet.nn._rates import learning_rates


def _branch(sensors: int, size: int, key) -> MLP:
    first, rest = jr.split(key)
    return MLP(Linear(sensors, 7, key=first), size, hidden=(), key=rest)


@pytest.mark.slow
def test_two_branches_and_two_outputs_equal_the_sum_written_out():
    basis, out = 5, 2
    keys = jr.split(jr.key(0), 3)
    branches = [_branch(4, basis * out, keys[0]), _branch(3, basis * out, keys[1])]
    trunk = RepNet(2, basis * out, width=16, hidden=(), scale=3.0, key=keys[2])
    operator = DeepONet(branches, trunk, basis=basis, out_size=out)
    v = jr.normal(jr.key(1), (2, 4)), jr.normal(jr.key(2), (2, 3))
    y = jr.uniform(jr.key(3), (2, 2))
    many = operator.many(v, y)
    first, second, along, whole = map(eqx.filter_jit, (*branches, trunk, operator))
    for function in range(2):
        one, two = (np.asarray(b(a[function])) for b, a in zip((first, second), v, strict=True))
        for point in range(2):
            t = np.asarray(along(y[point]))
            wanted = [
                sum(float(one[o * basis + k] * two[o * basis + k] * t[o * basis + k])
                    for k in range(basis))
                for o in range(out)
            ]  # fmt: skip
            np.testing.assert_allclose(many[function, point], wanted, rtol=2e-4, atol=1e-5)
            single = whole((v[0][function], v[1][function]), y[point])
            np.testing.assert_allclose(single, wanted, rtol=2e-4, atol=1e-5)


def test_the_trunk_runs_once_per_batch_of_shared_points():
    operator = DeepONet([lambda v: v[:3]], lambda y: jnp.sin(y) * jnp.ones(3), basis=3)
    program = jax.make_jaxpr(operator.many)(jnp.ones((50, 4)), jnp.ones((2, 1)))
    sines = [line for line in program.eqns if line.primitive.name == "sin"]
    assert [line.outvars[0].aval.shape for line in sines] == [(2, 1)]


@pytest.mark.slow
def test_query_points_of_a_fixed_operator_are_not_trained():
    trunk = RepNet(1, 3, width=8, hidden=(), scale=3.0, key=jr.key(0))
    fixed = DeepONet([lambda v: v[:3]], trunk, basis=3).at(jnp.ones((2, 1)))
    rates = learning_rates(fixed)
    assert rates.queries == 0.0
    slope = jax.grad(lambda q: jnp.sum(type(fixed)(fixed.operator, q)(jnp.ones(4))))(fixed.queries)
    assert float(jnp.abs(slope).max()) == 0.0


def test_a_flow_map_rolls_out_a_linear_system_exactly():
    matrix = np.array([[0.9, 0.1], [-0.2, 0.8]])
    push = np.array([0.5, -1.0])

    def network(z):
        x = z[:2]
        inside = []
        for sample in range(2):
            x = jnp.asarray(matrix) @ x + jnp.asarray(push) * z[2 + sample]
            inside.append(x - z[:2])
        return jnp.concatenate(inside)

    with jax.enable_x64(True):
        record = np.sin(np.arange(11.0))
        windows = windows_of(jnp.asarray(record), 2)
        found = FlowMap(network, 2, samples=2).rollout(jnp.zeros(2), windows)
    state, wanted = np.zeros(2), [np.zeros(2)]
    for value in record[:-1]:
        state = matrix @ state + push * value
        wanted.append(state)
    np.testing.assert_allclose(found, wanted, atol=1e-13)


@pytest.mark.slow
def test_what_comes_later_changes_nothing_earlier():
    network = CausalConvolutions(20, channels=6, dilations=(1, 2, 4), out_size=2, key=jr.key(0))
    run, record = eqx.filter_jit(network), np.asarray(jr.normal(jr.key(1), (80,)))
    changed = record + 3.0 * (np.arange(80) == 50)
    before, after = (np.asarray(run(r)).reshape(80, 2) for r in (record, changed))
    np.testing.assert_allclose(before[:50], after[:50], atol=1e-5)  # float32 transforms
    assert np.abs(before[50] - after[50]).max() > 1e-2


def test_convolution_and_filter_agree_with_numpy():
    rng = np.random.default_rng(0)
    signal, weight = rng.normal(size=(2, 30)), rng.normal(size=(3, 4, 2))
    spread = np.zeros((3, 2, 10))
    spread[:, :, ::3] = weight.transpose(0, 2, 1)
    wanted = [sum(np.convolve(signal[i], spread[o, i])[:30] for i in range(2)) for o in range(3)]
    found = convolve(jnp.asarray(weight), jnp.asarray(signal), 3)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    response = rng.normal(size=(1, 12))
    found = filtered(jnp.asarray(response), jnp.asarray(signal[0]))
    np.testing.assert_allclose(found[0], np.convolve(signal[0], response[0])[:30], atol=1e-5)


@pytest.mark.slow
def test_delay_operator_equals_its_sums_written_out():
    size, memory, channels = 40, 7, 3
    mode = jr.normal(jr.key(5), (2 * channels,))
    network = DelayOperator(
        lambda y: jnp.cos(2.0 * y + mode), memory, channels=channels, layers=2, out_size=2,
        key=jr.key(0),
    )  # fmt: skip
    record = np.asarray(jr.normal(jr.key(1), (size,)))
    delays = np.linspace(-1.0, 1.0, memory)
    filters = np.cos(2.0 * delays + np.asarray(mode)[:, None]) / np.sqrt(memory)
    first = np.stack([np.convolve(record, each)[:size] for each in filters[:channels]])
    hidden = np.tanh(np.asarray(network.mixing[0]) @ first)
    second = [np.convolve(h, each)[:size] for h, each in zip(hidden, filters[3:], strict=True)]
    wanted = np.asarray(network.readout) @ (np.stack(second) + hidden)
    found = network(jnp.asarray(record)).reshape(size, 2)
    np.testing.assert_allclose(found, wanted.T, atol=1e-5)  # float32 transforms


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DelayOperator(lambda y: y, 5, key=jr.key(0)), "channels = 64 values"),
        (lambda: DeepONet([], lambda y: y, basis=1), "at least one branch"),
        (lambda: DeepONet([lambda v: v], lambda y: y, basis=0), "basis"),
        (lambda: FlowMap(lambda z: z, 0), "state_size"),
        (lambda: CausalConvolutions(0, key=jr.key(0)), "memory"),
    ],
)
def test_faults_name_the_argument(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_operator_says_how_many_functions_it_takes():
    operator = DeepONet([lambda v: v[:1]], lambda y: y, basis=1)
    with pytest.raises(ValueError, match="1 branches .* got 2"):
        operator((jnp.ones(3), jnp.ones(3)), jnp.ones(1))
