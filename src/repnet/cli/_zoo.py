"""`repnet zoo`: the named problems, in a table or one in full."""

import inspect
import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from repnet.cli._problems import closest
from repnet.problem import zoo


def run_zoo(options: dict[str, Any]) -> int:
    """List the problems, or describe one; the exit code."""
    name = options["name"]
    if name is None:
        entries = [zoo.entry(each) for each in zoo.names()]
        if options["json"]:
            print(json.dumps([describe_entry(entry) for entry in entries], indent=1))
        else:
            _list(entries)
        return 0
    if name not in zoo.names():
        names = ", ".join(zoo.names())
        hint = closest(name, zoo.names())
        raise ValueError(f"`NAME` must be one of {names}; got {name!r}.{hint}")
    entry = zoo.entry(name)
    if options["json"]:
        print(json.dumps(describe_entry(entry), indent=1))
    else:
        _describe(entry)
    return 0


def describe_entry(entry: zoo.Entry) -> dict[str, Any]:
    """An entry as JSON values.

    >>> describe_entry(zoo.entry("helmholtz2d"))["parameters"]
    {'a1': 1, 'a2': 4, 'k': 1.0}
    """
    return {
        "name": entry.name,
        "summary": entry.summary,
        "tags": list(entry.tags),
        "parameters": entry.parameters,
        "published": entry.published,
    }


def _list(entries: list[zoo.Entry]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("problem", no_wrap=True)
    table.add_column("what it is, and its tags")
    table.add_column("parameters")
    for entry in entries:
        about = f"{escape(entry.summary)}\n[dim]{escape(', '.join(entry.tags))}[/dim]"
        table.add_row(entry.name, about, escape(_parameters(entry)))
    console = Console()
    console.print(table)
    console.print("\n`repnet zoo NAME` describes one; `repnet solve NAME --set a=1` solves it.")


def _describe(entry: zoo.Entry) -> None:
    console = Console()

    def line(text: str) -> None:
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    line(f"{entry.name}: {entry.summary}")
    line(f"tags: {', '.join(entry.tags)}")
    line(f"parameters: {_parameters(entry)}")
    line(f"published errors: {entry.published or 'none known to us'}")
    line("")
    text = inspect.getdoc(entry.make) or ""
    line(_without_examples(text))


def _parameters(entry: zoo.Entry) -> str:
    words = [
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in entry.parameters.items()
    ]
    return ", ".join(words)


def _without_examples(text: str) -> str:
    """A docstring without its blocks of code.

    >>> _without_examples("Says.\\n\\n```python\\n>>> 1\\n1\\n\\n```\\n\\nMore.")
    'Says.\\n\\nMore.'
    """
    parts = text.split("```")
    return "\n\n".join(part.strip() for part in parts[::2] if part.strip())
