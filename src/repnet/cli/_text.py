"""Tables of text that commands write, and the file that they go to."""

import csv
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from repnet.report import Record
from repnet.solve._store import write_whole


def as_csv(names: list[str], columns: np.ndarray) -> str:
    """A table of text; numbers read back as the same numbers.

    >>> as_csv(["x", "y"], np.array([[0.5, 1.0]]))
    'x,y\\n0.5,1.0\\n'
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(columns.tolist())
    return buffer.getvalue()


def unwritten(names: list[str], table: np.ndarray, output: Path | None) -> dict[str, Any] | None:
    """The columns of a table that no file takes, for the record."""
    return None if output is not None else dict(zip(names, table.T, strict=True))


def require_free(output: Path) -> None:
    """Refuse a file that is there already, a folder that is not, and one that can't be written."""
    if output.exists() or output.with_suffix(".run.json").exists():
        raise ValueError(f"`--output` must be a new file; {output} is there already.")
    if not output.parent.is_dir():
        raise ValueError(f"`--output` must lie in a folder that exists; {output.parent} is none.")
    try:
        tempfile.TemporaryFile(dir=output.parent).close()
    except OSError as error:
        raise ValueError(
            f"`--output` must be a file that can be written; {output}: {error.strerror}."
        ) from None


def hand_over(text: str, count: int, record: Record, options: dict[str, Any]) -> None:
    """Write a table of predictions and its record where `--output` says, or print one of them."""
    output = options["output"]
    if output is not None:
        write_whole(output, text.encode())
        write_whole(output.with_suffix(".run.json"), (record.to_json() + "\n").encode())
        if not (options["quiet"] or options["json"]):
            print(f"{count} predictions in {output}", file=sys.stderr)
    if options["json"]:
        print(record.to_json())
    elif output is None:
        print(text, end="")
