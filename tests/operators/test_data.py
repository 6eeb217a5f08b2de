"""Operator data: what is refused, how groups are parted, and units of the training part alone."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.operators import (
    OperatorData,
    OperatorUnits,
    StandardizedOperator,
    group_folds,
    operator_problem,
    require_apart,
)
from repnet.operators._data import Values


def _data(rng: np.random.Generator, **changes) -> OperatorData:
    fields = {
        "inputs": (rng.normal(size=(6, 4)),),
        "queries": np.linspace(2.0, 4.0, 5)[:, None],
        "outputs": 3.0 + 7.0 * rng.normal(size=(6, 5, 2)),
        "groups": ("a", "a", "b", "c", "c", "c"),
    }
    return OperatorData(**{**fields, **changes})


def test_units_are_those_of_the_training_part(rng):
    data = _data(rng)
    outputs = data.outputs.copy()
    outputs[3:] *= 1000.0
    train, test = _data(rng, outputs=outputs).parted(["c"])
    units = OperatorUnits.of(train)
    standard = units.standard(train)
    np.testing.assert_allclose(standard.outputs.mean(axis=(0, 1)), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.square(standard.outputs).mean(axis=(0, 1)), 1.0)
    assert np.square(standard.inputs[0]).mean() == pytest.approx(1.0)
    assert (standard.queries.min(), standard.queries.max()) == (-1.0, 1.0)
    assert np.abs(units.standard(test).outputs).max() > 100.0


class _Echo:
    """An operator that answers with what it is given."""

    def __call__(self, v, y):
        return jnp.stack([v[0] * y[0], y[0]])

    def many(self, v, queries):
        return jnp.stack([jnp.stack([self(f, y) for y in queries]) for f in v])


def test_a_standardized_operator_answers_in_the_users_units(rng):
    units = OperatorUnits.of(_data(rng))
    operator = StandardizedOperator(_Echo(), units, (4,), np.dtype(np.float32))
    v, y = np.array([[2.0, 0.0, 0.0, 0.0]]), np.array([[2.5]])
    local = (2.5 - 3.0) / 1.0
    wanted = units.mean + units.spread * np.array([2.0 / units.inputs[0] * local, local])
    np.testing.assert_allclose(operator(jnp.asarray(v[0]), jnp.asarray(y[0])), wanted, rtol=1e-5)
    with pytest.raises(ValueError, match=r"trained on \(4,\) sensors .* got \(3,\)"):
        operator.many(np.ones((2, 3)), y)


def test_the_residual_of_a_problem_is_value_less_output(rng):
    data = _data(rng)
    residual = operator_problem(data).terms["data"].residual
    assert isinstance(residual, Values)
    found = residual(_Echo(), np.array([4.0]))
    wanted = np.asarray(_Echo().many(jnp.asarray(data.inputs[0][4:5]), jnp.asarray(data.queries)))
    np.testing.assert_allclose(found, (wanted[0] - data.outputs[4]).reshape(-1), rtol=1e-5)


def test_folds_keep_groups_whole_and_sizes_alike():
    rng = np.random.default_rng(3)
    groups = [f"g{i}" for i, size in enumerate(rng.integers(1, 9, 40)) for _ in range(size)]
    fold = group_folds(groups, 5)
    for name in set(groups):
        assert len({int(f) for f, g in zip(fold, groups, strict=True) if g == name}) == 1
    sizes = np.bincount(fold)
    assert len(sizes) == 5
    assert sizes.max() - sizes.min() <= 2


def test_parts_that_share_a_group_are_refused():
    require_apart(["a"], ["b"])
    with pytest.raises(ValueError, match="'b' is on both sides"):
        require_apart(["a", "b"], ["b", "c"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"queries": np.zeros((4, 1))}, "queries=.*one point per output value; got 4 for 5"),
        ({"queries": np.zeros((3, 5, 1))}, "queries=.*one row per function.*got 3"),
        ({"groups": ("a",)}, "groups=.*got 1"),
        ({"inputs": ()}, "tuple of at least one array"),
        ({"inputs": (np.zeros((2, 4)),)}, r"inputs\[0\]=.*got 2"),
        ({"inputs": (np.full((6, 4), np.nan),)}, r"inputs\[0\]=.*finite.*24 such"),
    ],
)
def test_faults_name_the_array(rng, change, message):
    with pytest.raises(ValueError, match=message):
        _data(rng, **change)


def test_groups_to_hold_out_must_be_there(rng):
    with pytest.raises(ValueError, match="'z' is none of a, b, c"):
        _data(rng).parted(["z"])
    with pytest.raises(ValueError, match="both sides"):
        _data(rng).parted(["a", "b", "c"])
    with pytest.raises(ValueError, match="between 2 and the number of groups, 3"):
        group_folds(["a", "b", "c"], 4)


def test_only_operator_problems_are_solved_for_operators(rng):
    from repnet.operators import OperatorGradient, OperatorLeastSquares
    from repnet.problem import regression

    problem = regression(np.arange(4.0), np.arange(4.0))
    for solver in (OperatorGradient(), OperatorLeastSquares()):
        with pytest.raises(ValueError, match=r"operator_problem\(data\)"):
            solver.run(problem, None, key=jr.key(0))
    with pytest.raises(ValueError, match="operator with `many`"):
        OperatorGradient().run(operator_problem(_data(rng)), None, key=jr.key(0))
