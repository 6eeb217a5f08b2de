"""What the readers share: the file that must exist, the names that must be known."""

import difflib
from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path


def existing(path: str | PathLike[str]) -> Path:
    """The path of a file that exists and is not empty.

    ```python
    >>> existing("no_such_file.csv")
    Traceback (most recent call last):
    ValueError: `no_such_file.csv` must be a file; there is none.

    ```
    """
    path = Path(path)
    if not path.is_file():
        found = "it is a folder" if path.is_dir() else "there is none"
        raise ValueError(f"`{path}` must be a file; {found}.")
    if path.stat().st_size == 0:
        raise ValueError(f"`{path}` must hold rows of numbers; it is empty.")
    return path


def reason(error: Exception) -> str:
    """The first line of what a library says, without its full stop; what was raised if nothing.

    ```python
    >>> reason(OSError("No sound.\\nTry another.")), reason(EOFError())
    ('No sound', 'EOFError')

    ```
    """
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(". ") if lines else type(error).__name__


def as_names(names: str | Sequence[str] | None) -> list[str] | None:
    """One name or several as a list; `None` stays.

    ```python
    >>> as_names("time")
    ['time']

    ```
    """
    return [names] if isinstance(names, str) else None if names is None else list(names)


def pick(owner: str, argument: str, name: str, names: Iterable[str]) -> str:
    """Give `name` back if it is one of `names`.

    ```python
    >>> pick("tide.csv", "target", "hieght", ["hour", "height"])
    Traceback (most recent call last):
    ValueError: `tide.csv`: `target` must be one of 'hour', 'height'; got 'hieght'. ...

    ```
    """
    names = list(names)
    if name in names:
        return name
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
        f"`{owner}`: `{argument}` must be one of {', '.join(map(repr, names))}; got {name!r}.{hint}"
    )
