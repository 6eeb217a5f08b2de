"""`repnet report`: draw the reports of a run again."""

from typing import Any

from repnet.report import draw_reports, read_run


def run_report(options: dict[str, Any]) -> int:
    """Redraw `report.html`, `report.md` and the picture; the exit code."""
    folder = options["folder"]
    draw_reports(folder)
    if options["json"]:
        print(read_run(folder).record.to_json())
    elif not options["quiet"]:
        print(f"Results: {folder}/report.html")
    return 0
