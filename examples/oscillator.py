"""Stiffness and damping of a building, inferred from how it answers a moving ground.

The building is one mass on a spring: u'' + d u' + s u = -a(t), u the drift of its roof. The ground
motion is synthesized, in the manner of Kanai and Tajimi (no recording is shipped with this
project); the answer is computed by SciPy's Runge-Kutta, sampled at 25 Hz, with 2 % noise.
"""

import sys

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp

from repnet import Box, Problem, Term, initial, observed, partial, solve

TIME = Box(0.0, 6.0)  # seconds
STIFFNESS, DAMPING = (2 * np.pi * 1.4) ** 2, 0.08 * 2 * np.pi * 1.4  # 1.4 Hz, 4 % of critical
OMEGA = np.linspace(1.0, 25.0, 60)  # rad/s, with the ground's own frequency at 14 rad/s
RATIO = (OMEGA / 14.0) ** 2
STRENGTH = np.sqrt((1 + 1.44 * RATIO) / ((1 - RATIO) ** 2 + 1.44 * RATIO))
PHASE = np.random.default_rng(5).uniform(0, 2 * np.pi, OMEGA.size)


def ground(t):  # m/s²
    return (
        0.25
        * (t / 3) ** 2
        * jnp.exp(2 - 2 * t / 3)
        * jnp.sum(STRENGTH * jnp.cos(OMEGA * t + PHASE))
    )


def equation(u, x, unknowns):
    slow = unknowns["damping"] * partial(u, 0)(x) + unknowns["stiffness"] * u(x)
    return partial(u, 0, 2)(x) + slow + ground(x[0])


def answer(t):
    """The roof's drift by Runge-Kutta, in metres."""

    def rate(t, state):
        return [state[1], -DAMPING * state[1] - STIFFNESS * state[0] - float(moved(t))]

    with jax.enable_x64(True):
        moved = jax.jit(ground)
        return solve_ivp(rate, (0.0, 6.0), [0.0, 0.0], "DOP853", t, rtol=1e-9, atol=1e-12).y[0]


def main(picture=None, noise=0.02, solver=None):
    t = np.arange(0.04, 6.0, 0.04)
    u = answer(t)
    data = observed(t, u + noise * np.std(u) * np.random.default_rng(6).standard_normal(t.size))
    terms = {"equation": Term(equation), "start": initial(TIME, 0.0, 0.0), "data": data}
    guess = {"stiffness": np.asarray(50.0), "damping": np.asarray(0.2)}
    solution = solve(Problem(TIME, terms, guess), solver=solver, key=jax.random.key(0))
    found = {name: float(value) for name, value in solution.unknowns.items()}
    print(solution.plan, found, solution.plan.numbers.get("intervals"), sep="\n")
    if picture:
        figure, axes = plt.subplots(figsize=(6, 2.6), layout="constrained")
        axes.plot(t, data.values, ".", color="0.6", ms=3, label="measured drift")
        axes.plot(t, solution(t), lw=1, label="network")
        axes.legend()
        figure.savefig(picture, dpi=90)
    return found


if __name__ == "__main__":
    main(*sys.argv[1:] or ["oscillator.png"])
