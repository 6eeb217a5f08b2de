"""A pulse that meets a slower layer: part of it is thrown back, the rest goes on more slowly.

Each layer has an output of its own, so that no network has to bend at the interface, where
displacement and slope are continuous. Both ends let waves leave. Judged by d'Alembert's solution.
"""

import sys

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np

from repnet import Box, LeastSquares, Problem, Term, partial, relative_l2, solve

SPEEDS, WIDTH, DURATION = (1.0, 0.5), 0.12, 1.5
LAYERS = Box([-1.0, 0.0], [0.0, DURATION]), Box([0.0, 0.0], [1.0, DURATION])
WHOLE = Box([-1.0, 0.0], [1.0, DURATION])


def pulse(s):
    return jnp.exp(-0.5 * ((s + 0.5) / WIDTH) ** 2)


def terms_of(layer):
    c, box = SPEEDS[layer], LAYERS[layer]

    def wave(u, x, unknowns):
        return (partial(u, 1, 2)(x) - c**2 * partial(u, 0, 2)(x))[layer, None]

    def start(u, x, unknowns):
        given = pulse(x[0]) if layer == 0 else 0.0  # runs to the right: its rate is -c its slope
        rate = c * (x[0] + 0.5) / WIDTH**2 * given
        return jnp.stack([u(x)[layer] - given, partial(u, 1)(x)[layer] - rate])

    def leaving(u, x, unknowns):
        outward = c if layer else -c
        return (partial(u, 1)(x) + outward * partial(u, 0)(x))[layer, None]

    begin, end = box.face(1, "lower"), box.face(0, ("lower", "upper")[layer])
    named = {"wave": Term(wave, box), "start": Term(start, begin), "end": Term(leaving, end)}
    return {f"{name} {layer}": term for name, term in named.items()}


def interface(u, x, unknowns):
    return jnp.stack([u(x), partial(u, 0)(x)]) @ jnp.array([1.0, -1.0])


def exact(x):
    (c, d), (s, t) = SPEEDS, x.T
    there = pulse(s - c * t) + (d - c) / (d + c) * pulse(-s - c * t)
    return np.where(s < 0, there, 2 * d / (d + c) * pulse(c / d * s - c * t))[:, None]


def main(picture=None, units=1600):
    terms = {**terms_of(0), **terms_of(1), "interface": Term(interface, LAYERS[0].face(0, "upper"))}
    solver = LeastSquares(units, scale=np.array([38.0, 32.0]))
    solution = solve(Problem(WHOLE, terms, out_size=2), solver=solver, key=jax.random.key(0))
    x = WHOLE.grid(201)
    found = np.where(x[:, 0] < 0, *solution(x).T)[:, None]
    error = relative_l2(lambda x: found, x, exact(x))
    print(solution.plan, f"relative L2 error: {error:.1e}", sep="\n")
    if picture:
        plt.imsave(picture, found.reshape(201, 201).T[::-1], cmap="RdBu", vmin=-1, vmax=1)
    return error


if __name__ == "__main__":
    main(*sys.argv[1:] or ["layers.png"])
