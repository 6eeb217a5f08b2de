"""Timing networks that take turns, so that noise of the machine falls on all alike."""

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from repnet.problem import Problem, regression
from repnet.solve._loop import advance
from repnet.solve._training import prepare


def stepper(network: Callable, x: np.ndarray, y: np.ndarray) -> Callable[[int], None]:
    """`stepper_of` a regression."""
    return stepper_of(regression(x, y), network)


def stepper_of(problem: Problem, network: Callable) -> Callable[[int], None]:
    """A function that takes so many steps of the library's own loop and waits for them."""
    ready = prepare(
        problem,
        network,
        optimiser=None,
        rate=1e-3,
        steps=1_000_000,
        batch=None,
        hold_out=0.0,
        stacked=False,
        key=jr.key(0),
    )
    state = ready.state

    def run(steps: int) -> None:
        nonlocal state
        state, _ = advance(
            state,
            ready.rest,
            ready.rates,
            ready.training,
            jnp.asarray(steps, jnp.int32),
            stacked=False,
        )
        jax.block_until_ready(state)

    run(3)
    return run


def ratio_of_turns(
    runners: dict[str, Callable[[int], None]], steps: int, repeats: int
) -> dict[str, np.ndarray]:
    """Seconds of every turn of every runner, `(repeats,)` each; the order changes every round."""
    names = list(runners)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(repeats):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            start = time.perf_counter()
            runners[name](steps)
            seconds[name].append(time.perf_counter() - start)
    return {name: np.asarray(values) for name, values in seconds.items()}
