"""Timing networks that take turns, so that noise of the machine falls on all alike."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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
        rate=1e-3,
        steps=1_000_000,
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


@contextmanager
def peer(command: Sequence[str]) -> Iterator[tuple[str, Callable[[int], None]]]:
    """A process that prints its version, then takes as many steps as each line asks for.

    **Yields:** the version, empty if the process failed, and a function that has steps taken.
    """
    pipes: dict = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def run(steps: int) -> None:
            stdin.write(f"{steps}\n")
            stdin.flush()
            stdout.readline()

        yield stdout.readline().strip(), run
        stdin.close()


def row_of_turns(peer_name: str, seconds: dict[str, np.ndarray], steps: int, about: dict) -> dict:
    """Steps per second of every runner and its ratio to the peer's; prints a line for each."""
    row = dict(about)
    for name, times in seconds.items():
        speed, ratio = steps / np.median(times), np.median(seconds[peer_name] / times)
        row[f"{name}_steps_per_second"], row[f"{name}_ratio"] = float(speed), float(ratio)
        print(f"{name:8} {speed:8.1f} steps/s  x {ratio:.2f}", flush=True)
    return row


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
