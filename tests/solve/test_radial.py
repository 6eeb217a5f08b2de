"""Radial units about few scattered points: errors are those of leaving out, and decide."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator

import repnet
from repnet.estimators import RepNetRegressor
from repnet.nn import Beside, RadialBasis
from repnet.nn._radial import KERNELS, radial_profile
from repnet.problem import regression
from repnet.solve import LeastSquares, Radial, Windows, solve
from repnet.solve._automatic import with_activation
from repnet.solve._radial_units import ONE, Shape, about_all, about_some, beside, polynomials_at


def _hills(x):
    """Franke's function in any dimension: smooth, with no direction of its own."""
    z = 4.5 * (x + 1.0)
    far, near = np.square(z - 2.0).sum(axis=1), np.square(z - 7.0).sum(axis=1)
    return 0.75 * np.exp(-far / 4) + 0.5 * np.exp(-near / 4)


def _points(rng, count, dim):
    return rng.uniform(-1.0, 1.0, (count, dim))


@pytest.mark.parametrize("kernel", KERNELS)
def test_missed_is_what_refits_without_a_point_miss(kernel, rng):
    x = _points(rng, 30, 2)
    y = np.stack([_hills(x), x[:, 0] ** 2 + 0.1 * rng.normal(size=30)], axis=1)
    found = about_all(x, y, (0, 1), Shape(kernel, ONE, np.eye(2) / 0.8))
    for target, ridge in enumerate(found.ridges * found.unit):
        for i in (0, 11, 29):
            rest = np.arange(30) != i
            columns = np.concatenate([np.ones((29, 1)), x[rest]], axis=1)
            columns = columns[:, : KERNELS[kernel] * 2 + 1 if KERNELS[kernel] >= 0 else 0]
            width = columns.shape[1]
            square = np.square(x[rest, None] - x[rest]).sum(axis=2) / 0.64
            system = np.zeros((29 + width, 29 + width))
            system[:29, :29] = radial_profile(kernel, square, np) + ridge * np.eye(29)
            system[:29, 29:], system[29:, :29] = columns, columns.T
            solved = np.linalg.solve(system, np.append(y[rest, target], np.zeros(width)))
            square = np.square(x[rest] - x[i]).sum(axis=1) / 0.64
            here = np.append(1.0, x[i])[:width]
            value = radial_profile(kernel, square, np) @ solved[:29] + here @ solved[29:]
            missed = y[i, target] - value
            np.testing.assert_allclose(found.missed[i, target], missed, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_units_about_some_points_miss_what_refits_without_a_point_miss(kernel, rng):
    x, centres = _points(rng, 60, 2), np.arange(0, 60, 4)
    y = np.stack([_hills(x), x[:, 0] ** 2 + 0.1 * rng.normal(size=60)], axis=1)
    shape = Shape(kernel, ONE, np.eye(2) / 0.8)
    found = about_some(x, y, (0, 1), shape, centres)
    between, rest = shape.between(x, x[centres]), beside(polynomials_at(x[centres], kernel))
    penalty = rest.T @ between[centres] @ rest
    columns = polynomials_at(x, kernel)
    design = np.concatenate([between @ rest, columns], axis=1)
    size = rest.shape[1]
    for target, ridge in enumerate(found.ridges * found.unit):
        for i in (0, 11, 59):
            keep = np.arange(60) != i
            system = design[keep].T @ design[keep]
            system[:size, :size] += ridge * penalty
            solved = np.linalg.solve(system, design[keep].T @ y[keep, target])
            missed = y[i, target] - design[i] @ solved
            np.testing.assert_allclose(found.missed[i, target], missed, rtol=1e-3, atol=1e-6)
    whole = np.stack([about_some(x, y, (out,), shape, centres).missed[:, 0] for out in (0, 1)], 1)
    np.testing.assert_allclose(found.missed, whole, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("kernel", KERNELS)
def test_units_about_all_points_are_those_about_some_that_are_all(kernel, rng):
    x, new = _points(rng, 50, 2), _points(rng, 20, 2)
    y = (_hills(x) + 0.05 * rng.normal(size=50))[:, None]
    shape = Shape(kernel, ONE, np.array([[1.0, 0.3], [0.0, 0.8]]))
    found = [about_all(x, y, (0,), shape), about_some(x, y, (0,), shape, np.arange(50))]
    with jax.enable_x64(True):
        values = [jax.vmap(each.network([0]))(jnp.asarray(new)) for each in found]
    np.testing.assert_allclose(*values, atol=0.05)


@pytest.mark.long
def test_every_target_has_a_kernel_and_a_width_of_its_own(rng):
    x, new = _points(rng, 150, 2), _points(rng, 500, 2)
    both = [lambda x: 1.0 + x @ np.array([1.0, -2.0]), _hills]
    y, true = (np.stack([f(at) for f in both], axis=1) for at in (x, new))
    together = Radial().run(regression(x, y), key=jr.key(0))
    assert isinstance(together.network.network, Beside)
    for out in (0, 1):
        alone = Radial().run(regression(x, y[:, out]), key=jr.key(0))
        np.testing.assert_allclose(together(new)[:, out], alone(new)[:, 0], rtol=1e-9, atol=1e-9)
    errors = np.abs(together(new) - true).max(axis=0)
    assert errors[0] < 1e-9
    assert errors[1] < 0.02
    same = Radial("gaussian").run(
        regression(x, np.stack([y[:, 1], -y[:, 1]], axis=1)), key=jr.key(0)
    )
    assert isinstance(same.network.network, RadialBasis)


@pytest.mark.long
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_error_told_is_that_at_new_points(noise, rng):
    told, true = [], []
    for _ in range(3):
        x, new = _points(rng, 250, 3), _points(rng, 2000, 3)
        y = _hills(x) + noise * rng.normal(size=250)
        solution = Radial().run(regression(x, y), key=jr.key(0))
        told.append(solution.plan.numbers["leave_one_out"] * y.std())
        true.append(np.hypot(np.sqrt(np.mean((solution(new)[:, 0] - _hills(new)) ** 2)), noise))
    told, true = (np.exp(np.mean(np.log(each))) for each in (told, true))
    assert told / 1.6 < true < 1.6 * told


@pytest.mark.long
def test_of_many_points_a_thousand_are_centres(rng):
    x, new = _points(rng, 2500, 3), _points(rng, 2000, 3)
    y = np.stack([_hills(x), x[:, 0] + 0.1 * rng.normal(size=2500)], axis=1)
    solution = Radial().run(regression(x, y), key=jr.key(0))
    assert solution.plan.network.startswith("1000 radial units")
    assert "about 1,000 of the points" in solution.plan.reasons[0]
    missed = solution(new) - np.stack([_hills(new), new[:, 0]], axis=1)
    assert np.sqrt(np.mean(np.square(missed), axis=0))[0] < 1e-3 * _hills(new).std()
    assert np.sqrt(np.mean(np.square(missed), axis=0))[1] < 0.01


@pytest.mark.slow
def test_widths_of_many_points_are_chosen_by_some(rng):
    x, new = _points(rng, 700, 2), _points(rng, 1000, 2)
    solution = Radial().run(regression(x, _hills(x)), key=jr.key(0))
    assert isinstance(solution.network.network, RadialBasis)
    rival = RBFInterpolator(x, _hills(x), kernel="quintic")(new)
    error = np.linalg.norm(solution(new)[:, 0] - _hills(new))
    assert error < 0.2 * np.linalg.norm(rival - _hills(new))


def _hill(x):
    """One wide hill, which few points tell in six dimensions, too."""
    return np.exp(-np.square(x - 0.2).sum(axis=1) / 1.5)


@pytest.mark.long
@pytest.mark.parametrize(
    ("function", "points", "dim"), [(_hills, 200, 2), (_hills, 500, 3), (_hill, 300, 6)]
)
def test_hills_at_few_scattered_points_are_found_better_than_by_interpolators(
    function, points, dim, rng
):
    x, new = _points(rng, points, dim), _points(rng, 3000, dim)
    y, true = function(x), function(new)
    solution = solve(regression(x, y), key=jr.key(0))
    error = np.linalg.norm(solution(new)[:, 0] - true)
    kernels = ("linear", "thin_plate_spline", "cubic", "quintic")
    rivals = [RBFInterpolator(x, y, kernel=kernel)(new) for kernel in kernels]
    assert error < 0.9 * min(np.linalg.norm(rival - true) for rival in rivals)
    assert solution.plan.solver == "Radial"
    assert "radial" in solution.plan.numbers["trials"]
    assert "radial" in solution.plan.reasons[0]


@pytest.mark.long
def test_waves_are_left_to_sines(rng):
    x = _points(rng, 300, 3)
    solution = solve(regression(x, np.sin(x @ np.array([7.0, -4.0, 5.0]))), key=jr.key(0))
    assert solution.plan.solver != "Radial"


def test_an_activation_is_least_squares_to_keep():
    assert with_activation(Radial(), None) == Radial()
    assert with_activation(Radial(), np.tanh) == LeastSquares(activation=np.tanh)
    assert with_activation(Windows(48), np.tanh) == Windows(48, activation=np.tanh)


@pytest.mark.long
def test_the_estimator_takes_radial_units_unless_an_activation_is_given(rng):
    x, kinds = _points(rng, 200, 2), (None, "tanh")
    fits = [RepNetRegressor(activation=kind, random_state=0).fit(x, _hills(x)) for kind in kinds]
    assert [fit.solution_.plan.solver for fit in fits] == ["Radial", "LeastSquares"]
    for fit in fits:
        assert fit.score(x, _hills(x)) > 0.99


def test_a_saved_fit_comes_back_to_the_bit(rng, tmp_path):
    x = _points(rng, 40, 2)
    solution = Radial("gaussian").run(regression(x, _hills(x)), key=jr.key(0))
    solution.save(tmp_path / "hills.repnet")
    again = repnet.Solution.load(tmp_path / "hills.repnet")
    assert np.array_equal(again(x), solution(x))


@pytest.mark.parametrize("x", [np.ones((30, 2)), np.stack([np.arange(30.0), np.ones(30)], axis=1)])
def test_points_on_a_line_and_equal_points_are_fitted(x, rng):
    solution = Radial().run(regression(x, rng.normal(size=30)), key=jr.key(0))
    assert np.isfinite(solution(x)).all()


def test_duplicates_with_different_targets_have_their_mean(rng):
    x = np.tile(_points(rng, 60, 2), (2, 1))
    y = _hills(x) + np.repeat([0.1, -0.1], 60)
    solution = Radial().run(regression(x, y), key=jr.key(0))
    missed = solution(x[:60])[:, 0] - _hills(x[:60])
    assert np.sqrt(np.mean(missed**2)) < 0.05


def test_bad_input_is_told(rng):
    x = _points(rng, 3, 2)
    with pytest.raises(
        ValueError, match=r"`Radial` takes 4 to 100,000 points of 2 inputs; .* has 3"
    ):
        Radial().run(regression(x, _hills(x)), key=jr.key(0))
    with pytest.raises(ValueError, match=r"`Radial\(kernel=...\)` must be one of"):
        Radial("quintic")
    with pytest.raises(ValueError, match="leave `network` out"):
        Radial().run(regression(x, _hills(x)), np.sin, key=jr.key(0))
