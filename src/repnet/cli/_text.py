"""Tables of text that commands write, and the file that they go to."""

import csv
import io
from pathlib import Path

import numpy as np


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


def require_free(output: Path) -> None:
    """Refuse a file that is there already, or a folder that is not."""
    if output.exists() or output.with_suffix(".run.json").exists():
        raise ValueError(f"`--output` must be a new file; {output} is there already.")
    if not output.parent.is_dir():
        raise ValueError(f"`--output` must lie in a folder that exists; {output.parent} is none.")
