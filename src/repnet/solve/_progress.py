"""Progress of a long solve: the three calls that a meter answers, and two meters."""

import sys
import time
from typing import Protocol, runtime_checkable


@runtime_checkable
class AbstractProgress(Protocol):
    """What a solver tells about its progress; any object with these three methods is a meter.

    >>> isinstance(TextProgress(), AbstractProgress), isinstance(print, AbstractProgress)
    (True, False)
    """

    def start(self, total: int, label: str) -> None:
        """The solve begins: `total` steps, and what it does in a few words."""

    def update(self, step: int, loss: float) -> None:
        """`step` steps are done and the loss is `loss`."""

    def stop(self) -> None:
        """The solve has ended, in whatever way."""


@runtime_checkable
class Writable(Protocol):
    """What text is written to: a file open for text, or anything with these two methods."""

    def write(self, text: str, /) -> object:
        """Take the text."""

    def flush(self) -> object:
        """Show it now."""


class NoProgress:
    """Shows nothing, and costs nothing: with it a solver doesn't wait to read its loss.

    >>> NoProgress().update(1, 0.5)
    """

    def start(self, total: int, label: str) -> None:
        """Nothing."""

    def update(self, step: int, loss: float) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class TextProgress:
    """One line of plain text that is rewritten, at most so many times a second.

    **Arguments:**

    - `stream`: where to write; standard error if left out.
    - `interval`: least seconds between two writes; the last step is always written.

    **Raises:** `ValueError` for an interval below 0.

    >>> meter = TextProgress(sys.stdout, interval=0.0)
    >>> meter.start(200, "gradient"); meter.update(200, 0.25); meter.stop()
    gradient 200/200 (100 %), loss 2.500e-01
    """

    def __init__(self, stream: Writable | None = None, *, interval: float = 0.5):
        if not interval >= 0:
            raise ValueError(f"`TextProgress(interval=...)` must be >= 0; got {interval!r}.")
        self.stream = stream
        self.interval = interval
        self._total, self._label = 0, ""
        self._written, self._length = float("-inf"), 0

    def start(self, total: int, label: str) -> None:
        """Remember what is to come."""
        self._total, self._label = total, label
        self._written, self._length = float("-inf"), 0

    def update(self, step: int, loss: float) -> None:
        """Rewrite the line, unless the last time was just before."""
        now = time.monotonic()
        if step < self._total and now - self._written < self.interval:
            return
        share = step / max(self._total, 1)
        line = f"{self._label} {step}/{self._total} ({share:.0%}), loss {loss:.3e}"
        line = line.replace("%)", " %)")
        start = "\r" if self._length else ""
        self._out().write(start + line.ljust(self._length))
        self._out().flush()
        self._written, self._length = now, len(line)

    def stop(self) -> None:
        """End the line."""
        if self._length:
            self._out().write("\n")
            self._out().flush()

    def _out(self) -> Writable:
        return sys.stderr if self.stream is None else self.stream
