"""`repnet report`: draw the reports of a run again."""

from pathlib import Path

from repnet.report import draw_reports


def run_report(folder: Path) -> int:
    """Redraw `report.html`, `report.md` and the picture; the exit code."""
    draw_reports(folder)
    print(f"Results: {folder}/report.html")
    return 0
