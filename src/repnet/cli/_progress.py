"""Progress bars on standard error, and none where nobody watches."""

import sys

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from repnet.solve import AbstractProgress


class BarProgress:
    """A bar with the loss and the time left, gone when the solve ends."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = Console(stderr=True) if console is None else console
        self._bar: Progress | None = None
        self._task = TaskID(0)

    def start(self, total: int, label: str) -> None:
        """Show an empty bar."""
        self.stop()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}  loss {task.fields[loss]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task(label, total=total, loss="")
        self._bar.start()

    def update(self, step: int, loss: float) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.update(self._task, completed=step, loss=f"{loss:.2e}")

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def progress_for(*, hidden: bool) -> AbstractProgress | None:
    """A bar where standard error is a terminal and nobody asked for quiet."""
    return None if hidden or not sys.stderr.isatty() else BarProgress()
