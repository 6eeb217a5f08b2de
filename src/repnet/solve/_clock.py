"""Wall time of a solve, with the time that JAX spent compiling told apart."""

import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import jax

_COMPILING = "/jax/core/compile/"  # tracing, lowering and compiling report under this name
_registering = threading.Lock()
_registered = False


class _Running(threading.local):
    """The clocks that run in this thread, which is the thread its compilations report in."""

    def __init__(self) -> None:
        self.clocks: list[Clock] = []


class Clock:
    """Seconds inside a `with` block: all of them, split into computing and compiling.

    Tracing, lowering and compiling report how long they took, and contain each other; their time
    is the length of the union of their intervals. Clocks nest, and run in threads side by side.

    **Source:** this project, on `jax.monitoring`.

    >>> with Clock() as clock:
    ...     total = sum(range(1000))
    >>> clock.seconds > 0.0, clock.compile_seconds
    (True, 0.0)
    """

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._end: float | None = None
        self._spans: list[tuple[float, float]] = []

    def __enter__(self) -> "Clock":
        _register()
        _running.clocks.append(self)
        self._start, self._end = time.perf_counter(), None
        self._spans.clear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end = time.perf_counter()
        _running.clocks.remove(self)

    @property
    def compile_seconds(self) -> float:
        """Seconds of tracing, lowering and compiling since the start."""
        return _union(self._spans, self._start)

    @property
    def seconds(self) -> float:
        """Seconds of everything else since the start."""
        end = time.perf_counter() if self._end is None else self._end
        return max(end - self._start - self.compile_seconds, 0.0)

    def added_to(self, solution: Any, **changes: Any) -> Any:
        """A solution whose times hold this clock's too, for work done before its solve."""
        return dataclasses.replace(
            solution,
            seconds=solution.seconds + self.seconds,
            compile_seconds=solution.compile_seconds + self.compile_seconds,
            **changes,
        )


_running = _Running()


def running_clocks() -> list[Clock]:
    """The clocks of this thread, for `noting` in others that work for it."""
    return list(_running.clocks)


@contextmanager
def noting(clocks: list[Clock]) -> Iterator[None]:
    """What this thread compiles inside the block is noted on the clocks of another."""
    before, _running.clocks = _running.clocks, clocks
    try:
        yield
    finally:
        _running.clocks = before


def _register() -> None:
    # JAX keeps a listener for good, so one serves every clock; and only once one is needed.
    global _registered
    with _registering:
        if not _registered:
            jax.monitoring.register_event_duration_secs_listener(_note)
            _registered = True


def _note(event: str, duration_secs: float, **_: Any) -> None:
    if event.startswith(_COMPILING):
        end = time.perf_counter()
        for clock in _running.clocks:
            clock._spans.append((end - duration_secs, end))


def _union(spans: list[tuple[float, float]], start: float) -> float:
    """Length of the union of intervals, from `start` on."""
    total, reached = 0.0, start
    for low, high in sorted(spans):
        total += max(high - max(low, reached), 0.0)
        reached = max(reached, high)
    return total
