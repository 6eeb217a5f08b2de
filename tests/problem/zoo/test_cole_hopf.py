"""Burgers' reference against published numbers and its own refinement."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from repnet.problem import partial
from repnet.problem.zoo._cole_hopf import cole_hopf


def test_the_steepest_slope_is_the_published_one():
    """Basdevant et al. 1986, table 1: 152.00516 at t = 1.6037/π, for ν = 0.01/π."""
    with jax.enable_x64(True):
        slope = jax.jit(partial(cole_hopf(0.01 / np.pi), 0))
        found = minimize_scalar(
            lambda t: float(slope(jnp.array([0.0, t / np.pi]))[0]), bounds=(1.2, 2.0)
        )
    assert -found.fun == pytest.approx(152.00516, abs=5e-6)
    assert found.x == pytest.approx(1.6037, abs=5e-5)


@pytest.mark.parametrize("viscosity", [0.001, 0.01 / np.pi, 0.1])
@pytest.mark.slow
def test_it_converges_with_the_nodes(viscosity, rng):
    points = np.stack([rng.uniform(-1, 1, 500), rng.uniform(0, 1, 500)], axis=1)
    with jax.enable_x64(True):
        fields = (jax.jit(jax.vmap(cole_hopf(viscosity, nodes))) for nodes in (40, 160, 300))
        few, usual, many = (np.asarray(field(points)) for field in fields)
    assert np.abs(usual - many).max() < 1e-13  # rounding of 160 terms
    assert np.abs(few - many).max() > 1e-8


def test_it_is_the_quotient_of_integrals():
    """The same solution by adaptive quadrature over y, not over the Gaussian's variable."""
    viscosity, x, t = 0.05, 0.37, 0.6

    def weight(y):
        bell = np.exp(-((x - y) ** 2) / (4 * viscosity * t))
        return bell * np.exp(-np.cos(np.pi * y) / (2 * np.pi * viscosity))

    reach = {"limit": 500, "points": [x], "epsabs": 1e-14, "epsrel": 1e-13}
    above, _ = quad(lambda y: np.sin(np.pi * y) * weight(y), x - 4, x + 4, **reach)
    below, _ = quad(weight, x - 4, x + 4, **reach)
    with jax.enable_x64(True):
        value = cole_hopf(viscosity)(jnp.array([x, t]))[0]
    assert value == pytest.approx(-above / below, rel=1e-10)
