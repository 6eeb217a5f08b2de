"""BLAS threads for small factorizations."""

import importlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from threadpoolctl import threadpool_limits

_LARGE = 2e10  # rows × columns² above which BLAS may use all cores
_lock = threading.Lock()
_inside: list[Any] = []  # one entry per block that is open; the first holds the user's setting


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """One BLAS thread inside the block; the user's setting returns after it.

    Small factorizations gain nothing from BLAS's own threads and lose much where cores are busy:
    its workers spin while they wait. The windows run side by side instead. The setting belongs to
    the process: where blocks overlap in several threads, it returns after the last of them.
    """
    importlib.import_module("scipy.linalg")  # SciPy brings a BLAS of its own, limited once loaded
    with _lock:
        _inside.append(None if _inside else threadpool_limits(1, "blas"))
    try:
        yield
    finally:
        with _lock:
            limits = _inside.pop()
            if limits is not None:
                limits.restore_original_limits()


def blas_threads_for(rows: int, columns: int) -> AbstractContextManager:
    """One BLAS thread for a small factorization, the user's setting for a large one."""
    return nullcontext() if rows * columns**2 > _LARGE else one_blas_thread()
