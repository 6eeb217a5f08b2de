"""Steps per second with a Helmholtz residual, by each way of taking its second derivatives.

    taskset -c 0 python benchmarks/derivatives.py

Beyond some 32 MB of intermediate results the C library gives memory back after every step, and the
page faults of asking for it again cost as much as the step: a RepNet just passes that line here.
`--chunk 320` adds up the gradient over chunks of points, which stays below it.

One step is the loss over 2,500 + 400 points and its gradient by the parameters, tanh, 4 layers of
100, float32. The ways take turns, so that whatever else the machine does falls on all of them.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from _turns import ratio_of_turns
from jax.experimental.jet import jet

from repnet import MLP, Box, Linear, RepNet, Term, dirichlet, laplacian
from repnet.problem import Transformed

SQUARE = Box([-1.0, -1.0], [1.0, 1.0])
WAVENUMBER = 4.0


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Measure every way and print steps per second."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--steps", type=int, default=4, help="steps per turn")
    parser.add_argument("--width", type=int, default=100)
    parser.add_argument("--chunk", type=int, default=2500, help="points at a time")
    parser.add_argument("--out", default=None, help="JSON file for the numbers")
    options = parser.parse_args(argv)
    runners = _runners(options.width, options.chunk)
    times = ratio_of_turns(runners, options.steps, options.repeats)
    speeds = {name: options.steps / float(np.median(taken)) for name, taken in times.items()}
    for name, speed in speeds.items():
        ratio = float(np.median(times["nested hessian"] / times[name]))
        print(f"{name:32} {speed:7.1f} steps/s   {ratio:5.2f} x nested hessian", flush=True)
    if options.out:
        with open(options.out, "w") as file:
            json.dump(speeds, file, indent=1)
    return speeds


def _runners(width: int, chunk: int) -> dict[str, Callable[[int], None]]:
    first, rest = jr.split(jr.key(0))
    sizes = (width, width, width)
    vanilla = MLP(Linear(2, width, key=first), hidden=sizes, key=rest)
    repnet = RepNet(2, width=width, hidden=sizes, scale=4.0, key=jr.key(1))
    ways = {"nested hessian": by_hessian, "jax.experimental.jet": by_jet, "stacked": by_stack}
    runners = {name: _runner(vanilla, way, chunk) for name, way in ways.items()}
    runners["repnet.laplacian"] = _runner(vanilla, by_term, chunk)
    runners["repnet.laplacian, hard condition"] = _runner(vanilla, by_hard_term, chunk)
    runners["repnet.laplacian of a RepNet"] = _runner(repnet, by_term, chunk)
    return runners


def _runner(network: MLP, residual: Callable, chunk: int) -> Callable[[int], None]:
    inside = jnp.asarray(SQUARE.sample(2500, key=jr.key(2)), jnp.float32)
    chunks = inside[: 2500 // chunk * chunk].reshape(-1, chunk, 2)
    edge = jnp.asarray(SQUARE.boundary().sample(400, key=jr.key(3)), jnp.float32)
    zero = dirichlet(SQUARE.boundary())

    def square(network: MLP, points: jax.Array) -> jax.Array:
        return jnp.sum(jax.vmap(lambda x: residual(network, x))(points) ** 2) / len(inside)

    def boundary(network: MLP) -> jax.Array:
        return jnp.mean(jax.vmap(lambda x: zero(network, x))(edge) ** 2)

    @eqx.filter_jit
    def step(network: MLP) -> MLP:
        def add(slopes, points):
            return jax.tree.map(jnp.add, slopes, eqx.filter_grad(square)(network, points)), None

        slopes, _ = jax.lax.scan(add, eqx.filter_grad(boundary)(network), chunks)
        return eqx.apply_updates(network, jax.tree.map(lambda slope: -1e-9 * slope, slopes))

    def run(steps: int) -> None:
        nonlocal network
        for _ in range(steps):
            network = step(network)
        jax.block_until_ready(jax.tree.leaves(eqx.filter(network, eqx.is_array)))

    start = time.perf_counter()
    run(2)
    print(f"compiled {residual.__name__} in {time.perf_counter() - start:.1f} s", flush=True)
    return run


def _helmholtz(u, x, unknowns):
    return laplacian(u)(x) + WAVENUMBER**2 * u(x) - jnp.sin(3.0 * x[0])


def by_term(network, x):
    """As users write it."""
    return Term(_helmholtz)(network, x)


def by_hard_term(network, x):
    """The same with a field that vanishes on the boundary."""
    hard = Transformed(network, lambda u, x: (1.0 - x[0] ** 2) * (1.0 - x[1] ** 2) * u(x))
    return Term(_helmholtz)(hard, x)


def by_hessian(network, x):
    """Reverse mode under forward mode."""
    trace = jnp.trace(jax.hessian(lambda y: network(y)[0])(x))
    return trace + WAVENUMBER**2 * network(x) - jnp.sin(3.0 * x[0])


def by_jet(network, x):
    """Taylor mode, axis by axis."""

    def second(direction):
        return jet(network, (x,), ((direction, jnp.zeros(2)),))[1][1]

    trace = second(jnp.array([1.0, 0.0])) + second(jnp.array([0.0, 1.0]))
    return trace + WAVENUMBER**2 * network(x) - jnp.sin(3.0 * x[0])


def by_stack(network, x):
    """The forward Laplacian with value, slopes and sum in one product per layer."""
    weight, bias = network.first.affine()
    z, slopes, total = weight @ x + bias, weight.T, jnp.zeros_like(bias)
    for layer in (*network.hidden, network.readout):
        t = jnp.tanh(z)
        first = 1.0 - t * t
        curved = first * total - 2.0 * t * first * jnp.sum(slopes * slopes, axis=0)
        rows = jnp.concatenate([t[None], first * slopes, curved[None]]) @ layer.weight.T
        z, slopes, total = rows[0] + layer.bias, rows[1:-1], rows[-1]
    return total + WAVENUMBER**2 * z - jnp.sin(3.0 * x[0])


if __name__ == "__main__":
    main()
