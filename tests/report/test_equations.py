"""Tests of the reports of equations: holes, slices, several outputs, unknowns."""

import jax.numpy as jnp
import numpy as np
import pytest

from repnet.problem import Ball, Box, Problem, Term, dirichlet, laplacian
from repnet.report import (
    Run,
    Stated,
    describe_problem,
    draw_reports,
    equation_arrays,
    measure_solution,
    record_of,
    residual_table,
    unknown_errors,
    write_run,
)
from repnet.solve import RESULTS, Plan, Solution


def wave(x):
    """Two waves of wavenumber 2 along the first axis."""
    return jnp.stack([jnp.sin(2.0 * x[0]), jnp.cos(2.0 * x[0])])


def equation(u, x, unknowns):
    return laplacian(u)(x) + unknowns["k"] ** 2 * u(x)


def stated_in(domain, shift=0.0):
    def exact(x):
        return np.stack([np.sin(2.0 * x[:, 0]), np.cos(2.0 * x[:, 0])], axis=1) + shift

    truth = {"k": np.array(4.0), "a": jnp.sin}
    terms = {"equation": Term(equation), "sides": dirichlet(domain.boundary(), wave)}
    problem = Problem(domain, terms, truth, exact, out_size=2, exact_unknowns=truth)
    points = np.random.default_rng(0).uniform(domain.lower, domain.upper, (50, domain.dim))
    return Stated(problem, "wave", "Two waves", test_points=points)


def solved(problem):
    numbers = {"intervals": {"k": [1.5, 2.5]}, "tried": {"one": 1e-2, "two": 1e-3}}
    plan = Plan("a closed form", "nothing", (3.0,) * problem.dim, numbers=numbers)
    unknowns = {"k": np.array(2.0), "a": jnp.sin}
    return Solution(wave, unknowns, RESULTS.successful, {}, plan, 1.0)


def test_errors_residuals_and_unknowns_are_measured():
    stated = stated_in(Box(0.0, 1.0), shift=1e-3)
    solution = solved(stated.problem)
    assert measure_solution(solution, stated)["max_error"] == pytest.approx(1e-3, rel=1e-3)
    residuals = residual_table(solution, stated.problem)
    assert residuals["equation"]["largest"] < 1e-12  # k is the one found
    assert residuals["sides"]["largest"] < 1e-12
    errors = unknown_errors(solution, stated.problem)
    assert errors["k"]["relative_error"] == pytest.approx(0.5)
    assert errors["a"]["relative_error"] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.slow
def test_a_hole_is_left_blank_and_the_page_is_drawn(tmp_path):
    stated = stated_in(Box([-1.0, -1.0], [1.0, 1.0]) - Ball([0.0, 0.0], 0.5))
    solution = solved(stated.problem)
    arrays = equation_arrays(solution, stated.problem)
    first, second = np.meshgrid(arrays["x:0"], arrays["x:1"], indexing="ij")
    hole = np.hypot(first, second) < 0.5
    np.testing.assert_array_equal(np.isnan(arrays["value:0"][..., 0]), hole)
    assert np.isfinite(arrays["energy_value:0"]).all()
    record = record_of(
        "solve",
        {"problem": "mine.py:wave", "set": ["a=1", "b=2"]},
        solution=solution,
        metrics={
            "problem": describe_problem(stated),
            "residuals": residual_table(solution, stated.problem),
            "unknowns": unknown_errors(solution, stated.problem),
        },
    )
    write_run(tmp_path, Run(record, arrays), None)
    draw_reports(tmp_path)
    page = (tmp_path / "report.html").read_text()
    for words in ("Solution u2", "Error of u1", "Residual of equation", "Spectrum along y",
                  "Trials", "Unknown a", "1.5 to 2.5", "--set a=1 --set b=2"):  # fmt: skip
        assert words in page
    assert (tmp_path / "picture.png").stat().st_size > 1_000


def test_three_dimensions_are_cut_at_three_places():
    problem = stated_in(Box([0.0] * 3, [1.0, 1.0, 4.0])).problem
    arrays = equation_arrays(solved(problem), problem)
    assert [arrays[f"place:{plane}"].tolist() for plane in range(3)] == [[0.0], [2.0], [4.0]]
    np.testing.assert_allclose(arrays["value:2"][:, 0, 0], np.sin(2.0 * arrays["x:0"]), atol=1e-6)
