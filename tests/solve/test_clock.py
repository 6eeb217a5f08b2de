"""Wall time with compilation told apart."""

import threading
import time

import jax
import jax.numpy as jnp
import pytest

from repnet.solve._clock import Clock, _union, noting, running_clocks


def test_union_counts_nested_and_overlapping_intervals_once():
    spans = [(1.0, 4.0), (2.0, 3.0), (3.5, 5.0), (7.0, 8.0)]
    assert _union(spans, 0.0) == pytest.approx(5.0)
    assert _union(spans, 2.0) == pytest.approx(4.0)


def test_compilation_is_told_apart_from_the_rest():
    def long(x):
        for _ in range(200):
            x = jnp.sin(x) @ x
        return x

    x = jnp.eye(3)
    compiled = jax.jit(long)
    start = time.perf_counter()
    with Clock() as first:
        compiled(x).block_until_ready()
        time.sleep(0.05)
    wall = time.perf_counter() - start
    with Clock() as second:
        compiled(x).block_until_ready()
    assert 0.05 <= first.seconds < wall
    assert first.compile_seconds > 0.02
    assert first.seconds + first.compile_seconds <= wall
    assert second.compile_seconds == 0.0


def test_clocks_of_other_threads_do_not_count_this_compilation():
    gate, done = threading.Event(), threading.Event()
    seen = {}

    def wait():
        with Clock() as clock:
            gate.set()
            done.wait(10)
        seen["other"] = clock.compile_seconds

    thread = threading.Thread(target=wait)
    thread.start()
    gate.wait(10)
    with Clock() as outer, Clock() as inner:
        jax.jit(lambda x: jnp.cos(x) * 3 + x)(jnp.ones(7)).block_until_ready()
    done.set()
    thread.join()
    assert outer.compile_seconds >= inner.compile_seconds > 0.0
    assert seen["other"] == 0.0


def test_threads_that_work_for_another_note_what_they_compile():
    def work(clocks):
        with noting(clocks):
            jax.jit(lambda x: jnp.sin(x) * 5 - x)(jnp.ones(9)).block_until_ready()

    with Clock() as clock:
        thread = threading.Thread(target=work, args=(running_clocks(),))
        thread.start()
        thread.join()
    assert clock.compile_seconds > 0.0
