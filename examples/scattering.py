"""A plane wave scattered by a disc: Helmholtz's equation, with sides that let waves leave.

The complex field is two outputs. On the sides it obeys the second condition of Bayliss and Turkel
1980, (∂r - ik + 5/2r)(∂r - ik + 1/2r) u = 0, whose own error is what remains.
"""

import sys

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import hankel1, jv

from repnet import Ball, Box, LeastSquares, Problem, Term, dirichlet, laplacian, relative_l2, solve
from repnet.problem import directional

RADIUS, K = 0.5, 3 * np.pi  # of the disc; wavenumber
SQUARE, DISC = Box([-1.0, -1.0], [1.0, 1.0]), Ball([0.0, 0.0], RADIUS)


def equation(u, x, unknowns):
    return laplacian(u)(x) + K**2 * u(x)


def minus_incoming(x):
    return -jnp.array([jnp.cos(K * x[0]), jnp.sin(K * x[0])])


def leaving(u, x, unknowns):
    r, turn = jnp.linalg.norm(x), jnp.array([[0.0, -1.0], [1.0, 0.0]])  # turn: times i
    value, first, second = (directional(u, x / r, order)(x) for order in (0, 1, 2))
    even = second + 3 / r * first + (0.75 / r**2 - K**2) * value
    return even - turn @ (2 * K * first + 3 * K / r * value)


def exact(x):
    """The series of Hankel functions: real and imaginary part."""
    r, angle, n = np.hypot(*x.T), np.arctan2(*x.T[::-1]), np.arange(-30, 31)[:, None]
    strength = -(1j**n) * jv(n, K * RADIUS) / hankel1(n, K * RADIUS)
    wave = np.sum(strength * hankel1(n, K * r) * np.exp(1j * n * angle), axis=0)
    return np.stack([wave.real, wave.imag], axis=1)


def main(picture=None, units=1500):
    terms = {"equation": Term(equation), "disc": dirichlet(DISC.boundary(), minus_incoming),
             "sides": Term(leaving, SQUARE.boundary())}  # fmt: skip
    problem = Problem(SQUARE - DISC, terms, out_size=2)
    solution = solve(problem, solver=LeastSquares(units, scale=26.0), key=jax.random.key(0))
    error = relative_l2(solution, x := problem.domain.sample(4000, key=jax.random.key(1)), exact(x))
    print(solution.plan, f"relative L2 error against the series: {error:.1e}", sep="\n")
    if picture:
        x = SQUARE.grid(301)
        total = np.where(DISC.contains(x), np.nan, solution(x)[:, 0] + np.cos(K * x[:, 0]))
        plt.imsave(picture, total.reshape(301, 301).T, cmap="RdBu", vmin=-2, vmax=2)
    return error


if __name__ == "__main__":
    main(*sys.argv[1:] or ["scattering.png"])
