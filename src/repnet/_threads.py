"""BLAS threads for small factorizations."""

import importlib
from contextlib import AbstractContextManager, nullcontext

from threadpoolctl import threadpool_limits

_LARGE = 2e10  # rows × columns² above which BLAS may use all cores


def one_blas_thread() -> AbstractContextManager:
    """One BLAS thread inside the block; the user's setting returns after it.

    Small factorizations gain nothing from BLAS's own threads and lose much where cores are busy:
    its workers spin while they wait. The windows run side by side instead.
    """
    importlib.import_module("scipy.linalg")  # SciPy brings a BLAS of its own, limited once loaded
    return threadpool_limits(1, "blas")


def blas_threads_for(rows: int, columns: int) -> AbstractContextManager:
    """One BLAS thread for a small factorization, the user's setting for a large one."""
    return nullcontext() if rows * columns**2 > _LARGE else one_blas_thread()
