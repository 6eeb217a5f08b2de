"""A multiscale diffusivity recovered from noisy values of the concentration.

Known are the source f and 400 values of u with noise; unknown is the function a in (a u')' = f.
No value of a is given: where u' = 0 the flux is known to be 0, which fixes it.
"""

import sys

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from repnet import Box, Problem, Term, UnknownField, gradient, observed, partial, solve

LINE = Box(0.0, 1.0)


def diffusivity(x):
    return 1.0 + 0.3 * jnp.sin(2 * jnp.pi * x) + 0.2 * jnp.sin(14 * jnp.pi * x)


def concentration(x):
    return jnp.sin(2 * jnp.pi * x) + 0.1 * jnp.sin(20 * jnp.pi * x)


def source(x):
    def flux(x):
        return diffusivity(x) * gradient(concentration)(x)[0]

    return gradient(flux)(x)[0]


def equation(u, x, unknowns):
    a = unknowns["a"]
    spread = a(x) * partial(u, 0, 2)(x) + partial(a, 0)(x) * partial(u, 0)(x)
    return spread - source(x)


def main(picture=None, noise=1e-3, solver=None):
    rng = np.random.default_rng(0)
    x = rng.random((400, 1))
    u = np.asarray(concentration(x))
    data = observed(x, u + noise * np.std(u) * rng.standard_normal(u.shape))
    unknowns = {"a": UnknownField(initial=1.0)}
    problem = Problem(LINE, {"equation": Term(equation), "data": data}, unknowns)
    solution = solve(problem, solver=solver, key=jax.random.key(0))
    nodes = LINE.grid(401)
    with jax.enable_x64(True):
        found = np.asarray(jax.vmap(solution.unknowns["a"])(jnp.asarray(nodes)))
    error = np.linalg.norm(found - diffusivity(nodes)) / np.linalg.norm(diffusivity(nodes))
    print(solution.plan, f"relative L2 error of a: {error:.1e}", sep="\n")
    if picture:
        figure, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
        axes.plot(nodes, diffusivity(nodes), color="0.6", lw=3, label="true diffusivity")
        axes.plot(nodes, found, lw=1, label="found from noisy concentrations")
        axes.legend(loc="lower center", ncols=2)
        figure.savefig(picture, dpi=90)
    return error


if __name__ == "__main__":
    main(*sys.argv[1:] or ["diffusivity.png"])
