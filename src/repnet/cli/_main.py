"""The outermost ring: arguments in, an exit code out, every fault one line on standard error."""

import os
import signal
import sys
import traceback
import types
import warnings
from collections.abc import Sequence
from typing import TextIO

import numpy as np
import typer

BAD_INPUT, FAILED = 2, 1
INTERRUPTED_BY_TYPER = 130  # what typer makes of an interrupt
FAULTS_OF_INPUT = (ValueError, FileNotFoundError, NotADirectoryError, IsADirectoryError,
                   FileExistsError, PermissionError, ImportError)  # fmt: skip


def main() -> None:
    """The program `repnet`; a request to end it (SIGTERM) is treated as Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, _interrupt)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Carry out one command.

    **Arguments:** `arguments`: the words after `repnet`.

    **Returns:** 0, or 2 for bad input, or 1 for a solve that failed; every fault is one line on
    standard error. `REPNET_DEBUG=1` in the environment adds the traceback.
    """
    from repnet.cli._app import app

    warnings.showwarning = _show_warning
    command = typer.main.get_command(app)
    try:
        code = command.main(args=list(arguments), prog_name="repnet", standalone_mode=False)
        if code == INTERRUPTED_BY_TYPER:
            return _fault("interrupted; nothing was written.", FAILED)
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:  # unknown options, missing arguments
        return _fault(error.format_message(), BAD_INPUT)
    except typer.Exit as error:
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        return _fault("interrupted; nothing was written.", FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # quiet at exit
        return FAILED
    except np.linalg.LinAlgError as error:  # a ValueError, and no fault of the input
        return _fault(f"the solve failed with {type(error).__name__}: {error}", FAILED)
    except FAULTS_OF_INPUT as error:
        return _fault(str(error), BAD_INPUT)
    except MemoryError:
        return _fault("the machine's memory is too small for this solve.", FAILED)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return _fault(f"nothing was written: {error.strerror or error}{where}.", FAILED)
    except Exception as error:
        kind = type(error).__name__
        return _fault(f"the solve failed with {kind}: {error}", FAILED)


def one_line(text: str) -> str:
    """A message without line breaks, cut where it is endless.

    >>> one_line("first\\n  second")
    'first second'
    """
    line = " ".join(text.split())
    return line if len(line) <= 600 else line[:597] + "..."


def _fault(message: str, code: int) -> int:
    if os.environ.get("REPNET_DEBUG"):
        traceback.print_exc()
    print(f"repnet: {one_line(message)}", file=sys.stderr)
    return code


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    print(f"repnet: warning: {one_line(str(message))}", file=file or sys.stderr)


# JAX drops an exception in the one, and makes an error of its own of one in the others.
_DEAF = ("_xla_gc_callback", "__eq__", "__hash__")
_LATER = 0.02  # seconds


def _interrupt(number: int, frame: types.FrameType | None) -> None:
    outer = frame
    while outer is not None:
        if outer.f_code.co_name in _DEAF:  # come back a moment later
            signal.setitimer(signal.ITIMER_REAL, _LATER)
            return
        outer = outer.f_back
    signal.default_int_handler(number, frame)
