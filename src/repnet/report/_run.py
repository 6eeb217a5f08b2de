"""A run on disk: record, model, arrays, and the reports drawn from record and arrays alone."""

import dataclasses
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from repnet.report._draw import draw_html, draw_markdown, draw_picture
from repnet.report._record import Record, read_record
from repnet.solve import Solution
from repnet.solve._store import write_whole

RECORD, ARRAYS, MODEL = "run.json", "arrays.npz", "model.npz"


@dataclasses.dataclass(frozen=True)
class Run:
    """A record and the arrays that its figures need."""

    record: Record
    arrays: Mapping[str, np.ndarray]


def write_run(folder: Path, run: Run, solution: Solution | None) -> None:
    """Write `run.json`, `arrays.npz` and, of a solution, `model.npz`."""
    if solution is not None:
        solution.save(folder / MODEL)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **run.arrays)
    write_whole(folder / ARRAYS, buffer.getvalue())
    write_whole(folder / RECORD, (run.record.to_json() + "\n").encode())


def read_run(folder: Path) -> Run:
    """Read what `write_run` wrote; a run without arrays has none to draw.

    **Raises:** `ValueError` for a folder that holds no run, or a damaged one.
    """
    if not folder.is_dir():
        raise ValueError(f"`DIR` must be the folder of a run; {folder} is none.")
    record = read_record(folder / RECORD)
    path = folder / ARRAYS
    if not path.exists():
        return Run(record, {})
    try:
        # Opened here: NumPy leaves a damaged file open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return Run(record, {name: file[name] for name in file.files})
    except Exception as error:  # a damaged archive makes NumPy raise almost anything
        raise ValueError(
            f"`{path}` must hold the arrays of a run; it is damaged ({type(error).__name__})."
        ) from None


def draw_reports(folder: Path) -> None:
    """Draw `report.html`, `report.md` and `picture.png` from the record and arrays of a run."""
    run = read_run(folder)
    picture = draw_picture(run.record, run.arrays)
    if picture is not None:
        write_whole(folder / "picture.png", picture)
    write_whole(folder / "report.html", draw_html(run.record, run.arrays).encode())
    has_picture = picture is not None
    write_whole(folder / "report.md", draw_markdown(run.record, has_picture).encode())
