"""Problems keep what they are given, and refuse what can't be solved."""

import numpy as np
import pytest

from repnet.problem import Box, Problem, Term, regression


def residual(u, x, unknowns):
    return u(x)


def test_regression_keeps_the_data(rng):
    x, y = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
    problem = regression(x, y, source="made up")
    (name, term), *others = problem.terms.items()
    assert (name, others, problem.dim, problem.source) == ("data", [], 3, "made up")
    np.testing.assert_array_equal(term.points, x)
    np.testing.assert_array_equal(term.values, y)
    np.testing.assert_array_equal(problem.domain.lower, x.min(axis=0))
    np.testing.assert_array_equal(problem.domain.upper, x.max(axis=0))


def test_one_axis_and_other_types():
    problem = regression(np.array([1, 2, 4]), np.array([True, False, True]))
    assert problem.terms["data"].points.tolist() == [[1.0], [2.0], [4.0]]
    assert problem.terms["data"].values.tolist() == [[1.0], [0.0], [1.0]]
    assert (
        regression(np.float32([0, 1]), np.float16([0, 1])).terms["data"].values.dtype == np.float64
    )


@pytest.mark.parametrize("at", [0.0, 3.0, -1e9])
def test_an_axis_without_extent_gets_a_box(at):
    domain = regression(np.array([[0.0, at], [1.0, at]]), np.zeros(2)).domain
    assert domain.lower[1] < at < domain.upper[1]


GOOD = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (
            [0.0, np.nan, 1.0],
            [0.0] * 3,
            r"\(x=...\)` must be finite; row 1, column 0 has nan",
        ),
        (
            GOOD,
            [[0.0], [1.0], [-np.inf]],
            r"\(y=...\)` must be finite; row 2, .* has -inf",
        ),
        (GOOD * 1e300, [0.0] * 3, r"regression\(x=...\)` must stay below 1e\+150 .* has 5e\+300"),
        (GOOD, [0.0, 1e300, 0.0], r"regression\(y=...\)` must stay below 1e\+150 .*row 1"),
        ([], [], r"regression\(x=...\)` must not be empty; got shape \(0, 1\)"),
        (GOOD, [0.0, 1.0], r"regression\(x, y\)` need the same number of rows; got 3 and 2"),
        (["a", "b"], [0.0, 1.0], r"regression\(x=...\)` must be real numbers; got ndarray"),
        (GOOD, np.array([1j, 0, 0]), r"regression\(y=...\)` must be real numbers; got ndarray"),
        (np.zeros((2, 2, 2)), [0.0, 1.0], r"must have shape .* got \(2, 2, 2\)"),
    ],
)
def test_bad_data(x, y, message):
    with pytest.raises(ValueError, match=message):
        regression(np.asarray(x), np.asarray(y))


def test_bad_terms():
    box = Box([0.0, 0.0], [1.0, 1.0])
    with pytest.raises(ValueError, match=r"`Problem\(terms=...\)` needs at least one term"):
        Problem(box, {})
    with pytest.raises(ValueError, match="points of term 'edge' .* 1 .* 2"):
        Problem(box, {"edge": Term(residual, np.arange(2.0))})
    with pytest.raises(ValueError, match=r"one row per point; got 1 rows for 2 points"):
        Term(residual, np.arange(2.0), np.ones(1))
