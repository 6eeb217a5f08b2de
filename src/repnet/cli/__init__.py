"""The command line: `repnet demo | fit | solve | zoo | predict | diagnose | report`."""

from repnet.cli._main import main, run

__all__ = ["main", "run"]
