"""From words on the command line to a differential equation: a name of the zoo, or a file."""

import ast
import difflib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from repnet.operators import OPERATORS
from repnet.problem import Problem, zoo
from repnet.report import Stated


def load_problem(
    text: str, settings: Sequence[str] = (), *, noise: float | None = None, seed: int = 0
) -> Stated:
    """A problem of the zoo, or `file.py:name`, a problem or a function that returns one.

    **Arguments:**

    - `settings`: words such as `a1=3`, the parameters that differ from their defaults.
    - `noise`, `seed`: of the data, where the problem has such parameters.

    **Raises:** `ValueError` naming what is unknown, missing or at fault.
    """
    given = dict(map(read_setting, settings))
    if ".py" in text or ":" in text:
        return _of_file(text, given, noise, seed)
    entry = _entry(text)
    given = _with_noise(text, entry.parameters, given, noise, seed)
    problem = _called(lambda: zoo.make(text, **given), text, None)
    return Stated(
        problem,
        text,
        entry.summary,
        entry.tags,
        {**entry.parameters, **given},
        entry.published,
        entry.test_points(problem),
    )


def read_setting(text: str) -> tuple[str, Any]:
    """Name and value of `name=value`; what is no Python literal is a word.

    >>> read_setting("a1=3"), read_setting("kind=soft")
    (('a1', 3), ('kind', 'soft'))
    """
    name, equals, value = text.partition("=")
    if not (equals and name.strip().isidentifier() and value.strip()):
        raise ValueError(f"`--set` must be name=value, such as --set a1=3; got {text!r}.")
    try:
        return name.strip(), ast.literal_eval(value.strip())
    except (ValueError, SyntaxError):
        return name.strip(), value.strip()


def _entry(name: str) -> zoo.Entry:
    if name in zoo.names():
        return zoo.entry(name)
    hint = closest(name, [*zoo.names(), *OPERATORS])
    raise ValueError(
        f"`PROBLEM` must be file.py:name or the name of a problem; got {name!r}.{hint} "
        "`repnet zoo` lists them."
    )


def closest(word: str, known: Sequence[str]) -> str:
    """A question with the closest known word, or nothing.

    >>> closest("helmholz2d", ["helmholtz2d", "wave1d"])
    " Did you mean 'helmholtz2d'?"
    """
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.4)
    return f" Did you mean {close[0]!r}?" if close else ""


def _with_noise(
    name: str, parameters: Any, given: dict[str, Any], noise: float | None, seed: int
) -> dict[str, Any]:
    """The settings with those of the data, which have options of their own."""
    if noise is not None and "noise" not in parameters:
        raise ValueError(f"`--noise` is for problems with data; {name} has none, got {noise:g}.")
    of_data = {"noise": noise} if noise is not None else {}
    if "noise" in of_data and "noise" in given:
        raise ValueError("`--noise` and `--set noise=...` say the same thing; give one of them.")
    if "seed" in parameters and "noise" in parameters:
        of_data = {"seed": seed, **of_data}
    return {**of_data, **given}


def _of_file(text: str, given: dict[str, Any], noise: float | None, seed: int) -> Stated:
    place, colon, name = text.rpartition(":")
    if not colon or not name.isidentifier():
        raise ValueError(
            f"`PROBLEM` must be file.py:name, the name of a problem in it; got {text!r}."
        )
    path = Path(place)
    found = _named(_module(path), path, name)
    if isinstance(found, Problem):
        if given or noise is not None:
            raise ValueError(
                f"`--set` and `--noise` are for functions that return a problem; {text} is one."
            )
        return Stated(found, name)
    if not callable(found):
        raise ValueError(
            f"`PROBLEM` must be a `Problem` or a function that returns one; {text} is "
            f"of type {type(found).__name__}."
        )
    parameters = _parameters(found, text, given)
    given = _with_noise(text, parameters, given, noise, seed)
    problem = _called(lambda: found(**given), text, path)
    if not isinstance(problem, Problem):
        raise ValueError(
            f"`PROBLEM` must be a `Problem` or a function that returns one; {text} returns "
            f"one of type {type(problem).__name__}."
        )
    return Stated(problem, name, _summary(found), parameters={**parameters, **given})


def _module(path: Path) -> ModuleType:
    """The file's own module, run anew."""
    if not path.is_file():
        raise ValueError(f"`PROBLEM` must name a file that exists; there is no {path}.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"`PROBLEM` must name a Python file (.py); got {path}.")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)  # as Python does for a script, so that its neighbours are found
    try:
        _called(lambda: spec.loader.exec_module(module), str(path), path)  # pyright: ignore[reportOptionalMemberAccess]
    finally:
        sys.path.remove(folder)
    return module


def _named(module: ModuleType, path: Path, name: str) -> Any:
    if hasattr(module, name):
        return getattr(module, name)
    known = [key for key, value in vars(module).items() if isinstance(value, Problem)]
    known += [
        key
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    ]
    names = f" It has {', '.join(known)}." if known else ""
    raise ValueError(f"{path} has no {name!r}.{closest(name, known)}{names}")


def _parameters(make: Callable, text: str, given: dict[str, Any]) -> dict[str, Any]:
    """The defaults of a function's parameters; every other one must be given."""
    declared = inspect.signature(make).parameters.values()
    named = {p.name: p.default for p in declared if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    unknown = [name for name in given if name not in named]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in declared):
        raise ValueError(
            f"{text} has no parameter {unknown[0]!r}.{closest(unknown[0], list(named))}"
        )
    missing = [n for n, default in named.items() if default is inspect.Parameter.empty]
    missing = [name for name in missing if name not in given]
    if missing:
        raise ValueError(f"{text} needs `--set {missing[0]}=...`, which has no default.")
    return {n: default for n, default in named.items() if default is not inspect.Parameter.empty}


def _summary(make: Callable) -> str:
    return (inspect.getdoc(make) or "").split("\n")[0].rstrip(".")


def _called(make: Callable[[], Any], text: str, path: Path | None) -> Any:
    """What `make` returns; whatever the user's file raises is a fault of the input."""
    try:
        return make()
    except ValueError as error:
        if path is None:
            raise
        raise ValueError(f"{text} raised {raised(error, path)}") from error
    except Exception as error:
        raise ValueError(f"{text} raised {raised(error, path)}") from error


def raised(error: BaseException, path: Path | None) -> str:
    """Kind and words of an error, and the user's line that it came from."""
    line = None if path is None else line_of(error, path)
    where = "" if line is None else f" (line {line})"
    return f"{type(error).__name__}: {error}{where}"


def line_of(error: BaseException, path: Path) -> int | None:
    """The innermost line of a file that an error passed through, or `None`."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename).name == path.name:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found
