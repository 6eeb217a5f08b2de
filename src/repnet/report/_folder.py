"""The folder that a run writes: all of it or nothing, and never over what is there."""

import os
import secrets
import shutil
from pathlib import Path
from types import TracebackType


class OutputFolder:
    """A folder whose files appear together when `commit` is called, and not at all before.

    Files are written to `path`, a hidden folder beside the target (or inside it, where the empty
    target exists), made at once, so that a place that can't be written is found before any work.

    ```python
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "run"
    >>> with OutputFolder(target) as folder:
    ...     _ = (folder.path / "note.txt").write_text("done")
    ...     seen_before = target.exists()
    ...     _ = folder.commit()
    >>> seen_before, [file.name for file in target.iterdir()]
    (False, ['note.txt'])

    ```

    **Arguments:** `target`: the folder to fill; its parents are made if missing.

    **Raises:** `ValueError`, in one line, where the target is a file, is not empty or can't be
    written.

    **Source:** this project.
    """

    def __init__(self, target: Path):
        self.target = target
        self._made: list[Path] = []
        try:
            _require_empty(target)
            home = target if target.is_dir() else target.parent
            self._made = _make_parents(home)
            self.path = home / f".{target.name}.partial-{secrets.token_hex(6)}"
            self.path.mkdir()
        except OSError as error:
            raise ValueError(
                f"`--out` must be a folder that can be written; {target}: {error.strerror}."
            ) from None

    def commit(self) -> Path:
        """Give the files their place; the target holds all of them at once, or in one pass."""
        if not self.target.is_dir():
            os.rename(self.path, self.target)
            return self.target
        for file in sorted(self.path.iterdir()):
            os.replace(file, self.target / file.name)
        self.path.rmdir()
        return self.target

    def __enter__(self) -> "OutputFolder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        for parent in reversed(self._made):  # those made here and still empty
            if not any(parent.iterdir()):
                parent.rmdir()


def free_name(stem: str) -> Path:
    """The first of `stem`, `stem-2`, `stem-3`, … that is free in the current folder."""
    number = 1
    while True:
        path = Path(stem if number == 1 else f"{stem}-{number}")
        if not path.exists() or (path.is_dir() and not any(path.iterdir())):
            return path
        number += 1


def _require_empty(target: Path) -> None:
    if target.is_dir() and any(target.iterdir()):
        other = next_to(target)
        raise ValueError(
            f"`--out` must be a new or an empty folder; {target} is not empty. "
            f"Nothing was changed; try `--out {other}`."
        )
    if target.exists() and not target.is_dir():
        raise ValueError(f"`--out` must be a folder; {target} is a file.")


def next_to(target: Path) -> Path:
    """A free name for a folder beside one that is taken."""
    number = 2
    while (target.parent / f"{target.name}-{number}").exists():
        number += 1
    return target.parent / f"{target.name}-{number}"


def _make_parents(home: Path) -> list[Path]:
    """Make a folder with its parents; those that were missing, outermost first."""
    missing = [folder for folder in (home, *home.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
    return missing[::-1]
