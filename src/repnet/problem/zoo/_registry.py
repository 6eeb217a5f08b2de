"""The named problems: their names, parameters and sources."""

import dataclasses
import difflib
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from repnet.problem._problem import Problem
from repnet.problem.zoo._reference import Reference, judging_points


@dataclasses.dataclass(frozen=True)
class Entry:
    """A named problem.

    `make(**parameters)` builds it; `parameters` are its keywords with their defaults; `tags` say
    what kind of problem it is; `published` quotes errors that others reached, "" where none is
    known to us.
    """

    name: str
    make: Callable[..., Problem]
    summary: str
    tags: tuple[str, ...]
    parameters: dict[str, Any]
    published: str

    def test_points(self, problem: Problem) -> Float[np.ndarray, "points dim"]:
        """Points to judge a solution of `problem` at, shape `(points, dim)`.

        At least 10 per shortest wavelength of the exact solution along each axis, where that
        makes 250,000 or fewer; none of them is a point of a regular grid.
        """
        if not isinstance(problem.exact, Reference):
            raise ValueError(
                "`Entry.test_points(problem)` needs a problem of the zoo, whose exact solution "
                f"knows its wavelengths; got {type(problem.exact).__name__}."
            )
        return judging_points(problem.domain, problem.exact.wavelengths)


_ENTRIES: dict[str, Entry] = {}


def named(
    summary: str, tags: Sequence[str], published: str = ""
) -> Callable[[Callable[..., Problem]], Callable[..., Problem]]:
    """A decorator that lists a function under its own name."""

    def register(make: Callable[..., Problem]) -> Callable[..., Problem]:
        defaults = {k: p.default for k, p in inspect.signature(make).parameters.items()}
        name = make.__name__
        _ENTRIES[name] = Entry(name, make, summary, tuple(tags), defaults, published)
        return make

    return register


def names() -> tuple[str, ...]:
    """The names of all problems, in alphabetical order.

    ```python
    >>> "helmholtz2d" in names()
    True

    ```
    """
    return tuple(sorted(_ENTRIES))


def entry(name: str) -> Entry:
    """The entry of a name.

    ```python
    >>> entry("helmholtz2d").parameters
    {'a1': 1, 'a2': 4, 'k': 1.0}

    ```

    **Raises:** `ValueError` for a name that is not in the zoo; it says the closest one.
    """
    if name not in _ENTRIES:
        raise ValueError(
            f"`zoo.entry(name=...)` must be the name of a problem; got {name!r}"
            f"{_closest(name, _ENTRIES)}. The names are {', '.join(names())}."
        )
    return _ENTRIES[name]


def make(name: str, **parameters: Any) -> Problem:
    """The problem of a name.

    ```python
    >>> make("helmholtz2d", a1=3, a2=7).dim
    2

    ```

    **Arguments:** `name`; `parameters`, those of `entry(name).parameters` that should differ from
    their defaults.

    **Raises:** `ValueError` for an unknown name or parameter, and where a parameter breaks a rule.
    """
    found = entry(name)
    for key in parameters:
        if key not in found.parameters:
            raise ValueError(
                f"`{name}(...)` has no parameter {key!r}{_closest(key, found.parameters)}. "
                f"Its parameters are {', '.join(found.parameters)}."
            )
    return found.make(**parameters)


def _closest(word: str, known: dict[str, Any]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.4)
    return f" (closest: {close[0]!r})" if close else ""
