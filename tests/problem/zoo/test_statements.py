"""The exact solution of every named problem satisfies every term of it."""

import math

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from repnet.problem import Region, zoo

# Other parameters than the defaults, so that the formulas hold for more than one set of numbers.
OTHERS = {
    "poisson1d_ms": {"frequency": 33.3, "amplitude": 0.7},
    "helmholtz2d": {"a1": 3, "a2": 7, "k": 12.0},
    "helmholtz2d_source": {"wavelength": 0.31, "width": 0.07},
    "laplace2d_ms": {"levels": 3},
    "advection_diffusion2d": {"p": 5.3, "q": 0.7, "advection": -40.0},
    "oscillator": {"omega0": 400.0, "damping": 11.0},
    "wave1d": {"c": 3.3},
    "wave1d_ms": {"c": 4.1},
    "convection1d": {"beta": 80.0},
    "heat1d_ms": {"frequency": 37},
    "heat2d_ms": {"frequency": 31},
    "maxwell1d": {"waves": 9},
    "plane_wave2d": {"k": 47.0, "angle": 2.5},
    "burgers1d": {"viscosity": 0.001},
    "klein_gordon1d": {"frequency": 11.7},
    "nonlinear_helmholtz1d": {"k": 13.0},
    "helmholtz1d_wavenumber": {"k": 57.0, "noise": 0.05, "seed": 3},
    "wave1d_speed": {"c": 6.0, "count": 100, "noise": 0.01},
    "diffusion1d_field": {"frequency": 13.0, "count": 50},
}
SPECTRAL = {"allen_cahn1d", "kdv1d", "allen_cahn1d_coefficients"}  # test_periodic_references.py
CASES = [(name, {}) for name in zoo.names() if name not in SPECTRAL]
CASES += list(OTHERS.items())


def small(name):
    return {"count": 5} if "count" in zoo.entry(name).parameters else {}


def residuals(problem, field, term, points):
    unknowns = jax.tree.map(
        lambda leaf: leaf if callable(leaf) else jnp.asarray(leaf), problem.exact_unknowns
    )
    one = jax.jit(jax.vmap(lambda x: term.residual(field, x, unknowns)))
    return np.asarray(one(points))


def points_of(term, key):
    if isinstance(term.points, Region):
        return term.points.sample(300, method="uniform", key=key)
    return term.points


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_the_exact_solution_satisfies_every_term(name, parameters):
    """Relative to how the residual answers to a wrong field of the same size: its terms' size."""
    problem = zoo.make(name, **parameters)
    noise = parameters.get("noise", 0.0)
    exact = problem.exact.field
    ratio = np.array([0.61, 0.83, 1.07])[: problem.dim]
    wave = 2.0 * math.pi * ratio / np.asarray(problem.exact.wavelengths)

    def wrong(x):  # as large and about as wavy as the exact solution
        return exact(x) + jnp.full(problem.out_size, jnp.sin(wave @ x + 0.3))

    with jax.enable_x64(True):
        for number, (label, term) in enumerate(problem.terms.items()):
            points = points_of(term, jr.key(number))
            target = 0.0 if term.values is None else term.values
            scale = np.sqrt(np.mean((residuals(problem, wrong, term, points) - target) ** 2))
            left = residuals(problem, exact, term, points) - target
            assert left.shape[0] == len(points)
            assert scale > 0.0
            if label == "data" and noise:
                spread = np.sqrt(np.mean(left**2) / np.mean((term.values - left) ** 2))
                assert spread == pytest.approx(noise, rel=0.25)  # 200 draws: 5 % at one sigma
            else:
                assert np.max(np.abs(left)) < 1e-8 * scale, label


@pytest.mark.slow
@pytest.mark.parametrize("name", ["helmholtz1d_wavenumber", "wave1d_speed", "diffusion1d_field"])
def test_wrong_unknowns_do_not_satisfy_the_equation(name):
    problem = zoo.make(name)
    term = problem.terms["equation"]
    with jax.enable_x64(True):
        points = points_of(term, jr.key(0))
        exact, guess = (
            np.asarray(jax.vmap(lambda x, u=u: term.residual(problem.exact.field, x, u))(points))
            for u in (problem.exact_unknowns, problem.unknowns)
        )
    assert np.abs(guess).max() > 1e6 * np.abs(exact).max()


@pytest.mark.slow
def test_every_problem_is_stated_on_regions():
    for name in zoo.names():
        problem = zoo.make(name, **small(name))
        assert problem.source
        for label, term in problem.terms.items():
            assert isinstance(term.points, Region) == (label != "data"), (name, label)
        assert (
            jax.tree.structure(problem.unknowns).num_leaves
            == jax.tree.structure(problem.unknowns).num_leaves
        )


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
@pytest.mark.slow
def test_residuals_keep_the_precision_of_the_points(dtype):
    with jax.enable_x64(True):
        for name in zoo.names():
            problem = zoo.make(name, **small(name))
            unknowns = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), problem.unknowns)

            def field(x, shifts=tuple(range(problem.out_size))):
                return jnp.stack([jnp.sin(jnp.sum(x) + shift) for shift in shifts])

            point = jax.ShapeDtypeStruct((problem.dim,), dtype)
            for label, term in problem.terms.items():
                seen = jax.eval_shape(
                    lambda x, r=term.residual, u=field, v=unknowns: r(u, x, v), point
                )
                assert seen.dtype == dtype, (name, label)
                assert seen.ndim == 1, (name, label)


def test_the_default_of_the_source_problem_needs_its_symmetry():
    """An odd resonant mode satisfies equation and boundary, and only the symmetry refuses it."""
    problem = zoo.helmholtz2d_source()

    def shifted(x):
        mode = jnp.sin(6 * jnp.pi * x[0]) * jnp.sin(8 * jnp.pi * x[1])
        return problem.exact.field(x) + 0.01 * mode

    with jax.enable_x64(True):
        left = {
            label: np.abs(residuals(problem, shifted, term, points_of(term, jr.key(1)))).max()
            for label, term in problem.terms.items()
        }
    assert left["equation"] < 1e-10
    assert left["boundary"] < 1e-10
    assert left["symmetry"] > 0.01
